import { expect, test } from 'vitest';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { ReaderSlots, type Slot } from '../../drivers/card-reader/reader-slots.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { testCard } from '../../scripts/beds/test-cards.ts';
import { failure } from '../../src/core/failure.ts';
import type { CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';

/** In a file, and so in a process, of its own: libpcsclite remembers the first pcscd that it was led to. */
const missing = pcscdMissing() ?? (await pcscliteMissing());
if (missing !== null) console.warn(`skipped: a reader with two slots at a real pcscd: ${missing}`);

const told: CardReaderEvent[] = [];
const slot = (name: string, more: Partial<Slot> = {}) => ({
  ...{ name, session: null as CardSession | null, wasFoundWithCard: false, closed: 0 },
  ...more,
  close() {
    this.closed += 1;
    return Promise.resolve();
  },
});
const session = (id: string) => ({ id }) as unknown as CardSession;
const slots = (...of: Slot[]): ReaderSlots => {
  told.length = 0;
  const all = new ReaderSlots((event) => told.push(event));
  for (const each of of) all.add(each);
  return all;
};

test('what never answers in one of several slots is passed over; in the only one it is told', () => {
  const unreadable: CardReaderEvent = { type: 'card-unreadable', failure: failure('card.unreadable') };
  const module = slot('Reader SAM 0', { wasFoundWithCard: true });
  const both = slots(module, slot('Reader PICC 0'));
  both.hear(module, unreadable);
  expect(told).toEqual([{ type: 'reader-found', reader: 'Reader SAM 0' }]);
  expect(both.name).toBe('Reader SAM 0 + Reader PICC 0');
  slots(module).hear(module, unreadable);
  expect(told.at(-1)).toBe(unreadable);
});

test('a card that is laid down upside down is told whatever other slots there are', () => {
  const antenna = slot('Reader PICC 0');
  slots(slot('Reader ICC 0'), antenna).hear(antenna, { type: 'card-unreadable', failure: failure('card.unreadable') });
  expect(told.at(-1)).toMatchObject({ type: 'card-unreadable' });
});

test('one visit at a time: a card in another slot waits until the first is taken, and its events are not the first one’s', () => {
  const [contacts, antenna] = [slot('Reader ICC 0'), slot('Reader PICC 0')];
  const both = slots(contacts, antenna);
  contacts.session = session('first');
  both.hear(contacts, { type: 'card-inserted', session: contacts.session });
  antenna.session = session('second');
  both.hear(antenna, { type: 'card-inserted', session: antenna.session });
  both.hear(antenna, { type: 'card-faltered' });
  expect(told.slice(1)).toEqual([{ type: 'card-inserted', session: { id: 'first' } }]);
  contacts.session = null;
  both.hear(contacts, { type: 'card-removed' });
  expect(told.slice(2)).toEqual([{ type: 'card-removed' }, { type: 'card-inserted', session: { id: 'second' } }]);
});

test('a slot that goes takes its visit with it, and no other', async () => {
  const [contacts, antenna] = [slot('Reader ICC 0'), slot('Reader PICC 0')];
  const both = slots(contacts, antenna);
  contacts.session = session('first');
  both.hear(contacts, { type: 'card-inserted', session: contacts.session });
  expect(both.remove(antenna)).toEqual({ hadVisit: false });
  expect(both.session).toEqual({ id: 'first' });
  expect(both.remove(contacts)).toEqual({ hadVisit: true });
  both.hear(contacts, { type: 'card-removed' });
  expect([both.session, both.isEmpty, told.length, contacts.closed, antenna.closed]).toEqual([null, true, 2, 1, 1]);
});

test('a late end of a slot takes nothing from the new one of its name', () => {
  const [former, fresh] = [slot('Reader PICC 0'), slot('Reader PICC 0')];
  const both = slots(former);
  both.add(fresh);
  expect([former.closed, both.remove(former), both.isEmpty, fresh.closed]).toEqual([1, null, false, 0]);
});

test('a card that cannot be read, waiting in another slot, is told when the first card is taken', () => {
  const [contacts, antenna] = [slot('Reader ICC 0'), slot('Reader PICC 0')];
  const both = slots(contacts, antenna);
  contacts.session = session('first');
  both.hear(contacts, { type: 'card-inserted', session: contacts.session });
  both.hear(antenna, { type: 'card-unreadable', failure: failure('card.unreadable') });
  expect(told.at(-1)?.type).toBe('card-inserted');
  contacts.session = null;
  both.hear(contacts, { type: 'card-removed' });
  expect(told.slice(-2).map(({ type }) => type)).toEqual(['card-removed', 'card-unreadable']);
  both.hear(antenna, { type: 'card-removed' });
  expect(told.at(-1)?.type).toBe('card-removed');
});

test.skipIf(missing !== null)(
  'a real reader with two slots and no name: the card is read wherever it is laid',
  async () => {
    const bed = new PcscdBed();
    await bed.start();
    const reader = createPcscCardReader();
    const events: CardReaderEvent[] = [];
    reader.subscribe((event) => events.push(event));
    const of = (type: CardReaderEvent['type']) => events.filter((event) => event.type === type).length;
    try {
      const { card } = await testCard('hanako');
      await until('the reader', () => of('reader-found') > 0);
      await bed.insert(card);
      await until('read in the first', () => of('card-inserted') === 1);
      await bed.pull();
      await until('taken', () => of('card-removed') === 1);
      await bed.insertSecond(card);
      await until('read in the second', () => of('card-inserted') === 2);
      await bed.pullSecond();
      await until('taken again', () => of('card-removed') === 2);
    } finally {
      await reader.close();
      await bed.stop();
    }
  },
);
