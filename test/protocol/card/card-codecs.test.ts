import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromAscii, fromHex } from '../../../src/protocol/bytes.ts';
import {
  continuation,
  decodeCommand,
  decodeResponse,
  encodeCommand,
  statusWords,
} from '../../../src/protocol/card/apdu.ts';
import { encodedMessage, sha256DigestInfo } from '../../../src/protocol/card/digest-info.ts';
import {
  applications,
  computePresenceProof,
  computeSignature,
  readBinary,
  readRetryCounter,
  readTokenLabel,
  selectApplication,
  selectFile,
  verify,
} from '../../../src/protocol/card/myna-card.ts';
import { encodeTlv, readTlv, readTlvHeader, readTlvs } from '../../../src/protocol/card/tlv.ts';

const response = (hex: string) => {
  const decoded = decodeResponse(fromHex(hex));
  if (!decoded.ok) throw new Error('not a response');
  return decoded.value;
};

describe('APDU', () => {
  test.each([
    ['case 1', { cla: 0, ins: 0x20, p1: 0, p2: 0x80 }, '00200080'],
    ['case 2', { cla: 0, ins: 0xb0, p1: 1, p2: 2, le: 7 }, '00B0010207'],
    ['case 2, Le 256', { cla: 0, ins: 0xb0, p1: 1, p2: 2, le: 256 }, '00B0010200'],
    ['case 3', { cla: 0, ins: 0xa4, p1: 2, p2: 0x0c, body: fromHex('0018') }, '00A4020C020018'],
    ['case 4', { cla: 0x80, ins: 0x2a, p1: 0, p2: 0x80, body: fromHex('AABB'), le: 256 }, '802A008002AABB00'],
  ])('%s as bytes and back', (_, command, hex) => {
    expect(encodeCommand(command)).toEqual(fromHex(hex));
    expect(decodeCommand(fromHex(hex))).toEqual(command);
  });

  test('whoever overwrites a command that was taken apart leaves no PIN of it', () => {
    const bytes = fromHex('002000800431323334');
    const command = decodeCommand(bytes);
    bytes.fill(0);
    expect(command?.body).toEqual(new Uint8Array(4));
  });

  test('a command that fits no short APDU is a programmer error', () => {
    const header = { cla: 0, ins: 0, p1: 0, p2: 0 };
    for (const wrong of [{ le: 0 }, { le: 257 }, { body: new Uint8Array() }, { body: new Uint8Array(256) }])
      expect(() => encodeCommand({ ...header, ...wrong })).toThrow(RangeError);
  });

  test.each(['', '00', '00A402', '00A4020C03AABB', '00A4020C01AABBCC', '00A4020C00AA'])(
    '%s is no short APDU',
    (hex) => {
      expect(decodeCommand(fromHex(hex))).toBeNull();
    },
  );

  test('a response needs its status word and fits 258 bytes', () => {
    expect(decodeResponse(new Uint8Array()).ok).toBe(false);
    expect(decodeResponse(Uint8Array.of(0x90)).ok).toBe(false);
    expect(decodeResponse(new Uint8Array(259)).ok).toBe(false);
    expect(decodeResponse(new Uint8Array(258)).ok).toBe(true);
  });

  test('61xx asks for more, 6Cxx asks again, and a VERIFY is never sent again', () => {
    const read = readBinary(0, 256).apdu;
    expect(continuation(read, response('6110'))).toEqual({ cla: 0, ins: 0xc0, p1: 0, p2: 0, le: 16 });
    expect(continuation(read, response('6100'))?.le).toBe(256);
    expect(continuation(read, response('6C20'))).toEqual({ ...read, le: 32 });
    expect(continuation(readBinary(0, 32).apdu, response('6C20'))).toBeNull();
    expect(continuation(verify(fromAscii('1234')).apdu, response('6C04'))).toBeNull();
    expect(continuation(read, response('9000'))).toBeNull();
    expect(continuation(readBinary(0, 32).apdu, response('9000'))).toBeNull();
  });
});

describe('BER-TLV', () => {
  test.each([
    [0, '00'],
    [127, '7F'],
    [128, '8180'],
    [255, '81FF'],
    [256, '820100'],
    [65_535, '82FFFF'],
  ])('a value of %i bytes has length %s, one and two-byte tags', (length, lengthHex) => {
    for (const [tag, tagHex] of [
      [0x30, '30'],
      [0xdf27, 'DF27'],
    ] as const) {
      const value = new Uint8Array(length).fill(0xa5);
      const raw = encodeTlv(tag, value);
      expect(raw).toEqual(concatBytes(fromHex(tagHex + lengthHex), value));
      expect(readTlv(raw)).toEqual({ ok: true, value: { tag, value, raw } });
      // FF padding of a transparent file, and a value that itself ends in FF.
      expect(readTlv(concatBytes(raw, new Uint8Array(9).fill(0xff)))).toEqual({ ok: true, value: { tag, value, raw } });
    }
  });

  test('a value that ends in FF keeps its FF', () => {
    const value = new Uint8Array(40).fill(0xff);
    expect(readTlv(concatBytes(encodeTlv(0xff20, value), new Uint8Array(40).fill(0xff)))).toMatchObject({
      ok: true,
      value: { value },
    });
  });

  test('every truncation of an object is refused', () => {
    const raw = encodeTlv(0x7f21, encodeTlv(0x5f4e, new Uint8Array(297)), encodeTlv(0x5f37, new Uint8Array(256)));
    for (let length = 0; length < raw.length; length++) expect(readTlv(raw.slice(0, length)).ok).toBe(false);
  });

  test.each(['1F8101', '3080', '3083010000', '3084', 'DF', '30'])('%s is refused', (hex) => {
    expect(readTlv(fromHex(hex)).ok).toBe(false);
  });

  test.each(['', 'DF', 'DF22', '30', '3080', '3081', '308201', '3083010000', '1F8101'])(
    'a header of %s alone is refused: nothing is made of bytes that are not there',
    (hex) => {
      expect(readTlvHeader(fromHex(hex))).toMatchObject({ ok: false, failure: { code: 'card.unreadable' } });
    },
  );

  test('as many objects as are allowed are read, and not one more', () => {
    expect(readTlvs(new Uint8Array(2 * 64)).ok).toBe(true);
    expect(readTlvs(new Uint8Array(2 * 65)).ok).toBe(false);
    expect(readTlvs(fromHex('010002000300'), 2).ok).toBe(false);
  });

  test('what no header of ours can say is not encoded', () => {
    for (const tag of [0, 0xff, 0x100, 0xffff]) expect(encodeTlv(tag)).toHaveLength(tag > 0xff ? 3 : 2);
    for (const tag of [-1, 0x10000]) expect(() => encodeTlv(tag)).toThrow(RangeError);
    expect(encodeTlv(0x30, new Uint8Array(0xffff))).toHaveLength(0xffff + 4);
    expect(() => encodeTlv(0x30, new Uint8Array(0x10000))).toThrow(RangeError);
  });

  test('objects must fill their parent', () => {
    expect(readTlvs(fromHex('0201050C0141')).ok).toBe(true);
    expect(readTlvs(fromHex('0201050C')).ok).toBe(false);
    expect(readTlvs(new Uint8Array(200)).ok).toBe(false);
  });

  test('whatever the bytes: no exception, and what is read is what stood there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const object = readTlv(bytes);
        if (object.ok) expect(bytes.slice(0, object.value.raw.length)).toEqual(object.value.raw);
        readTlvs(bytes);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('commands of the card', () => {
  test.each([
    ['select application', selectApplication(applications.jpki), '00A4040C0AD392F000260100000001'],
    ['select file', selectFile(0x0017), '00A4020C020017'],
    ['read', readBinary(0x1234, 256), '00B0123400'],
    ['retry counter', readRetryCounter, '00200080'],
    ['verify', verify(fromAscii('1234')), '002000800431323334'],
    [
      'sign',
      computeSignature(new Uint8Array(32)),
      `802A008033${'3031300D060960864801650304020105000420'}${'00'.repeat(32)}00`,
    ],
    [
      'presence proof',
      computePresenceProof(new Uint8Array(32)),
      `802A000033${'3031300D060960864801650304020105000420'}${'00'.repeat(32)}00`,
    ],
  ])('%s', (_, command, hex) => {
    expect(encodeCommand(command.apdu)).toEqual(fromHex(hex));
  });

  test.each([
    ['9000', { ok: true, value: { type: 'verified' } }],
    ['63C2', { ok: true, value: { type: 'wrong', triesLeft: 2 } }],
    ['63C1', { ok: true, value: { type: 'wrong', triesLeft: 1 } }],
    ['63C0', { ok: true, value: { type: 'blocked' } }],
    ['6983', { ok: true, value: { type: 'blocked' } }],
    ['6984', { ok: true, value: { type: 'blocked' } }],
    ['6A82', { ok: false, failure: { code: 'card.communication' } }],
    ['6C04', { ok: false, failure: { code: 'card.communication' } }],
    ['6700', { ok: false, failure: { code: 'card.communication' } }],
  ])('VERIFY answered %s', (hex, outcome) => {
    expect(verify(fromAscii('1234')).read(response(hex))).toMatchObject(outcome);
  });

  test.each([
    ['63C3', { ok: true, value: { state: 'usable', triesLeft: 3 } }],
    ['63C0', { ok: true, value: { state: 'blocked' } }],
    ['6984', { ok: true, value: { state: 'blocked' } }],
    ['6983', { ok: true, value: { state: 'blocked' } }],
    // An empty VERIFY that says "verified" tells nothing about tries.
    ['9000', { ok: false }],
    ['6986', { ok: false }],
  ])('retry counter answered %s', (hex, outcome) => {
    expect(readRetryCounter.read(response(hex))).toMatchObject(outcome);
  });

  test.each([
    ['9000', true],
    ['6A82', false],
  ])('SELECT answered %s', (hex, selected) => {
    expect(selectFile(1).read(response(hex))).toEqual({ ok: true, value: selected });
    expect(selectFile(1).read(response('6A86')).ok).toBe(false);
  });

  test('READ BINARY: short answers and the end of the file are values, more bytes than asked for are not', () => {
    expect(readBinary(0, 4).read(response('AABB9000'))).toEqual({ ok: true, value: fromHex('AABB') });
    expect(readBinary(0, 4).read(response('AABB6282'))).toEqual({ ok: true, value: fromHex('AABB') });
    expect(readBinary(0, 4).read(response('6B00'))).toEqual({ ok: true, value: new Uint8Array() });
    expect(readBinary(0, 2).read(response('AABB9000'))).toEqual({ ok: true, value: fromHex('AABB') });
    expect(readBinary(0, 1).read(response('AABB9000'))).toMatchObject({ failure: { code: 'card.communication' } });
    expect(readBinary(0, 4).read(response('6982'))).toMatchObject({ ok: false, failure: { code: 'card.unreadable' } });
    expect(encodeCommand(readBinary(0x7fff, 1).apdu)).toEqual(fromHex('00B07FFF01'));
    for (const offset of [0x8000, -1]) expect(() => readBinary(offset, 1)).toThrow(RangeError);
  });

  test('a signature has 256 bytes; 6982 means the PIN is forgotten', () => {
    const sign = computeSignature(new Uint8Array(32));
    expect(sign.read({ body: new Uint8Array(256), statusWord: statusWords.success }).ok).toBe(true);
    for (const length of [0, 255, 257])
      expect(sign.read({ body: new Uint8Array(length), statusWord: statusWords.success })).toMatchObject({
        failure: { code: 'card.communication' },
      });
    expect(sign.read({ body: new Uint8Array(256), statusWord: 0x6985 }).ok).toBe(false);
    expect(sign.read(response('6982'))).toMatchObject({ ok: false, failure: { code: 'card.security-status-lost' } });
    for (const other of ['6985', '6A82', '6282'])
      expect(sign.read(response(other))).toMatchObject({ ok: false, failure: { code: 'card.communication' } });
  });

  test('a refusal says which command was refused, and no two have one name', () => {
    const commands = [
      ...[selectApplication(applications.jpki), selectFile(1), readBinary(0, 1), readRetryCounter],
      ...[verify(fromAscii('1234')), computeSignature(new Uint8Array(32)), computePresenceProof(new Uint8Array(32))],
    ];
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const { name, read } of commands) {
      expect(name).toMatch(/^[a-z]+( [a-z]+)*$/);
      expect(read(response('6F00'))).toMatchObject({ ok: false, failure: { detail: `${name}: 6F00` } });
    }
  });

  test.each([
    ['JPKIAPICCTOKEN2', 'my-number-card'],
    ['JPKIAPICCTOKEN', 'old-juki'],
    ['JPKIAPGPSETOKEN', 'android-phone'],
    ['JPKIAPIOSTOKEN', 'iphone'],
    ['JPKIAPICCTOKEN3', 'unknown'],
    ['', 'unknown'],
  ])('token label %s', (label, kind) => {
    expect(readTokenLabel(concatBytes(fromAscii(label.padEnd(32)), new Uint8Array(128).fill(0xff))).kind).toBe(kind);
  });
});

test('EMSA-PKCS1-v1_5 has at least eight bytes of padding', () => {
  const info = sha256DigestInfo(new Uint8Array(32));
  expect(encodedMessage(info, info.length + 10)).toBeNull();
  expect(encodedMessage(info, info.length + 11)).toEqual(concatBytes(fromHex('0001FFFFFFFFFFFFFFFF00'), info));
});
