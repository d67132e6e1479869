import { describe, expect, test } from 'vitest';
import type { z } from 'zod';

/** What a field takes at its bounds, and refuses just beyond; `undefined` taken: the field may be left out. */
export type BoundsCase = readonly [
  what: string,
  schema: z.ZodType,
  whole: object,
  bounds: Readonly<Record<string, { readonly taken: readonly unknown[]; readonly refused: readonly unknown[] }>>,
];

export const uuid = '00000000-0000-4000-8000-000000000001';
const lastInstant = Date.UTC(2100, 0, 1);
export const names = {
  taken: ['a', '0', 'a-b', `a${'b'.repeat(62)}`],
  refused: ['', '-a', 'A', 'a b', ' a', 'a ', 'a\n', 'é', `a${'b'.repeat(63)}`, 7],
};
export const instants = { taken: [0, lastInstant], refused: [-1, 0.5, lastInstant + 1, 'now'] };
export const ids = { taken: [uuid], refused: ['', `${uuid}0`, 7] };

export const describeBounds = (cases: readonly BoundsCase[]): void => {
  describe.each(cases)('%s', (_what, schema, whole, bounds) => {
    const takes = (message: object): boolean => schema.safeParse(message).success;

    test('is whole with these fields and no other', () => {
      expect(schema.parse(whole)).toEqual(whole);
      expect(takes({ ...whole, planted: 1 })).toBe(false);
      expect(Object.keys(bounds).sort()).toEqual(Object.keys(whole).sort());
      for (const [name, { taken }] of Object.entries(bounds)) {
        const without = Object.fromEntries(Object.entries(whole).filter(([own]) => own !== name));
        expect(takes(without), name).toBe(taken.includes(undefined));
      }
    });

    test.each(Object.entries(bounds))('takes %s to its bounds and not beyond', (name, { taken, refused }) => {
      const answers = (values: readonly unknown[]) =>
        values.map((value) => [value, takes({ ...whole, [name]: value })]);
      expect(answers(taken)).toEqual(taken.map((value) => [value, true]));
      expect(answers(refused)).toEqual(refused.map((value) => [value, false]));
    });
  });
};
