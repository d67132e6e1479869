/** UTF-8 without `TextEncoder`, which belongs to an environment. Lone surrogates are a programmer's error and throw. */
export const encodeUtf8 = (text: string): Uint8Array => {
  const escaped = encodeURIComponent(text);
  const bytes = new Uint8Array(escaped.length);
  let length = 0;
  for (let at = 0; at < escaped.length; at++) {
    if (escaped[at] === '%') {
      bytes[length++] = Number.parseInt(escaped.slice(at + 1, at + 3), 16);
      at += 2;
    } else bytes[length++] = escaped.charCodeAt(at);
  }
  return bytes.slice(0, length);
};

/** null on anything that is not well-formed UTF-8. */
export const decodeUtf8 = (bytes: Uint8Array): string | null => {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return null;
  }
};
