import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { failure } from '../../src/core/failure.ts';
import { err, ok } from '../../src/core/result.ts';
import type { CardReader, CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';
import { answerTimeMs, type CardTiming, instantTiming } from './card-timing.ts';
import type { VirtualCard } from './virtual-card.ts';

/** A moment at which a test or a fault file may act: `index` counts APDUs since the reader was made, from 0. */
export type ApduMoment = { readonly phase: 'before' | 'after'; readonly index: number; readonly command: Uint8Array };

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

const readerName = 'Virtual reader';

export const createVirtualCardReader = ({
  timing = instantTiming,
  onApdu,
}: VirtualCardReaderOptions = {}): VirtualCardReader => {
  const listeners = new Set<(event: CardReaderEvent) => void>();
  let card: VirtualCard | null = null;
  let plugged = true;
  let open: OpenSession | null = null;
  let apduCount = 0;
  const tell = (event: CardReaderEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };

  const openSession = (inserted: VirtualCard): OpenSession => {
    let alive = true;
    let turn: Promise<unknown> = Promise.resolve();
    const removed = err(failure('card.removed'));
    inserted.reset();

    const answer = async (command: Uint8Array) => {
      if (!alive) return removed;
      const index = apduCount++;
      onApdu?.({ phase: 'before', index, command });
      if (!alive) return removed;
      const response = inserted.transmit(command);
      const waitMs = answerTimeMs(timing, command, response);
      onApdu?.({ phase: 'after', index, command });
      if (waitMs > 0) await delay(waitMs);
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
  };

  const lay = (laid: VirtualCard): void => {
    card = laid;
    if (!plugged) return;
    open = openSession(laid);
    tell({ type: 'card-inserted', session: open.session });
  };

  const pull = (): void => {
    if (card === null) return;
    card = null;
    open?.kill();
    open = null;
    if (plugged) tell({ type: 'card-removed' });
  };

  const unplug = (): void => {
    if (!plugged) return;
    plugged = false;
    open?.kill();
    open = null;
    tell({ type: 'reader-lost', failure: failure('reader.lost') });
  };
  const plug = (): void => {
    if (plugged) return;
    plugged = true;
    tell({ type: 'reader-found', reader: readerName });
    if (card !== null) lay(card);
  };

  return {
    discharge: (what) => {
      if (what === 'bus') {
        unplug();
        return plug();
      }
      open?.kill();
      open = null;
      if (card === null || !plugged) return;
      tell({ type: 'card-removed' });
      if (what === 'card') lay(card);
      else tell({ type: 'card-unreadable', failure: failure('card.communication') });
    },
    get apduCount() {
      return apduCount;
    },
    insert: (inserted) => {
      pull();
      lay(inserted);
    },
    pull,
    unplug,
    plug,
    subscribe: (listener) => {
      listeners.add(listener);
      if (plugged) listener({ type: 'reader-found', reader: readerName });
      else listener({ type: 'reader-lost', failure: failure('reader.lost') });
      if (open !== null) listener({ type: 'card-inserted', session: open.session });
      return () => void listeners.delete(listener);
    },
    close: async () => {
      listeners.clear();
      open?.kill();
      open = null;
    },
  };
};
