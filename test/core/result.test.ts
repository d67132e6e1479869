import { expect, test } from 'vitest';
import { err, ok, type Result } from '../../src/core/result.ts';

const half = (number: number): Result<number, string> => (number % 2 === 0 ? ok(number / 2) : err(`${number} is odd`));

test('a result is its value or its failure, and tells which', () => {
  expect(half(6)).toEqual({ ok: true, value: 3 });
  expect(half(7)).toEqual({ ok: false, failure: '7 is odd' });
});
