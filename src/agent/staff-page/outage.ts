import { type HitBy, hitBy } from '../../core/catalogue/desk-order.ts';
import type { FailureCode } from '../../core/failure.ts';
import type { JournalVisit } from '../journal/journal.ts';

/** Whom an outage of the national service hits, and since which visit (ms since 1970). */
export type Outage = { readonly hits: HitBy; readonly code: FailureCode; readonly sinceMs: number };

/** As many answers missing in a row count as an outage of the service, and not as one patient's trouble. */
const missingAnswers = 3;
/** The same among the few whom a partial outage hits: two are no chance while others are answered between them. */
const missingAmongFew = 2;

type Asked = Pick<JournalVisit, 'kind' | 'outcome' | 'code' | 'certificateState' | 'receivedAt'>;

const away = [
  'eligibility.unavailable',
  'eligibility.maintenance',
  'eligibility.no-answer',
  'eligibility.line-down',
  'eligibility.jpki-unavailable',
] as const satisfies readonly FailureCode[];
const isAway = ({ code }: Asked): boolean => away.some((each) => each === code);
const isAnswered = ({ outcome }: Asked): boolean => outcome !== null && outcome !== 'failed';
/** A certificate that the service does not know yet is answered as if nobody had applied. */
const isUnknown = (visit: Asked): boolean =>
  isAway(visit) || visit.code === 'eligibility.not-registered' || visit.code === 'eligibility.not-found';

const few: Readonly<
  Record<
    Exclude<HitBy, 'everyone'>,
    { readonly of: (visit: Asked) => boolean; readonly failed: (visit: Asked) => boolean }
  >
> = {
  'not-yet-registered': { of: ({ kind }) => kind === 'registration', failed: isAway },
  'freshly-renewed': {
    of: ({ kind, certificateState }) => kind === 'eligibility' && certificateState === 'renewed',
    failed: isUnknown,
  },
};

/** What all of them were told; where they were told this and that, nobody is named. */
const codeOf = (visits: readonly Asked[]): FailureCode =>
  away.find((each) => visits.every(({ code }) => code === each)) ?? 'eligibility.no-answer';

/**
 * What the last visits tell, oldest first. All of the last three without an answer: everyone. The last two of the few who
 * apply at the reader, or whose certificate is days old, without an answer while others got theirs since: these few.
 */
export const outageOf = (visits: readonly Asked[]): Outage | null => {
  for (const hits of hitBy) {
    if (hits === 'everyone') continue;
    const { of, failed } = few[hits];
    const last = visits.filter(of).slice(-missingAmongFew);
    const [first] = last;
    if (first === undefined || last.length < missingAmongFew || !last.every(failed)) continue;
    const others = visits.filter((visit) => !of(visit) && visit.receivedAt >= first.receivedAt);
    if (others.some(isAnswered)) return { hits, code: codeOf(last), sinceMs: first.receivedAt };
  }
  const last = visits.slice(-missingAnswers);
  const [first] = last;
  if (first === undefined || last.length < missingAnswers || !last.every(isAway)) return null;
  return { hits: 'everyone', code: codeOf(last), sinceMs: first.receivedAt };
};
