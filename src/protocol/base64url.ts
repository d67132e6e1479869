import { readUint16 } from './bytes.ts';
import { textOfUnits } from './utf8.ts';

/** RFC 4648, section 5, without padding. Pure, because `Buffer` and `atob` belong to an environment. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const sextetOf = new Uint8Array(128).fill(255);
for (let index = 0; index < alphabet.length; index++) sextetOf[alphabet.charCodeAt(index)] = index;

export const toBase64url = (bytes: Uint8Array): string => {
  const codes = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  for (let at = 0, out = 0; at < bytes.length; at += 3) {
    const group = (readUint16(bytes, at) << 8) | (bytes[at + 2] ?? 0);
    for (let shift = 18; shift >= 0 && out < codes.length; shift -= 6)
      codes[out++] = alphabet.charCodeAt((group >> shift) & 63);
  }
  return textOfUnits(codes);
};

/**
 * null on padding, a foreign character, an impossible length or spare bits that are not zero: each byte string has
 * exactly one text, so that two documents with the same meaning have the same hash.
 */
export const fromBase64url = (text: string): Uint8Array | null => {
  const spare = text.length % 4;
  if (spare === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let accumulator = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const value = sextetOf[text.charCodeAt(index)] ?? 255;
    if (value === 255) return null;
    accumulator = ((accumulator << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (accumulator >> bits) & 0xff;
    }
  }
  return (accumulator & ((1 << bits) - 1)) === 0 ? bytes : null;
};
