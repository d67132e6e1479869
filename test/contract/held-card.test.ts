import { expect, test } from 'vitest';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { testCard } from '../../scripts/beds/test-cards.ts';
import type { CardReaderEvent, CardSession } from '../../src/ports/card-reader.ts';

/** In a file, and so in a process, of its own: libpcsclite remembers the first pcscd that it was led to. */
const missing = pcscdMissing() ?? (await pcscliteMissing());
if (missing !== null) console.warn(`skipped: a card that another program holds: ${missing}`);

test.skipIf(missing !== null)(
  'a card that another program holds is told once, and read as soon as that lets go of it, without being laid down again',
  async () => {
    const bed = new PcscdBed();
    await bed.start();
    const other = createPcscCardReader();
    const readers = [other];
    try {
      const held = new Promise<CardSession>((resolve) => {
        other.subscribe((event) => event.type === 'card-inserted' && resolve(event.session));
      });
      await bed.insert((await testCard('hanako')).card);
      const theirs = await held;
      // By its name: of a reader with several slots a card that was there before us would be passed over.
      const ours = createPcscCardReader({ reader: 'Virtual PCD 00 00' });
      readers.push(ours);
      const events: CardReaderEvent[] = [];
      ours.subscribe((event) => events.push(event));
      const of = (type: CardReaderEvent['type']) => events.filter((event) => event.type === type);
      await until('told', () => of('card-unreadable').length > 0);
      expect(of('card-unreadable')).toMatchObject([{ failure: { detail: 'another program holds the card' } }]);
      expect(of('card-inserted')).toEqual([]);
      await theirs.end();
      await until('read', () => of('card-inserted').length > 0);
      expect(of('card-removed').length + of('card-unreadable').length).toBe(1);
    } finally {
      for (const reader of readers) await reader.close();
      await bed.stop();
    }
  },
);
