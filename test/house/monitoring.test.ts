import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { isOnPath } from '../../drivers/host/is-on-path.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openStaffPage } from '../../scripts/beds/staff-page-bed.ts';
import { openVisitBed } from '../../scripts/beds/visit-bed.ts';
import { alertRules, chainAlertRules, chainBoard, grafanaBoard } from '../../scripts/generate/monitoring.ts';
import { metricsOf } from '../../src/processes/terminal-machine.ts';
import { type FigureName, type TerminalFigures, terminalFigures } from '../../src/wire/figures.ts';

/** What is told to Prometheus, the alerts and the board: one set of names, judged by promtool itself. */
const promtool = process.env.PROMTOOL ?? 'promtool';
const hasPromtool = process.env.PROMTOOL !== undefined || isOnPath('promtool');
if (!hasPromtool) console.warn('skipped: what promtool judges needs the Debian package prometheus, or PROMTOOL');
const judge = (args: readonly string[], input = ''): { readonly ok: boolean; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync(promtool, args, { input, encoding: 'utf8', timeout: 60_000 });
  return { ok: status === 0, said: `${stdout}${stderr}` };
};

const rules = alertRules().groups[0]?.rules ?? [];
const boards = [grafanaBoard(), chainBoard()] as const;
const expressions = [
  ...[...rules, ...(chainAlertRules().groups[0]?.rules ?? [])].map(({ expr }) => expr),
  ...boards.flatMap(({ panels }) => panels).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
];

let folder: string;
let told: string;
let own: string;
let figures: TerminalFigures;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-monitoring-'));
  // A facility with a terminal that has told its figures, been tested, and served a patient.
  const bed = await openVisitBed({ inspect: async () => ({ disk: 'disk.nearly-full' }) });
  const page = await openStaffPage(bed.agent, []);
  await until('the lane', () => bed.agent.desk.lanes.wireOf('front-1') > 1);
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.takeCard();
  await bed.agent.desk.commands.selfTest('front-1', false);
  bed.face.say({ type: 'preview', jpeg: new Uint8Array([1]) });
  await bed.pass(10_000);
  await bed.agent.quiet();
  const names = Object.keys(terminalFigures) as FigureName[];
  figures = Object.fromEntries(names.map((name, index) => [name, index * 3 + 1]));
  bed.clinic.tellFigures(figures);
  bed.reader.unplug();
  await bed.agent.quiet();
  told = await (await fetch(new URL('/metrics', page.address))).text();
  own = metricsOf(figures);
  await page.close();
  await bed.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const samples = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

describe('figures', () => {
  test('a terminal says the same of itself on its own loopback, in `state`, and by the agent', () => {
    const mine = samples(own);
    const theirs = samples(told);
    expect(mine.size).toBe(Object.keys(terminalFigures).length);
    for (const [name, value] of mine) {
      expect(figures[name.replace('uketsuke_terminal_', '') as FigureName]).toBe(value);
      expect(theirs.get(`${name}{device="front-1",lane="1"}`), name).toBe(value);
    }
  });

  test('a fault, the last test and the requests are there; of a person nothing', () => {
    const all = samples(told);
    expect(all.get('uketsuke_terminal_fault{device="front-1",lane="1",code="reader.lost"}')).toBe(1);
    expect(all.get('uketsuke_terminal_self_test_failed{device="front-1",lane="1",part="disk"}')).toBe(1);
    expect(all.get('uketsuke_terminal_self_test_failed{device="front-1",lane="1",part="line"}')).toBe(0);
    expect(told).toMatch(
      /uketsuke_agent_requests_total\{kind="eligibility",method="pin",outcome="eligible",code=""\} 1/,
    );
    expect(told).not.toMatch(/花子|5E570001|19800217/);
  });

  test.skipIf(!hasPromtool)('promtool takes both texts', () => {
    for (const text of [told, own]) {
      const { said } = judge(['check', 'metrics'], text);
      expect(said).not.toMatch(/error|parse/i);
    }
    expect(judge(['check', 'metrics'], 'uketsuke_x{ 1\n').ok).toBe(false);
  });
});

describe('alerts and board', () => {
  test('the files are those of the table (scripts/node scripts/generate/render-monitoring.ts)', () => {
    expect(parse(readFileSync('monitoring/alerts.yml', 'utf8'))).toEqual(JSON.parse(JSON.stringify(alertRules())));
    const chain = parse(readFileSync('monitoring/chain-alerts.yml', 'utf8'));
    expect(chain).toEqual(JSON.parse(JSON.stringify(chainAlertRules())));
    for (const [index, name] of ['grafana-board.json', 'grafana-chain-board.json'].entries())
      expect(JSON.parse(readFileSync(`monitoring/${name}`, 'utf8'))).toEqual(boards[index]);
  });

  test('every metric that they name is told, and none is misspelt', () => {
    const known = new Set([...samples(`${told}${own}`).keys()].map((key) => key.replace(/\{.*/, '')));
    const named = new Set(expressions.flatMap((expr) => expr.match(/uketsuke_\w+/g) ?? []));
    expect(named.size).toBeGreaterThan(12);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(boards)('the board $uid has the form that Grafana imports', (board) => {
    const target = {
      type: 'object',
      required: ['refId', 'expr', 'datasource'],
      properties: { refId: { type: 'string', pattern: '^[A-Z]$' }, expr: { type: 'string', minLength: 1 } },
    };
    const grid = { type: 'integer', minimum: 0, maximum: 200 };
    const valid = new Ajv().compile({
      type: 'object',
      required: ['uid', 'title', 'schemaVersion', 'panels', 'templating', 'time'],
      properties: {
        uid: { type: 'string', pattern: '^[a-zA-Z0-9_-]{1,40}$' },
        schemaVersion: { type: 'integer', minimum: 36 },
        panels: {
          type: 'array',
          minItems: 10,
          items: {
            type: 'object',
            required: ['id', 'type', 'title', 'gridPos', 'targets', 'datasource', 'fieldConfig'],
            properties: {
              id: { type: 'integer', minimum: 1 },
              type: { enum: ['stat', 'timeseries', 'table'] },
              gridPos: {
                type: 'object',
                required: ['x', 'y', 'w', 'h'],
                properties: { x: { ...grid, maximum: 23 }, y: grid, w: { ...grid, minimum: 1, maximum: 24 }, h: grid },
              },
              targets: { type: 'array', minItems: 1, items: target },
            },
          },
        },
      },
    });
    expect(valid(board), JSON.stringify(valid.errors)).toBe(true);
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    const cells = board.panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
    expect(new Set(cells).size).toBe(cells.length);
  });

  test.skipIf(!hasPromtool)('promtool takes the rules, and every expression of the boards as one', () => {
    for (const name of ['alerts.yml', 'chain-alerts.yml']) {
      const { ok, said } = judge(['check', 'rules', `monitoring/${name}`]);
      expect([ok, said]).toEqual([true, expect.stringContaining(`${rules.length} rules found`)]);
    }
    for (const name of ['prometheus-facility.yml', 'prometheus-chain.yml'])
      expect(judge(['check', 'config', `monitoring/${name}`])).toMatchObject({ ok: true });
    const file = join(folder, 'board.yml');
    const panels = boards.flatMap((board) => board.panels);
    const asRules = panels.map(({ targets }, index) => ({ record: `board:${index}`, expr: targets[0]?.expr }));
    writeFileSync(file, stringify({ groups: [{ name: 'board', rules: asRules }] }));
    expect(judge(['check', 'rules', file]).ok).toBe(true);
    writeFileSync(file, stringify({ groups: [{ name: 'board', rules: [{ record: 'x:y', expr: 'sum by (' }] }] }));
    expect(judge(['check', 'rules', file]).ok).toBe(false);
  });

  /** Of each alert: what makes it ring, and what is near it and must not. `0+0x60`: the same value for an hour of minutes. */
  const own1 = '{device="front-1",lane="1"';
  const cases: Readonly<Record<string, readonly [rings: string | null, rests: string]>> = {
    UketsukeAgentGone: [null, 'uketsuke_agent_broker_up 1'],
    UketsukeBrokerUnreached: ['uketsuke_agent_broker_up 0', 'uketsuke_agent_broker_up 1'],
    UketsukeJournalRefused: ['uketsuke_agent_disk_up 0', 'uketsuke_agent_disk_up 1'],
    UketsukeFolderFault: ['uketsuke_agent_folder_faults 1', 'uketsuke_agent_folder_faults 0'],
    UketsukeTerminalOffline: [
      `uketsuke_terminal_status${own1},status="offline"} 1`,
      `uketsuke_terminal_status${own1},status="idle"} 1`,
    ],
    UketsukeReaderLost: [`uketsuke_terminal_reader_up${own1}} 0`, `uketsuke_terminal_reader_up${own1}} 1`],
    UketsukeFaceLost: [`uketsuke_terminal_face_up${own1}} 0`, `uketsuke_terminal_face_up${own1}} 1`],
    UketsukeScreenDark: [`uketsuke_terminal_screen_up${own1}} 0`, `uketsuke_terminal_screen_up${own1}} 1`],
    UketsukeRequestsWaiting: [
      `uketsuke_terminal_requests_waiting${own1}} 1`,
      `uketsuke_terminal_requests_waiting${own1}} 0`,
    ],
    UketsukeDiskNearlyFull: [
      `uketsuke_terminal_store_free_bytes${own1}} 199000000`,
      `uketsuke_terminal_store_free_bytes${own1}} 201000000`,
    ],
    UketsukeCertificateNearExpiry: [
      `uketsuke_terminal_certificate_left_seconds${own1}} 2591000`,
      `uketsuke_terminal_certificate_left_seconds${own1}} 2593000`,
    ],
    UketsukeClockWrong: [
      `uketsuke_terminal_clock_ahead_seconds${own1}} -301`,
      `uketsuke_terminal_clock_ahead_seconds${own1}} 299`,
    ],
    UketsukeSelfTestFailed: [
      `uketsuke_terminal_self_test_failed${own1},part="keypad"} 1`,
      `uketsuke_terminal_self_test_failed${own1},part="keypad"} 0`,
    ],
    // promtool's clock begins at 0: a test of five days before then, and one of then.
    UketsukeSelfTestMissing: [
      `uketsuke_terminal_self_test_seconds${own1}} -432000`,
      `uketsuke_terminal_self_test_seconds${own1}} 0`,
    ],
  };

  test.skipIf(!hasPromtool)('by promtool each rings for what it is for, and rests beside it', () => {
    expect(Object.keys(cases).sort()).toEqual(rules.map(({ alert }) => alert).sort());
    const series = (text: string | null) =>
      text === null
        ? []
        : [{ series: text.slice(0, text.lastIndexOf(' ')), values: `${text.slice(text.lastIndexOf(' ') + 1)}+0x180` }];
    const labelsOf = (text: string | null): Record<string, string> =>
      Object.fromEntries(
        [...(text ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
      );
    const filled = (text: string, labels: Record<string, string>): string =>
      text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '');
    const tests = rules.flatMap(({ alert, labels, annotations }) => {
      const [rings, rests] = cases[alert] ?? [null, ''];
      const about = labelsOf(rings);
      const said = Object.fromEntries(
        Object.entries(annotations).map(([name, text]) => [name, filled(text as string, about)]),
      );
      const expected = [{ exp_labels: { ...about, ...labels }, exp_annotations: said }];
      const at = { eval_time: '2h30m', alertname: alert };
      return [
        { interval: '1m', input_series: series(rings), alert_rule_test: [{ ...at, exp_alerts: expected }] },
        { interval: '1m', input_series: series(rests), alert_rule_test: [{ ...at, exp_alerts: [] }] },
      ];
    });
    const file = join(folder, 'alerts.test.yml');
    writeFileSync(
      file,
      stringify({ rule_files: [join(process.cwd(), 'monitoring/alerts.yml')], evaluation_interval: '1m', tests }),
    );
    const { ok, said } = judge(['test', 'rules', file]);
    expect(ok, said.slice(0, 4_000)).toBe(true);
    expect(tests).toHaveLength(2 * rules.length);
  });

  test.skipIf(!hasPromtool)(
    'over many facilities, each as a real agent told it: who has a fault is named, and nobody else',
    () => {
      const facilities = Array.from({ length: 20 }, (_, number) => `clinic-${number + 1}`);
      const [gone, unreached, offline] = ['clinic-7', 'clinic-11', 'clinic-19'];
      const changed: Readonly<Record<string, readonly [facility: string, values: string]>> = {
        uketsuke_agent_broker_up: [unreached, '0+0x80'],
        'uketsuke_terminal_status{device="front-1",lane="1",status="offline"}': [offline, '1+0x80'],
      };
      const recorded = facilities.flatMap((facility) =>
        [...samples(told)].map(([key, value]) => {
          const [name = '', labels = ''] = key.split(/(?=\{)/);
          const series = `${name}{facility="${facility}"${labels === '' ? '' : `,${labels.slice(1, -1)}`}}`;
          const [where, values] = changed[key] ?? [];
          if (where === facility) return { series, values };
          // Its end is gone for more than half an hour.
          return { series, values: facility === gone ? `${value}+0x39 stale _x40` : `${value}+0x80` };
        }),
      );
      const front = { device: 'front-1', lane: '1' };
      const expected: Readonly<Record<string, Record<string, string>>> = {
        UketsukeAgentGone: { facility: gone },
        UketsukeBrokerUnreached: { facility: unreached },
        UketsukeTerminalOffline: { facility: offline, ...front, status: 'offline' },
      };
      const filled = (text: string, labels: Record<string, string>): string =>
        text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '');
      const alerts = (chainAlertRules().groups[0]?.rules ?? []).flatMap(({ alert, labels, annotations }) => {
        const about = expected[alert];
        if (about === undefined) return [];
        const said = Object.entries(annotations).map(([name, text]) => [name, filled(String(text), about)]);
        const rings = [{ exp_labels: { ...about, ...labels }, exp_annotations: Object.fromEntries(said) }];
        return [{ eval_time: '70m', alertname: alert, exp_alerts: rings }];
      });
      expect(alerts).toHaveLength(3);
      const file = join(folder, 'chain.test.yml');
      const rule = join(process.cwd(), 'monitoring/chain-alerts.yml');
      const tests = [{ interval: '1m', input_series: recorded, alert_rule_test: alerts }];
      writeFileSync(file, stringify({ rule_files: [rule], evaluation_interval: '1m', tests }));
      const { ok, said } = judge(['test', 'rules', file]);
      expect(ok, said.slice(0, 4_000)).toBe(true);
    },
  );
});
