import { hmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { scrypt as scryptOf } from '@noble/hashes/scrypt.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Buffer } from './buffer.ts';

/* Of node:crypto what the product asks for at once: hashes, random numbers, and RSA without its padding, by BigInt. */
type Content = string | Uint8Array;
const hashes = { sha256, sha512, sha1, md5 } as const;
type HashName = keyof typeof hashes;
const bytesOf = (content: Content): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;
const told = (digest: Uint8Array, encoding?: string): never => {
  const buffer = Buffer.from(digest);
  return (encoding === undefined || encoding === 'buffer' ? buffer : buffer.toString(encoding as 'hex')) as never;
};

type Running = { update(content: Uint8Array): unknown; digest(): Uint8Array };
const running = (hash: Running) => {
  const own = {
    update: (content: Content) => {
      hash.update(bytesOf(content));
      return own;
    },
    digest: (encoding?: string) => told(hash.digest(), encoding),
  };
  return own;
};
export const createHash = (name: HashName) => running(hashes[name].create());
export const createSecretKey = (key: Uint8Array): Uint8Array => key;
export const createHmac = (name: HashName, key: Content) => running(hmac.create(hashes[name], bytesOf(key)));
export const hash = (name: HashName, content: Content, encoding = 'hex') =>
  told(hashes[name](bytesOf(content)), encoding);

export const randomBytes = (size: number): Buffer => Buffer.from(crypto.getRandomValues(new Uint8Array(size)));
export const randomUUID = (): string => crypto.randomUUID();
export const timingSafeEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.reduce((differs, byte, at) => differs | (byte ^ (b[at] ?? 0)), 0) === 0;

/** By the numbers that OpenSSL, and so Node, takes unless told otherwise */
export const scrypt = (
  secret: Content,
  salt: Content,
  length: number,
  done: (error: Error | null, key: Buffer) => void,
): void => done(null, Buffer.from(scryptOf(bytesOf(secret), bytesOf(salt), { N: 16_384, r: 8, p: 1, dkLen: length })));

/** An RSA key as two numbers; `exponent` is the private one where it was given */
export type KeyObject = { readonly modulus: bigint; readonly exponent: bigint; readonly size: number };
export const constants = { RSA_NO_PADDING: 3, RSA_PKCS1_PADDING: 1 } as const;

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
const ofBase64url = (text: string | undefined): bigint => numberOf(Buffer.from(text ?? '', 'base64'));
const powerOf = (base: bigint, exponent: bigint, modulus: bigint): bigint => {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
};
const rsa = ({ modulus, exponent, size }: KeyObject, content: Uint8Array): Buffer => {
  const value = numberOf(content);
  // As OpenSSL: neither an even modulus nor a value above it.
  if ((modulus & 1n) === 0n || value >= modulus || content.length !== size) throw new Error('RSA: out of range');
  return Buffer.from(
    powerOf(value, exponent, modulus)
      .toString(16)
      .padStart(size * 2, '0'),
    'hex',
  );
};

type Jwk = { readonly n?: string; readonly e?: string; readonly d?: string };
type JwkInput = { readonly key: Jwk; readonly format: 'jwk' };
const keyOf = ({ n }: Jwk, exponent: string | undefined): KeyObject => {
  const modulus = ofBase64url(n);
  return { modulus, exponent: ofBase64url(exponent), size: Math.ceil(modulus.toString(16).length / 2) };
};
export const createPublicKey = ({ key }: JwkInput): KeyObject => keyOf(key, key.e);
export const createPrivateKey = ({ key }: JwkInput): KeyObject => keyOf(key, key.d);

export const publicDecrypt = ({ key }: { readonly key: KeyObject }, signed: Uint8Array): Buffer => rsa(key, signed);
/** With the padding of PKCS#1 v1.5 for signatures, as Node does */
export const privateEncrypt = (key: KeyObject, content: Uint8Array): Buffer => {
  const block = new Uint8Array(key.size).fill(0xff);
  block.set([0, 1]);
  block[key.size - content.length - 1] = 0;
  block.set(content, key.size - content.length);
  return rsa(key, block);
};
