import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { type ApduMoment, createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import type { CardReader } from '../../src/ports/card-reader.ts';
import { PcscdBed } from './pcscd-bed.ts';

/** A card-reader driver and the hands that lay cards on its bed. */
export type CardReaderBench = {
  readonly reader: CardReader;
  insert(card: VirtualCard, onApdu?: (moment: ApduMoment) => void): Promise<void>;
  pull(): Promise<void>;
  /** The reader vanishes and comes back: its plug, or the service behind it. */
  lose(): Promise<void>;
  recover(): Promise<void>;
  close(): Promise<void>;
};

export const openVirtualBench = async (): Promise<CardReaderBench> => {
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
};

export const openPcscdBench = async (): Promise<CardReaderBench> => {
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
};
