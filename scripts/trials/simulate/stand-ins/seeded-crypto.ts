import {
  type KeyObject,
  createPublicKey as realCreatePublicKey,
  privateEncrypt as realPrivateEncrypt,
  publicDecrypt as realPublicDecrypt,
  randomBytes as realRandomBytes,
  randomUUID as realRandomUuid,
} from 'node:crypto';
import { cheapRsa } from './cheap-jose.ts';
import { kernelNow } from './kernel.ts';

/* Stands in for node:crypto in the simulator: ids and nonces by the world's seed, and the card's RSA as `cheap-jose.ts`. */
export * from 'node:crypto';

export const randomBytes = (size: number): Buffer => {
  const kernel = kernelNow();
  return kernel === null ? realRandomBytes(size) : Buffer.from(kernel.rng.bytes(size));
};

export const randomUUID = (): string => {
  const kernel = kernelNow();
  if (kernel === null) return realRandomUuid();
  const hex = Buffer.from(kernel.rng.bytes(16)).toString('hex');
  const variant = '89ab'[kernel.rng.between(0, 3)];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/** A card's own key comes with every visit: OpenSSL's form of it is made once. */
const publicKeys = new Map<string, KeyObject>();
export const createPublicKey = (input: Parameters<typeof realCreatePublicKey>[0]): KeyObject => {
  const modulus = (input as { readonly key?: { readonly n?: string } }).key?.n;
  if (kernelNow() === null || modulus === undefined) return realCreatePublicKey(input);
  const known = publicKeys.get(modulus) ?? realCreatePublicKey(input);
  publicKeys.set(modulus, known);
  return known;
};

const moduli = new WeakMap<KeyObject, string>();
const modulusOf = (key: KeyObject): string => {
  const known = moduli.get(key) ?? realCreatePublicKey(key).export({ format: 'jwk' }).n ?? '';
  moduli.set(key, known);
  return known;
};

/** A card's own signature over a DigestInfo, whose last 32 bytes are the digest. */
export const privateEncrypt = (key: KeyObject, digestInfo: Uint8Array): Uint8Array => {
  const kernel = kernelNow();
  if (kernel === null || kernel.isReal) return realPrivateEncrypt(key, digestInfo);
  return cheapRsa(modulusOf(key), digestInfo.slice(-32));
};

/** What issuers signed never changes: opened once. */
const opened = new WeakMap<object, Map<string, Buffer>>();
export const publicDecrypt = (options: { readonly key: KeyObject; readonly padding: number }, signed: Uint8Array) => {
  if (kernelNow()?.isReal !== false) return realPublicDecrypt(options, signed);
  const known = opened.get(options.key) ?? new Map<string, Buffer>();
  opened.set(options.key, known);
  const words = Buffer.from(signed).toString('latin1');
  const found = known.get(words) ?? realPublicDecrypt(options, signed);
  known.set(words, found);
  return found;
};
