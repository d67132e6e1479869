import type { Row } from './misfortunes-bed.ts';

/* What came of all visits of a trial, told by what patients saw, what terminals logged and what the agent holds. */

export type Evidence = {
  /** Eligibility requests of the agent's journal */
  readonly rows: readonly Row[];
  /** Its requests of other kinds: registrations, and the tests that a terminal makes of itself. They have no patient's file. */
  readonly others: readonly Pick<Row, 'id' | 'verdict'>[];
  /** Sessions whose screen said 受付完了, and whose card lay there */
  readonly accepted: ReadonlyMap<string, string>;
  /** Request ids of accepting receipts that terminals took */
  readonly receipts: readonly string[];
  /** Request ids that terminals had kept, and of which nobody was told that they ended */
  readonly kept: readonly string[];
  /** What the file of a visit says */
  readonly xmlOf: (row: Row) => string;
  /** The number by which the service knows whose card it is */
  readonly numberOf: (persona: string) => string;
  /** Files and counted uses */
  readonly files: number;
  readonly uses: number;
};

/**
 * `lost`: a request that was kept and that the agent never saw, or one without an answer or its file. `twice`: a second
 * row, file or count of a visit. `falseAccepted`: a patient was told 受付完了, or a terminal took a receipt, for a visit
 * that the agent does not hold as accepted, or that its file tells of somebody else than whose card lay there.
 */
export const judge = (evidence: Evidence): { lost: number; twice: number; falseAccepted: number } => {
  const { rows, others, accepted, receipts, kept, xmlOf, numberOf, files, uses } = evidence;
  const known = new Set([...rows, ...others].map(({ id }) => id));
  const isHeld = ({ verdict }: Pick<Row, 'verdict'>): boolean => verdict === 'accepted';
  const heldIds = new Set([...rows, ...others].filter(isHeld).map(({ id }) => id));
  const held = rows.filter(isHeld);
  const sessions = new Set(held.map(({ session }) => session));
  const unseen = kept.filter((id) => !known.has(id)).length;
  const isHers = (session: string, persona: string): boolean =>
    held.some((row) => row.session === session && xmlOf(row).includes(`>${numberOf(persona)}<`));
  return {
    lost: unseen + held.filter(({ outcome, file }) => outcome === null || file === null).length,
    twice: held.length - sessions.size + Math.abs(files - sessions.size) + Math.abs(uses - sessions.size),
    falseAccepted:
      [...accepted].filter(([session, persona]) => !isHers(session, persona)).length +
      receipts.filter((id) => !heldIds.has(id)).length,
  };
};
