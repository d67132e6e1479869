import { hash } from 'node:crypto';
import * as real from 'jose';
import { type Kernel, kernelNow } from './kernel.ts';

/*
 * Stands in for jose in the simulator: the same forms, letter for letter as long, with a keyed hash in the place of
 * signatures and seals. Whoever knows a key's name could forge one; nobody here does. A real world asks jose itself.
 */
export * from 'jose';

type Header = Record<string, unknown>;
const base64url = (content: string | Uint8Array): string =>
  (typeof content === 'string'
    ? Buffer.from(content)
    : Buffer.from(content.buffer, content.byteOffset, content.length)
  ).toString('base64url');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
/** There are not many different ones, but for a seal's. */
const headers = new Map<string, Header>();
const headerOf = (text: string): Header => {
  const known = headers.get(text) ?? (JSON.parse(Buffer.from(text, 'base64url').toString()) as Header);
  if (headers.size < 1_000) headers.set(text, known);
  return { ...known };
};

/** What a key is called, the same for both halves of a pair */
const names = new WeakMap<object, string>();
export const nameKey = (key: object, name: string): void => {
  names.set(key, name);
};
const nameOf = (key: unknown): string => {
  const name = typeof key === 'object' && key !== null ? names.get(key) : undefined;
  if (name === undefined) throw new Error('a key that the simulator was not told of');
  return name;
};

/** 64 bits over every letter, in hexadecimal: as good as any for whoever forges nothing, at a tenth of the time of a real one */
const mac = (key: string, text: string): string => {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (const part of [key, text])
    for (let at = 0; at < part.length; at += 1) {
      const letter = part.charCodeAt(at);
      a = Math.imul(a ^ letter, 0x01000193);
      b = Math.imul(b + letter, 0x85ebca6b) ^ (a >>> 15);
    }
  const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
  return hex(a) + hex(b);
};

/** A header's text; what is signed again and again has the same. */
const headerTexts = new Map<string, string>();
const textOfHeader = (header: Header): string => {
  const words = `${header.typ} ${header.kid} ${header.alg} ${Object.keys(header).length}`;
  const known = headerTexts.get(words);
  if (known !== undefined) return known;
  const text = base64url(JSON.stringify(header));
  // A card's own header has its certificate in it.
  if (header.kid !== undefined && headerTexts.size < 1_000) headerTexts.set(words, text);
  return text;
};

/** What was made last, so that whoever opens the very same need not work it out; all else is worked out. */
type Made = { readonly token: string; readonly key: string; readonly content: Uint8Array; readonly header: Header };
const lastMade = new Map<string, Made>();
/** Its hash: a key is looked up by all its letters */
const markOf = (token: string): string => token.slice(-16);
const mostMade = 64;
const marks: string[] = new Array(mostMade).fill('');
let turn = 0;
const made = (token: string, key: string, content: Uint8Array, header: Header): string => {
  lastMade.delete(marks[turn] ?? '');
  const mark = markOf(token);
  marks[turn] = mark;
  turn = (turn + 1) % mostMade;
  lastMade.set(mark, { token, key, content: content.slice(), header });
  return token;
};
/** null: made long ago, with another key, or by somebody else */
const asMade = (token: string, key: string) => {
  const found = lastMade.get(markOf(token));
  return found?.key === key && found.token === token
    ? { content: found.content.slice(), protectedHeader: { ...found.header } }
    : null;
};

/** Real work on other threads, one after the other: it ends in the order in which it began, whatever the threads do. */
let last: Promise<unknown> = Promise.resolve();
export const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
  const kernel = kernelNow();
  if (kernel === null) return work();
  const { current } = kernel;
  kernel.pendingReal += 1;
  const done = last.then(work).finally(() => {
    kernel.pendingReal -= 1;
    kernel.current = current;
  });
  last = done.catch(() => {});
  return done;
};
/** Made at once, but no sooner told than a thread would tell it. */
const cheaply = <T>(work: () => T): Promise<T> => (kernelNow() as Kernel).outside(work);
const isReal = (): boolean => kernelNow()?.isReal ?? true;

/** What is to be signed or sealed, with its header. */
class Content {
  readonly content: Uint8Array;
  header: Header = {};
  constructor(content: Uint8Array) {
    this.content = content;
  }
  setProtectedHeader(header: Header): this {
    this.header = header;
    return this;
  }
}

export class CompactSign extends Content {
  async sign(key: object): Promise<string> {
    if (isReal())
      return inTurn(() =>
        new real.CompactSign(this.content).setProtectedHeader(this.header as never).sign(key as real.CryptoKey),
      );
    return cheaply(() => {
      const input = `${textOfHeader(this.header)}.${base64url(this.content)}`;
      const name = nameOf(key);
      return made(`${input}.${mac(name, input)}`, name, this.content, this.header);
    });
  }
}

export class FlattenedSign extends Content {
  async sign(key: object): Promise<real.FlattenedJWS> {
    if (isReal())
      return inTurn(() =>
        new real.FlattenedSign(this.content).setProtectedHeader(this.header as never).sign(key as real.CryptoKey),
      );
    return cheaply(() => {
      const header = textOfHeader(this.header);
      const payload = base64url(this.content);
      return { protected: header, payload, signature: mac(nameOf(key), `${header}.${payload}`) };
    });
  }
}

export class CompactEncrypt extends Content {
  async encrypt(key: object): Promise<string> {
    if (isReal())
      return inTurn(() =>
        new real.CompactEncrypt(this.content).setProtectedHeader(this.header as never).encrypt(key as real.CryptoKey),
      );
    return cheaply(() => {
      const header = { ...this.header, epk: {} };
      const sealed = base64url(this.content);
      const name = nameOf(key);
      const token = `${textOfHeader(header)}...${sealed}.${mac(name, sealed)}`;
      return made(token, name, this.content, header);
    });
  }
}

export const compactVerify = async (jws: string, key: object, options: object) => {
  if (isReal()) return inTurn(() => real.compactVerify(jws, key as real.CryptoKey, options));
  return cheaply(() => {
    const known = asMade(jws, nameOf(key));
    if (known !== null) return { payload: known.content, protectedHeader: known.protectedHeader };
    const [header = '', payload = '', signature] = jws.split('.');
    if (mac(nameOf(key), `${header}.${payload}`) !== signature) throw new Error('signature');
    return { payload: bytesOf(payload), protectedHeader: headerOf(header) };
  });
};

export const compactDecrypt = async (jwe: string, key: object, options: object) => {
  if (isReal()) return inTurn(() => real.compactDecrypt(jwe, key as real.CryptoKey, options));
  return cheaply(() => {
    const known = asMade(jwe, nameOf(key));
    if (known !== null) return { plaintext: known.content, protectedHeader: known.protectedHeader };
    const [header = '', , , sealed = '', tag] = jwe.split('.');
    if (mac(nameOf(key), sealed) !== tag) throw new Error('seal');
    return { plaintext: bytesOf(sealed), protectedHeader: headerOf(header) };
  });
};

export const decodeProtectedHeader = (token: string | object): Header =>
  typeof token === 'string' && !isReal()
    ? headerOf(token.slice(0, token.indexOf('.')))
    : real.decodeProtectedHeader(token);

/** A card's signature is the stand-in's own, by modulus (`seeded-crypto.ts`); a device's is a keyed hash. */
type RsaKey = { readonly modulus: string };
export const flattenedVerify = async (
  jws: { payload: string; protected?: string; signature: string },
  key: object,
  options: object,
) => {
  if (isReal())
    return inTurn(() => real.flattenedVerify(jws as real.FlattenedJWSInput, key as real.CryptoKey, options));
  return cheaply(() => {
    const input = `${jws.protected}.${jws.payload}`;
    const expected =
      'modulus' in key
        ? base64url(cheapRsa((key as RsaKey).modulus, hash('sha256', input, 'buffer')))
        : mac(nameOf(key), input);
    if (expected !== jws.signature) throw new Error('signature');
    return { payload: bytesOf(jws.payload) };
  });
};

/** 256 bytes that only whoever names this modulus and this digest would write */
export const cheapRsa = (modulus: string, digest: Uint8Array): Uint8Array => {
  const one = hash('sha512', `${modulus} ${base64url(digest)}`, 'buffer');
  return new Uint8Array(Buffer.concat([one, one, one, one]));
};

/** Facility keys come with each message of settings: imported once. */
const imported = new Map<string, Promise<real.CryptoKey | Uint8Array>>();
export const importJWK = async (jwk: real.JWK, algorithm?: string) => {
  if (jwk.kty === 'RSA' && !isReal()) return { modulus: jwk.n ?? '' };
  const words = `${algorithm} ${JSON.stringify(jwk)}`;
  const known = imported.get(words) ?? inTurn(() => real.importJWK(jwk, algorithm));
  imported.set(words, known);
  const key = await known;
  if (typeof jwk.kid === 'string' && !(key instanceof Uint8Array)) nameKey(key, jwk.kid);
  return key;
};
