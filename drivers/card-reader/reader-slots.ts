import type { CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';

/** One slot of a reader, as the system lists it: contacts, antenna, or a second device. */
export type Slot = {
  readonly name: string;
  /** The connection to the card that lies there */
  readonly session: CardSession | null;
  /** Its card was there when the slot was found, and has not been taken since */
  readonly wasFoundWithCard: boolean;
  close(): Promise<void>;
};

/**
 * A reader with contacts and an antenna is two slots, and nobody knows beforehand on which a patient lays the card: all are
 * watched, and the one where a card comes is the reader of that visit. A card in another slot waits until the first is
 * taken. What never answers in one of several slots (a security module, a forgotten card) is passed over.
 */
export class ReaderSlots {
  readonly #tell: (event: CardReaderEvent) => void;
  readonly #slots = new Map<string, Slot>();
  #ofVisit: Slot | null = null;
  /** What lies in other slots and cannot be read, while a visit is on */
  readonly #unreadable = new Map<Slot, CardReaderEvent>();

  constructor(tell: (event: CardReaderEvent) => void) {
    this.#tell = tell;
  }

  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  /** All of them: whoever set up the terminal sees that there are several, and may name one. */
  get name(): string {
    return this.names.join(' + ');
  }

  get names(): readonly string[] {
    return [...this.#slots.keys()];
  }

  get session(): CardSession | null {
    return this.#ofVisit?.session ?? null;
  }

  /** A former slot of that name is closed. */
  add(slot: Slot): void {
    const former = this.#slots.get(slot.name);
    if (former !== undefined) this.remove(former);
    this.#slots.set(slot.name, slot);
    if (this.#slots.size === 1) this.#tell({ type: 'reader-found', reader: this.name });
  }

  /** `hadVisit`: the card of the visit lay there. null: another slot has its name by now. */
  remove(slot: Slot): { readonly hadVisit: boolean } | null {
    if (this.#slots.get(slot.name) !== slot) return null;
    const hadVisit = this.#ofVisit === slot;
    this.#slots.delete(slot.name);
    this.#unreadable.delete(slot);
    if (hadVisit) this.#ofVisit = null;
    void slot.close();
    return { hadVisit };
  }

  async removeAll(): Promise<void> {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    this.#unreadable.clear();
    this.#ofVisit = null;
    for (const slot of slots) await slot.close();
  }

  /** What happened at `slot`. */
  hear(slot: Slot, event: CardReaderEvent): void {
    if (this.#slots.get(slot.name) !== slot) return;
    if (event.type === 'card-unreadable' && slot.wasFoundWithCard && this.#slots.size > 1) return;
    if (event.type === 'card-removed') this.#unreadable.delete(slot);
    if (this.#ofVisit !== null && this.#ofVisit !== slot) {
      if (event.type === 'card-unreadable') this.#unreadable.set(slot, event);
      return;
    }
    if (event.type === 'card-inserted' || event.type === 'card-unreadable') this.#ofVisit = slot;
    if (event.type === 'card-removed') this.#ofVisit = null;
    this.#tell(event);
    if (event.type === 'card-removed') this.turnToWaiting();
  }

  /** A card that has been lying in another slot is the next one. */
  turnToWaiting(): void {
    const next = [...this.#slots.values()].find(({ session }) => session !== null);
    if (next !== undefined && next.session !== null) {
      this.#ofVisit = next;
      return this.#tell({ type: 'card-inserted', session: next.session });
    }
    const [unreadable] = this.#unreadable;
    if (unreadable === undefined) return;
    const [slot, event] = unreadable;
    this.#unreadable.delete(slot);
    this.#ofVisit = slot;
    this.#tell(event);
  }
}
