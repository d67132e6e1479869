/**
 * What a terminal may be used for. `release`: real cards, real parts. `test`: real parts, and cards of a test chain, which
 * anybody can make: nobody's data may be at stake, and every screen and file says so. `demo`: virtual parts, too.
 */
export const profiles = ['release', 'test', 'demo'] as const;
export type Profile = (typeof profiles)[number];

/** Stands before the facility's name wherever cards of a test chain are taken. */
export const testMark = '【テスト】';
/** `name` with the mark, once. */
export const markedAsTest = (name: string): string => (name.startsWith(testMark) ? name : `${testMark}${name}`);
