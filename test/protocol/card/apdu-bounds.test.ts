import { expect, test } from 'vitest';
import { fromHex } from '../../../src/protocol/bytes.ts';
import {
  continuation,
  decodeCommand,
  decodeResponse,
  encodeCommand,
  encodeResponse,
  statusWordHex,
  triesLeftOf,
} from '../../../src/protocol/card/apdu.ts';
import { digestInfo, sha256DigestInfo, verifyRsaSignature } from '../../../src/protocol/card/digest-info.ts';

const header = { cla: 1, ins: 2, p1: 3, p2: 4 };

test('every body and every Le that a short APDU can have goes out and comes back', () => {
  for (const length of [1, 2, 254, 255])
    for (const le of [undefined, 1, 2, 255, 256]) {
      const body = new Uint8Array(length).fill(0xa5);
      const command = { ...header, body, ...(le !== undefined && { le }) };
      expect(decodeCommand(encodeCommand(command))).toEqual(command);
    }
  for (const le of [1, 255, 256]) expect(decodeCommand(encodeCommand({ ...header, le }))).toEqual({ ...header, le });
  expect(decodeCommand(encodeCommand(header))).toEqual(header);
  expect(decodeCommand(encodeCommand({ ...header, body: fromHex('AA') }))).not.toHaveProperty('le');
  for (let length = 0; length < 4; length += 1) expect(decodeCommand(new Uint8Array(length))).toBeNull();
});

test('an answer of any length a short APDU allows comes back with its status word; any other is no talk with a card', () => {
  for (const length of [0, 1, 255, 256])
    for (const statusWord of [0x9000, 0x6a82, 0x0001, 0xffff]) {
      const body = new Uint8Array(length).fill(0x5a);
      expect(decodeResponse(encodeResponse(statusWord, body))).toEqual({ ok: true, value: { body, statusWord } });
    }
  for (const length of [0, 1, 259])
    expect(decodeResponse(new Uint8Array(length))).toMatchObject({ failure: { code: 'card.communication' } });
  expect(statusWordHex(0x0a)).toBe('000A');
  expect(statusWordHex(0x6a82)).toBe('6A82');
});

test('tries left are told by 63Cx alone', () => {
  for (let tries = 0; tries < 16; tries += 1) expect(triesLeftOf(0x63c0 + tries)).toBe(tries);
  for (const other of [0x63bf, 0x63d0, 0x9000, 0x6983, 0x62c3]) expect(triesLeftOf(other)).toBeNull();
});

test('more of an answer is asked for on the channel that it came on', () => {
  const more = (cla: number) => continuation({ ...header, cla }, { body: new Uint8Array(), statusWord: 0x6105 });
  expect([0x00, 0x01, 0x03, 0x80, 0x82, 0x0c].map((cla) => more(cla)?.cla)).toEqual([0, 1, 3, 0, 2, 0]);
  const again = { body: new Uint8Array(), statusWord: 0x6c00 };
  expect(continuation({ ...header, le: 256 }, again)).toBeNull();
  expect(continuation({ ...header, le: 255 }, again)).toEqual({ ...header, le: 256 });
});

test('a DigestInfo says how long it is, up to three hashes', () => {
  for (const length of [0, 32, 96]) {
    const info = digestInfo(new Uint8Array(length).fill(7));
    expect(info[1]).toBe(info.length - 2);
    expect(info.at(-1 - length)).toBe(length);
  }
  expect(() => digestInfo(new Uint8Array(97))).toThrow(RangeError);
  for (const length of [0, 31, 33]) expect(() => sha256DigestInfo(new Uint8Array(length))).toThrow(RangeError);
});

test('a signature holds where what it opens to is the whole message, and is as long as the key', () => {
  const key = { modulus: new Uint8Array(256).fill(0xff), exponent: Uint8Array.of(1, 0, 1) };
  const info = sha256DigestInfo(new Uint8Array(32));
  const message = new Uint8Array(256).fill(0xff);
  message.set([0, 1]);
  message.set([0, ...info], 256 - info.length - 1);
  const opening = (opened: Uint8Array | null) => ({ sha256: () => new Uint8Array(32), rsaPublic: () => opened });
  const holds = (opened: Uint8Array | null, length = 256): boolean =>
    verifyRsaSignature(opening(opened), key, info, new Uint8Array(length));
  expect(holds(message)).toBe(true);
  expect(holds(null)).toBe(false);
  for (const length of [0, 255, 257]) expect(holds(message, length)).toBe(false);
  for (const at of [0, 1, 2, 100, 256 - info.length - 1, 255]) expect(holds(message.with(at, 0x42))).toBe(false);
  // A key too short for the padding that the standard asks for.
  const small = { ...key, modulus: new Uint8Array(info.length + 10) };
  expect(verifyRsaSignature(opening(message), small, info, new Uint8Array(info.length + 10))).toBe(false);
});
