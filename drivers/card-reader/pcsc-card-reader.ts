import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as delay, setImmediate as outsideCallback } from 'node:timers/promises';
import { type FailureCode, failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';
import { hexCode, type OpenSession, openSession, type PcscReader, returnCode, scard } from './pcsc-card-session.ts';
import { probePcscd } from './pcscd-probe.ts';
import { ReaderSlots, type Slot } from './reader-slots.ts';

type Pcsc = EventEmitter & { close(): void };
type ReaderStatus = { readonly state: number; readonly atr?: Buffer };

type PcscOptions = {
  /** Part of the reader's name; without it every slot of every reader, but those for security modules (SAM). */
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
/** A restart of pcscd is ordered again no sooner: a service that starts, and its reader, need some seconds. ms */
const restartAgainMs = 20_000;

/** A package is put back by hand: looked for more rarely than pcscd, so many times. */
const driverRetries = 10;

/** A card that was just laid down may need a moment before it answers. */
const connectAttempts = 3;
/** Between two attempts on such a card; a hand that lays it down properly needs about as long. ms */
const connectPauseMs = 150;
/** Another program lets go of the card at its own time: tried again as long as the card lies there. */
const heldPauseMs = 500;

// `outsideCallback`: pcsclite holds a mutex while it calls back, and its close() takes the same one: closing from inside
// a callback, or from a microtask of it, hangs the process.

/** What the driver does at one reader: a card comes, a card goes, one after the other. */
class ReaderWatch implements Slot {
  readonly reader: PcscReader;
  readonly #tell: (event: CardReaderEvent) => void;
  /** pcscd counts insertions and removals in the upper 16 bits of the state: a swap between two looks is seen, too. */
  #lastState = 0;
  #present = false;
  #open: OpenSession | null = null;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  /** null: not looked at yet */
  #foundWithCard: boolean | null = null;

  constructor(reader: PcscReader, tell: (event: CardReaderEvent) => void) {
    this.reader = reader;
    this.#tell = (event) => {
      if (!this.#closed) tell(event);
    };
    reader.on('status', (status: ReaderStatus) => this.#onStatus(status));
  }

  get name(): string {
    return this.reader.name;
  }

  get session(): CardSession | null {
    return this.#open?.session ?? null;
  }

  get wasFoundWithCard(): boolean {
    return this.#foundWithCard === true;
  }

  #onStatus({ state, atr }: ReaderStatus): void {
    const isPresent = (state & this.reader.SCARD_STATE_PRESENT) !== 0;
    const isSameCard = state >>> 16 === this.#lastState >>> 16;
    this.#lastState = state;
    this.#foundWithCard = isPresent && (this.#foundWithCard ?? true);
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

class ReaderOfPcscd implements PcscCardReader {
  readonly #wanted: string;
  readonly #retryMs: number;
  readonly #service: PcscOptions['service'];
  readonly #listeners = new Set<(event: CardReaderEvent) => void>();
  #pcsc: Pcsc | null = null;
  readonly #slots = new ReaderSlots((event) => this.#tell(event));
  #trouble = failure('reader.lost');
  #retry: NodeJS.Timeout | null = null;
  #closed = false;
  readonly #load: () => () => Pcsc;
  /**
   * A pcscd that hangs is told within 8 s. Nothing is closed meanwhile (that would hang with it): once it has been
   * restarted the library says that its connection is gone, and everything is looked for anew.
   */
  #hung = false;
  #orderedAtMs = Number.NEGATIVE_INFINITY;
  #probing: NodeJS.Timeout | null;

  constructor({ reader: wanted = '', retryMs = 500, service, load = loadPcsclite }: PcscOptions = {}) {
    this.#wanted = wanted;
    this.#retryMs = retryMs;
    this.#service = service;
    this.#probing = this.#service === undefined ? null : setTimeout(() => void this.#watchService(), probeMs);
    this.#load = load;
    this.#start();
  }

  restart(): void {
    if (this.#pcsc === null) return;
    this.#hung = false;
    this.#tellTrouble('reader.service-down');
    void this.#stop().then(() => {
      if (!this.#closed) this.#retry = setTimeout(() => this.#start(), this.#retryMs);
    });
  }

  subscribe(listener: (event: CardReaderEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#slots.isEmpty || this.#hung) listener({ type: 'reader-lost', failure: this.#trouble });
    else this.#tellPresent(listener);
    return () => void this.#listeners.delete(listener);
  }

  slots(): readonly string[] {
    return this.#slots.names;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#probing !== null) clearTimeout(this.#probing);
    await this.#stop();
  }

  #tell(event: CardReaderEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #tellPresent(listener: (event: CardReaderEvent) => void): void {
    listener({ type: 'reader-found', reader: this.#slots.name });
    if (this.#slots.session !== null) listener({ type: 'card-inserted', session: this.#slots.session });
  }

  #tellTrouble(code: FailureCode, detail?: string): void {
    const isNews = !this.#slots.isEmpty || this.#trouble.code !== code;
    this.#trouble = failure(code, detail);
    if (isNews) this.#tell({ type: 'reader-lost', failure: this.#trouble });
  }

  #onReader(reader: PcscReader, of: Pcsc): void {
    // A reader of a connection that was given up tells its end late, from a thread of its own.
    reader.on('error', () => {
      if (this.#pcsc === of) this.restart();
    });
    const isModule = (name: string): boolean => /\bSAM\b/i.test(name);
    if (!reader.name.includes(this.#wanted) || (isModule(reader.name) && !isModule(this.#wanted))) return;
    const watch: ReaderWatch = new ReaderWatch(reader, (event) => this.#slots.hear(watch, event));
    reader.on('end', () => this.#onEnd(watch));
    this.#slots.add(watch);
  }

  #onEnd(watch: ReaderWatch): void {
    const lost = this.#slots.remove(watch);
    if (lost === null || (!lost.hadVisit && !this.#slots.isEmpty)) return;
    this.#trouble = failure('reader.lost');
    this.#tell({ type: 'reader-lost', failure: this.#trouble });
    if (this.#slots.isEmpty) return;
    this.#tell({ type: 'reader-found', reader: this.#slots.name });
    this.#slots.turnToWaiting();
  }

  async #stop(): Promise<void> {
    const lostPcsc = this.#pcsc;
    this.#pcsc = null;
    await this.#slots.removeAll();
    await outsideCallback();
    lostPcsc?.close();
  }

  #start(): void {
    this.#retry = null;
    if (this.#closed) return;
    let create: () => Pcsc;
    try {
      create = this.#load();
    } catch {
      this.#tellTrouble(
        'reader.driver-missing',
        'the optional package pcsclite is not installed or not compiled for this Node',
      );
      // Whoever puts it back need not begin us anew.
      this.#retry = setTimeout(() => this.#start(), driverRetries * this.#retryMs);
      return;
    }
    try {
      this.#pcsc = create();
    } catch {
      this.#tellTrouble('reader.service-down');
      this.#retry = setTimeout(() => this.#start(), this.#retryMs);
      return;
    }
    const started = this.#pcsc;
    started.on('reader', (reader) => this.#onReader(reader, started));
    started.on('error', () => {
      if (this.#pcsc === started) this.restart();
    });
    // Service or driver is back; whether its reader is, too, nobody says before there is one.
    if (this.#slots.isEmpty && this.#trouble.code !== 'reader.service-hung') this.#tellTrouble('reader.lost');
  }

  async #watchService(): Promise<void> {
    if (this.#service === undefined || this.#closed) return;
    const state = this.#pcsc === null ? 'away' : await probePcscd(this.#service.socket, probeMs);
    if (this.#closed) return;
    if (state === 'hung') {
      if (!this.#hung) this.#tellTrouble('reader.service-hung');
      this.#hung = true;
      if (performance.now() - this.#orderedAtMs > restartAgainMs) {
        this.#orderedAtMs = performance.now();
        this.#service.restart();
      }
    } else if (this.#hung && state === 'answers') {
      this.#hung = false;
      // It woke up by itself, and the connection with it.
      if (!this.#slots.isEmpty) this.#tellPresent((event) => this.#tell(event));
    }
    this.#probing = setTimeout(() => void this.#watchService(), probeMs);
  }
}

/**
 * The reader at a real pcscd. Each insertion is one exclusive connection (SCARD_SHARE_EXCLUSIVE), given back with a
 * reset; a handle that failed once is never used again. While pcscd is away it is looked for every `retryMs`.
 * Without the optional package `pcsclite`: one `reader-lost` with `reader.driver-missing`, until it is there.
 */
export const createPcscCardReader = (options: PcscOptions = {}): PcscCardReader => new ReaderOfPcscd(options);
