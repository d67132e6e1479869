import { equalBytes, fromHex } from '../../protocol/bytes.ts';
import { type CommandApdu, decodeCommand, statusWordHex, statusWords, triesLeftOf } from '../../protocol/card/apdu.ts';
import { sha256DigestInfo } from '../../protocol/card/digest-info.ts';
import { applications, files } from '../../protocol/card/myna-card.ts';
import { numberBTriesKept } from '../../protocol/card/verification-number.ts';
import type { Finding } from '../finding.ts';
import type { CardRule } from './card-rules.ts';

/** One exchange; an empty answer: the card was gone, or said nothing. */
type SeenExchange = { readonly command: Uint8Array; readonly response: Uint8Array };

const individualNumber = 0x0001;
const numberA = 0x0013;
const signCertificate = 0x0001;
const signKey = 0x001a;
const signPassword = 0x001b;
const textPin = 0x0011;
/** 住基 AP; it is nobody's who checks an insurance */
const residentRegister = fromHex('D3921000310001010401');
/** CHANGE and RESET of secrets, WRITE, UPDATE, ERASE, PUT DATA, CREATE, APPEND, DELETE, (DE)ACTIVATE */
const writing: readonly number[] = [
  ...[0x24, 0x2c, 0xd0, 0xd2, 0xd6, 0xd7, 0x0e, 0xda, 0xdb],
  ...[0xe0, 0xe2, 0xe4, 0x04, 0x44],
];
/** AlgorithmIdentifier and head of a DigestInfo of SHA-256 */
const sha256Head = sha256DigestInfo(new Uint8Array(32)).subarray(0, -32);
/** Reads shorter than this are crumbs, of which a file bears so many: a length, and what is left at its end. bytes, reads */
const crumb = { bytes: 32, borne: 8 } as const;

type FileId = { readonly aid: Uint8Array; readonly fid: number };
const name = ({ aid, fid }: FileId): string => `${Buffer.from(aid).toString('hex')}/${fid}`;
const hexOf = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');
const isIn = (selected: FileId | null, aid: Uint8Array, fid: number): boolean =>
  selected !== null && selected.fid === fid && equalBytes(selected.aid, aid);

/**
 * Follows what a program says to one card, from its insertion on, and tells each rule that it breaks. Secrets that it
 * sees are compared, never kept in a finding.
 */
export class CardClientJudge {
  readonly findings: Finding<CardRule>[] = [];
  #apdus = 0;
  #aid: Uint8Array | null = null;
  #selected: FileId | null = null;
  #selectionRefused = false;
  #isRecognised = false;
  /** The PIN is verified, and nothing has been selected since that may clear it */
  #verified: 'no' | 'yes' | 'cleared' = 'no';
  #owed: 'Le' | 'GET RESPONSE' | null = null;
  #unanswered: Uint8Array | null = null;
  #numberBTries = 0;
  readonly #counters = new Map<string, number>();
  readonly #refused = new Map<string, Uint8Array>();
  readonly #read = new Set<string>();
  readonly #crumbs = new Map<string, number>();
  readonly #refusedReads = new Set<string>();
  readonly #signed = new Set<string>();

  /**
   * The card was taken off or reset: what it had granted is gone, and its counters are to be read again, for it may have been
   * elsewhere, or be another one. What was refused stays refused.
   */
  reset(): void {
    this.#counters.clear();
    this.#crumbs.clear();
    this.#refusedReads.clear();
    this.#aid = null;
    this.#selected = null;
    this.#isRecognised = false;
    this.#verified = 'no';
    this.#owed = null;
    this.#numberBTries = 0;
    this.#read.clear();
  }

  /** Nothing more will be said. */
  finish(): void {
    if (this.#apdus === 0) this.#tell('never-spoken-to', '0 APDU');
  }

  see({ command, response }: SeenExchange): void {
    this.#apdus += 1;
    const apdu = decodeCommand(command);
    if (apdu === null) return this.#tell('long-apdu', `${command.length} bytes`);
    const status = response.length < 2 ? null : ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);
    this.#followUp(apdu);
    if (apdu.ins === 0xa4) this.#select(apdu, status);
    if (apdu.ins === 0x20) this.#verify(apdu, status);
    if (apdu.ins === 0xb0) this.#readBinary(apdu, response, status);
    if (apdu.ins === 0x2a) this.#sign(apdu, status);
    if (writing.includes(apdu.ins)) this.#tell('card-written', `INS ${hexOf(apdu.ins)}`);
    if (status !== null && status >> 8 === 0x6c) this.#owed = 'Le';
    if (status !== null && status >> 8 === 0x61) this.#owed = 'GET RESPONSE';
  }

  #tell(rule: CardRule, seen: string): void {
    this.findings.push({ rule, where: `APDU ${this.#apdus}`, seen });
  }

  #followUp({ ins, le }: CommandApdu): void {
    const owed = this.#owed;
    this.#owed = null;
    if (owed === null || (owed === 'GET RESPONSE' && ins === 0xc0) || (owed === 'Le' && le !== undefined && le < 256))
      return;
    this.#tell('wrong-length-ignored', `INS ${hexOf(ins)}`);
  }

  #select({ p1, body }: CommandApdu, status: number | null): void {
    if (body === undefined) return;
    if (p1 === 0x04) {
      if (equalBytes(body, residentRegister)) this.#tell('resident-register-selected', 'SELECT');
      if (this.#verified === 'yes') this.#verified = 'cleared';
      if (status === statusWords.success) [this.#aid, this.#selected] = [body.slice(), null];
      this.#selectionRefused = status === statusWords.fileNotFound;
      return;
    }
    if (this.#aid === null) return this.#tell('application-not-selected', 'SELECT EF');
    const file = { aid: this.#aid, fid: ((body[0] ?? 0) << 8) | (body[1] ?? 0) };
    if (isIn(file, applications.text, individualNumber)) this.#tell('individual-number-selected', 'EF 0001');
    this.#selectionRefused = status !== statusWords.success;
    if (status === statusWords.success) this.#selected = file;
  }

  #verify({ p1, p2, body }: CommandApdu, status: number | null): void {
    const file = this.#selected;
    if (this.#selectionRefused) this.#tell('refused-selection-ignored', 'VERIFY');
    if (p1 !== 0x00 || p2 !== 0x80) return this.#tell('verify-other-parameters', `P1 P2 ${hexOf(p1)} ${hexOf(p2)}`);
    if (file === null) return;
    const key = name(file);
    const left = status === null ? null : triesLeftOf(status);
    if (body === undefined) {
      this.#unanswered = null;
      if (left !== null) this.#counters.set(key, left);
      if (status === statusWords.keyBlocked || status === statusWords.authenticationMethodBlocked)
        this.#counters.set(key, 0);
      return;
    }
    this.#judgeSecret(file, key, body);
    this.#unanswered = status === null ? body.slice() : null;
    if (status === statusWords.success) {
      if (isIn(file, applications.jpki, files.jpki.authPin)) this.#verified = 'yes';
      this.#refused.delete(key);
      this.#refusedReads.clear();
      return;
    }
    if (left !== null) this.#counters.set(key, left);
    this.#refused.set(key, body.slice());
  }

  #judgeSecret(file: FileId, key: string, body: Uint8Array): void {
    const known = this.#counters.get(key);
    const isNumberB = isIn(file, applications.visual, files.visual.verificationNumberB);
    if (this.#unanswered !== null && equalBytes(this.#unanswered, body)) this.#tell('verify-resent', 'VERIFY');
    if (known === undefined) this.#tell('no-counter-read', `VERIFY, EF ${statusWordHex(file.fid)}`);
    if (known === 0) this.#tell('verify-when-blocked', `VERIFY, EF ${statusWordHex(file.fid)}`);
    if (known === 1) this.#tell('last-try-spent', `VERIFY, EF ${statusWordHex(file.fid)}, 63C1`);
    const before = this.#refused.get(key);
    if (before !== undefined && equalBytes(before, body)) this.#tell('same-pin-again', 'VERIFY');
    if (isIn(file, applications.jpki, signPassword)) this.#tell('sign-password-touched', 'EF 001B');
    if (isIn(file, applications.visual, numberA)) this.#tell('number-a-used', 'EF 0013');
    if ((isNumberB || isIn(file, applications.text, files.text.verificationNumberB)) && !isDigits(body, 14))
      this.#tell('wrong-number-length', `${body.length} bytes`);
    if (isNumberB) {
      this.#numberBTries += 1;
      if (this.#numberBTries > 1) this.#tell('number-b-looped', `${this.#numberBTries}`);
      if (known !== undefined && known <= numberBTriesKept) this.#tell('number-b-few-left', `63C${known.toString(16)}`);
    }
    const isText = isIn(file, applications.text, textPin);
    const isAuth = isIn(file, applications.jpki, files.jpki.authPin);
    if ((isAuth || isText) && !isDigits(body, 4)) this.#tell('wrong-pin-length', `${body.length} bytes`);
    if (isAuth && !this.#isRecognised) this.#tell('card-not-recognised', 'VERIFY before EF 0006');
  }

  #readBinary({ p1, p2, le }: CommandApdu, response: Uint8Array, status: number | null): void {
    if (this.#selectionRefused) this.#tell('refused-selection-ignored', 'READ BINARY');
    if (status === statusWords.offsetPastEnd) this.#tell('read-past-end', `offset ${(p1 << 8) | p2}`);
    const file = this.#selected;
    if (file === null) return;
    if (status === statusWords.securityStatusNotSatisfied) this.#readRefused(file);
    if (status !== statusWords.success) return;
    // Whoever lists all certificates is refused this one, and has learnt nothing.
    if (isIn(file, applications.jpki, signCertificate)) this.#tell('sign-certificate-read', 'EF 0001');
    this.#judgeLength(file, response.length - 2, le);
    if (isIn(file, applications.jpki, files.jpki.tokenInformation)) this.#isRecognised = true;
    const place = `${name(file)} ${p1} ${p2} ${le}`;
    if (this.#read.has(place)) this.#tell('read-twice', `EF ${statusWordHex(file.fid)}, offset ${(p1 << 8) | p2}`);
    if (response.length > 2) this.#read.add(place);
  }

  #readRefused(file: FileId): void {
    if (this.#refusedReads.has(name(file))) this.#tell('refused-read-again', `EF ${statusWordHex(file.fid)}, 6982`);
    this.#refusedReads.add(name(file));
  }

  /** What was asked short, and answered short; the end of a file is always shorter. */
  #judgeLength(file: FileId, length: number, le = 256): void {
    if (le >= crumb.bytes || length >= crumb.bytes) return;
    const times = (this.#crumbs.get(name(file)) ?? 0) + 1;
    this.#crumbs.set(name(file), times);
    if (times === crumb.borne + 1) this.#tell('read-in-crumbs', `EF ${statusWordHex(file.fid)}, Le ${le}`);
  }

  #sign({ cla, p2, body }: CommandApdu, status: number | null): void {
    const { success } = statusWords;
    const signed = Buffer.from(body ?? []).toString('hex');
    if (this.#signed.has(signed)) this.#tell('signed-twice', 'SIGN');
    if (status === success) this.#signed.add(signed);
    const file = this.#selected;
    if (p2 === 0x80 && isIn(file, applications.jpki, signKey)) this.#tell('sign-key-used', 'EF 001A');
    if (cla !== 0x80) this.#tell('sign-wrong-class', `CLA ${hexOf(cla)}`);
    const isDigestInfo = body?.[0] === 0x30 && body[1] === body.length - 2 && body[2] === 0x30;
    if (!isDigestInfo) this.#tell('sign-no-digest-info', `${body?.length ?? 0} bytes`);
    const isSha256 = body !== undefined && equalBytes(body.subarray(0, sha256Head.length), sha256Head);
    const isFixed = new Set(body?.subarray(sha256Head.length)).size <= 1;
    if (isDigestInfo && (!isSha256 || isFixed))
      this.#tell('weak-digest', isSha256 ? 'SHA-256' : `${body?.length} bytes`);
    // The proof that the card is there needs no PIN.
    if (p2 !== 0x80) return;
    if (this.#verified === 'cleared') this.#tell('select-between-verify-and-sign', 'SIGN');
    if (this.#verified === 'no') this.#tell('sign-without-verify', 'SIGN');
  }
}

const isDigits = (bytes: Uint8Array, count: number): boolean =>
  bytes.length === count && bytes.every((byte) => byte >= 0x30 && byte <= 0x39);
