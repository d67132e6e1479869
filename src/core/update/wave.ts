import { compareVersions, isAtLeast } from './compare-versions.ts';

/** What the agent knows of a terminal. */
export type TerminalRelease = {
  readonly device: string;
  readonly lane: number;
  /** null: never heard */
  readonly version: string | null;
  readonly isServing: boolean;
  /** The version that it went back from, if it did */
  readonly fellBackFrom: string | null;
};

const has = ({ version, isServing }: TerminalRelease, wanted: string): boolean =>
  isServing && version !== null && isAtLeast(version, wanted);

/**
 * The lane whose turn it is: the lowest in which a terminal lacks the release, once every terminal of the lanes before it
 * has it and serves. null: all have it; one fell back from it, and then nobody else tries; or a lane before has not been heard
 * of. Example: lanes 1, 2, 3 of which 1 has 0.3.0 and is idle → 2; 1 has it and is out of service → null.
 */
export const laneWhoseTurnItIs = (wanted: string, terminals: readonly TerminalRelease[]): number | null => {
  if (terminals.some(({ fellBackFrom }) => fellBackFrom !== null && compareVersions(fellBackFrom, wanted) === 0))
    return null;
  const lanes = [...new Set(terminals.map(({ lane }) => lane))].sort((a, b) => a - b);
  for (const lane of lanes) {
    const here = terminals.filter((each) => each.lane === lane);
    if (here.every((each) => has(each, wanted))) continue;
    const updating = here.some(({ version }) => version !== null && !isAtLeast(version, wanted));
    return updating ? lane : null;
  }
  return null;
};
