import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sameContent } from '../../src/core/same-content.ts';

/** Keys in one order, as objects of one maker have them */
const written = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

test('it says what the texts of the two would say', () => {
  const data = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(data, data, (one, other) => {
      expect(sameContent(one, other)).toBe(written(one) === written(other));
      expect(sameContent(one, structuredClone(one))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: 1 }, { a: 1, b: null }, false],
  [[1, 2], { 0: 1, 1: 2 }, false],
  [{ 0: 1 }, [1], false],
  [[1], [1, 2], false],
  [{ a: [{ b: 'x' }] }, { a: [{ b: 'y' }] }, false],
  [null, {}, false],
  ['1', 1, false],
])('%j and %j: %s', (one, other, same) => {
  expect(sameContent(one, other)).toBe(same);
});
