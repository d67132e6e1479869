import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeAutoboot, parseAutoboot, slotOf } from '../../src/protocol/autoboot.ts';
import {
  concatBytes,
  equalBytes,
  fromAscii,
  fromHex,
  readUint16,
  toAscii,
  toHex,
  uint16,
} from '../../src/protocol/bytes.ts';
import { decodeUtf8, encodeUtf8, textOfUnits } from '../../src/protocol/utf8.ts';

const bytes = fc.uint8Array({ maxLength: 40 });

describe('bytes as text and back', () => {
  test('hexadecimal is upper case, two digits a byte, and read in either case with spaces', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        const hex = toHex(some);
        expect(hex).toBe(Buffer.from(some).toString('hex').toUpperCase());
        expect(fromHex(hex)).toEqual(some);
        expect(fromHex(hex.toLowerCase().replaceAll(/(..)/g, ' $1 '))).toEqual(some);
      }),
    );
    for (const wrong of ['0', '0G', 'G0', '0x00', '00\n', '0-', '000']) expect(() => fromHex(wrong), wrong).toThrow();
  });

  test('ASCII is 0 to 7F on the way in, and what can be printed on the way out', () => {
    const all = String.fromCharCode(...Array.from({ length: 0x80 }, (_, code) => code));
    expect([...fromAscii(all)]).toEqual(Array.from({ length: 0x80 }, (_, code) => code));
    for (const wrong of ['\u0080', 'é', '木', '𠮷']) expect(() => fromAscii(wrong)).toThrow();
    expect(toAscii(Uint8Array.of(0x1f, 0x20, 0x41, 0x7e, 0x7f, 0xff))).toBe('? A~??');
  });

  test('parts are joined in order, into a place of their own, and compared whole', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 4 }), (parts) => {
        const whole = concatBytes(...parts);
        expect([...whole]).toEqual(parts.flatMap((part) => [...part]));
        expect(whole.buffer.byteLength).toBe(whole.length);
        expect(equalBytes(whole, whole.slice())).toBe(true);
        expect(equalBytes(whole, concatBytes(whole, Uint8Array.of(0)))).toBe(false);
        for (let at = 0; at < whole.length; at += 1)
          expect(equalBytes(whole, whole.with(at, (whole[at] ?? 0) ^ 1))).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test('two bytes are a number, the higher first, wherever they stand', () => {
    for (const value of [0, 1, 0xff, 0x100, 0x1234, 0xffff]) {
      expect(uint16(value)).toEqual(Uint8Array.of(Math.floor(value / 256), value % 256));
      expect(readUint16(concatBytes(Uint8Array.of(0xaa), uint16(value), Uint8Array.of(0xbb)), 1)).toBe(value);
    }
    // What is not there counts as 0.
    expect(readUint16(Uint8Array.of(0x12), 0)).toBe(0x1200);
    expect(readUint16(Uint8Array.of(0x12), 1)).toBe(0);
  });
});

describe('UTF-8', () => {
  /** Both sides of every place where the form changes, and of what has no form. */
  const edges = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x10ffff];

  test('agrees with the platform at every edge', () => {
    for (const point of edges) {
      const text = `a${String.fromCodePoint(point)}b`;
      expect(encodeUtf8(text), point.toString(16)).toEqual(new TextEncoder().encode(text));
      expect(decodeUtf8(new TextEncoder().encode(text)), point.toString(16)).toBe(text);
    }
    for (const half of ['\ud800', '\udbff', '\udc00', '\udfff', 'a\udc00', '\ud800a'])
      expect(() => encodeUtf8(half)).toThrow();
  });

  test('takes what the platform takes, and refuses what it refuses', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const platform = (some: Uint8Array): string | null => {
      try {
        return decoder.decode(some);
      } catch {
        return null;
      }
    };
    const telling = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec];
    const leading = [...telling, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf9, 0xff];
    for (const first of leading)
      for (const second of leading) {
        expect(decodeUtf8(Uint8Array.of(first, second))).toBe(platform(Uint8Array.of(first, second)));
        for (const third of [0x41, 0x80, 0xbf, 0xc2]) {
          const three = Uint8Array.of(first, second, third);
          expect(decodeUtf8(three), toHex(three)).toBe(platform(three));
          const four = Uint8Array.of(first, second, third, 0x80);
          expect(decodeUtf8(four), toHex(four)).toBe(platform(four));
        }
      }
  });

  test('of a document longer than an argument list', () => {
    const units = new Uint16Array(200_001).fill(0x6728);
    expect(textOfUnits(units)).toBe('木'.repeat(200_001));
    expect(decodeUtf8(encodeUtf8('木'.repeat(5_000)))).toBe('木'.repeat(5_000));
  });
});

describe('autoboot.txt', () => {
  test('names both partitions, fills its place to the byte, and is read back', () => {
    for (const autoboot of [
      { standard: 2, trial: 3 },
      { standard: 3, trial: 2 },
      { standard: 12, trial: 2 },
    ]) {
      const text = encodeAutoboot(autoboot);
      expect(parseAutoboot(text)).toEqual(autoboot);
      expect(text).toHaveLength(encodeAutoboot({ standard: 1, trial: 1 }).length);
      expect(text.length).toBeLessThan(512);
      // Without this line the loader takes tryboot for a request to load another file.
      expect(text.split('\n')).toContain('tryboot_a_b=1');
    }
  });

  test.each([
    ['boot_partition=2', { standard: 2, trial: 2 }],
    ['[all]\r\nboot_partition=2\r\n[tryboot]\r\nboot_partition=3\r\n', { standard: 2, trial: 3 }],
    ['[tryboot]\nboot_partition=3\n[all]\nboot_partition=2', { standard: 2, trial: 3 }],
    ['  [all]  \n  boot_partition=2  ', { standard: 2, trial: 2 }],
    ['boot_partition=2\nother=9\n[pi5]\nboot_partition=7', { standard: 2, trial: 2 }],
    ['boot_partition=2\nboot_partition=3', { standard: 3, trial: 3 }],
    ['', null],
    ['[tryboot]\nboot_partition=3', null],
    ['[pi5]\nboot_partition=3', null],
    ['boot_partition=', null],
    ['boot_partition=x', null],
    ['boot_partition=123', null],
    ['xboot_partition=2', null],
    ['boot_partition=2x', null],
    ['[tryboot]\nx[all]\nboot_partition=2', null],
    ['[tryboot]\n[all]x\nboot_partition=2', null],
    [`${'\n'.repeat(512)}boot_partition=2`, null],
    [`${'\n'.repeat(512 - 'boot_partition=2'.length)}boot_partition=2`, { standard: 2, trial: 2 }],
  ])('%j: %o', (text, expected) => {
    expect(parseAutoboot(text)).toEqual(expected);
  });

  test('each slot has a partition, and no other partition a slot', () => {
    expect([undefined, 0, 1, 2, 3, 4].map(slotOf)).toEqual([null, null, null, 'a', 'b', null]);
  });
});
