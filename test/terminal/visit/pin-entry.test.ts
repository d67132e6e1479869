import { expect, test } from 'vitest';
import { bytesOf } from '../../../scripts/beds/test-cards.ts';
import type { PinDigits } from '../../../src/protocol/card/pin-digits.ts';
import { ofPhone, PinEntry } from '../../../src/terminal/visit/pin-entry.ts';

const type = (entry: PinEntry, digits: string, owner: string): void => {
  for (const digit of digits) entry.press(digit.charCodeAt(0), owner);
};
const written = (digits: PinDigits): string => String.fromCharCode(...bytesOf(digits));

test('the digits go once to what they were typed for', () => {
  const entry = new PinEntry();
  type(entry, '1234', 'card-1');
  expect(written(entry.take('card-1'))).toBe('1234');
  expect(entry.take('card-1').entered).toBe(0);
});

test.each([
  ['a phone’s, to a card', ofPhone, 'card-1'],
  ['a card’s, to a phone', 'card-1', ofPhone],
  ['one card’s, to the next', 'card-1', 'card-2'],
])('%s: nothing, and they are gone for their owner, too', (_name, typedFor, taker) => {
  const entry = new PinEntry();
  type(entry, '1234', typedFor);
  expect(entry.take(taker).entered).toBe(0);
  expect(entry.entered).toBe(0);
  expect(entry.take(typedFor).entered).toBe(0);
});

test('a digit typed for another begins anew: half of one PIN never stands before half of another', () => {
  const entry = new PinEntry();
  type(entry, '12', ofPhone);
  type(entry, '34', 'card-1');
  expect(entry.entered).toBe(2);
  expect(entry.press(0x0d, 'card-1')).toBe('incomplete');
});

test('a fifth digit is not taken, and what is wiped is overwritten where it stood', () => {
  const entry = new PinEntry();
  type(entry, '1234', 'card-1');
  expect(entry.press(0x35, 'card-1')).toBe('ignored');
  const digits = entry.take('card-1');
  const place = bytesOf(digits);
  digits.wipe();
  expect([...place]).toEqual([0, 0, 0, 0]);
});
