import { setTimeout as delay } from 'node:timers/promises';
import { askHealth } from '../../drivers/host/health-socket.ts';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { screenNames } from '../../src/core/screen/screen-model.ts';
import { slotCountsSchema } from '../../src/terminal/doctor/slot-counts.ts';
import { testCard } from '../beds/test-cards.ts';
import { TerminalOnPcscd } from '../demonstration/terminal-on-pcscd.ts';

/** The card has been read: by PIN alone where no camera looks at it. */
const read = ['choose-method', 'pin'] as const;
const elsewhere = screenNames.filter((name) => !read.some((one) => one === name));

/** What answers to reset is noise: pcscd sees a card and gets no word out of it. */
const mute: VirtualCard = {
  id: 'mute',
  atr: Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  transmit: () => new Uint8Array(),
  reset: () => {},
  verifyCount: 0,
};

const countsOf = async (parts: TerminalOnPcscd) => {
  const told = await askHealth(parts.healthSocket, 5_000);
  const { slot } = JSON.parse(told ?? '{}') as { slot?: unknown };
  return slotCountsSchema.parse(slot);
};

const totalOf = async (parts: TerminalOnPcscd): Promise<number> =>
  Object.values(await countsOf(parts)).reduce((sum, count) => sum + count, 0);

/**
 * The same at `uketsuke run` with a real pcscd: a chip that loses its power in the middle of an APDU, a card that gives no
 * answer to reset, a pcscd that is gone and back. The patient takes the card and lays it down again: the terminal must
 * read it. Counts as the doctor reads them, by the health socket.
 */
export const sparkAtPcscd = async (times: number) => {
  const parts = new TerminalOnPcscd();
  const kinds = ['card', 'mute', 'bus'] as const;
  const made = { card: 0, mute: 0, bus: 0 };
  let stuck = 0;
  try {
    await parts.start();
    const { slot, patient } = parts;
    await patient.see('idle');
    const { card } = await testCard('hanako', Date.now());
    const spark = async (kind: (typeof kinds)[number], after: number): Promise<void> => {
      made[kind] += 1;
      if (kind === 'mute') return slot.insert(mute);
      if (kind === 'bus') {
        await slot.insert(card);
        await slot.kill();
        return slot.start();
      }
      await new Promise<void>((resolve, reject) => {
        const onApdu = ({ phase, index }: { phase: string; index: number }): void => {
          if (phase === 'before' && index === after) slot.interrupt(card).then(resolve, reject);
        };
        slot.insert(card, { onApdu }).catch(reject);
      });
    };
    for (let index = 0; index < times; index += 1) {
      const kind = kinds[index % kinds.length] ?? 'card';
      try {
        const before = await totalOf(parts);
        await spark(kind, index % 5);
        // A hand does not take the card away at once; whether it was counted is told at the end.
        for (let looks = 0; looks < 60 && (await totalOf(parts)) === before; looks += 1) await delay(50);
        await slot.pull();
        await patient.see(...elsewhere);
        await slot.insert(card);
        await patient.see(...read);
      } catch (error) {
        stuck += 1;
        process.stderr.write(`${index} ${kind}: ${(error as Error).message}\n`);
      }
      await slot.pull();
      await patient.see(...elsewhere);
    }
    return { discharges: times, made, stuck, counted: await countsOf(parts) };
  } finally {
    await parts.close();
  }
};
