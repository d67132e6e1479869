import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { equalBytes, toAscii, toHex } from '../bytes.ts';
import { decodeUtf8 } from '../utf8.ts';
import type { RsaPublicKey } from './digest-info.ts';
import { readTlv, readTlvs, type Tlv } from './tlv.ts';

/** The fields of an X.509 certificate (RFC 5280) that decide about a card; path building is the agent's. */
export type Certificate = {
  /** Upper-case hexadecimal without a leading zero byte. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly publicKey:
    | { readonly type: 'rsa'; readonly key: RsaPublicKey; readonly bits: number }
    | { readonly type: 'other'; readonly algorithm: string };
  /** null = no such extension. */
  readonly keyUsage: {
    readonly critical: boolean;
    readonly digitalSignature: boolean;
    readonly keyCertSign: boolean;
  } | null;
  readonly extendedKeyUsage: readonly string[] | null;
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  /** The signed part, tag and length included. */
  readonly tbs: Uint8Array;
};

export const oids = {
  rsaEncryption: '1.2.840.113549.1.1.1',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

class Malformed extends Error {}
const demand = <T>(value: T | undefined | null, what: string): T => {
  if (value === undefined || value === null) throw new Malformed(what);
  return value;
};

const children = (object: Tlv): readonly Tlv[] => {
  const parsed = readTlvs(object.value);
  if (!parsed.ok) throw new Malformed('DER structure');
  return parsed.value;
};

const tagged = (object: Tlv | undefined, tag: number, what: string): Tlv => {
  if (object === undefined || object.tag !== tag) throw new Malformed(what);
  return object;
};

const readOid = (object: Tlv | undefined): string => {
  const { value } = tagged(object, 0x06, 'object identifier');
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of value) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 0xffffffff) throw new Malformed('object identifier arc');
    if ((byte & 0x80) === 0) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const first = demand(arcs[0], 'object identifier');
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...arcs.slice(1)].join('.');
};

/** UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ (RFC 5280, 4.1.2.5). */
const readTime = (object: Tlv | undefined): number => {
  const { tag, value } = demand(object, 'time');
  const text = toAscii(value);
  const match = (
    tag === 0x17 ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
  ).exec(text);
  if (match === null || (tag !== 0x17 && tag !== 0x18)) throw new Malformed('time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(tag === 0x17 ? (year < 50 ? 2000 + year : 1900 + year) : year, month - 1, day, hour, minute, second);
};

const sequenceIn = (bytes: Uint8Array, what: string): Tlv => {
  const read = readTlv(bytes);
  return tagged(read.ok ? read.value : undefined, 0x30, what);
};

const unsigned = (object: Tlv | undefined): Uint8Array => {
  const { value } = tagged(object, 0x02, 'integer');
  if (value.length === 0) throw new Malformed('integer');
  return value.length > 1 && value[0] === 0 ? value.slice(1) : value;
};

const bitString = (object: Tlv | undefined): Uint8Array => {
  const { value } = tagged(object, 0x03, 'bit string');
  if (value[0] !== 0) throw new Malformed('bit string');
  return value.slice(1);
};

const readPublicKey = (object: Tlv | undefined): Certificate['publicKey'] => {
  const [algorithm, key] = children(tagged(object, 0x30, 'subject public key'));
  const name = readOid(children(tagged(algorithm, 0x30, 'key algorithm'))[0]);
  if (name !== oids.rsaEncryption) return { type: 'other', algorithm: name };
  const [modulus, exponent] = children(sequenceIn(bitString(key), 'RSA key'));
  const rsa = { modulus: unsigned(modulus), exponent: unsigned(exponent) };
  const leading = demand(rsa.modulus[0], 'RSA modulus');
  return { type: 'rsa', key: rsa, bits: rsa.modulus.length * 8 - Math.clz32(leading) + 24 };
};

type Extension = { readonly critical: boolean; readonly value: Uint8Array };

const readExtensions = (object: Tlv | undefined): ReadonlyMap<string, Extension> => {
  const extensions = new Map<string, Extension>();
  if (object === undefined) return extensions;
  for (const entry of children(tagged(children(object)[0], 0x30, 'extensions'))) {
    const fields = children(tagged(entry, 0x30, 'extension'));
    const name = readOid(fields[0]);
    if (extensions.has(name)) throw new Malformed('extension twice');
    extensions.set(name, {
      critical: fields[1]?.tag === 0x01 && fields[1].value[0] === 0xff,
      value: tagged(fields.at(-1), 0x04, 'extension value').value,
    });
  }
  return extensions;
};

const readKeyUsage = (extension: Extension | undefined): Certificate['keyUsage'] => {
  if (extension === undefined) return null;
  const bits = readTlv(extension.value);
  const byte = bits.ok && bits.value.tag === 0x03 ? bits.value.value[1] : undefined;
  const usage = demand(byte, 'key usage');
  return { critical: extension.critical, digitalSignature: (usage & 0x80) !== 0, keyCertSign: (usage & 0x04) !== 0 };
};

const readExtendedKeyUsage = (extension: Extension | undefined): readonly string[] | null => {
  if (extension === undefined) return null;
  return children(sequenceIn(extension.value, 'extended key usage')).map(readOid);
};

const parse = (der: Uint8Array): Certificate => {
  const whole = readTlv(der);
  if (!whole.ok || !equalBytes(whole.value.raw, der)) throw new Malformed('length');
  const [tbs, algorithm, signature] = children(tagged(whole.value, 0x30, 'certificate'));
  const fields = children(tagged(tbs, 0x30, 'signed part'));
  // Version 1 has no version field; nothing of this family does, so it is demanded.
  tagged(fields[0], 0xa0, 'version');
  const [notBefore, notAfter] = children(tagged(fields[4], 0x30, 'validity'));
  const extensions = readExtensions(fields.slice(7).find((field) => field.tag === 0xa3));
  return {
    serial: toHex(unsigned(fields[1])),
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
    issuer: tagged(fields[3], 0x30, 'issuer').raw,
    subject: tagged(fields[5], 0x30, 'subject').raw,
    publicKey: readPublicKey(fields[6]),
    keyUsage: readKeyUsage(extensions.get(oids.keyUsage)),
    extendedKeyUsage: readExtendedKeyUsage(extensions.get(oids.extendedKeyUsage)),
    signatureAlgorithm: readOid(children(tagged(algorithm, 0x30, 'signature algorithm'))[0]),
    signature: bitString(signature),
    tbs: demand(tbs, 'signed part').raw,
  };
};

/** DirectoryString and its sisters (X.520): UTF8String, and tag → bytes of a letter in each of the others */
const utf8String = 12;
const letterBytes: Readonly<Record<number, number>> = { 18: 1, 19: 1, 20: 1, 22: 1, 28: 4, 30: 2 };

/** What is no text (a bit string) says nothing. */
const spelled = ({ tag, value }: Tlv): string => {
  if (tag === utf8String) return demand(decodeUtf8(value), 'letters of a name');
  const width = letterBytes[tag];
  if (width === undefined) return '';
  let text = '';
  for (let at = 0; at + width <= value.length; at += width) {
    const letter = value.subarray(at, at + width).reduce((sum, byte) => sum * 256 + byte, 0);
    text += letter > 0x10ffff ? '\ufffd' : String.fromCodePoint(letter);
  }
  return text;
};

/** The values of a distinguished name (`subject`, `issuer`), whatever they are of: JP, a body, a name. Throws where it is no name. */
export const valuesOfName = (name: Uint8Array): readonly string[] => {
  return children(sequenceIn(name, 'name')).flatMap((part) =>
    children(tagged(part, 0x31, 'part of a name')).map((attribute) =>
      spelled(demand(children(tagged(attribute, 0x30, 'attribute of a name'))[1], 'value of a name')),
    ),
  );
};

/** Exactly one certificate, no bytes behind it. Anything else is `card.certificate-invalid`; no bytes make it throw. */
export const parseCertificate = (der: Uint8Array): Result<Certificate> => {
  try {
    return ok(parse(der));
  } catch (error) {
    if (error instanceof Malformed) return err(failure('card.certificate-invalid', `certificate: ${error.message}`));
    throw error;
  }
};

/** One that `checkAuthCertificate` lets pass */
export type AuthCertificate = Certificate & { readonly publicKey: { readonly type: 'rsa' } };

/**
 * Whether a certificate may stand for its holder at all, whatever its dates and issuer: RSA of 2048 bits or more,
 * SHA-256, digitalSignature, clientAuth. (The next card's ECDSA P-384 is not built: `other` keys are refused.)
 */
export const checkAuthCertificate = (certificate: Certificate): Result<AuthCertificate> => {
  const { publicKey } = certificate;
  const invalid = (detail: string) => err(failure('card.certificate-invalid', detail));
  if (publicKey.type !== 'rsa') return invalid(`key algorithm ${publicKey.algorithm}`);
  if (publicKey.bits < 2048) return invalid(`RSA key of ${publicKey.bits} bits`);
  if (certificate.signatureAlgorithm !== oids.sha256WithRsa)
    return invalid(`signature ${certificate.signatureAlgorithm}`);
  if (certificate.keyUsage?.digitalSignature !== true) return invalid('key usage without digitalSignature');
  if (certificate.extendedKeyUsage?.includes(oids.clientAuth) !== true) return invalid('usage without clientAuth');
  return ok({ ...certificate, publicKey });
};
