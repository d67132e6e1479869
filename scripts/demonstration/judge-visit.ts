import type { JournalVisit } from '../../src/agent/journal/journal.ts';
import type { StageTimes, Timeline } from './timeline.ts';
import type { Expectation } from './visits.ts';

export type VisitReport = {
  readonly name: string;
  readonly method: string | null;
  readonly outcome: string;
  readonly code?: string;
  readonly receipt: boolean;
  readonly consents: Readonly<Record<string, boolean>>;
  readonly ms: StageTimes;
};

/** The visit as the agent's journal has it; the script's own opinion does not count. */
export const reportOf = (name: string, rows: readonly JournalVisit[], ms: StageTimes): VisitReport => {
  const row = rows.findLast((each) => each.kind === 'eligibility');
  if (row === undefined) return { name, method: null, outcome: 'sent-to-desk', receipt: false, consents: {}, ms };
  const { code, verdict } = row;
  return {
    name,
    method: row.method,
    outcome: verdict,
    ...(code ? { code } : {}),
    receipt: true,
    consents: row.consents,
    ms,
  };
};

const deviations = (
  report: VisitReport,
  rows: readonly JournalVisit[],
  timeline: Pick<Timeline, 'refusedPins' | 'states'>,
  expected: Expectation,
): readonly string[] => {
  const wrong: string[] = [];
  const same = (what: string, is: unknown, should: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(should))
      wrong.push(`${what} is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`);
  };
  const sorted = (consents: Readonly<Record<string, boolean>>) => Object.entries(consents).sort();
  same('method', report.method, expected.method);
  same('outcome', report.outcome, expected.outcome);
  same('consents', sorted(report.consents), sorted(expected.consents));
  same('eligibility requests', rows.filter((row) => row.kind === 'eligibility').length, 1);
  const registered = rows.some((row) => row.kind === 'registration' && row.verdict === 'accepted');
  same('registration', registered, expected.registration);
  same('refused PINs', timeline.refusedPins, expected.refusedPins);
  if (expected.through !== undefined && !timeline.states.includes(expected.through))
    wrong.push(`never came through ${expected.through}`);
  if (rows.some((row) => row.outcome === null)) wrong.push('the national service has not answered');
  return wrong;
};

/**
 * What is not as it should be, in words; empty = the visit ended as it must. `trouble`: what stopped the script's patient.
 * `disturbed`: an end was killed meanwhile, so that the screens may end otherwise, and a visit of which nothing was signed has
 * no row; what was signed must be as ever.
 */
export const faultsOfVisit = (
  report: VisitReport,
  rows: readonly JournalVisit[],
  timeline: Pick<Timeline, 'refusedPins' | 'states'>,
  expected: Expectation,
  { trouble, disturbed }: { readonly trouble: string | null; readonly disturbed: boolean },
): readonly string[] => {
  if (disturbed) return rows.length === 0 ? [] : deviations(report, rows, timeline, expected);
  return [...(trouble === null ? [] : [trouble]), ...deviations(report, rows, timeline, expected)];
};
