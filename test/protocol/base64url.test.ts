import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64url, toBase64url } from '../../src/protocol/base64url.ts';
import { decodeUtf8, encodeUtf8 } from '../../src/protocol/utf8.ts';

test('agrees with an independent encoder and comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = toBase64url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromBase64url(text)).toEqual(bytes);
    }),
  );
});

test.each(['A', 'AAAAA', 'AB==', 'A+', 'A/', 'AA\n', 'あ', 'ああ', 'AA\u007fA', 'AA\u0080A', 'AB', 'AAB', ' AA'])(
  '%j stands for no bytes',
  (text) => {
    expect(fromBase64url(text)).toBeNull();
  },
);

test('each byte string has one text only', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ABCDwxyz0129-_'), maxLength: 12 }), (text) => {
      const bytes = fromBase64url(text);
      if (bytes !== null) expect(toBase64url(bytes)).toBe(text);
    }),
  );
});

test('UTF-8 agrees with the platform, refuses what is not well-formed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const bytes = encodeUtf8(text);
      expect(bytes).toEqual(new TextEncoder().encode(text));
      expect(decodeUtf8(bytes)).toBe(text);
    }),
  );
  for (const bytes of [[0xff], [0xc0, 0x80], [0xe3, 0x81], [0xed, 0xa0, 0x80]])
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeNull();
});
