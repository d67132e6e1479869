import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ScreenName } from '../../src/core/screen/screen-model.ts';
import { countAtSlot } from '../../src/terminal/doctor/slot-counts.ts';
import { openVisitBed } from '../beds/visit-bed.ts';
import { terminalOnPcscdMissing } from '../demonstration/terminal-on-pcscd.ts';
import { sparkAtPcscd } from './static-at-pcscd.ts';

/*
 * npm run static-at-slot -- [--times 500] [--pcscd 60] [--json]: a spark at each contact (card reset, mute card, bus reset in turn, at
 * the contact itself or some APDUs later); the patient takes the card and lays it down again. Stuck: a terminal that does
 * not read that card then, or is not idle after it. Simulated time; the counts are those the doctor shows. Then some at a
 * real pcscd (static-at-pcscd.ts), in real time.
 */

export const sparkAtSlot = async (times: number) => {
  const bed = await openVisitBed();
  const slot = countAtSlot(bed.reader, bed.clock);
  const kinds = ['card', 'mute', 'bus'] as const;
  let stuck = 0;
  /** At once, or within three minutes of the terminal's time. */
  const see = async (...names: readonly ScreenName[]): Promise<void> => {
    const isThere = (): boolean => names.some((name) => name === bed.screen.shown.at(-1)?.screen);
    for (let looks = 0; looks < 2_000 && !isThere(); looks += 1)
      await (looks < 500 ? new Promise((resolve) => setImmediate(resolve)) : delay(2));
    for (let seconds = 0; seconds < 180 && !isThere(); seconds += 1) await bed.pass(1_000);
    if (!isThere()) throw new Error(`${names.join(' or ')} is not seen, still ${bed.screen.shown.at(-1)?.screen}`);
  };
  const takeCard = async (): Promise<void> => {
    bed.reader.pull();
    // Thanks take seconds; a card pulled early is waited for, and told of, for half a minute.
    for (const ms of [10_000, 20_000]) if (bed.screen.now.screen !== 'idle') await bed.pass(ms);
    await see('idle');
  };
  try {
    for (let index = 0; index < times; index += 1) {
      const kind = kinds[index % kinds.length] ?? 'card';
      await bed.insert('hanako');
      // At the contact itself, or while the card is being read.
      for (let turns = index % 7; turns > 0; turns -= 1) await bed.clock.advance(1);
      bed.reader.discharge(kind);
      await bed.pass(500);
      try {
        await takeCard();
        await bed.insert('hanako');
        await see('choose-method', 'face');
        await takeCard();
      } catch (error) {
        stuck += 1;
        process.stderr.write(`${index} ${kind}: ${(error as Error).message}\n`);
        bed.reader.pull();
        await bed.pass(120_000);
      }
    }
    return { profile: 'virtual reader', discharges: times, stuck, counted: slot.counts() };
  } finally {
    slot.stop();
    await bed.close();
  }
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean' },
      times: { type: 'string', default: '500' },
      pcscd: { type: 'string', default: '60' },
    },
  });
  const figures = await sparkAtSlot(Number(values.times));
  const missing = Number(values.pcscd) > 0 ? await terminalOnPcscdMissing() : 'not asked for';
  if (missing !== null) process.stderr.write(`skipped: sparks at a real pcscd: ${missing}\n`);
  const pcscd = missing === null ? await sparkAtPcscd(Number(values.pcscd)) : null;
  process.stdout.write(`${JSON.stringify({ ...figures, ...(pcscd !== null && { pcscd }) })}\n`);
  const isGood = ({ discharges, stuck, counted }: Pick<typeof figures, 'discharges' | 'stuck' | 'counted'>): boolean =>
    stuck === 0 && counted.cardResets + counted.muteCards + counted.busResets >= discharges;
  process.exit(isGood(figures) && (pcscd === null || isGood(pcscd)) ? 0 : 1);
}
