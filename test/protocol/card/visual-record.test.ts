import { describe, expect, test } from 'vitest';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { drawnPhoto } from '../../../scripts/beds/test-cards.ts';
import { concatBytes, equalBytes, fromAscii } from '../../../src/protocol/bytes.ts';
import { encodeTlv } from '../../../src/protocol/card/tlv.ts';
import {
  checkCardExpiry,
  checkSamePerson,
  encodeCardPublicKey,
  jp2Size,
  parseVisual,
  visualTags,
} from '../../../src/protocol/card/visual-ap.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';

/* The record of the 券面 put together object by object; nothing here is signed. */

const photo = await encodeGreyJp2(drawnPhoto);
const key = { modulus: new Uint8Array(256).fill(0x80), exponent: Uint8Array.of(1, 0, 1) };
const cvCertificate = Uint8Array.of(1, 2, 3);
type Name = Exclude<keyof typeof visualTags, 'record'>;
const whole: Record<Name, Uint8Array> = {
  offsets: new Uint8Array(4),
  birthDate: fromAscii('19800217'),
  sex: fromAscii('2'),
  publicKey: encodeCardPublicKey(key),
  nameImage: fromAscii('name'),
  addressImage: fromAscii('address'),
  photo,
  signature: new Uint8Array(256).fill(7),
  expiryDate: fromAscii('20350217'),
  securityCodeImage: fromAscii('code'),
};
const tlv = (name: Name, value: Uint8Array): Uint8Array => encodeTlv(visualTags[name], value);
const record = (change: Partial<Record<Name, Uint8Array | null>> = {}, tag: number = visualTags.record): Uint8Array => {
  const objects = { ...whole, ...change };
  const present = (Object.keys(objects) as Name[]).flatMap((name) => {
    const value = objects[name];
    return value === null ? [] : [tlv(name, value)];
  });
  return encodeTlv(tag, ...present);
};
const read = (bytes: Uint8Array) => parseVisual(bytes, cvCertificate, cardCryptography.sha256);
const outcome = (bytes: Uint8Array): string => {
  const visual = read(bytes);
  return visual.ok ? 'read' : visual.failure.code;
};
const unreadable = 'card.photo-unreadable';

test('a record is read as it was written, with hashes over whole objects', () => {
  const { sha256 } = cardCryptography;
  const pictures = concatBytes(tlv('nameImage', whole.nameImage), tlv('addressImage', whole.addressImage));
  expect(read(record())).toEqual({
    ok: true,
    value: {
      ...{ birthDate: '19800217', sex: '2', publicKey: key, photoJp2: photo },
      expiryDate: { year: 2035, month: 2, day: 17 },
      evidence: {
        df22: tlv('birthDate', whole.birthDate),
        df23: tlv('sex', whole.sex),
        df24: tlv('publicKey', whole.publicKey),
        hash2: sha256(pictures),
        hash3: sha256(tlv('photo', photo)),
        df28: whole.signature,
        cvCertificate,
      },
    },
  });
});

test('of what is read nothing stays but what is handed out', () => {
  const seen: Uint8Array[] = [];
  const visual = parseVisual(record(), cvCertificate, (bytes) => {
    seen.push(bytes);
    return cardCryptography.sha256(bytes);
  });
  expect(visual.ok).toBe(true);
  // What was hashed: name and address together, and the photo with its tag.
  expect(seen).toHaveLength(2);
  for (const copy of seen) expect(equalBytes(copy, new Uint8Array(copy.length))).toBe(true);
});

test('a record without one of its objects, with one twice, or under another tag is none', () => {
  const optional: readonly Name[] = ['offsets', 'securityCodeImage'];
  for (const name of Object.keys(whole) as Name[]) {
    expect(outcome(record({ [name]: null })), name).toBe(optional.includes(name) ? 'read' : unreadable);
    const twice = encodeTlv(visualTags.record, record().slice(5), tlv(name, whole[name]));
    expect(outcome(twice), name).toBe(unreadable);
  }
  expect(outcome(record({}, 0xff21))).toBe(unreadable);
  expect(outcome(new Uint8Array())).toBe(unreadable);
  expect(outcome(encodeTlv(visualTags.record, fromAscii('no objects')))).toBe(unreadable);
});

describe('each object has its form', () => {
  const keyOf = (...parts: readonly Uint8Array[]): Uint8Array => concatBytes(...parts);
  const exponent = encodeTlv(0x90, key.exponent);
  const modulus = encodeTlv(0x91, key.modulus);
  test.each<[Name, readonly Uint8Array[], readonly Uint8Array[]]>([
    ['sex', ['1', '2', '9'].map(fromAscii), ['', '0', '3', '12', 'x', ' '].map(fromAscii)],
    [
      'birthDate',
      ['19800217', '00000000'].map(fromAscii),
      ['', '1980021', '198002170', '1980021x', 'x19800217'].map(fromAscii),
    ],
    [
      'expiryDate',
      ['20350217', '20240229'].map(fromAscii),
      ['', '20350230', '2035021', '20230229', 'x'].map(fromAscii),
    ],
    ['signature', [whole.signature], [255, 257, 0].map((length) => new Uint8Array(length))],
    [
      'publicKey',
      [
        whole.publicKey,
        keyOf(encodeTlv(0x90, Uint8Array.of(3)), modulus),
        keyOf(encodeTlv(0x90, Uint8Array.of(1, 0, 0, 1)), modulus),
      ],
      [
        ...[keyOf(exponent), keyOf(modulus), keyOf(modulus, exponent), keyOf(exponent, modulus, exponent)],
        ...[keyOf(encodeTlv(0x92, key.exponent), modulus), keyOf(exponent, encodeTlv(0x92, key.modulus))],
        ...[keyOf(encodeTlv(0x90), modulus), keyOf(encodeTlv(0x90, new Uint8Array(5).fill(1)), modulus)],
        ...[255, 257, 0].map((length) => keyOf(exponent, encodeTlv(0x91, new Uint8Array(length).fill(0x80)))),
        keyOf(exponent, encodeTlv(0x91, key.modulus.with(0, 0x7f))),
        fromAscii('no objects'),
      ],
    ],
  ])('%s', (name, taken, refused) => {
    for (const value of taken) expect(outcome(record({ [name]: value }))).toBe('read');
    for (const value of refused) expect(outcome(record({ [name]: value }))).toBe(unreadable);
  });
});

describe('the photo', () => {
  const changed = (change: (view: DataView) => void): Uint8Array => {
    const copy = photo.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  // Where ftyp ends, the ihdr box begins 8 bytes later: its height, width and number of components.
  const ihdr = 12 + new DataView(photo.buffer, photo.byteOffset).getUint32(12) + 8;
  const sized = (width: number, height: number, components = 1): Uint8Array =>
    changed((view) => {
      view.setUint32(ihdr + 8, height);
      view.setUint32(ihdr + 12, width);
      view.setUint16(ihdr + 16, components);
    });

  test('may be missing, as on the card of an infant; else is 16 to 1024 wide and high, grey or in colour', () => {
    expect(read(record({ photo: new Uint8Array() }))).toMatchObject({
      ok: true,
      value: { photoJp2: new Uint8Array() },
    });
    for (const good of [sized(16, 16), sized(1024, 1024), sized(16, 1024), sized(100, 100, 3)])
      expect(outcome(record({ photo: good }))).toBe('read');
    for (const wrong of [
      ...[sized(15, 100), sized(100, 15), sized(1025, 100), sized(100, 1025), sized(0, 0)],
      ...[0, 2, 4].map((components) => sized(100, 100, components)),
      fromAscii('no picture'),
    ])
      expect(outcome(record({ photo: wrong }))).toBe(unreadable);
    expect(jp2Size(sized(33, 44, 3))).toEqual({ width: 33, height: 44, components: 3 });
  });

  test('is no JP2 with another beginning, another order of boxes, or cut off before its size', () => {
    for (const wrong of [
      changed((view) => view.setUint32(0, 13)),
      changed((view) => view.setUint32(4, 0x6a502021)),
      changed((view) => view.setUint32(12, 15)),
      changed((view) => view.setUint32(12, 0xffffffff)),
      changed((view) => view.setUint32(ihdr + 4, 0x69686473)),
      photo.slice(0, 61),
      photo.slice(0, ihdr + 21),
      new Uint8Array(),
    ])
      expect(jp2Size(wrong)).toBeNull();
    expect(jp2Size(photo.slice(0, Math.max(62, ihdr + 22)))).not.toBeNull();
    // A longer ftyp, with more brands, moves what follows.
    const longer = concatBytes(photo.slice(0, ihdr - 8), fromAscii('jpx '), photo.slice(ihdr - 8));
    new DataView(longer.buffer).setUint32(12, ihdr - 20 + 4);
    expect(jp2Size(longer)).toEqual(jp2Size(photo));
    expect(jp2Size(longer.slice(0, ihdr + 4 + 21))).toBeNull();
    expect(jp2Size(longer.slice(0, ihdr + 4 + 22))).toEqual(jp2Size(photo));
    // One without brands has 16 bytes; what is shorter names not even itself.
    const shortened = (length: number): Uint8Array => {
      const copy = concatBytes(photo.slice(0, 12 + length), photo.slice(ihdr - 8), new Uint8Array(16));
      new DataView(copy.buffer).setUint32(12, length);
      return copy;
    };
    expect(jp2Size(shortened(16))).toEqual(jp2Size(photo));
    for (const length of [8, 12, 15]) expect(jp2Size(shortened(length))).toBeNull();
  });
});

test('a certificate may end with the last moment of its card’s last day in Japan', () => {
  const day = { year: 2035, month: 2, day: 17 };
  const nextMidnight = Date.parse('2035-02-18T00:00:00+09:00');
  expect(checkCardExpiry(nextMidnight - 1, day).ok).toBe(true);
  expect(checkCardExpiry(nextMidnight, day)).toMatchObject({ failure: { code: 'card.visual-proof-failed' } });
});

test('the same person at card and service, else a mismatch by name', () => {
  const born = { birthDate: '19800217' };
  for (const [card, service, same] of [
    ['1', '1', true],
    ['2', '2', true],
    ['9', '3', true],
    ['1', '2', false],
    ['2', '1', false],
    ['9', '2', false],
    ['1', '3', false],
  ] as const) {
    const checked = checkSamePerson({ ...born, sex: card }, { ...born, sex: service });
    expect(checked).toMatchObject(same ? { ok: true } : { ok: false, failure: { code: 'card.identity-mismatch' } });
  }
});
