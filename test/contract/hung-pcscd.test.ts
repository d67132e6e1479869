import { expect, test } from 'vitest';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import type { CardReaderEvent } from '../../src/ports/card-reader.ts';

/** In a file, and so in a process, of its own: libpcsclite remembers the first pcscd that it was led to. */
const missing = pcscdMissing() ?? (await pcscliteMissing());
if (missing !== null) console.warn(`skipped: a pcscd that hangs: ${missing}`);

test.skipIf(missing !== null)(
  'a pcscd that hangs is named within 10 s, restarted, once, and its reader is found again',
  async () => {
    const bed = new PcscdBed();
    await bed.start();
    let orders = 0;
    let restarted: Promise<void> = Promise.resolve();
    const restart = (): void => {
      orders += 1;
      restarted = bed.kill().then(() => bed.start());
    };
    const reader = createPcscCardReader({ service: { socket: bed.socketPath, restart } });
    try {
      const events: CardReaderEvent[] = [];
      reader.subscribe((event) => events.push(event));
      const found = () => events.filter(({ type }) => type === 'reader-found').length;
      await until('the reader', () => found() === 1);
      process.kill(bed.pid, 'SIGSTOP');
      const stoppedMs = performance.now();
      // How much later than asked this process was woken: a machine that does much else.
      let [lateMs, lastMs] = [0, stoppedMs];
      const beat = setInterval(() => {
        lateMs += performance.now() - lastMs - 100;
        lastMs = performance.now();
      }, 100);
      const named = () =>
        events.some((event) => event.type === 'reader-lost' && event.failure.code === 'reader.service-hung');
      await until('its name', named);
      clearInterval(beat);
      const afterMs = performance.now() - stoppedMs - lateMs;
      await until('the reader again', () => found() === 2);
      expect(orders).toBe(1);
      expect(afterMs).toBeLessThan(10_000);
    } finally {
      await restarted;
      await reader.close();
      await bed.stop();
    }
  },
);
