import type { CardSession } from '../../ports/card-reader.ts';

/**
 * What the terminal holds of one inserted card outside the session's state: the connection, the photo for the face
 * process, and the work begun for it. All of it ends together, whichever way the card goes.
 */
export class VisitCard {
  readonly session: CardSession;
  readonly #ended = new AbortController();
  readonly #numberBUnwanted = new AbortController();
  #photoJp2: Uint8Array | null = null;
  #visualRead: Promise<unknown> = Promise.resolve();
  #stopFace: (() => void) | null = null;

  constructor(session: CardSession) {
    this.session = session;
  }

  /** Aborted when the card is let go: ends lookups begun for it. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Ends the search for the printed number: with the card, or when the patient has taken another way. */
  get numberBSignal(): AbortSignal {
    return AbortSignal.any([this.#ended.signal, this.#numberBUnwanted.signal]);
  }

  giveUpNumberB(): void {
    this.#numberBUnwanted.abort();
  }

  get photoJp2(): Uint8Array | null {
    return this.#photoJp2;
  }

  /** Settles when the chip is free for other commands: the reading of the visual record has come to its end. */
  get visualRead(): Promise<unknown> {
    return this.#visualRead;
  }

  followVisual(reading: Promise<unknown>): void {
    this.#visualRead = reading;
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
    this.#ended.abort();
    this.stopFace();
    this.keepPhoto(null);
    await this.session.end();
  }
}
