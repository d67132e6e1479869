import { dayMs } from '../../core/time-units.ts';
import { type FigureName, terminalFigures } from '../../wire/figures.ts';
import { type MetricFamily, prometheusText } from '../../wire/prometheus-text.ts';
import type { Lane } from '../desk/lanes.ts';
import type { JournalVisit } from '../journal/journal.ts';
import type { RolloutStand } from '../rollout/rollout-desk.ts';
import type { PageModel } from './page-model.ts';

/*
 * The clinic's end for Prometheus: its own figures, and of each terminal those that it told with `state`. Counts and codes,
 * nothing of a person. On the staff page's port, loopback alone.
 */

type Samples = MetricFamily['samples'];
const gauge = (name: string, help: string, samples: Samples): MetricFamily => ({ name, help, type: 'gauge', samples });
const is = (there: boolean): number => (there ? 1 : 0);

const labelsOf = ({ device, lane }: Lane) => ({ device, lane: String(lane) });
const statuses = ['idle', 'busy', 'out-of-service', 'offline'] as const;

const ofTerminals = (lanes: readonly Lane[]): readonly MetricFamily[] => [
  gauge(
    'uketsuke_terminal_status',
    '1 at what the terminal says of itself; all 0: it has never said anything.',
    lanes.flatMap((lane) =>
      statuses.map((status) => ({ labels: { ...labelsOf(lane), status }, value: is(lane.state?.status === status) })),
    ),
  ),
  gauge(
    'uketsuke_terminal_fault',
    '1: this failure, by its name in docs/faults.md, holds there now.',
    lanes.flatMap((lane) => {
      const code = lane.state?.code;
      return code === undefined ? [] : [{ labels: { ...labelsOf(lane), code }, value: 1 }];
    }),
  ),
  gauge(
    'uketsuke_terminal_update_failed',
    '1: this release was tried or written there last, and is not what runs.',
    lanes.flatMap((lane) => {
      const last = lane.state?.update?.last;
      const hasFailed = last?.outcome === 'fell-back' || (last?.outcome === 'refused' && last.reason !== 'older');
      return hasFailed ? [{ labels: { ...labelsOf(lane), version: last.version }, value: 1 }] : [];
    }),
  ),
  ...(Object.keys(terminalFigures) as FigureName[]).map((name) => ({
    name: `uketsuke_terminal_${name}`,
    ...terminalFigures[name],
    samples: lanes.flatMap((lane) => {
      const value = lane.state?.status === 'offline' ? undefined : lane.state?.figures?.[name];
      return value === undefined ? [] : [{ labels: labelsOf(lane), value }];
    }),
  })),
];

const ofSelfTests = (lanes: readonly Lane[], { context }: PageModel): readonly MetricFamily[] => {
  const tests = lanes.flatMap((lane) => {
    const test = context.journal.selfTests.newest(lane.device);
    return test === undefined ? [] : [{ lane, test }];
  });
  return [
    gauge(
      'uketsuke_terminal_self_test_seconds',
      'When the newest test of all parts began, seconds since 1970.',
      tests.map(({ lane, test }) => ({ labels: labelsOf(lane), value: Math.round(test.at / 1_000) })),
    ),
    gauge(
      'uketsuke_terminal_self_test_failed',
      '1: this part failed in the newest test.',
      tests.flatMap(({ lane, test }) =>
        (test.report?.parts ?? []).map(({ part, outcome }) => ({
          labels: { ...labelsOf(lane), part },
          value: is(outcome === 'failed'),
        })),
      ),
    ),
  ];
};

/** Of a facility in a chain, by kind of order: what `uketsuke rollout look` judges a wave by */
export const rolloutMetrics = (stands: readonly RolloutStand[]): readonly MetricFamily[] => {
  const numbers = (is: 'taken' | 'done') =>
    stands.map((stand) => ({ labels: { kind: stand.kind }, value: stand[is] ? stand.number : 0 }));
  return [
    gauge(
      'uketsuke_agent_rollout_taken',
      "Number of the chain's order that is in force here; 0: none.",
      numbers('taken'),
    ),
    gauge('uketsuke_agent_rollout_done', 'The same once the terminals have followed.', numbers('done')),
    gauge(
      'uketsuke_agent_rollout_waits',
      "1: why the chain's newest order is not in force here, by its name in src/core/rollout.",
      stands.flatMap(({ kind, why }) => (why === null ? [] : [{ labels: { kind, why }, value: 1 }])),
    ),
  ];
};

/** `usage` is by month and forgets none: summed, it only grows. */
const requests = ({ context }: PageModel): MetricFamily => {
  const sums = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  for (const { kind, method, outcome, code, times } of context.journal.usage()) {
    const labels = { kind, method, outcome, code };
    const key = JSON.stringify(labels);
    const known = sums.get(key) ?? { labels, value: 0 };
    known.value += times;
    sums.set(key, known);
  }
  return {
    name: 'uketsuke_agent_requests_total',
    help: 'Requests by kind, way, outcome and failure.',
    type: 'counter',
    samples: [...sums.values()],
  };
};

const isUnfinished = ({ kind, verdict, handedOverAt, givenUpAt }: JournalVisit): boolean =>
  kind !== 'test' && verdict === 'accepted' && handedOverAt === null && givenUpAt === null;

export const agentMetrics = (model: PageModel): string => {
  const { context, desk } = model;
  const lanes = desk.lanes.all();
  return prometheusText([
    gauge('uketsuke_agent_broker_up', '1: the agent reaches the broker.', [{ value: is(desk.connected) }]),
    gauge('uketsuke_agent_disk_up', "1: the journal's disk takes what must be kept.", [
      { value: is(context.disk.fault === null) },
    ]),
    gauge('uketsuke_agent_folder_faults', 'Faults of the folder shared with the レセコン.', [
      { value: model.folderFaults().length },
    ]),
    gauge('uketsuke_agent_unfinished_requests', 'Accepted requests of the last day that are not handed over.', [
      { value: context.journal.visits(model.nowMs() - dayMs).filter(isUnfinished).length },
    ]),
    gauge('uketsuke_agent_problems', 'Watched files and notices that cannot be used.', [
      { value: model.problems().length },
    ]),
    requests(model),
    ...rolloutMetrics(model.rollout?.(lanes) ?? []),
    ...ofTerminals(lanes),
    ...ofSelfTests(lanes, model),
  ]);
};
