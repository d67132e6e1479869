/** Small functions over Uint8Array; the only place where hexadecimal and ASCII are turned into bytes and back. */

/**
 * For what is to be overwritten after use, such as a PIN: a short array made the usual way lies in V8's heap, which moves
 * it at will and leaves behind what stood there. This one stays where it is.
 */
export const unmovedBytes = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(length));

export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = unmovedBytes(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  // Thousands of bytes at a time: a function called for each of them costs ten times as much.
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
};

/** Upper case, no separators. */
export const toHex = (bytes: Uint8Array): string => {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex.toUpperCase();
};

/** Spaces are allowed. Throws on anything else: for constants and checked input only. */
export const fromHex = (hex: string): Uint8Array => {
  const digits = hex.replaceAll(' ', '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) throw new Error('not hexadecimal');
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
};

/** ASCII text to bytes; never for a PIN, which is bytes from the key pad on. Throws on other characters. */
export const fromAscii = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0x7f) throw new Error('not ASCII');
    return code;
  });

/** Bytes outside printable ASCII become '?'. */
export const toAscii = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
  return text;
};

/** Big-endian. */
export const readUint16 = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);

export const uint16 = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
