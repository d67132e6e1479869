import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as delay, setImmediate as outsideCallback } from 'node:timers/promises';
import { type FailureCode, failure } from '../src/core/failure.ts';
import { err, ok, type Result } from '../src/core/result.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../src/ports/card-reader.ts';

/** The part of `pcsclite` 1.0.1 that is used. */
type PcscReader = EventEmitter & {
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
type Pcsc = EventEmitter & { close(): void };
type ReaderStatus = { readonly state: number; readonly atr?: Buffer };

export type PcscOptions = {
  /** Part of the reader's name; without it the first reader found. */
  readonly reader?: string;
  /** How soon to look for pcscd again, ms. pcsclite never recovers from its restart by itself. */
  readonly retryMs?: number;
  /** Loads the binding; another one in tests of its absence. */
  readonly load?: () => () => Pcsc;
};

const loadPcsclite = (): (() => Pcsc) => createRequire(import.meta.url)('pcsclite') as () => Pcsc;

/** 256 bytes and the status word. */
const answerLimit = 258;

/**
 * pcscd notices a removal by polling, up to 0.4 s after the APDU that failed with it: how long an answer is held back to
 * tell a removal from a card that fell silent.
 */
const removalNoticeMs = 600;

/** A card that was just laid down may need a moment before it answers. */
const connectAttempts = 3;
const connectPauseMs = 150;

// `outsideCallback`: pcsclite holds a mutex while it calls back, and its close() takes the same one: closing from inside
// a callback, or from a microtask of it, hangs the process.

/** pcsclite passes on PC/SC's return code in the message only. */
const returnCode = (error: Error): number => Number.parseInt(/0x([0-9a-f]{8})/i.exec(error.message)?.[1] ?? '0', 16);

const scard = {
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

const hex = (code: number): string => `0x${code.toString(16).toUpperCase()}`;

type OpenSession = {
  readonly session: CardSession;
  /** No further APDU; `gone` settles what waits for it. Returns when the handle is given back. */
  kill(): Promise<void>;
};

const openSession = (reader: PcscReader, protocol: number, atr: Uint8Array): OpenSession => {
  let alive = true;
  let turn: Promise<unknown> = Promise.resolve();
  let tellGone: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    tellGone = resolve;
  });
  const removed = err(failure('card.removed'));

  const exchange = (command: Uint8Array): Promise<Result<Uint8Array, Error>> =>
    new Promise((resolve) => {
      const bytes = Buffer.from(command);
      try {
        reader.transmit(bytes, answerLimit, protocol, (error, answer) =>
          resolve(error ? err(error) : ok(new Uint8Array(answer))),
        );
      } catch (error) {
        resolve(err(error instanceof Error ? error : new Error('transmit')));
      }
      // The binding has copied them; a PIN does not stay here.
      bytes.fill(0);
    });

  const answer = async (command: Uint8Array): Promise<Result<Uint8Array>> => {
    if (!alive) return removed;
    const answered = await exchange(command);
    // A card that goes while it answers can look like success without a single byte (seen with vpcd).
    const isWhole = answered.ok && answered.value.length >= 2;
    if (isWhole) return alive ? answered : removed;
    // Whatever it was, this handle has seen its last APDU.
    alive = false;
    const code = answered.ok ? scard.notTransacted : returnCode(answered.failure);
    const named = transmitFailure(code);
    if (named !== 'card.communication') return err(failure(named, hex(code)));
    const waiting = new AbortController();
    const noticed = await Promise.race([
      gone.then(() => true),
      delay(removalNoticeMs, false, { signal: waiting.signal }).catch(() => false),
    ]);
    waiting.abort();
    return noticed ? removed : err(failure('card.communication', hex(code)));
  };

  let released: Promise<void> | null = null;
  const release = (): Promise<void> => {
    released ??= turn.then(
      () =>
        new Promise<void>((resolve) => {
          reader.disconnect(reader.SCARD_RESET_CARD, () => {
            // A disconnect that fails (card gone) leaves this set, and the next connect would be skipped.
            reader.connected = false;
            resolve();
          });
        }),
    );
    return released;
  };
  const kill = (): Promise<void> => {
    alive = false;
    tellGone();
    return release();
  };

  const session: CardSession = {
    id: randomUUID(),
    atr,
    transmit: (command) => {
      if (!alive) return Promise.resolve(removed);
      const answered = turn.then(() => answer(command));
      turn = answered;
      return answered;
    },
    end: () => {
      alive = false;
      return release();
    },
  };
  return { session, kill };
};

/** What the driver does at one reader: a card comes, a card goes, one after the other. */
class ReaderWatch {
  readonly reader: PcscReader;
  readonly #tell: (event: CardReaderEvent) => void;
  /** pcscd counts insertions and removals in the upper 16 bits of the state: a swap between two looks is seen, too. */
  #lastState = 0;
  #present = false;
  #open: OpenSession | null = null;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(reader: PcscReader, tell: (event: CardReaderEvent) => void) {
    this.reader = reader;
    this.#tell = (event) => {
      if (!this.#closed) tell(event);
    };
    reader.on('status', (status: ReaderStatus) => this.#onStatus(status));
  }

  get session(): CardSession | null {
    return this.#open?.session ?? null;
  }

  #onStatus({ state, atr }: ReaderStatus): void {
    const isPresent = (state & this.reader.SCARD_STATE_PRESENT) !== 0;
    const isSameCard = state >>> 16 === this.#lastState >>> 16;
    this.#lastState = state;
    if (isPresent && this.#present && isSameCard) return;
    if (this.#present) this.#cardGone();
    this.#present = isPresent;
    if (isPresent) {
      const insertion = state >>> 16;
      this.#turn = this.#turn.then(() => this.#connect(insertion, new Uint8Array(atr ?? [])));
    }
  }

  #cardGone(): void {
    const open = this.#open;
    this.#open = null;
    if (open !== null) {
      // Dead at once; the next connection waits until the handle is given back.
      const released = open.kill();
      this.#turn = this.#turn.then(() => released);
    }
    this.#tell({ type: 'card-removed' });
  }

  async #connect(insertion: number, atr: Uint8Array): Promise<void> {
    const isStale = (): boolean => this.#closed || !this.#present || this.#lastState >>> 16 !== insertion;
    let code = 0;
    for (let attempt = 0; attempt < connectAttempts; attempt++) {
      if (attempt > 0) await delay(connectPauseMs);
      if (isStale()) return;
      const connected = await this.#tryConnect();
      if (connected.ok) {
        const open = openSession(this.reader, connected.value, atr);
        if (isStale()) {
          await open.kill();
          return;
        }
        this.#open = open;
        this.#tell({ type: 'card-inserted', session: open.session });
        return;
      }
      code = returnCode(connected.failure);
    }
    if (isStale()) return;
    const detail = code === scard.sharingViolation ? 'another program holds the card' : hex(code);
    this.#tell({ type: 'card-unreadable', failure: failure('card.unreadable', detail) });
  }

  #tryConnect(): Promise<Result<number, Error>> {
    const { reader } = this;
    return new Promise((resolve) => {
      reader.connect({ share_mode: reader.SCARD_SHARE_EXCLUSIVE }, (error, protocol) =>
        resolve(error ? err(error) : ok(protocol)),
      );
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = this.#open;
    this.#open = null;
    await open?.kill();
    await this.#turn;
    await outsideCallback();
    this.reader.close();
  }
}

/**
 * The reader at a real pcscd. Each insertion is one exclusive connection (SCARD_SHARE_EXCLUSIVE), given back with a
 * reset; a handle that failed once is never used again. While pcscd is away it is looked for every `retryMs`.
 * Without the optional package `pcsclite`: one `reader-lost` with `reader.driver-missing`.
 */
export const createPcscCardReader = ({
  reader: wanted = '',
  retryMs = 500,
  load = loadPcsclite,
}: PcscOptions = {}): CardReader => {
  const listeners = new Set<(event: CardReaderEvent) => void>();
  let pcsc: Pcsc | null = null;
  let watch: ReaderWatch | null = null;
  let trouble = failure('reader.lost');
  let retry: NodeJS.Timeout | null = null;
  let closed = false;
  const tell = (event: CardReaderEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };
  const tellTrouble = (code: FailureCode, detail?: string): void => {
    const isNews = watch !== null || trouble.code !== code;
    trouble = failure(code, detail);
    if (isNews) tell({ type: 'reader-lost', failure: trouble });
  };

  let create: (() => Pcsc) | null = null;
  const others = new Map<string, PcscReader>();

  const take = (reader: PcscReader): void => {
    watch = new ReaderWatch(reader, tell);
    tell({ type: 'reader-found', reader: reader.name });
  };

  const onReader = (reader: PcscReader): void => {
    reader.on('error', () => serviceDown());
    reader.on('end', () => {
      others.delete(reader.name);
      if (watch?.reader !== reader) return;
      const lost = watch;
      tellTrouble('reader.lost');
      watch = null;
      void lost.close();
      const next = others.values().next().value;
      if (next !== undefined) {
        others.delete(next.name);
        take(next);
      }
    });
    if (!reader.name.includes(wanted)) return;
    if (watch === null) take(reader);
    else others.set(reader.name, reader);
  };

  const stop = async (): Promise<void> => {
    const [lostPcsc, lostWatch, unused] = [pcsc, watch, [...others.values()]];
    pcsc = null;
    watch = null;
    others.clear();
    await lostWatch?.close();
    await outsideCallback();
    for (const reader of unused) reader.close();
    lostPcsc?.close();
  };

  const start = (): void => {
    retry = null;
    if (closed || create === null) return;
    try {
      pcsc = create();
    } catch {
      tellTrouble('reader.service-down');
      retry = setTimeout(start, retryMs);
      return;
    }
    const started = pcsc;
    started.on('reader', onReader);
    started.on('error', () => {
      if (pcsc === started) serviceDown();
    });
  };

  const serviceDown = (): void => {
    if (pcsc === null) return;
    tellTrouble('reader.service-down');
    void stop().then(() => {
      if (!closed) retry = setTimeout(start, retryMs);
    });
  };

  try {
    create = load();
    start();
  } catch {
    trouble = failure(
      'reader.driver-missing',
      'the optional package pcsclite is not installed or not compiled for this Node',
    );
  }

  return {
    subscribe: (listener) => {
      listeners.add(listener);
      if (watch === null) listener({ type: 'reader-lost', failure: trouble });
      else {
        listener({ type: 'reader-found', reader: watch.reader.name });
        if (watch.session !== null) listener({ type: 'card-inserted', session: watch.session });
      }
      return () => void listeners.delete(listener);
    },
    close: async () => {
      closed = true;
      listeners.clear();
      if (retry !== null) clearTimeout(retry);
      await stop();
    },
  };
};
