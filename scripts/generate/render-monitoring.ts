import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { alertRules, chainAlertRules, chainBoard, grafanaBoard } from './monitoring.ts';

/** Writes alert rules and boards of monitoring/, for one facility and for many: scripts/node scripts/generate/render-monitoring.ts */
const root = new URL('../../monitoring/', import.meta.url);
const write = (name: string, rules: object, boardName: string, board: object): void => {
  writeFileSync(new URL(name, root), stringify(rules, { aliasDuplicateObjects: false, lineWidth: 0 }));
  writeFileSync(new URL(boardName, root), `${JSON.stringify(board, null, 2)}\n`);
};
write('alerts.yml', alertRules(), 'grafana-board.json', grafanaBoard());
write('chain-alerts.yml', chainAlertRules(), 'grafana-chain-board.json', chainBoard());
