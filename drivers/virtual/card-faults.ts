import { z } from 'zod';
import { fromHex } from '../../src/protocol/bytes.ts';
import type { VirtualCard } from './virtual-card.ts';

/** What goes wrong with a card, as data: a JSON list of these. `at` counts APDUs from 1, over the card's whole life. */
const faultSchema = z.discriminatedUnion('do', [
  /** The card is taken away when the APDU arrives; with `backAfterMs` it is laid down again. */
  z.strictObject({ at: z.int().min(1), do: z.literal('pull'), backAfterMs: z.int().min(0).optional() }),
  /** The card does not see the APDU; this is answered in its place, hexadecimal, status word included. */
  z.strictObject({
    at: z.int().min(1),
    do: z.literal('answer'),
    answer: z.string().regex(/^([0-9A-Fa-f]{2}){2,258}$/),
  }),
  /** The card acts, and its answer is cut to so many bytes. */
  z.strictObject({ at: z.int().min(1), do: z.literal('cut'), bytes: z.int().min(0).max(258) }),
]);
export type CardFault = z.infer<typeof faultSchema>;

/** Throws on a file that is none. */
export const parseCardFaults = (text: string): readonly CardFault[] => z.array(faultSchema).parse(JSON.parse(text));

/** The same card with its faults; `pull` is what takes a card off this bed. */
export const withFaults = (
  card: VirtualCard,
  faults: readonly CardFault[],
  pull: (backAfterMs: number | undefined) => void,
): VirtualCard => {
  let apdus = 0;
  return {
    id: card.id,
    atr: card.atr,
    reset: () => card.reset(),
    get verifyCount() {
      return card.verifyCount;
    },
    transmit: (command) => {
      apdus++;
      const fault = faults.find(({ at }) => at === apdus);
      switch (fault?.do) {
        case undefined:
          return card.transmit(command);
        case 'pull':
          pull(fault.backAfterMs);
          return card.transmit(command);
        case 'answer':
          return fromHex(fault.answer);
        case 'cut':
          return card.transmit(command).slice(0, fault.bytes);
      }
    },
  };
};
