import { Buffer } from 'buffer/';

/* The package `buffer` with the one encoding of Node's that it lacks. */
type Encode = (this: Uint8Array, ...encodingAndRange: unknown[]) => string;
const encode = (Buffer.prototype as unknown as { readonly toString: Encode }).toString;
const from = Buffer.from as unknown as (...args: unknown[]) => Buffer;

Object.assign(Buffer.prototype, {
  toString(this: Uint8Array, encoding?: string, ...range: number[]): string {
    if (encoding !== 'base64url') return encode.call(this, encoding, ...range);
    return encode
      .call(this, 'base64', ...range)
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replaceAll('=', '');
  },
});
Object.assign(Buffer, {
  from: (content: unknown, encoding?: unknown, ...more: unknown[]) =>
    from(content, encoding === 'base64url' ? 'base64' : encoding, ...more),
});

export { Buffer };
export default { Buffer };
