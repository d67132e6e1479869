import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { concatBytes, readUint16, unmovedBytes } from '../bytes.ts';

/**
 * Command APDU of ISO/IEC 7816-3, short form only (the My Number card knows no other).
 * Case 1: neither `body` nor `le`; case 2: `le`; case 3: `body`; case 4: both. `le` is 1 … 256.
 */
export type CommandApdu = {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly body?: Uint8Array;
  readonly le?: number;
};

export type ResponseApdu = { readonly body: Uint8Array; readonly statusWord: number };

/**
 * Throws when the command cannot be a short APDU: a programmer's error. What it holds may be a PIN: it is written into one
 * place, which is the caller's to overwrite.
 */
export const encodeCommand = ({ cla, ins, p1, p2, body, le }: CommandApdu): Uint8Array => {
  if (body !== undefined && (body.length < 1 || body.length > 255))
    throw new RangeError('command body of 1 to 255 bytes');
  if (le !== undefined && (le < 1 || le > 256)) throw new RangeError('Le of 1 to 256');
  const bodyLength = body === undefined ? 0 : 1 + body.length;
  const bytes = unmovedBytes(4 + bodyLength + (le === undefined ? 0 : 1));
  bytes.set([cla, ins, p1, p2]);
  if (body !== undefined) {
    bytes[4] = body.length;
    bytes.set(body, 5);
  }
  if (le !== undefined) bytes[4 + bodyLength] = le & 0xff;
  return bytes;
};

/**
 * The card's side: null when the bytes are no short APDU (a card answers 6700). The body, which may be a PIN, lies where it
 * lay: whoever overwrites the bytes overwrites it.
 */
export const decodeCommand = (bytes: Uint8Array): CommandApdu | null => {
  const [cla = 0, ins = 0, p1 = 0, p2, p3] = bytes;
  // Where this one is there, those before it are.
  if (p2 === undefined) return null;
  const header = { cla, ins, p1, p2 };
  if (p3 === undefined) return header;
  const leOf = (byte: number): number => (byte === 0 ? 256 : byte);
  if (bytes.length === 5) return { ...header, le: leOf(p3) };
  const bodyEnd = 5 + p3;
  if (p3 === 0 || bytes.length < bodyEnd || bytes.length > bodyEnd + 1) return null;
  const body = bytes.subarray(5, bodyEnd);
  const last = bytes[bodyEnd];
  return last === undefined ? { ...header, body } : { ...header, body, le: leOf(last) };
};

export const decodeResponse = (bytes: Uint8Array): Result<ResponseApdu> => {
  if (bytes.length < 2) return err(failure('card.communication', 'response shorter than its status word'));
  if (bytes.length > 258) return err(failure('card.communication', 'response longer than a short APDU allows'));
  const end = bytes.length - 2;
  const body = unmovedBytes(end);
  body.set(bytes.subarray(0, end));
  return ok({ body, statusWord: readUint16(bytes, end) });
};

export const encodeResponse = (statusWord: number, body: Uint8Array = new Uint8Array()): Uint8Array =>
  concatBytes(body, Uint8Array.of(statusWord >> 8, statusWord & 0xff));

/** Every status word we know by name (ISO/IEC 7816-4; 6984 as the My Number card uses it). */
export const statusWords = {
  success: 0x9000,
  endOfFile: 0x6282,
  wrongLength: 0x6700,
  securityStatusNotSatisfied: 0x6982,
  authenticationMethodBlocked: 0x6983,
  /** ISO: reference not usable. On this card: any VERIFY after the counter ran out. */
  keyBlocked: 0x6984,
  conditionsNotSatisfied: 0x6985,
  noCurrentFile: 0x6986,
  wrongData: 0x6a80,
  fileNotFound: 0x6a82,
  wrongParameters: 0x6a86,
  referenceNotFound: 0x6a88,
  offsetPastEnd: 0x6b00,
  instructionUnknown: 0x6d00,
  classUnknown: 0x6e00,
} as const;

export const statusWordHex = (statusWord: number): string => statusWord.toString(16).toUpperCase().padStart(4, '0');

/** 63Cx: the tries that are left; null for every other status word. */
export const triesLeftOf = (statusWord: number): number | null =>
  (statusWord & 0xfff0) === 0x63c0 ? statusWord & 0x0f : null;

/**
 * What to send next when a response is not the last word: GET RESPONSE after 61xx, the same command with the right Le
 * after 6Cxx. A command without Le is never sent again: a VERIFY would spend a second try.
 */
export const continuation = (command: CommandApdu, response: ResponseApdu): CommandApdu | null => {
  const sw1 = response.statusWord >> 8;
  const sw2 = response.statusWord & 0xff;
  const le = sw2 === 0 ? 256 : sw2;
  if (sw1 === 0x61) return { cla: command.cla & 0x03, ins: 0xc0, p1: 0, p2: 0, le };
  if (sw1 === 0x6c && command.le !== undefined && command.le !== le) return { ...command, le };
  return null;
};
