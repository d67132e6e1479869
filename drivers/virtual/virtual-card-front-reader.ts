import { failure } from '../../src/core/failure.ts';
import { err, ok } from '../../src/core/result.ts';
import type { CardFrontReader } from '../../src/ports/card-front-reader.ts';
import { fromAscii } from '../../src/protocol/bytes.ts';

type VirtualCardFrontReader = CardFrontReader & {
  /** What is printed on the card that lies on the bed; null = nothing readable there. */
  show(printedNumberB: string | null): void;
};

/** Sees the printed number of whatever card a program laid on the bed. */
export const createVirtualCardFrontReader = (): VirtualCardFrontReader => {
  let printed: string | null = null;
  return {
    show: (number) => {
      printed = number;
    },
    readVerificationNumberB: async () =>
      printed === null ? err(failure('card.number-b-unreadable', 'no card under the camera')) : ok(fromAscii(printed)),
    close: async () => undefined,
  };
};
