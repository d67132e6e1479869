import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { failure } from '../../src/core/failure.ts';
import { err, ok } from '../../src/core/result.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';
import { answerTimeMs, type CardTiming, instantTiming } from './card-timing.ts';
import type { VirtualCard } from './virtual-card.ts';

/** A moment at which a test or a fault file may act: `index` counts APDUs since the reader was made, from 0. */
export type ApduMoment = {
  readonly phase: 'before' | 'after';
  readonly index: number;
  readonly command: Uint8Array;
  /** What wire and chip take for it, ms; after it only. */
  readonly deviceMs?: number;
};

type VirtualCardReaderOptions = {
  readonly timing?: CardTiming;
  /** Called around each APDU: `before` the card has seen it, `after` the card acted and before the answer is told. */
  readonly onApdu?: (moment: ApduMoment) => void;
};

/** A reader whose bed a program lays cards on. */
type VirtualCardReader = CardReader & {
  /** Takes away the card that lies there, if any, and lays down this one. */
  insert(card: VirtualCard): void;
  pull(): void;
  /** The USB plug of the reader: unplugging takes the card's power, too. */
  unplug(): void;
  plug(): void;
  /**
   * A spark as the card touches the slot. `card`: the chip is reset, and the reader finds it anew; `mute`: it does not
   * answer to power until it is taken away; `bus`: the reader falls off its bus and comes back.
   */
  discharge(what: 'card' | 'mute' | 'bus'): void;
  /** APDUs since the reader was made. */
  readonly apduCount: number;
};

type OpenSession = { readonly session: CardSession; kill(): void };

/** A wire does not make up for a program that was slow to ask. ms */
const mostMadeUpMs = 1;

const readerName = 'Virtual reader';

class SlotReader implements VirtualCardReader {
  readonly #timing: NonNullable<VirtualCardReaderOptions['timing']>;
  readonly #onApdu: VirtualCardReaderOptions['onApdu'];
  readonly #listeners = new Set<(event: CardReaderEvent) => void>();
  #card: VirtualCard | null = null;
  #plugged = true;
  #open: OpenSession | null = null;
  #apduCount = 0;
  #owedMs = 0;

  constructor({ timing = instantTiming, onApdu }: VirtualCardReaderOptions = {}) {
    this.#timing = timing;
    this.#onApdu = onApdu;
  }

  pull(): void {
    if (this.#card === null) return;
    this.#card = null;
    this.#open?.kill();
    this.#open = null;
    if (this.#plugged) this.#tell({ type: 'card-removed' });
  }

  unplug(): void {
    if (!this.#plugged) return;
    this.#plugged = false;
    this.#open?.kill();
    this.#open = null;
    this.#tell({ type: 'reader-lost', failure: failure('reader.lost') });
  }

  plug(): void {
    if (this.#plugged) return;
    this.#plugged = true;
    this.#tell({ type: 'reader-found', reader: readerName });
    if (this.#card !== null) this.#lay(this.#card);
  }

  discharge(what: 'card' | 'mute' | 'bus'): void {
    if (what === 'bus') {
      this.unplug();
      return this.plug();
    }
    this.#open?.kill();
    this.#open = null;
    if (this.#card === null || !this.#plugged) return;
    this.#tell({ type: 'card-removed' });
    if (what === 'card') this.#lay(this.#card);
    else this.#tell({ type: 'card-unreadable', failure: failure('card.communication') });
  }

  get apduCount(): number {
    return this.#apduCount;
  }

  insert(inserted: VirtualCard): void {
    this.pull();
    this.#lay(inserted);
  }

  subscribe(listener: (event: CardReaderEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#plugged) listener({ type: 'reader-found', reader: readerName });
    else listener({ type: 'reader-lost', failure: failure('reader.lost') });
    if (this.#open !== null) listener({ type: 'card-inserted', session: this.#open.session });
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#open?.kill();
    this.#open = null;
  }

  #tell(event: CardReaderEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #openSession(inserted: VirtualCard): OpenSession {
    let alive = true;
    let turn: Promise<unknown> = Promise.resolve();
    const removed = err(failure('card.removed'));
    inserted.reset();

    const answer = async (command: Uint8Array) => {
      if (!alive) return removed;
      const index = this.#apduCount++;
      this.#onApdu?.({ phase: 'before', index, command });
      if (!alive) return removed;
      const beganMs = performance.now();
      const response = inserted.transmit(command);
      const deviceMs = answerTimeMs(this.#timing, command, response);
      this.#onApdu?.({ phase: 'after', index, command, deviceMs });
      if (deviceMs > 0) await this.#takeTime(deviceMs, beganMs);
      // A card pulled while it answered has acted all the same: a VERIFY counts, its answer is lost.
      return alive ? ok(response) : removed;
    };
    const kill = (): void => {
      if (alive) inserted.reset();
      alive = false;
    };
    const session: CardSession = {
      id: randomUUID(),
      atr: inserted.atr,
      transmit: (command) => {
        const answered = turn.then(() => answer(command));
        turn = answered;
        return answered;
      },
      end: async () => kill(),
    };
    return { session, kill };
  }

  /** What the virtual chip has worked counts; timers are whole milliseconds, and what one was early or late the next makes up. */
  async #takeTime(deviceMs: number, beganMs: number): Promise<void> {
    const untilMs = beganMs + deviceMs + this.#owedMs;
    const waitMs = Math.floor(untilMs - performance.now());
    if (waitMs >= 1) await delay(waitMs);
    this.#owedMs = Math.max(-mostMadeUpMs, Math.min(mostMadeUpMs, untilMs - performance.now()));
  }

  #lay(laid: VirtualCard): void {
    this.#card = laid;
    if (!this.#plugged) return;
    this.#open = this.#openSession(laid);
    this.#tell({ type: 'card-inserted', session: this.#open.session });
  }
}

export const createVirtualCardReader = (options: VirtualCardReaderOptions = {}): VirtualCardReader =>
  new SlotReader(options);
