import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type FailureCode, failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { unmovedBytes } from '../../src/protocol/bytes.ts';

/** The part of `pcsclite` 1.0.1 that is used. */
export type PcscReader = EventEmitter & {
  readonly name: string;
  readonly SCARD_STATE_PRESENT: number;
  readonly SCARD_STATE_MUTE: number;
  readonly SCARD_SHARE_EXCLUSIVE: number;
  readonly SCARD_RESET_CARD: number;
  /** A plain property the binding sets; it stays true after a disconnect that failed. */
  connected: boolean;
  connect(options: { share_mode: number }, done: (error: Error | null, protocol: number) => void): void;
  disconnect(disposition: number, done: (error: Error | null) => void): void;
  transmit(
    command: Buffer,
    answerLimit: number,
    protocol: number,
    done: (error: Error | null, answer: Buffer) => void,
  ): void;
  close(): void;
};
/** 256 bytes and the status word. */
const answerLimit = 258;

/**
 * pcscd notices a removal by polling, up to 0.4 s after the APDU that failed with it: how long an answer is held back to
 * tell a removal from a card that fell silent.
 */
const removalNoticeMs = 600;

/** pcsclite passes on PC/SC's return code in the message only. */
export const returnCode = (error: Error): number =>
  Number.parseInt(/0x([0-9a-f]{8})/i.exec(error.message)?.[1] ?? '0', 16);

export const scard = {
  invalidHandle: 0x80100003,
  sharingViolation: 0x8010000b,
  noSmartcard: 0x8010000c,
  notTransacted: 0x80100016,
  readerUnavailable: 0x80100017,
  noService: 0x8010001d,
  serviceStopped: 0x8010001e,
  removedCard: 0x80100069,
} as const;

const transmitFailure = (code: number): FailureCode => {
  switch (code) {
    case scard.noSmartcard:
    case scard.removedCard:
      return 'card.removed';
    case scard.readerUnavailable:
      return 'reader.lost';
    case scard.noService:
    case scard.serviceStopped:
    case scard.invalidHandle:
      return 'reader.service-down';
    default:
      return 'card.communication';
  }
};

export const hexCode = (code: number): string => `0x${code.toString(16).toUpperCase()}`;

export type OpenSession = {
  readonly session: CardSession;
  /** No further APDU; `gone` settles what waits for it. Returns when the handle is given back. */
  kill(): Promise<void>;
};

class ExclusiveSession implements OpenSession {
  readonly #reader: PcscReader;
  readonly #protocol: number;
  readonly #faltered: () => void;
  #alive = true;
  #turn: Promise<unknown> = Promise.resolve();
  #tellGone: () => void = () => undefined;
  readonly #gone: Promise<void>;
  readonly #removed = err(failure('card.removed'));
  #released: Promise<void> | null = null;
  readonly session: CardSession;

  constructor(reader: PcscReader, protocol: number, atr: Uint8Array, faltered: () => void) {
    this.#reader = reader;
    this.#protocol = protocol;
    this.#faltered = faltered;
    this.#gone = new Promise<void>((resolve) => {
      this.#tellGone = resolve;
    });
    this.session = {
      id: randomUUID(),
      atr,
      transmit: (command) => {
        if (!this.#alive) return Promise.resolve(this.#removed);
        const answered = this.#turn.then(() => this.#answer(command));
        this.#turn = answered;
        return answered;
      },
      end: () => {
        this.#alive = false;
        return this.#release();
      },
    };
  }

  kill(): Promise<void> {
    this.#alive = false;
    this.#tellGone();
    return this.#release();
  }

  #exchange(command: Uint8Array): Promise<Result<Uint8Array, Error>> {
    return new Promise((resolve) => {
      const bytes = Buffer.from(command);
      try {
        this.#reader.transmit(bytes, answerLimit, this.#protocol, (error, answer) => {
          if (error) return resolve(err(error));
          const kept = unmovedBytes(answer.length);
          kept.set(answer);
          answer.fill(0);
          resolve(ok(kept));
        });
      } catch (error) {
        resolve(err(error instanceof Error ? error : new Error('transmit')));
      }
      // The binding has copied them; a PIN does not stay here.
      bytes.fill(0);
    });
  }

  async #answer(command: Uint8Array): Promise<Result<Uint8Array>> {
    if (!this.#alive) return this.#removed;
    const answered = await this.#exchange(command);
    // A card that goes while it answers can look like success without a single byte (seen with vpcd).
    const isWhole = answered.ok && answered.value.length >= 2;
    if (isWhole) return this.#alive ? answered : this.#removed;
    // Whatever it was, this handle has seen its last APDU.
    this.#alive = false;
    const code = answered.ok ? scard.notTransacted : returnCode(answered.failure);
    const named = transmitFailure(code);
    if (named !== 'card.communication') return err(failure(named, hexCode(code)));
    const waiting = new AbortController();
    const noticed = await Promise.race([
      this.#gone.then(() => true),
      delay(removalNoticeMs, false, { signal: waiting.signal }).catch(() => false),
    ]);
    waiting.abort();
    if (noticed) return this.#removed;
    this.#faltered();
    return err(failure('card.communication', hexCode(code)));
  }

  #release(): Promise<void> {
    this.#released ??= this.#turn.then(
      () =>
        new Promise<void>((resolve) => {
          this.#reader.disconnect(this.#reader.SCARD_RESET_CARD, () => {
            // A disconnect that fails (card gone) leaves this set, and the next connect would be skipped.
            this.#reader.connected = false;
            resolve();
          });
        }),
    );
    return this.#released;
  }
}

/**
 * One exclusive connection of pcsclite's as a card session; a handle that failed once is never used again. `faltered`: it
 * failed, and the card was not taken away.
 */
export const openSession = (reader: PcscReader, protocol: number, atr: Uint8Array, faltered: () => void): OpenSession =>
  new ExclusiveSession(reader, protocol, atr, faltered);
