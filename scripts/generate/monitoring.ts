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

/** Prometheus' file of alerting rules, as an object. */
export const alertRules = () => ({
  groups: [
    {
      name: 'uketsuke',
      rules: alerts.map(({ name, expr, for: duration, fault, summary }) => {
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

type PanelType = 'stat' | 'timeseries' | 'table';
const panels: readonly (readonly [type: PanelType, title: string, expr: string, unit: string])[] = [
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

const width = 8;
const height = 8;
const source = { type: 'prometheus', uid: '$' + '{source}' };

/** A board as Grafana imports it (schema version 39, Grafana 10 and later). */
export const grafanaBoard = () => ({
  uid: 'uketsuke',
  title: 'Uketsuke',
  tags: ['uketsuke'],
  timezone: 'Asia/Tokyo',
  schemaVersion: 39,
  version: 1,
  editable: true,
  refresh: '1m',
  time: { from: 'now-24h', to: 'now' },
  templating: {
    list: [{ name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {}, hide: 0 }],
  },
  annotations: { list: [] },
  panels: panels.map(([type, title, expr, unit], index) => ({
    id: index + 1,
    type,
    title,
    datasource: source,
    gridPos: { w: width, h: height, x: (index % 3) * width, y: Math.floor(index / 3) * height },
    fieldConfig: { defaults: { unit }, overrides: [] },
    options: {},
    targets: [
      {
        refId: 'A',
        datasource: source,
        expr,
        legendFormat: '{{device}}',
        ...(type !== 'timeseries' && { instant: true }),
      },
    ],
  })),
});
