import { beforeAll, describe, expect, test } from 'vitest';
import { issueCardCertificate, makeRsaKey } from '../../../drivers/virtual/test-authority.ts';
import { authority } from '../../../scripts/beds/test-cards.ts';
import { concatBytes, fromAscii, fromHex, toHex } from '../../../src/protocol/bytes.ts';
import {
  type Certificate,
  checkAuthCertificate,
  oids,
  parseCertificate,
  valuesOfName,
} from '../../../src/protocol/card/certificate.ts';
import { encodeTlv, readTlv, readTlvs, type Tlv } from '../../../src/protocol/card/tlv.ts';

/* Certificates put together field by field, as no authority would: what is read here decides about a card. */

const sequence = (...parts: readonly Uint8Array[]): Uint8Array => encodeTlv(0x30, ...parts);
const oid = (hex: string): Uint8Array => encodeTlv(0x06, fromHex(hex));
const time = (text: string): Uint8Array => encodeTlv(text.length === 13 ? 0x17 : 0x18, fromAscii(text));
const bits = (...bytes: readonly number[]): Uint8Array => encodeTlv(0x03, Uint8Array.of(0, ...bytes));

const rsaName = '2A864886F70D010101';
const sha256Rsa = sequence(oid('2A864886F70D01010B'), encodeTlv(0x05));
const keyOf = (modulus: Uint8Array, exponent = fromHex('010001'), name = rsaName): Uint8Array =>
  sequence(
    sequence(oid(name), encodeTlv(0x05)),
    encodeTlv(0x03, Uint8Array.of(0), sequence(encodeTlv(0x02, modulus), encodeTlv(0x02, exponent))),
  );
const modulus2048 = concatBytes(Uint8Array.of(0), new Uint8Array(256).fill(0xc3));
const extension = (name: string, value: Uint8Array, critical?: number): Uint8Array =>
  sequence(
    oid(name),
    ...(critical === undefined ? [] : [encodeTlv(0x01, Uint8Array.of(critical))]),
    encodeTlv(0x04, value),
  );
const keyUsage = (usage: number, critical?: number): Uint8Array =>
  extension('551D0F', encodeTlv(0x03, Uint8Array.of(7, usage)), critical);
const purposes = (...names: readonly string[]): Uint8Array => extension('551D25', sequence(...names.map(oid)));
const clientAuth = '2B06010505070302';
const serverAuth = '2B06010505070301';

type Fields = {
  readonly version: Uint8Array | null;
  readonly serial: Uint8Array;
  readonly validity: Uint8Array;
  readonly subject: Uint8Array;
  readonly key: Uint8Array;
  readonly extensions: Uint8Array | null;
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
};
const whole: Fields = {
  version: encodeTlv(0xa0, encodeTlv(0x02, Uint8Array.of(2))),
  serial: encodeTlv(0x02, fromHex('5E57')),
  validity: sequence(time('240101000000Z'), time('20610506070809Z')),
  subject: sequence(encodeTlv(0x31, sequence(oid('550403'), encodeTlv(0x0c, fromAscii('SUBJECT'))))),
  key: keyOf(modulus2048),
  extensions: encodeTlv(0xa3, sequence(keyUsage(0x80, 0xff), purposes(clientAuth))),
  algorithm: sha256Rsa,
  signature: bits(1, 2, 3),
};
const issuer = sequence(encodeTlv(0x31, sequence(oid('550403'), encodeTlv(0x0c, fromAscii('ISSUER')))));
const made = (change: Partial<Fields> = {}): Uint8Array => {
  const { version, serial, validity, subject, key, extensions, algorithm, signature } = { ...whole, ...change };
  const fields = [version, serial, sha256Rsa, issuer, validity, subject, key, extensions];
  return sequence(sequence(...fields.filter((field) => field !== null)), algorithm, signature);
};
const parsed = (change: Partial<Fields> = {}): Certificate => {
  const certificate = parseCertificate(made(change));
  if (!certificate.ok) throw new Error(certificate.failure.detail);
  return certificate.value;
};
const outcome = (change: Partial<Fields>): string => {
  const certificate = parseCertificate(made(change));
  return certificate.ok ? 'read' : certificate.failure.code;
};
const invalid = 'card.certificate-invalid';

test('every field stands where it stood', () => {
  const certificate = parsed();
  expect(certificate).toMatchObject({
    serial: '5E57',
    notBeforeMs: Date.UTC(2024, 0, 1),
    notAfterMs: Date.UTC(2061, 4, 6, 7, 8, 9),
    publicKey: { type: 'rsa', bits: 2048, key: { exponent: fromHex('010001') } },
    keyUsage: { critical: true, digitalSignature: true, keyCertSign: false },
    extendedKeyUsage: [oids.clientAuth],
    signatureAlgorithm: oids.sha256WithRsa,
    signature: Uint8Array.of(1, 2, 3),
  });
  expect(certificate.issuer).toEqual(issuer);
  expect(certificate.subject).toEqual(whole.subject);
  expect(toHex(made())).toContain(toHex(certificate.tbs));
  expect(checkAuthCertificate(certificate)).toMatchObject({ ok: true });
});

describe('numbers', () => {
  test.each([
    ['00', '00'],
    ['01', '01'],
    ['7F', '7F'],
    ['0080', '80'],
    ['00FF01', 'FF01'],
    ['0100', '0100'],
  ])('the serial number %s is %s', (bytes, serial) => {
    expect(parsed({ serial: encodeTlv(0x02, fromHex(bytes)) }).serial).toBe(serial);
  });

  test('of no bytes, or of another kind, are none', () => {
    expect(outcome({ serial: encodeTlv(0x02) })).toBe(invalid);
    expect(outcome({ serial: encodeTlv(0x04, Uint8Array.of(1)) })).toBe(invalid);
  });

  test.each([
    [0x80, 2048],
    [0x40, 2047],
    [0x01, 2041],
  ])('a modulus that begins with %i has %i bits', (first, length) => {
    const modulus = modulus2048.with(1, first);
    const certificate = parsed({ key: keyOf(first < 0x80 ? modulus.slice(1) : modulus) });
    expect(certificate.publicKey).toMatchObject({ type: 'rsa', bits: length });
    expect(checkAuthCertificate(certificate).ok).toBe(length >= 2048);
  });
});

describe('dates', () => {
  test.each([
    ['000101000000Z', Date.UTC(2000, 0, 1)],
    ['491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59)],
    ['500101000000Z', Date.UTC(1950, 0, 1)],
    ['991231235959Z', Date.UTC(1999, 11, 31, 23, 59, 59)],
    ['20500203040506Z', Date.UTC(2050, 1, 3, 4, 5, 6)],
  ])('%s', (text, ms) => {
    expect(parsed({ validity: sequence(time(text), time('20610506070809Z')) }).notBeforeMs).toBe(ms);
    expect(parsed({ validity: sequence(time('240101000000Z'), time(text)) }).notAfterMs).toBe(ms);
  });

  test('in another spelling, of another kind or missing are none', () => {
    const good = time('240101000000Z');
    for (const wrong of [
      ...['240101000000', '2401010000Z', 'x240101000000Z', '240101000000+', '24x101000000Z', '240101000000Z0'].map(
        (text) => encodeTlv(0x17, fromAscii(text)),
      ),
      ...['20240101000000', '20240101000000.5Z', 'x20240101000000Z', '20240101000000Z0', '240101000000Z'].map((text) =>
        encodeTlv(0x18, fromAscii(text)),
      ),
      encodeTlv(0x17, fromAscii('20240101000000Z')),
      encodeTlv(0x19, fromAscii('20240101000000Z')),
      encodeTlv(0x13, fromAscii('240101000000Z')),
    ]) {
      expect(outcome({ validity: sequence(good, wrong) }), toHex(wrong)).toBe(invalid);
      expect(outcome({ validity: sequence(wrong, good) }), toHex(wrong)).toBe(invalid);
    }
    expect(outcome({ validity: sequence(good) })).toBe(invalid);
    expect(outcome({ validity: encodeTlv(0x31, good, good) })).toBe(invalid);
  });
});

describe('names of things', () => {
  test.each([
    ['2A', '1.2'],
    ['00', '0.0'],
    ['27', '0.39'],
    ['28', '1.0'],
    ['4F', '1.39'],
    ['50', '2.0'],
    ['8837', '2.999'],
    ['2A8648', '1.2.840'],
    ['2A8FFFFFFF7F', '1.2.4294967295'],
  ])('%s is %s', (hex, name) => {
    expect(parsed({ algorithm: sequence(oid(hex)) }).signatureAlgorithm).toBe(name);
  });

  test('without an end, with none, or of more than 32 bits are none', () => {
    for (const hex of ['', '80', '8086', '2A9080808000'])
      expect(outcome({ algorithm: sequence(oid(hex)) }), hex).toBe(invalid);
    expect(outcome({ algorithm: sequence(encodeTlv(0x05)) })).toBe(invalid);
    expect(outcome({ algorithm: sequence() })).toBe(invalid);
  });
});

describe('what a certificate may be used for', () => {
  const withExtensions = (...extensions: readonly Uint8Array[]): Partial<Fields> => ({
    extensions: encodeTlv(0xa3, sequence(...extensions)),
  });
  test.each([
    [0x80, { digitalSignature: true, keyCertSign: false }],
    [0x04, { digitalSignature: false, keyCertSign: true }],
    [0x84, { digitalSignature: true, keyCertSign: true }],
    [0x7b, { digitalSignature: false, keyCertSign: false }],
  ])('key usage %i', (usage, expected) => {
    expect(parsed(withExtensions(keyUsage(usage, 0xff))).keyUsage).toEqual({ critical: true, ...expected });
  });

  test('critical is what says so', () => {
    for (const critical of [undefined, 0, 1])
      expect(parsed(withExtensions(keyUsage(0x80, critical))).keyUsage?.critical).toBe(false);
    const isNoBoolean = sequence(
      oid('551D0F'),
      encodeTlv(0x02, Uint8Array.of(0xff)),
      encodeTlv(0x04, encodeTlv(0x03, Uint8Array.of(7, 0x80))),
    );
    expect(parsed(withExtensions(isNoBoolean)).keyUsage?.critical).toBe(false);
  });

  test('extensions stand behind the key: whatever else stands there is passed over, what stands before it is none', () => {
    const said = { keyUsage: { digitalSignature: true }, extendedKeyUsage: [oids.clientAuth] };
    const uniqueId = encodeTlv(0x81, Uint8Array.of(0, 1));
    expect(parsed({ key: concatBytes(whole.key, uniqueId) })).toMatchObject(said);
    const { extensions } = whole;
    if (extensions === null) throw new Error('no extensions');
    // In the place of the signature's algorithm, which the signed part says a second time.
    const tbs = [whole.version, whole.serial, extensions, issuer, whole.validity, whole.subject, whole.key];
    const fields = tbs.filter((field) => field !== null);
    const misplaced = parseCertificate(sequence(sequence(...fields), whole.algorithm, whole.signature));
    expect(misplaced).toMatchObject({ ok: true, value: { keyUsage: null, extendedKeyUsage: null } });
  });

  test('a key of another kind is named, and is not enough', () => {
    const { publicKey } = parsed({ key: keyOf(modulus2048, fromHex('010001'), '2A8648CE3D0201') });
    expect(publicKey).toEqual({ type: 'other', algorithm: '1.2.840.10045.2.1' });
  });

  test('nothing said is null, and is not enough', () => {
    for (const change of [{ extensions: null }, withExtensions()])
      expect(parsed(change)).toMatchObject({ keyUsage: null, extendedKeyUsage: null });
    const detail = (change: Partial<Fields>): string => {
      const checked = checkAuthCertificate(parsed(change));
      return checked.ok ? 'taken' : checked.failure.code;
    };
    expect(detail({})).toBe('taken');
    expect(detail(withExtensions(keyUsage(0x80), purposes(serverAuth, clientAuth)))).toBe('taken');
    for (const change of [
      { extensions: null },
      withExtensions(keyUsage(0x80)),
      withExtensions(purposes(clientAuth)),
      withExtensions(keyUsage(0x40), purposes(clientAuth)),
      withExtensions(keyUsage(0x80), purposes(serverAuth)),
      withExtensions(keyUsage(0x80), purposes()),
      { algorithm: sequence(oid('2A864886F70D010105')) },
      { key: keyOf(modulus2048, fromHex('010001'), '2A8648CE3D0201') },
    ])
      expect(detail(change)).toBe(invalid);
  });

  test('twice, empty or of another form is no certificate', () => {
    for (const wrong of [
      withExtensions(keyUsage(0x80), keyUsage(0x80)),
      withExtensions(extension('551D0F', fromHex(''))),
      withExtensions(extension('551D0F', fromHex('0301'))),
      withExtensions(extension('551D0F', encodeTlv(0x03, Uint8Array.of(7)))),
      withExtensions(extension('551D0F', encodeTlv(0x04, Uint8Array.of(7, 0x80)))),
      withExtensions(extension('551D25', fromHex(''))),
      withExtensions(extension('551D25', encodeTlv(0x31, oid(clientAuth)))),
      withExtensions(extension('551D25', sequence(encodeTlv(0x05)))),
      withExtensions(sequence(oid('551D0F'))),
      withExtensions(encodeTlv(0x31, oid('551D0F'), encodeTlv(0x04))),
      { extensions: encodeTlv(0xa3) },
      { extensions: encodeTlv(0xa3, encodeTlv(0x31)) },
    ])
      expect(outcome(wrong)).toBe(invalid);
  });
});

test('a field that is missing, of another kind or with spare bits is no certificate', () => {
  for (const wrong of [
    { version: null },
    { version: encodeTlv(0xa1, encodeTlv(0x02, Uint8Array.of(2))) },
    { subject: encodeTlv(0x31) },
    { key: encodeTlv(0x31) },
    { key: sequence(encodeTlv(0x31, oid(rsaName)), bits(0)) },
    { key: sequence(sequence(oid(rsaName)), encodeTlv(0x04, Uint8Array.of(0, 0x30, 0x00))) },
    { key: sequence(sequence(oid(rsaName)), encodeTlv(0x03, Uint8Array.of(1, 0x30, 0x00))) },
    { key: sequence(sequence(oid(rsaName)), bits()) },
    { key: sequence(sequence(oid(rsaName)), bits(0x31, 0x00)) },
    { key: keyOf(Uint8Array.of()) },
    { signature: encodeTlv(0x03, Uint8Array.of(1, 2)) },
    { signature: encodeTlv(0x03) },
    { signature: encodeTlv(0x04, Uint8Array.of(0, 1)) },
    { algorithm: encodeTlv(0x31, oid(rsaName)) },
  ])
    expect(outcome(wrong)).toBe(invalid);
  for (const bytes of [concatBytes(made(), Uint8Array.of(0)), made().with(0, 0x31), encodeTlv(0x30), new Uint8Array()])
    expect(parseCertificate(bytes)).toMatchObject({ ok: false, failure: { code: invalid } });
});

describe('a real certificate without one of its parts', () => {
  let der: Uint8Array;
  beforeAll(async () => {
    der = await issueCardCertificate(authority, {
      ...{ serial: '5E57FFFF', commonName: 'TEST', key: await makeRsaKey() },
      ...{ notBeforeMs: Date.UTC(2024, 0, 1), notAfterMs: Date.UTC(2029, 0, 1) },
    });
  });
  const parts = (bytes: Uint8Array): readonly Tlv[] => {
    const object = readTlv(bytes);
    const inner = object.ok ? readTlvs(object.value.value) : object;
    if (!inner.ok) throw new Error(inner.failure.detail);
    return inner.value;
  };

  test('is refused, whichever it is', () => {
    const [tbs, ...rest] = parts(der);
    if (tbs === undefined) throw new Error('no certificate');
    const raw = (tlvs: readonly Tlv[]): readonly Uint8Array[] => tlvs.map((one) => one.raw);
    const fields = parts(tbs.raw);
    expect(parseCertificate(sequence(sequence(...raw(fields)), ...raw(rest))).ok).toBe(true);
    for (let left = 0; left < fields.length - 1; left += 1)
      expect(parseCertificate(sequence(sequence(...raw(fields.toSpliced(left, 1))), ...raw(rest))).ok, `${left}`).toBe(
        false,
      );
    for (let left = 0; left < rest.length; left += 1)
      expect(parseCertificate(sequence(tbs.raw, ...raw(rest.toSpliced(left, 1)))).ok, `${left}`).toBe(false);
  });
});

describe('the values of a name', () => {
  const name = (...values: readonly Uint8Array[]): Uint8Array =>
    sequence(...values.map((value) => encodeTlv(0x31, sequence(oid('550403'), value))));
  test.each([
    ['UTF-8', 0x0c, new TextEncoder().encode('Aé木𠮷'), 'Aé木𠮷'],
    ['digits', 0x12, fromAscii('123'), '123'],
    ['what can be printed', 0x13, fromAscii('JP'), 'JP'],
    ['Latin 1', 0x14, Uint8Array.of(0x41, 0xe9), 'Aé'],
    ['ASCII', 0x16, fromAscii('a@b'), 'a@b'],
    ['four bytes a letter', 0x1c, fromHex('00000041 00020BB7'), 'A𠮷'],
    ['four bytes that are no letter', 0x1c, fromHex('00110000 0010FFFF'), '\ufffd\u{10ffff}'],
    ['two bytes a letter', 0x1e, fromHex('0041 6728'), 'A木'],
    ['two bytes a letter, and one over', 0x1e, fromHex('0041 67'), 'A'],
    ['no text', 0x03, fromHex('0041'), ''],
    ['empty', 0x13, new Uint8Array(), ''],
  ])('%s', (_what, tag, value, text) => {
    expect(valuesOfName(name(encodeTlv(tag, value)))).toEqual([text]);
  });

  test('all of them, in their order, also two of one part', () => {
    const pair = encodeTlv(
      0x31,
      sequence(oid('550403'), encodeTlv(0x0c, fromAscii('b'))),
      sequence(oid('550404'), encodeTlv(0x0c, fromAscii('c'))),
    );
    const first = encodeTlv(0x31, sequence(oid('550406'), encodeTlv(0x13, fromAscii('JP'))));
    expect(valuesOfName(sequence(first, pair))).toEqual(['JP', 'b', 'c']);
    expect(valuesOfName(sequence())).toEqual([]);
  });

  test.each([
    ['', new Uint8Array()],
    ['a set', encodeTlv(0x31)],
    ['a part that is no set', sequence(sequence())],
    ['an attribute that is no sequence', sequence(encodeTlv(0x31, encodeTlv(0x31)))],
    ['an attribute without a value', sequence(encodeTlv(0x31, sequence(oid('550403'))))],
    ['broken UTF-8', name(encodeTlv(0x0c, Uint8Array.of(0xff)))],
  ])('%s is no name', (_what, bytes) => {
    expect(() => valuesOfName(bytes)).toThrow();
  });
});

test('what is no bytes at all is a fault of the program, not of the certificate', () => {
  expect(() => parseCertificate(null as unknown as Uint8Array)).toThrow(TypeError);
});
