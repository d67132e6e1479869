import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { fromHex, toAscii, uint16 } from '../bytes.ts';
import { type CommandApdu, type ResponseApdu, statusWordHex, statusWords, triesLeftOf } from './apdu.ts';
import { sha256DigestInfo } from './digest-info.ts';

/**
 * The layout of the 個人番号カード and one object for each command we send to it. Sources: OpenSC card-jpki.c, jpki/myna,
 * soltia48/myna-card. There is deliberately no object for the sign key, its password and the 12-digit number.
 */
export const applications = {
  /** 公的個人認証 */
  jpki: fromHex('D392F000260100000001'),
  /** 券面事項確認 */
  visual: fromHex('D3921000310001010402'),
  /** 券面事項入力補助 */
  text: fromHex('D3921000310001010408'),
} as const;

/** Elementary files by application. */
export const files = {
  jpki: {
    tokenInformation: 0x0006,
    authCertificate: 0x000a,
    authIssuerCertificate: 0x000b,
    authKey: 0x0017,
    authPin: 0x0018,
  },
  visual: { record: 0x0002, cvCertificate: 0x0004, verificationNumberB: 0x0012 },
  text: { attributes: 0x0002, verificationNumberB: 0x0015 },
} as const;

/** Applications of other cards, to name what lies there instead (never decided by ATR). */
export const foreignApplications = [
  { name: 'driving licence', aid: fromHex('A0000002310100000000000000000000') },
  { name: 'residence card', aid: fromHex('D392F0004F0200000000000000000000') },
  { name: 'passport', aid: fromHex('A0000002471001') },
] as const;

/** Bytes out, bytes in: `read` turns the card's answer into a value or a failure. `name` may be logged. */
export type CardCommand<T> = {
  readonly name: string;
  readonly apdu: CommandApdu;
  readonly read: (response: ResponseApdu) => Result<T>;
};

const refused = (
  name: string,
  response: ResponseApdu,
  code: 'card.communication' | 'card.unreadable' = 'card.communication',
) => err(failure(code, `${name}: ${statusWordHex(response.statusWord)}`));

/** false = the card has no such file (6A82). */
const readSelection =
  (name: string) =>
  (response: ResponseApdu): Result<boolean> => {
    if (response.statusWord === statusWords.success) return ok(true);
    if (response.statusWord === statusWords.fileNotFound) return ok(false);
    return refused(name, response);
  };

/** SELECT by AID, no answer wanted. May clear a verified PIN. */
export const selectApplication = (aid: Uint8Array): CardCommand<boolean> => ({
  name: 'select application',
  apdu: { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x0c, body: aid },
  read: readSelection('select application'),
});

export const selectFile = (fid: number): CardCommand<boolean> => ({
  name: 'select file',
  apdu: { cla: 0x00, ins: 0xa4, p1: 0x02, p2: 0x0c, body: uint16(fid) },
  read: readSelection('select file'),
});

/** READ BINARY of the selected file; `offset` up to 32,767, `length` 1 … 256; throws on another offset. Shorter answers are possible at the end. */
export const readBinary = (offset: number, length: number): CardCommand<Uint8Array> => {
  if (offset < 0 || offset > 0x7fff) throw new RangeError('READ BINARY offset of 15 bits');
  return {
    name: 'read binary',
    apdu: { cla: 0x00, ins: 0xb0, p1: offset >> 8, p2: offset & 0xff, le: length },
    read: (response) => {
      const { statusWord, body } = response;
      if (body.length > length) return err(failure('card.communication', 'read binary: more bytes than asked for'));
      if (statusWord === statusWords.success || statusWord === statusWords.endOfFile) return ok(body);
      if (statusWord === statusWords.offsetPastEnd) return ok(new Uint8Array());
      return refused('read binary', response, 'card.unreadable');
    },
  };
};

/** The counter of a PIN or key file. */
type RetryCounter = { readonly state: 'usable'; readonly triesLeft: number } | { readonly state: 'blocked' };

const counterOf = (statusWord: number): RetryCounter | null => {
  const triesLeft = triesLeftOf(statusWord);
  if (triesLeft !== null) return triesLeft === 0 ? { state: 'blocked' } : { state: 'usable', triesLeft };
  return statusWord === statusWords.authenticationMethodBlocked || statusWord === statusWords.keyBlocked
    ? { state: 'blocked' }
    : null;
};

/** The empty VERIFY on the selected PIN file: tells the tries that are left and spends none. */
export const readRetryCounter: CardCommand<RetryCounter> = {
  name: 'read retry counter',
  apdu: { cla: 0x00, ins: 0x20, p1: 0x00, p2: 0x80 },
  read: (response) => {
    const counter = counterOf(response.statusWord);
    return counter === null ? refused('read retry counter', response) : ok(counter);
  },
};

export type VerifyOutcome =
  | { readonly type: 'verified' }
  | { readonly type: 'wrong'; readonly triesLeft: number }
  /** This attempt was the last one, or the key was blocked before. */
  | { readonly type: 'blocked' };

/**
 * VERIFY on the selected PIN file: spends a try when wrong. `secret` is ASCII bytes and stays the caller's to overwrite.
 * Worked example: 63C1 → wrong, one try left, and that one is never spent without an explicit yes; 63C0 → blocked.
 */
export const verify = (secret: Uint8Array): CardCommand<VerifyOutcome> => ({
  name: 'verify',
  apdu: { cla: 0x00, ins: 0x20, p1: 0x00, p2: 0x80, body: secret },
  read: (response) => {
    if (response.statusWord === statusWords.success) return ok({ type: 'verified' });
    const counter = counterOf(response.statusWord);
    if (counter === null) return refused('verify', response);
    return ok(counter.state === 'blocked' ? { type: 'blocked' } : { type: 'wrong', triesLeft: counter.triesLeft });
  },
});

const readSignature =
  (name: string) =>
  (response: ResponseApdu): Result<Uint8Array> => {
    if (response.statusWord === statusWords.securityStatusNotSatisfied)
      return err(failure('card.security-status-lost', `${name}: 6982`));
    if (response.statusWord !== statusWords.success) return refused(name, response);
    // RSA-2048 is the only key today's card has.
    return response.body.length === 256
      ? ok(response.body)
      : err(failure('card.communication', `${name}: not 256 bytes`));
  };

/** COMPUTE DIGITAL SIGNATURE with the selected key: PKCS#1 v1.5 over the DigestInfo of a SHA-256. Class byte 80. */
export const computeSignature = (sha256: Uint8Array): CardCommand<Uint8Array> => ({
  name: 'compute signature',
  apdu: { cla: 0x80, ins: 0x2a, p1: 0x00, p2: 0x80, body: sha256DigestInfo(sha256), le: 256 },
  read: readSignature('compute signature'),
});

/** In 券面事項確認 AP, without any PIN: the card signs with the key whose public half is DF24, which proves its presence. */
export const computePresenceProof = (sha256: Uint8Array): CardCommand<Uint8Array> => ({
  name: 'compute presence proof',
  apdu: { cla: 0x80, ins: 0x2a, p1: 0x00, p2: 0x00, body: sha256DigestInfo(sha256), le: 256 },
  read: readSignature('compute presence proof'),
});

type TokenLabel =
  | { readonly kind: 'my-number-card' | 'android-phone' | 'iphone' | 'old-juki' }
  | { readonly kind: 'unknown'; readonly label: string };

/** The first 32 bytes of EF 0006, space padded. */
export const readTokenLabel = (tokenInformation: Uint8Array): TokenLabel => {
  const label = toAscii(tokenInformation.slice(0, 32)).trimEnd();
  switch (label) {
    case 'JPKIAPICCTOKEN2':
      return { kind: 'my-number-card' };
    case 'JPKIAPGPSETOKEN':
      return { kind: 'android-phone' };
    case 'JPKIAPIOSTOKEN':
      return { kind: 'iphone' };
    case 'JPKIAPICCTOKEN':
      return { kind: 'old-juki' };
    default:
      return { kind: 'unknown', label };
  }
};
