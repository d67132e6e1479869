import { expect, test } from 'vitest';
import { failureRules } from '../../src/core/failure.ts';
import { fromV1Code, toV1Code } from '../../src/wire/v1-codes.ts';

test('every failure comes back from a message of v1 as it went, and no word of v1 means two failures', () => {
  const codes = Object.keys(failureRules);
  expect(codes.map((code) => fromV1Code(toV1Code(code)))).toEqual(codes);
  expect(new Set(codes.map(toV1Code)).size).toBe(codes.length);
});

test('what v1 called otherwise is a failure that we know', () => {
  expect(toV1Code('card.number-b-wrong')).toBe('card.face-number-wrong');
  expect(fromV1Code('card.face-number-tries-low') in failureRules).toBe(true);
});
