import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { alertRules, grafanaBoard } from './monitoring.ts';

/** Writes monitoring/alerts.yml and monitoring/grafana-board.json: scripts/node scripts/generate/render-monitoring.ts */
const root = new URL('../../monitoring/', import.meta.url);
writeFileSync(new URL('alerts.yml', root), stringify(alertRules(), { aliasDuplicateObjects: false, lineWidth: 0 }));
writeFileSync(new URL('grafana-board.json', root), `${JSON.stringify(grafanaBoard(), null, 2)}\n`);
