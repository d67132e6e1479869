import { equalBytes } from '../../src/protocol/bytes.ts';
import { type CommandApdu, decodeCommand, encodeResponse, statusWords } from '../../src/protocol/card/apdu.ts';

/** A PIN or key file: what opens it, how many tries are left of how many. */
type SecretFile = {
  readonly kind: 'secret';
  readonly secret: Uint8Array;
  triesLeft: number;
  readonly tries: number;
};

/** A private key: `sign` makes the raw signature over a DigestInfo; `openedBy` names the PIN file that must be verified. */
type KeyFile = {
  readonly kind: 'key';
  readonly openedBy: number;
  readonly sign: (digestInfo: Uint8Array) => Uint8Array;
};

/** A transparent file; `openedBy`: any one of these PIN files (empty = free). */
type TransparentFile = {
  readonly kind: 'transparent';
  readonly content: Uint8Array;
  readonly openedBy: readonly number[];
};

export type CardFile = SecretFile | KeyFile | TransparentFile;

export type CardApplication = {
  readonly aid: Uint8Array;
  readonly files: ReadonlyMap<number, CardFile>;
  /** Signs without any PIN and without a key file selected (P2 00): 券面事項確認 AP's presence proof. */
  readonly presenceKey?: (digestInfo: Uint8Array) => Uint8Array;
};

/** A card as ISO/IEC 7816-4 sees it: applications with files. What it knows of people is in the files. */
export type VirtualCard = {
  readonly id: string;
  readonly atr: Uint8Array;
  /** Command APDU in, response APDU out, at once; never throws on any input. */
  transmit(command: Uint8Array): Uint8Array;
  /** Power-off and reset: forgets every verified PIN and the selection; the counters stay. */
  reset(): void;
  /** How often a VERIFY with a body arrived since the card was made: what tests count. */
  readonly verifyCount: number;
};

const success = (body?: Uint8Array): Uint8Array => encodeResponse(statusWords.success, body);

const isDigestInfo = (body: Uint8Array): boolean =>
  body[0] === 0x30 && body[1] === body.length - 2 && body.length <= 117;

class CardInMemory implements VirtualCard {
  readonly id: string;
  readonly atr: Uint8Array;
  readonly #applications: readonly CardApplication[];
  #application: CardApplication | null = null;
  #file: CardFile | null = null;
  #verifiedFids = new Set<number>();
  #fid = 0;
  #verifyCount = 0;

  constructor(id: string, atr: Uint8Array, applications: readonly CardApplication[]) {
    this.#applications = applications;
    this.id = id;
    this.atr = atr;
  }

  reset(): void {
    this.#application = null;
    this.#file = null;
    this.#verifiedFids = new Set();
  }

  transmit(bytes: Uint8Array): Uint8Array {
    const command = decodeCommand(bytes);
    return command === null ? encodeResponse(statusWords.wrongLength) : this.#respond(command);
  }

  get verifyCount(): number {
    return this.#verifyCount;
  }

  #select({ p1, p2, body }: CommandApdu): Uint8Array {
    if (body === undefined) return encodeResponse(statusWords.wrongLength);
    if (p2 !== 0x0c) return encodeResponse(statusWords.wrongParameters);
    if (p1 === 0x04) {
      const found = this.#applications.find(({ aid }) => equalBytes(aid, body));
      if (found === undefined) return encodeResponse(statusWords.fileNotFound);
      this.reset();
      this.#application = found;
      return success();
    }
    if (p1 !== 0x02) return encodeResponse(statusWords.wrongParameters);
    if (body.length !== 2) return encodeResponse(statusWords.wrongLength);
    const wanted = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
    const found = this.#application?.files.get(wanted);
    if (found === undefined) return encodeResponse(statusWords.fileNotFound);
    this.#file = found;
    this.#fid = wanted;
    return success();
  }

  #verify({ p1, p2, body }: CommandApdu): Uint8Array {
    if (p1 !== 0x00 || p2 !== 0x80) return encodeResponse(statusWords.wrongParameters);
    if (this.#file?.kind !== 'secret') return encodeResponse(statusWords.noCurrentFile);
    // The empty VERIFY on a blocked key must say 63C0: with 6984 OpenSC takes the whole card for a foreign one.
    if (body === undefined) return encodeResponse(0x63c0 | this.#file.triesLeft);
    this.#verifyCount++;
    if (this.#file.triesLeft === 0) return encodeResponse(statusWords.keyBlocked);
    if (equalBytes(this.#file.secret, body)) {
      this.#file.triesLeft = this.#file.tries;
      this.#verifiedFids.add(this.#fid);
      return success();
    }
    this.#file.triesLeft--;
    this.#verifiedFids.delete(this.#fid);
    return encodeResponse(0x63c0 | this.#file.triesLeft);
  }

  #readBinary({ p1, p2, le }: CommandApdu): Uint8Array {
    if (this.#file?.kind !== 'transparent') return encodeResponse(statusWords.noCurrentFile);
    if (p1 > 0x7f) return encodeResponse(statusWords.wrongParameters);
    if (le === undefined) return encodeResponse(statusWords.wrongLength);
    if (this.#file.openedBy.length > 0 && !this.#file.openedBy.some((pin) => this.#verifiedFids.has(pin)))
      return encodeResponse(statusWords.securityStatusNotSatisfied);
    const offset = (p1 << 8) | p2;
    if (offset >= this.#file.content.length) return encodeResponse(statusWords.offsetPastEnd);
    return success(this.#file.content.slice(offset, offset + le));
  }

  #sign({ p1, p2, body, le }: CommandApdu): Uint8Array {
    if (p1 !== 0x00 || (p2 !== 0x80 && p2 !== 0x00)) return encodeResponse(statusWords.wrongParameters);
    if (body === undefined || le === undefined) return encodeResponse(statusWords.wrongLength);
    if (p2 === 0x00) {
      if (this.#application?.presenceKey === undefined) return encodeResponse(statusWords.conditionsNotSatisfied);
      return isDigestInfo(body) ? success(this.#application.presenceKey(body)) : encodeResponse(statusWords.wrongData);
    }
    if (this.#file?.kind !== 'key') return encodeResponse(statusWords.noCurrentFile);
    if (!this.#verifiedFids.has(this.#file.openedBy)) return encodeResponse(statusWords.securityStatusNotSatisfied);
    return isDigestInfo(body) ? success(this.#file.sign(body)) : encodeResponse(statusWords.wrongData);
  }

  #respond(command: CommandApdu): Uint8Array {
    switch ((command.cla << 8) | command.ins) {
      case 0x00a4:
        return this.#select(command);
      case 0x0020:
        return this.#verify(command);
      case 0x00b0:
        return this.#readBinary(command);
      case 0x802a:
        return this.#sign(command);
      case 0x0084:
        return command.le === undefined || command.le > 64
          ? encodeResponse(statusWords.wrongLength)
          : success(crypto.getRandomValues(new Uint8Array(command.le)));
      default:
        return encodeResponse(
          command.cla === 0x00 || command.cla === 0x80 ? statusWords.instructionUnknown : statusWords.classUnknown,
        );
    }
  }
}

/**
 * The card's operating system. The security status is cleared on reset and on any SELECT of an application (the reading
 * of the real card's unclear behaviour that asks the most of a reader).
 */
export const createVirtualCard = (id: string, atr: Uint8Array, applications: readonly CardApplication[]): VirtualCard =>
  new CardInMemory(id, atr, applications);
