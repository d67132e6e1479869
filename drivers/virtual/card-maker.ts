import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { formatJapanDate, japanDate, parseJapanDate } from '../../src/core/japan-time.ts';
import { concatBytes, fromAscii, fromHex, uint16 } from '../../src/protocol/bytes.ts';
import { digestInfo } from '../../src/protocol/card/digest-info.ts';
import { applications, files, foreignApplications } from '../../src/protocol/card/myna-card.ts';
import { encodeTlv } from '../../src/protocol/card/tlv.ts';
import { verificationNumberB } from '../../src/protocol/card/verification-number.ts';
import { encodeCardPublicKey, visualTags } from '../../src/protocol/card/visual-ap.ts';
import { makeFolderSync } from '../../src/storage/make-folder.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import { encodeGreyJp2, type GreyImage } from './jp2.ts';
import { dayFrom, lastSecondOf, type Persona } from './personas.ts';
import {
  caCertificateDer,
  cachedRsaKey,
  issueCardCertificate,
  rsaPublicKeyOf,
  signDigestInfo,
  type TestAuthority,
} from './test-authority.ts';
import { type CardApplication, type CardFile, createVirtualCard, type VirtualCard } from './virtual-card.ts';

type CardRequest = {
  readonly persona: Persona;
  readonly authority: TestAuthority;
  /** Folder for the cards' RSA keys; git-ignored. */
  readonly keyFolder: string;
  /** Required where the persona has a photo; about 240×320. */
  readonly photo: GreyImage | null;
  /** Wall clock that the persona's dates are relative to, ms. */
  readonly wallMs: number;
};

/** A card with what is printed on it. */
export type MadeCard = {
  readonly persona: Persona;
  readonly card: VirtualCard;
  /** The same card as it was made: all its tries left, nothing verified */
  readonly asMade: () => VirtualCard;
  /** What lies on it, as it was made */
  readonly applications: readonly CardApplication[];
  /** 14 digits as printed; null on a card that is no My Number card. */
  readonly printedNumberB: string | null;
  /** As the chip holds it, JP2; empty where there is none */
  readonly photoJp2: Uint8Array;
};

/** The sign key and its password exist on every card, and OpenSC lists them; our own code never selects these files. */
const signFiles = { certificate: 0x0001, issuerCertificate: 0x0002, key: 0x001a, password: 0x001b } as const;
const textPin = 0x0011;

/** Counters are the card's own; everything else of its files never changes. */
const cardOf = (
  persona: Persona,
  made: readonly CardApplication[],
): Pick<MadeCard, 'persona' | 'card' | 'asMade' | 'applications'> => {
  const copied = (file: CardFile): CardFile => (file.kind === 'secret' ? { ...file } : file);
  const asMade = (): VirtualCard =>
    createVirtualCard(
      persona.id,
      atr,
      made.map((one) => ({ ...one, files: new Map([...one.files].map(([fid, file]) => [fid, copied(file)])) })),
    );
  return { persona, card: asMade(), asMade, applications: made };
};

/** Transparent files are larger than their object and filled up with FF. */
const padded = (object: Uint8Array, size: number): Uint8Array => {
  const content = new Uint8Array(Math.max(size, object.length)).fill(0xff);
  content.set(object);
  return content;
};

const free = (content: Uint8Array): CardFile => ({ kind: 'transparent', content, openedBy: [] });
const guarded = (content: Uint8Array, ...openedBy: number[]): CardFile => ({ kind: 'transparent', content, openedBy });
const secretFile = (secret: string, triesLeft: number, tries: number): CardFile => ({
  kind: 'secret',
  secret: fromAscii(secret),
  triesLeft,
  tries,
});

const tokenInformation = (label: string): Uint8Array =>
  padded(fromAscii(label.padEnd(32)), 160).map((byte, index) => (index < 32 ? byte : 0x20));

/**
 * A 1-bit PNG with the bits of a text as its pixels: as large as the face's printed name, made without a font, and
 * plainly no writing.
 */
const bitPng = (text: string): Uint8Array => {
  const uint32 = (value: number): Uint8Array => concatBytes(uint16(value >>> 16), uint16(value & 0xffff));
  const chunk = (type: string, content: Uint8Array): Uint8Array => {
    const body = concatBytes(fromAscii(type), content);
    return concatBytes(uint32(content.length), body, uint32(crc32(body)));
  };
  const bits = new TextEncoder().encode(text);
  const row = concatBytes(Uint8Array.of(0), bits);
  const rows = concatBytes(...Array.from({ length: 24 }, () => row));
  return concatBytes(
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', concatBytes(uint32(bits.length * 8), uint32(24), Uint8Array.of(1, 0, 0, 0, 0))),
    chunk('IDAT', new Uint8Array(deflateSync(rows))),
    chunk('IEND', new Uint8Array()),
  );
};

/** FF20 with DF28 signed over the three hashes. What DF21's offsets count from is not public: here from the start of FF20. */
export const makeVisual = (
  persona: Persona,
  authority: TestAuthority,
  visualKey: KeyObject,
  photoJp2: Uint8Array,
  expiryDate: string,
): Uint8Array => {
  const { sha256 } = cardCryptography;
  const { name, address, birthDate, sex } = persona.person;
  const df22 = encodeTlv(visualTags.birthDate, fromAscii(birthDate));
  const df23 = encodeTlv(visualTags.sex, fromAscii(sex));
  const df24 = encodeTlv(visualTags.publicKey, encodeCardPublicKey(rsaPublicKeyOf(visualKey)));
  const df25 = encodeTlv(visualTags.nameImage, bitPng(name));
  const df26 = encodeTlv(visualTags.addressImage, bitPng(address));
  const df27 = encodeTlv(visualTags.photo, photoJp2);
  const hashes = [concatBytes(df22, df23, df24), concatBytes(df25, df26), df27].map(sha256);
  const df28 = encodeTlv(
    visualTags.signature,
    signDigestInfo(authority.visualSigningKey)(digestInfo(concatBytes(...hashes))),
  );
  const df29 = encodeTlv(visualTags.expiryDate, fromAscii(expiryDate));
  const df2a = encodeTlv(visualTags.securityCodeImage, bitPng(persona.securityCode));
  const objects = [df22, df23, df24, df25, df26, df27, df28, df29, df2a];
  const offsetTable = (contentLength: number): Uint8Array => {
    let offset = encodeTlv(visualTags.record, new Uint8Array(contentLength)).length - contentLength + 3 + 18;
    const offsets = objects.map((object) => {
      const here = offset;
      offset += object.length;
      return uint16(here);
    });
    return encodeTlv(visualTags.offsets, ...offsets);
  };
  const contentLength = 3 + 18 + concatBytes(...objects).length;
  return encodeTlv(visualTags.record, offsetTable(contentLength), ...objects);
};

/** Contact interface, as listed for the card. */
const atr = fromHex('3B E0 00 FF 81 31 FE 45 14');

const foreignApplicationsOf = (persona: Persona): readonly CardApplication[] => {
  const jpki = (label: string): CardApplication => ({
    aid: applications.jpki,
    files: new Map([[files.jpki.tokenInformation, free(tokenInformation(label))]]),
  });
  const foreign = (name: string): CardApplication[] =>
    foreignApplications
      .filter((application) => application.name === name)
      .map(({ aid }) => ({ aid, files: new Map() }));
  switch (persona.type) {
    case 'old-juki':
      return [jpki('JPKIAPICCTOKEN')];
    case 'driving-licence':
      return foreign('driving licence');
    case 'residence-card':
      return foreign('residence card');
    case 'iphone':
      return [jpki('JPKIAPIOSTOKEN')];
    case 'empty-phone':
      return [];
    case 'android-phone':
    case 'my-number-card':
      throw new Error(`${persona.type} is not foreign`);
  }
};

const jpkiApplication = async (
  request: CardRequest,
  authKey: KeyObject,
  signKey: KeyObject,
): Promise<CardApplication> => {
  const { persona, authority, wallMs } = request;
  const isPhone = persona.type === 'android-phone';
  const notAfterMs = lastSecondOf(dayFrom(japanDate(wallMs), persona.certificateExpires));
  const notBeforeMs = lastSecondOf(dayFrom(japanDate(notAfterMs), { years: -5 }));
  const commonName = (kind: string): string =>
    `TEST${kind}${persona.id.toUpperCase().replaceAll('-', '')}`.padEnd(23, '0').slice(0, 23);
  const [auth, sign] = await Promise.all([
    issueCardCertificate(authority, {
      serial: persona.serial,
      commonName: commonName('A'),
      notBeforeMs,
      notAfterMs,
      key: authKey,
    }),
    issueCardCertificate(authority, {
      serial: `5F${persona.serial.slice(2)}`,
      commonName: commonName('S'),
      notBeforeMs,
      notAfterMs,
      key: signKey,
      forSigning: true,
    }),
  ]);
  const ca = caCertificateDer(authority);
  const { auth: authPin, sign: signPassword } = persona.pins;
  const cardFiles = new Map<number, CardFile>([
    [signFiles.certificate, guarded(padded(sign, 2048), signFiles.password)],
    [signFiles.issuerCertificate, free(padded(ca, 2048))],
    [files.jpki.tokenInformation, free(tokenInformation(isPhone ? 'JPKIAPGPSETOKEN' : 'JPKIAPICCTOKEN2'))],
    [0x0008, free(Uint8Array.of(0x8f, 0x8f, 0x00))],
    [files.jpki.authCertificate, isPhone ? guarded(padded(auth, 2048), files.jpki.authPin) : free(padded(auth, 2048))],
    [files.jpki.authIssuerCertificate, free(padded(ca, 2048))],
    [files.jpki.authKey, { kind: 'key', openedBy: files.jpki.authPin, sign: signDigestInfo(authKey) }],
    [signFiles.key, { kind: 'key', openedBy: signFiles.password, sign: signDigestInfo(signKey) }],
    [signFiles.password, secretFile(signPassword.secret, signPassword.triesLeft, 5)],
  ]);
  if (authPin !== null) cardFiles.set(files.jpki.authPin, secretFile(authPin.secret, authPin.triesLeft, 3));
  return { aid: applications.jpki, files: cardFiles };
};

/**
 * Makes the card of a persona. Keys are made once and kept in `keyFolder` (the visual and the authentication key are the
 * card's own; one sign key serves all cards, since nothing of ours ever uses it). Throws where a persona needs a photo and has none.
 */
export const makeCard = async (request: CardRequest): Promise<MadeCard> => {
  const { persona, authority, keyFolder, photo, wallMs } = request;
  const isPhone = persona.type === 'android-phone';
  if (persona.type !== 'my-number-card' && !isPhone)
    return { ...cardOf(persona, foreignApplicationsOf(persona)), printedNumberB: null, photoJp2: new Uint8Array() };
  if (persona.hasPhoto && photo === null) throw new Error(`persona ${persona.id} needs a photo`);
  makeFolderSync(keyFolder);
  const key = (name: string) => cachedRsaKey(join(keyFolder, `${name}.pem`));
  const [authKey, visualKey, signKey, photoJp2] = await Promise.all([
    key(`${persona.id}-auth`),
    key(`${persona.id}-visual`),
    key('sign'),
    persona.hasPhoto && photo !== null ? encodeGreyJp2(photo) : new Uint8Array(),
  ]);
  if (isPhone) {
    const jpki = await jpkiApplication(request, authKey, signKey);
    return { ...cardOf(persona, [jpki]), printedNumberB: null, photoJp2: new Uint8Array() };
  }
  const expiry = dayFrom(japanDate(wallMs), persona.cardExpires);
  const birthDate = parseJapanDate(persona.person.birthDate);
  const printed = birthDate === null ? null : verificationNumberB(birthDate, expiry.year, persona.securityCode);
  if (printed === null) throw new Error(`persona ${persona.id} has no printable 照合番号B`);

  const face = makeVisual(persona, authority, visualKey, photoJp2, formatJapanDate(expiry));
  const numberB = (): CardFile => secretFile(printed, persona.pins.verificationNumberB.triesLeft, 10);
  const visual: CardApplication = {
    aid: applications.visual,
    presenceKey: signDigestInfo(visualKey),
    files: new Map<number, CardFile>([
      [files.visual.record, guarded(padded(face, 30_000), files.visual.verificationNumberB)],
      [0x0003, free(padded(encodeTlv(0xff30, fromAscii('UKETSUKE TEST')), 64))],
      [files.visual.cvCertificate, free(padded(authority.cvCertificate, 800))],
      [files.visual.verificationNumberB, numberB()],
    ]),
  };
  const { name, address, sex } = persona.person;
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  const attributes = encodeTlv(
    0xff20,
    encodeTlv(0xdf22, utf8(name)),
    encodeTlv(0xdf23, utf8(address)),
    encodeTlv(0xdf24, utf8(persona.person.birthDate)),
    encodeTlv(0xdf25, utf8(sex)),
  );
  const text: CardApplication = {
    aid: applications.text,
    files: new Map<number, CardFile>([
      [files.text.attributes, guarded(padded(attributes, 1024), textPin, files.text.verificationNumberB)],
      [textPin, secretFile(persona.pins.text.secret, persona.pins.text.triesLeft, 3)],
      [files.text.verificationNumberB, numberB()],
    ]),
  };
  const jpki = await jpkiApplication(request, authKey, signKey);
  return { ...cardOf(persona, [jpki, visual, text]), printedNumberB: printed, photoJp2 };
};
