/** UTF-8 (RFC 3629) without `TextEncoder`, which belongs to an environment. */

/** Throws on a lone surrogate: no text of ours has one. */
export const encodeUtf8 = (text: string): Uint8Array => {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  let at = 0;
  for (let point = text.codePointAt(at); point !== undefined; point = text.codePointAt(at)) {
    at += point > 0xffff ? 2 : 1;
    if (point < 0x80) {
      bytes[length++] = point;
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) throw new Error('a lone surrogate has no UTF-8');
    if (point < 0x800) bytes[length++] = 0xc0 | (point >> 6);
    else {
      if (point > 0xffff) {
        bytes[length++] = 0xf0 | (point >> 18);
        bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
      } else bytes[length++] = 0xe0 | (point >> 12);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[length++] = 0x80 | (point & 0x3f);
  }
  return bytes.slice(0, length);
};

/** Code units put together at a time: a longer argument list could exceed the stack. */
const chunk = 4_096;

/** `apply` takes any array-like and, unlike spreading, does not walk an iterator: a document has 5,000 characters. */
export const textOfUnits = (units: Uint8Array | Uint16Array): string => {
  let text = '';
  for (let at = 0; at < units.length; at += chunk)
    text += String.fromCharCode.apply(null, units.subarray(at, at + chunk) as unknown as number[]);
  return text;
};

const isAscii = (bytes: Uint8Array): boolean => {
  for (const byte of bytes) if (byte >= 0x80) return false;
  return true;
};

/** null on anything that is not well-formed: overlong forms, surrogates, points above 10FFFF, cut off. */
export const decodeUtf8 = (bytes: Uint8Array): string | null => {
  // A signed document is base64url and names of fields: nearly all that comes here has no other letter.
  if (isAscii(bytes)) return textOfUnits(bytes);
  const units = new Uint16Array(bytes.length);
  let length = 0;
  let at = 0;
  for (let first = bytes[at++]; first !== undefined; first = bytes[at++]) {
    if (first < 0x80) {
      units[length++] = first;
      continue;
    }
    if (first < 0xc2 || first > 0xf4) return null;
    const following = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    let point = first & (0x3f >> following);
    for (let index = 0; index < following; index++) {
      const next = bytes[at++] ?? 0;
      if ((next & 0xc0) !== 0x80) return null;
      point = (point << 6) | (next & 0x3f);
    }
    const shortest = following === 3 ? 0x10000 : following === 2 ? 0x800 : 0x80;
    if (point < shortest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null;
    if (point > 0xffff) {
      units[length++] = 0xd800 + ((point - 0x10000) >> 10);
      units[length++] = 0xdc00 + (point & 0x3ff);
    } else units[length++] = point;
  }
  return textOfUnits(units.subarray(0, length));
};
