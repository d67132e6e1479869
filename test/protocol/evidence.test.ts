import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simulatedStartMs } from '../../scripts/beds/simulated-clock.ts';
import { testRequest } from '../../scripts/beds/test-facility.ts';
import type { VisualEvidence } from '../../src/core/visit/identity.ts';
import {
  assembleDocument,
  documentType,
  encodeRequest,
  faceHeader,
  jwsSignature,
  parseDocument,
  pinHeader,
  signingInput,
} from '../../src/protocol/evidence.ts';
import type { EligibilityRequest } from '../../src/wire/messages.ts';

/* What a document must look like before any signature in it is verified: the signatures here are of no key. */

type Json = Record<string, unknown>;
type Method = EligibilityRequest['verificationMethod'];

const bytesOf = (what: string, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => createHash('sha256').update(`${what} ${at}`).digest()[0] ?? 0);
const kid = Buffer.from(bytesOf('kid', 32)).toString('base64url');
const certificate = bytesOf('certificate', 1_000);
const visual: VisualEvidence = {
  df22: bytesOf('df22', 12),
  df23: bytesOf('df23', 5),
  df24: bytesOf('df24', 270),
  hash2: bytesOf('hash2', 32),
  hash3: bytesOf('hash3', 32),
  df28: bytesOf('df28', 256),
  cvCertificate: bytesOf('cv', 560),
};
const encoded = (json: unknown): string => Buffer.from(JSON.stringify(json)).toString('base64url');
const decoded = (text: string): Json => JSON.parse(Buffer.from(text, 'base64url').toString()) as Json;

const cardHeaderOf = { pin: pinHeader(certificate), face: faceHeader(visual) };
const deviceHeader = { alg: 'ES256', typ: documentType, kid };
const requestOf = (method: Method): EligibilityRequest =>
  testRequest({ issuedAt: simulatedStartMs, verificationMethod: method });

type Parts = {
  readonly payload: string;
  readonly signatures: readonly { readonly protected: string; readonly signature: string }[];
};
const partsOf = (method: Method): Parts => {
  const device = jwsSignature(encoded(deviceHeader), bytesOf('device signature', 64));
  const card = method === 'staff' ? [] : [jwsSignature(cardHeaderOf[method], bytesOf('card signature', 256))];
  const document = assembleDocument(encodeRequest(requestOf(method)), [...card, device]);
  return JSON.parse(new TextDecoder().decode(document)) as Parts;
};
const outcome = (document: string | Uint8Array): string => {
  const parsed = parseDocument(typeof document === 'string' ? new TextEncoder().encode(document) : document);
  return parsed.ok ? 'taken' : parsed.failure.code;
};
const outcomeOf = (parts: unknown): string => outcome(JSON.stringify(parts));
const malformed = 'message.malformed';

describe.each<Method>(['pin', 'face', 'staff'])('a document by %s', (method) => {
  const parts = partsOf(method);
  const text = JSON.stringify(parts);

  test('comes back as it was put together', () => {
    const parsed = parseDocument(new TextEncoder().encode(text));
    if (!parsed.ok) throw new Error(parsed.failure.detail);
    const { request, payload, card, device } = parsed.value;
    const { requestId, session } = decoded(parts.payload);
    expect(request).toEqual({ ...requestOf(method), requestId, session });
    expect(payload).toBe(parts.payload);
    expect(device).toEqual({ kid, jws: parts.signatures.at(-1) });
    expect(card).toEqual(
      method === 'staff'
        ? null
        : {
            ...{ method, jws: parts.signatures[0] },
            ...(method === 'pin' ? { authCertificate: certificate } : { visual }),
          },
    );
  });

  test('has one spelling', () => {
    for (const other of [
      ` ${text}`,
      `${text}\n`,
      text.replace('{', '{ '),
      text.replace('"payload"', '"p\\u0061yload"'),
      text.replace('{', '{"payload":"AA",'),
      JSON.stringify({ signatures: parts.signatures, payload: parts.payload }),
      text.slice(0, -1),
      '',
      'null',
      '[]',
    ])
      expect(outcome(other), other.slice(0, 60)).toBe(malformed);
    const bytes = new TextEncoder().encode(text);
    bytes[5] = 0xff;
    expect(outcome(bytes)).toBe(malformed);
  });

  test('has these fields and no other, at every depth', () => {
    expect(outcomeOf({ ...parts, planted: 1 })).toBe(malformed);
    expect(outcomeOf({ signatures: parts.signatures })).toBe(malformed);
    expect(outcomeOf({ payload: parts.payload })).toBe(malformed);
    const request = decoded(parts.payload);
    expect(outcomeOf({ ...parts, payload: encoded({ ...request, planted: 1 }) })).toBe(malformed);
    expect(outcomeOf({ ...parts, payload: encoded({ ...request, lane: 'one' }) })).toBe(malformed);
    parts.signatures.forEach((jws, index) => {
      const withJws = (other: unknown) => ({ ...parts, signatures: parts.signatures.with(index, other as never) });
      expect(outcomeOf(withJws(jws))).toBe('taken');
      expect(outcomeOf(withJws({ ...jws, header: {} }))).toBe(malformed);
      expect(outcomeOf(withJws({ protected: jws.protected }))).toBe(malformed);
      expect(outcomeOf(withJws({ signature: jws.signature }))).toBe(malformed);
      const header = decoded(jws.protected);
      const withHeader = (other: unknown) => withJws({ ...jws, protected: encoded(other) });
      expect(outcomeOf(withHeader(header))).toBe('taken');
      for (const field of Object.keys(header)) {
        const { [field]: _left, ...rest } = header;
        expect(outcomeOf(withHeader(rest)), `without ${field}`).toBe(malformed);
        expect(outcomeOf(withHeader({ ...header, [field]: 'none' })), `other ${field}`).toBe(malformed);
      }
      for (const planted of [{ crit: ['exp'] }, { jwk: {} }, { jku: 'https://example.org' }])
        expect(outcomeOf(withHeader({ ...header, ...planted }))).toBe(malformed);
      expect(outcomeOf(withHeader(Object.fromEntries(Object.entries(header).toReversed())))).toBe(malformed);
    });
  });

  test('is signed as often as its method asks: once by the device, before it by the card', () => {
    const { signatures } = parts;
    for (const other of [
      [],
      signatures.slice(1),
      signatures.slice(0, -1),
      [...signatures, ...signatures.slice(-1)],
      [...signatures, ...signatures],
      ...(method === 'staff' ? [] : [signatures.toReversed()]),
    ])
      expect(outcomeOf({ ...parts, signatures: other }), `${other.length}`).toBe(malformed);
  });

  test('is base64url without a bit to spare', () => {
    // 43 characters stand for 32 bytes and two bits that must be zero.
    const spare = (value: string): string => `${value.slice(0, 42)}${value[42] === 'B' ? 'C' : 'B'}`.slice(0, 43);
    const [first] = parts.signatures;
    if (first === undefined) throw new Error('no signature');
    for (const signature of ['', 'A', '+/==', spare(kid), `${first.signature}\n`, `${first.signature}=`, ` ${kid}`])
      expect(outcomeOf({ ...parts, signatures: parts.signatures.with(0, { ...first, signature }) }), signature).toBe(
        malformed,
      );
    for (const other of ['A', '', '+/==', spare(kid), `${first.protected}=`])
      expect(outcomeOf({ ...parts, signatures: parts.signatures.with(0, { ...first, protected: other }) })).toBe(
        malformed,
      );
    for (const payload of ['A', '', '+/==', `${parts.payload}=`, ` ${parts.payload}`, `${parts.payload}\n`])
      expect(outcomeOf({ ...parts, payload })).toBe(malformed);
  });

  test('belongs to the method that its request names', () => {
    for (const other of ['pin', 'face', 'staff'] as const)
      expect(outcomeOf({ ...parts, payload: partsOf(other).payload })).toBe(other === method ? 'taken' : malformed);
  });
});

const withCardHeader = (method: 'pin' | 'face', header: unknown): unknown => {
  const parts = partsOf(method);
  const [first, ...rest] = parts.signatures;
  return { ...parts, signatures: [{ ...first, protected: encoded(header) }, ...rest] };
};

test('the certificate of a PIN is one, in the one spelling of its base64', () => {
  const header = decoded(cardHeaderOf.pin);
  const [text] = header.x5c as [string];
  expect(text).toBe(Buffer.from(certificate).toString('base64'));
  for (const x5c of [
    [],
    [text, text],
    text,
    [''],
    [`${text}=`],
    [text.replace(/=+$/, '')],
    [` ${text}`],
    [`${text}\n`],
    [`${text.slice(0, -4)}====`],
    ['AB=='],
    ['AA='],
    ['AA'],
    ['A-_A'],
    [1],
  ])
    expect(outcomeOf(withCardHeader('pin', { ...header, x5c })), JSON.stringify(x5c).slice(0, 40)).toBe(malformed);
});

test('certificates of every length come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (der) => {
      const [text] = decoded(pinHeader(der)).x5c as [string];
      expect(text).toBe(Buffer.from(der).toString('base64'));
      const parts = withCardHeader('pin', decoded(pinHeader(der)));
      const parsed = parseDocument(new TextEncoder().encode(JSON.stringify(parts)));
      expect(parsed).toMatchObject({ ok: true, value: { card: { authCertificate: der } } });
    }),
    { numRuns: 60 },
  );
});

test.each(Object.keys(visual))('%s of the 券面 has its length and its alphabet', (field) => {
  const header = decoded(cardHeaderOf.face);
  const visualAp = header.visualAp as Record<string, string>;
  const own = visualAp[field] ?? '';
  const withField = (value: unknown) =>
    outcomeOf(withCardHeader('face', { ...header, visualAp: { ...visualAp, [field]: value } }));
  expect(withField(own)).toBe('taken');
  for (const wrong of ['', `${own}=`, `+${own.slice(1)}`, ` ${own}`, `${own}\n`, 1, null])
    expect(withField(wrong)).toBe(malformed);
  const { [field]: _left, ...rest } = visualAp;
  expect(outcomeOf(withCardHeader('face', { ...header, visualAp: rest }))).toBe(malformed);
  expect(outcomeOf(withCardHeader('face', { ...header, visualAp: { ...visualAp, planted: own } }))).toBe(malformed);
  const isFixed = ['hash2', 'hash3', 'df28'].includes(field);
  for (const other of [
    Buffer.from(own, 'base64url').subarray(1),
    Buffer.concat([Buffer.from(own, 'base64url'), Buffer.of(7)]),
  ])
    expect(withField(other.toString('base64url'))).toBe(isFixed ? malformed : 'taken');
});

test('the name of the key has the length of a thumbprint', () => {
  const parts = partsOf('staff');
  for (const [name, expected] of [
    [kid, 'taken'],
    [kid.slice(1), malformed],
    [`A${kid}`, malformed],
    [`+${kid.slice(1)}`, malformed],
    [`${kid.slice(1)}+`, malformed],
  ] as const) {
    const [device] = parts.signatures;
    const other = { ...device, protected: encoded({ ...deviceHeader, kid: name }) };
    expect(outcomeOf({ ...parts, signatures: [other] })).toBe(expected);
  }
});

test('a document is as long as 64 KiB, and not one byte longer', () => {
  const limit = 64 * 1024;
  /** With a signature of `characters`; the request's own length moves what is left over for it. */
  const withSignature = (documentId: string, characters: number): string => {
    const request = { ...requestOf('staff'), approvedDocuments: [documentId] };
    const jws = { protected: encoded(deviceHeader), signature: 'A'.repeat(characters) };
    return JSON.stringify({ payload: Buffer.from(encodeRequest(request)).toString('base64url'), signatures: [jws] });
  };
  const left = (documentId: string): number => limit - withSignature(documentId, 0).length;
  const documentId = ['d', 'dd', 'ddd', 'dddd'].find((id) => left(id) % 4 === 0);
  if (documentId === undefined) throw new Error('no request leaves whole groups of four characters');
  expect(outcome(withSignature(documentId, left(documentId)))).toBe('taken');
  for (const more of [2, 3, 4]) expect(outcome(withSignature(documentId, left(documentId) + more))).toBe(malformed);
  for (const less of [1, 2, 4]) expect(outcome(withSignature(documentId, left(documentId) - less))).toBe('taken');
});

test('what is no bytes at all is a fault of the program, not of the message', () => {
  expect(() => parseDocument({ length: 1 } as Uint8Array)).toThrow(TypeError);
});

test('what is signed is header and payload as they stand in the document', () => {
  const payload = encodeRequest(requestOf('pin'));
  const text = Buffer.from(payload).toString('base64url');
  expect(new TextDecoder().decode(signingInput('abc', payload))).toBe(`abc.${text}`);
  expect(() => encodeRequest({ ...requestOf('pin'), lane: 0 })).toThrow();
  expect(decoded(cardHeaderOf.pin)).toMatchObject({ alg: 'RS256', typ: documentType });
  expect(decoded(cardHeaderOf.face)).toMatchObject({ alg: 'RS256', typ: documentType });
});
