import { expect, test } from 'vitest';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { openPcscdBench, openVirtualBench } from '../../scripts/beds/card-reader-benches.ts';
import { pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import type { CardReaderEvent } from '../../src/ports/card-reader.ts';
import { describeCardReader } from './card-reader.ts';

describeCardReader('virtual', openVirtualBench, null);
describeCardReader('pcscd with vpcd', openPcscdBench, pcscdMissing() ?? (await pcscliteMissing()));

test('without the compiled binding there is one clear failure, for a technician', async () => {
  const reader = createPcscCardReader({
    load: () => {
      throw new Error('did not self-register');
    },
  });
  const events: CardReaderEvent[] = [];
  reader.subscribe((event) => events.push(event));
  expect(events).toMatchObject([
    { type: 'reader-lost', failure: { code: 'reader.driver-missing', actor: 'technician' } },
  ]);
  await reader.close();
});
