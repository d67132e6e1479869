import { equalBytes } from '../../protocol/bytes.ts';
import { type CommandApdu, decodeCommand, statusWordHex, statusWords, triesLeftOf } from '../../protocol/card/apdu.ts';
import { applications, files } from '../../protocol/card/myna-card.ts';
import { numberBTriesKept } from '../../protocol/card/verification-number.ts';
import type { Finding } from '../finding.ts';
import type { CardRule } from './card-rules.ts';

/** One exchange; an empty answer: the card was gone, or said nothing. */
type SeenExchange = { readonly command: Uint8Array; readonly response: Uint8Array };

const individualNumber = 0x0001;
const numberA = 0x0013;
const signPassword = 0x001b;

type FileId = { readonly aid: Uint8Array; readonly fid: number };
const name = ({ aid, fid }: FileId): string => `${Buffer.from(aid).toString('hex')}/${fid}`;
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

  /** The card was taken off or reset: what it had granted is gone; counters stay. */
  reset(): void {
    this.#aid = null;
    this.#selected = null;
    this.#isRecognised = false;
    this.#verified = 'no';
    this.#owed = null;
    this.#numberBTries = 0;
    this.#read.clear();
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
    if (apdu.ins === 0x2a) this.#sign(apdu);
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
    this.#tell('wrong-length-ignored', `INS ${ins.toString(16).toUpperCase()}`);
  }

  #select({ p1, body }: CommandApdu, status: number | null): void {
    if (body === undefined) return;
    if (p1 === 0x04) {
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

  #verify({ body }: CommandApdu, status: number | null): void {
    const file = this.#selected;
    if (this.#selectionRefused) this.#tell('refused-selection-ignored', 'VERIFY');
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
    if (isNumberB) {
      this.#numberBTries += 1;
      if (this.#numberBTries > 1) this.#tell('number-b-looped', `${this.#numberBTries}`);
      if (known !== undefined && known <= numberBTriesKept) this.#tell('number-b-few-left', `63C${known.toString(16)}`);
    }
    if (!isIn(file, applications.jpki, files.jpki.authPin)) return;
    if (!this.#isRecognised) this.#tell('card-not-recognised', 'VERIFY before EF 0006');
    const isFourDigits = body.length === 4 && body.every((byte) => byte >= 0x30 && byte <= 0x39);
    if (!isFourDigits) this.#tell('wrong-pin-length', `${body.length} bytes`);
  }

  #readBinary({ p1, p2, le }: CommandApdu, response: Uint8Array, status: number | null): void {
    if (this.#selectionRefused) this.#tell('refused-selection-ignored', 'READ BINARY');
    if (status === statusWords.offsetPastEnd) this.#tell('read-past-end', `offset ${(p1 << 8) | p2}`);
    const file = this.#selected;
    if (file === null || status !== statusWords.success) return;
    if (isIn(file, applications.jpki, files.jpki.tokenInformation)) this.#isRecognised = true;
    const place = `${name(file)} ${p1} ${p2} ${le}`;
    if (this.#read.has(place)) this.#tell('read-twice', `EF ${statusWordHex(file.fid)}, offset ${(p1 << 8) | p2}`);
    if (response.length > 2) this.#read.add(place);
  }

  #sign({ cla, p2, body }: CommandApdu): void {
    if (cla !== 0x80) this.#tell('sign-wrong-class', `CLA ${cla.toString(16).padStart(2, '0')}`);
    const isDigestInfo = body?.[0] === 0x30 && body[1] === body.length - 2 && body[2] === 0x30;
    if (!isDigestInfo) this.#tell('sign-no-digest-info', `${body?.length ?? 0} bytes`);
    // The proof that the card is there needs no PIN.
    if (p2 !== 0x80) return;
    if (this.#verified === 'cleared') this.#tell('select-between-verify-and-sign', 'SIGN');
    if (this.#verified === 'no') this.#tell('sign-without-verify', 'SIGN');
  }
}
