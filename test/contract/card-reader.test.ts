import { createPcscCardReader } from '../../drivers/pcsc-card-reader.ts';
import type { ApduMoment } from '../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../support/pcscd-bed.ts';
import { describeCardReader } from './card-reader.ts';

describeCardReader(
  'virtual',
  async () => {
    let watch: ((moment: ApduMoment) => void) | undefined;
    const reader = createVirtualCardReader({ onApdu: (moment) => watch?.(moment) });
    return {
      reader,
      insert: async (card, onApdu) => {
        watch = onApdu;
        reader.insert(card);
      },
      pull: async () => reader.pull(),
      lose: async () => reader.unplug(),
      recover: async () => reader.plug(),
      close: () => reader.close(),
    };
  },
  null,
);

describeCardReader(
  'pcscd with vpcd',
  async () => {
    const bed = new PcscdBed();
    await bed.start();
    const reader = createPcscCardReader();
    return {
      reader,
      insert: (card, onApdu) => bed.insert(card, onApdu === undefined ? {} : { onApdu }),
      pull: () => bed.pull(),
      lose: () => bed.kill(),
      recover: () => bed.start(),
      close: async () => {
        await reader.close();
        await bed.stop();
      },
    };
  },
  pcscdMissing() ?? (await pcscliteMissing()),
);
