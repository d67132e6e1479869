import { type FaultName, faultOf } from '../../src/catalogue/faults.ts';

/*
 * Alert rules and a board for whoever looks after several clinics: what is told there has the names and the words of the one
 * table of faults. Written by scripts/generate/render-monitoring.ts, held by test/house/monitoring.test.ts.
 */

type Alert = {
  readonly name: string;
  readonly expr: string;
  /** How long it must hold; Prometheus' durations */
  readonly for: string;
  readonly fault: FaultName;
  /** In a word, with the labels of what it is about */
  readonly summary: string;
};

const terminal = 'terminal {{ $labels.device }} (lane {{ $labels.lane }})';

const alerts: readonly Alert[] = [
  {
    name: 'UketsukeAgentGone',
    expr: 'absent(uketsuke_agent_broker_up)',
    for: '5m',
    fault: 'agent.silent',
    summary: "the clinic's end tells nothing",
  },
  {
    name: 'UketsukeBrokerUnreached',
    expr: 'uketsuke_agent_broker_up == 0',
    for: '2m',
    fault: 'delivery.offline',
    summary: "the clinic's end does not reach the broker",
  },
  {
    name: 'UketsukeJournalRefused',
    expr: 'uketsuke_agent_disk_up == 0',
    for: '1m',
    fault: 'agent.disk-failed',
    summary: 'the journal cannot be written',
  },
  {
    name: 'UketsukeFolderFault',
    expr: 'uketsuke_agent_folder_faults > 0',
    for: '10m',
    fault: 'files.write-failed',
    summary: 'the folder of the レセコン takes no files',
  },
  {
    name: 'UketsukeTerminalOffline',
    expr: 'uketsuke_terminal_status{status="offline"} == 1',
    for: '10m',
    fault: 'delivery.offline',
    summary: `${terminal} is not reached`,
  },
  {
    name: 'UketsukeReaderLost',
    expr: 'uketsuke_terminal_reader_up == 0',
    for: '2m',
    fault: 'reader.lost',
    summary: `${terminal}: no card reader`,
  },
  {
    name: 'UketsukeFaceLost',
    expr: 'uketsuke_terminal_face_up == 0',
    for: '5m',
    fault: 'camera.lost',
    summary: `${terminal}: no camera, or no face process`,
  },
  {
    name: 'UketsukeScreenDark',
    expr: 'uketsuke_terminal_screen_up == 0',
    for: '2m',
    fault: 'screen.no-page',
    summary: `${terminal}: no browser shows the page`,
  },
  {
    name: 'UketsukeRequestsWaiting',
    expr: 'uketsuke_terminal_requests_waiting > 0',
    for: '10m',
    fault: 'agent.silent',
    summary: `${terminal}: signed requests get no receipt`,
  },
  {
    name: 'UketsukeDiskNearlyFull',
    expr: 'uketsuke_terminal_store_free_bytes < 200e6',
    for: '10m',
    fault: 'disk.nearly-full',
    summary: `${terminal}: less than 200 MB are free`,
  },
  {
    name: 'UketsukeCertificateNearExpiry',
    expr: 'uketsuke_terminal_certificate_left_seconds < 30 * 86400',
    for: '1h',
    fault: 'certificate.near-expiry',
    summary: `${terminal}: its certificate ends within 30 days`,
  },
  {
    name: 'UketsukeClockWrong',
    expr: 'abs(uketsuke_terminal_clock_ahead_seconds) > 300',
    for: '15m',
    fault: 'clock.corrected',
    summary: `${terminal}: its own clock is minutes off`,
  },
  {
    name: 'UketsukeSelfTestFailed',
    expr: 'uketsuke_terminal_self_test_failed == 1',
    for: '0m',
    fault: 'check.unfinished',
    summary: `${terminal}: {{ $labels.part }} failed in the test before opening; its sheet on the staff page says what to do`,
  },
  {
    name: 'UketsukeSelfTestMissing',
    expr: 'time() - uketsuke_terminal_self_test_seconds > 4 * 86400',
    for: '1h',
    fault: 'check.unfinished',
    summary: `${terminal}: not tested for four days`,
  },
];

/** Which facility a metric is of: the label that its own Prometheus adds (monitoring/prometheus-facility.yml) */
const ofFacility: readonly Alert[] = alerts.map((alert) => ({
  ...alert,
  // Of one facility nothing is left where its end is gone; of many it is known who told something within a week.
  ...(alert.name === 'UketsukeAgentGone' && {
    expr: 'group by (facility) (last_over_time(uketsuke_agent_broker_up[7d])) unless group by (facility) (uketsuke_agent_broker_up)',
  }),
  summary: `{{ $labels.facility }}: ${alert.summary}`,
}));

const rulesOf = (group: string, of: readonly Alert[]) => ({
  groups: [
    {
      name: group,
      rules: of.map(({ name, expr, for: duration, fault, summary }) => {
        const { actor, weight, cause, remedy } = faultOf(fault);
        // What a person's hands or eyes found is no fault of the doctor's own.
        const isOwn = fault !== 'check.unfinished';
        return {
          alert: name,
          expr,
          for: duration,
          labels: { severity: weight === 'fault' ? 'critical' : 'warning', actor: isOwn ? actor : 'staff' },
          annotations: {
            summary,
            ...(isOwn && { fault, cause, remedy: remedy.join('; ').replaceAll('{', '<').replaceAll('}', '>') }),
          },
        };
      }),
    },
  ],
});

/** Prometheus' file of alerting rules, as an object. */
export const alertRules = () => rulesOf('uketsuke', alerts);
/** The same over many facilities, for the Prometheus that gathers them */
export const chainAlertRules = () => rulesOf('uketsuke-chain', ofFacility);

type PanelType = 'stat' | 'timeseries' | 'table';
type Panel = readonly [type: PanelType, title: string, expr: string, unit: string];
const panels: readonly Panel[] = [
  ['stat', '窓口の状態', 'uketsuke_terminal_status == 1', 'none'],
  ['table', 'いま出ている障害', 'uketsuke_terminal_fault == 1', 'none'],
  ['table', '始業前点検で異常のあった部分', 'uketsuke_terminal_self_test_failed == 1', 'none'],
  ['stat', '最後の点検からの時間', 'time() - uketsuke_terminal_self_test_seconds', 's'],
  [
    'timeseries',
    '受付（1時間あたり）',
    'sum by (device) (increase(uketsuke_terminal_visits_accepted_total[1h]))',
    'none',
  ],
  [
    'timeseries',
    '窓口へ案内（1時間あたり）',
    'sum by (device) (increase(uketsuke_terminal_visits_desk_total[1h]))',
    'none',
  ],
  ['timeseries', '受領待ちの受付', 'uketsuke_terminal_requests_waiting', 'none'],
  [
    'timeseries',
    '要求（方法・結果別、1日あたり）',
    'sum by (method, outcome) (increase(uketsuke_agent_requests_total[1d]))',
    'none',
  ],
  [
    'timeseries',
    '部分が離れた回数（1時間あたり）',
    'sum by (device) (increase(uketsuke_terminal_parts_lost_total[1h]))',
    'none',
  ],
  ['timeseries', '保存先の空き', 'uketsuke_terminal_store_free_bytes', 'bytes'],
  ['stat', '電子証明書の残り', 'uketsuke_terminal_certificate_left_seconds', 's'],
  ['timeseries', '時計のずれ', 'uketsuke_terminal_clock_ahead_seconds', 's'],
  ['timeseries', 'メモリー', 'uketsuke_terminal_memory_bytes', 'bytes'],
  [
    'timeseries',
    '記録の警告と異常（1時間あたり）',
    'sum by (device) (increase(uketsuke_terminal_warnings_total[1h]) + increase(uketsuke_terminal_errors_total[1h]))',
    'none',
  ],
];

/** Of those that are chosen on the board, each by itself */
const inFacilities = (expr: string): string =>
  expr
    .replaceAll(/(uketsuke_\w+)(\{?)/g, (_, name: string, brace: string) =>
      brace === '' ? `${name}{facility=~"$facility"}` : `${name}{facility=~"$facility",`,
    )
    .replaceAll('by (device)', 'by (facility, device)');

const chainPanels: readonly Panel[] = [
  ['stat', '施設の数', 'count(group by (facility) (uketsuke_agent_broker_up))', 'none'],
  ['table', '何も届かない施設', ofFacility.find(({ name }) => name === 'UketsukeAgentGone')?.expr ?? '', 'none'],
  ['table', '障害のある端末の数（施設別）', 'count by (facility) (uketsuke_terminal_fault == 1)', 'none'],
  ...panels.map(([type, title, expr, unit]): Panel => [type, title, inFacilities(expr), unit]),
];

const width = 8;
const height = 8;
const source = { type: 'prometheus', uid: '$' + '{source}' };

const sourceVariable = {
  name: 'source',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
  current: {},
  hide: 0,
};
const facilityVariable = {
  ...{ name: 'facility', label: '施設', type: 'query', query: 'label_values(uketsuke_agent_broker_up, facility)' },
  ...{ datasource: source, includeAll: true, multi: true, refresh: 2, current: {}, hide: 0 },
};

/** A board as Grafana imports it (schema version 39, Grafana 10 and later). */
const boardOf = (
  uid: string,
  title: string,
  shown: readonly Panel[],
  variables: readonly object[],
  legend: string,
) => ({
  uid,
  title,
  tags: ['uketsuke'],
  timezone: 'Asia/Tokyo',
  schemaVersion: 39,
  version: 1,
  editable: true,
  refresh: '1m',
  time: { from: 'now-24h', to: 'now' },
  templating: { list: variables },
  annotations: { list: [] },
  panels: shown.map(([type, name, expr, unit], index) => ({
    id: index + 1,
    type,
    title: name,
    datasource: source,
    gridPos: { w: width, h: height, x: (index % 3) * width, y: Math.floor(index / 3) * height },
    fieldConfig: { defaults: { unit }, overrides: [] },
    options: {},
    targets: [
      {
        refId: 'A',
        datasource: source,
        expr,
        legendFormat: legend,
        ...(type !== 'timeseries' && { instant: true }),
      },
    ],
  })),
});

export const grafanaBoard = () => boardOf('uketsuke', 'Uketsuke', panels, [sourceVariable], '{{device}}');
export const chainBoard = () =>
  boardOf(
    ...(['uketsuke-chain', 'Uketsuke: 全施設', chainPanels] as const),
    ...([[sourceVariable, facilityVariable], '{{facility}} {{device}}'] as const),
  );
