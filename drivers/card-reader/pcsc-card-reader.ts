import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as delay, setImmediate as outsideCallback } from 'node:timers/promises';
import { type FailureCode, failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';
import { hexCode, type OpenSession, openSession, type PcscReader, returnCode, scard } from './pcsc-card-session.ts';
import { probePcscd } from './pcscd-probe.ts';

type Pcsc = EventEmitter & { close(): void };
type ReaderStatus = { readonly state: number; readonly atr?: Buffer };

type PcscOptions = {
  /** Part of the reader's name; without it the first reader found. */
  readonly reader?: string;
  /** How soon to look for pcscd again, ms. pcsclite never recovers from its restart by itself. */
  readonly retryMs?: number;
  /** Asked every few seconds whether it hangs, and restarted then: the library itself would wait for ever. */
  readonly service?: { readonly socket: string; readonly restart: () => void };
  /** Loads the binding; another one in tests of its absence. */
  readonly load?: () => () => Pcsc;
};

const loadPcsclite = (): (() => Pcsc) => createRequire(import.meta.url)('pcsclite') as () => Pcsc;

/** pcscd answers within a millisecond; asked this often, and given so long. ms */
const probeMs = 4_000;
const restartAgainMs = 20_000;

/** A card that was just laid down may need a moment before it answers. */
const connectAttempts = 3;
const connectPauseMs = 150;
/** Another program lets go of the card at its own time: tried again as long as the card lies there. */
const heldPauseMs = 500;

// `outsideCallback`: pcsclite holds a mutex while it calls back, and its close() takes the same one: closing from inside
// a callback, or from a microtask of it, hangs the process.

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
    for (let attempt = 1; !isStale(); attempt++) {
      const connected = await this.#tryConnect();
      if (connected.ok) {
        const open = openSession(this.reader, connected.value, atr, () => this.#tell({ type: 'card-faltered' }));
        if (isStale()) {
          await open.kill();
          return;
        }
        this.#open = open;
        this.#tell({ type: 'card-inserted', session: open.session });
        return;
      }
      const code = returnCode(connected.failure);
      const isHeld = code === scard.sharingViolation;
      if (attempt === connectAttempts && !isStale()) {
        const detail = isHeld ? 'another program holds the card' : hexCode(code);
        this.#tell({ type: 'card-unreadable', failure: failure('card.unreadable', detail) });
      }
      if (attempt >= connectAttempts && !isHeld) return;
      await delay(attempt < connectAttempts ? connectPauseMs : heldPauseMs);
    }
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

interface PcscCardReader extends CardReader {
  /** Lets go of pcscd and the card and looks for both anew, as after an outage; staff may order it. */
  restart(): void;
}

/**
 * The reader at a real pcscd. Each insertion is one exclusive connection (SCARD_SHARE_EXCLUSIVE), given back with a
 * reset; a handle that failed once is never used again. While pcscd is away it is looked for every `retryMs`.
 * Without the optional package `pcsclite`: one `reader-lost` with `reader.driver-missing`.
 */
export const createPcscCardReader = ({
  reader: wanted = '',
  retryMs = 500,
  service,
  load = loadPcsclite,
}: PcscOptions = {}): PcscCardReader => {
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

  /**
   * A pcscd that hangs is told within 8 s. Nothing is closed meanwhile (that would hang with it): once it has been
   * restarted the library says that its connection is gone, and everything is looked for anew.
   */
  let hung = false;
  let orderedAtMs = Number.NEGATIVE_INFINITY;
  const watchService = async (): Promise<void> => {
    if (service === undefined || closed) return;
    const state = pcsc === null ? 'away' : await probePcscd(service.socket, probeMs);
    if (closed) return;
    if (state === 'hung') {
      if (!hung) tellTrouble('reader.service-hung');
      hung = true;
      if (performance.now() - orderedAtMs > restartAgainMs) {
        orderedAtMs = performance.now();
        service.restart();
      }
    } else if (hung && state === 'answers') {
      hung = false;
      // It woke up by itself, and the connection with it.
      if (watch !== null) {
        tell({ type: 'reader-found', reader: watch.reader.name });
        if (watch.session !== null) tell({ type: 'card-inserted', session: watch.session });
      }
    }
    probing = setTimeout(() => void watchService(), probeMs);
  };
  let probing: NodeJS.Timeout | null = service === undefined ? null : setTimeout(() => void watchService(), probeMs);

  const serviceDown = (): void => {
    if (pcsc === null) return;
    hung = false;
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
    restart: serviceDown,
    subscribe: (listener) => {
      listeners.add(listener);
      if (watch === null || hung) listener({ type: 'reader-lost', failure: trouble });
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
      if (probing !== null) clearTimeout(probing);
      await stop();
    },
  };
};
