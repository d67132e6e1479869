import type { Change } from '../simulate/hooks.ts';

/**
 * How each defence of docs/threats.md is taken out, so that its test must turn red. `row`: the row's number; `test`: file
 * and words in the names of its tests; `without`: what stands in the place of the defence. A row may have more than one.
 */
export type Defence = {
  readonly row: number;
  readonly test: readonly [file: string, names: string];
  readonly without: readonly Change[];
};
