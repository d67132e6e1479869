import type { CardSession } from '../../ports/card-reader.ts';

/** Without a reason of ours each end makes an exception with its stack, which costs as much as an APDU. */
const unwanted = 'unwanted';

/**
 * What the terminal holds of one inserted card outside the session's state: the connection, the photo for the face
 * process, and the work begun for it. All of it ends together, whichever way the card goes.
 */
export class VisitCard {
  readonly session: CardSession;
  readonly #ended = new AbortController();
  readonly #numberBUnwanted = new AbortController();
  #photoJp2: Uint8Array | null = null;
  #readVisual: () => Promise<unknown> = () => Promise.resolve();
  #visualRead: Promise<unknown> | null = null;
  #stopFace: (() => void) | null = null;

  constructor(session: CardSession) {
    this.session = session;
  }

  /** Aborted when the card is let go: ends what was begun for it, and overwrites a printed number that nobody used. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Ends the search for the printed number: with the card, or when the patient has taken another way. */
  get numberBSignal(): AbortSignal {
    return AbortSignal.any([this.#ended.signal, this.#numberBUnwanted.signal]);
  }

  giveUpNumberB(): void {
    this.#numberBUnwanted.abort(unwanted);
  }

  get photoJp2(): Uint8Array | null {
    return this.#photoJp2;
  }

  /** How the visual record is read, once somebody wants it. */
  offerVisual(read: () => Promise<unknown>): void {
    this.#readVisual = read;
  }

  /** Reads the visual record with the photo, the first time that it is wanted; settles when that has come to its end. */
  readVisual(): Promise<unknown> {
    this.#visualRead ??= this.#readVisual();
    return this.#visualRead;
  }

  /** Settles when the chip is free for other commands: no visual record is being read. */
  get visualIdle(): Promise<unknown> {
    return this.#visualRead ?? Promise.resolve();
  }

  keepPhoto(photoJp2: Uint8Array | null): void {
    this.#photoJp2?.fill(0);
    this.#photoJp2 = photoJp2;
  }

  keepFace(stop: () => void): void {
    this.stopFace();
    this.#stopFace = stop;
  }

  stopFace(): void {
    this.#stopFace?.();
    this.#stopFace = null;
  }

  /** Disconnects with reset and overwrites the photo; harmless when done twice. */
  async end(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(unwanted);
    this.stopFace();
    this.keepPhoto(null);
    await this.session.end();
  }
}
