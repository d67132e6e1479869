/**
 * What scripts/mutation/scored.json keeps: of each folder, its score when all of it was tried last, and which content its
 * files had then. A clone in which nobody has worked tells by it what is new since (the gate in .ci/run).
 */
import { createHash } from 'node:crypto';
import type { Report } from './mutation-score.ts';

/** By path, the content's hash. */
export type Hashes = Readonly<Record<string, string>>;
type Scored = { readonly score: number; readonly files: Hashes };
/** By folder. */
export type ScoredFolders = Readonly<Record<string, Scored>>;

/** 16 hexadecimal digits: told apart, nobody is kept from forging them. */
export const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex').slice(0, 16);

/** Paths of files that are new, or not as they were when their folder was scored; a folder never scored has none. */
export const newSince = (scored: Scored | undefined, now: Hashes): readonly string[] =>
  scored === undefined ? [] : Object.keys(now).filter((path) => scored.files[path] !== now[path]);

/** Of a report that a time limit may have cut short, the files asked for as they are now: older finds are of other content. */
export const reportOf = ({ files }: Report, asked: Hashes): Report => ({
  files: Object.fromEntries(
    Object.entries(files).filter(([path, { source }]) => asked[path] !== undefined && hashOf(source) === asked[path]),
  ),
});

const isTried = ({ status }: { readonly status: string }): boolean => status !== 'Ignored' && status !== 'Pending';

/** Changes that were tried, and those of `planned` that no time was left for. */
export const countsOf = ({ files }: Report, planned: number): { readonly tried: number; readonly left: number } => {
  const told = Object.values(files).flatMap(({ mutants }) => mutants);
  return { tried: told.filter(isTried).length, left: Math.max(0, planned - told.length) };
};
