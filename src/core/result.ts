import type { Failure } from './failure.ts';

/**
 * What can go wrong is a value. A function returns `Result` where the world may refuse (card, camera, network, disk,
 * bad input); it throws for programmer errors and for a configuration nobody can run with.
 */
export type Result<T, F = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });
export const err = <F>(failure: F): Result<never, F> => ({ ok: false, failure });
