import { ok } from '../../src/core/result.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import type { SmartphoneReader } from '../../src/ports/smartphone-reader.ts';
import type { VirtualCard } from './virtual-card.ts';
import { createVirtualCardReader } from './virtual-card-reader.ts';

type VirtualSmartphoneReader = SmartphoneReader & {
  /** Holds a phone (or whatever somebody takes for one) to it. */
  hold(phone: VirtualCard): void;
  takeAway(): void;
  /** Somebody is asked to hold a phone to it now. */
  readonly awaits: boolean;
};

/** A 汎用カードリーダー to which a program holds phones. One that is already there when it is asked for is met anew. */
export const createVirtualSmartphoneReader = (
  options: Parameters<typeof createVirtualCardReader>[0] = {},
): VirtualSmartphoneReader => {
  const slot = createVirtualCardReader(options);
  let held: VirtualCard | null = null;
  let meet: ((phone: CardSession) => void) | null = null;
  slot.subscribe((event) => {
    if (event.type !== 'card-inserted') return;
    meet?.(event.session);
    meet = null;
  });
  return {
    hold: (phone) => {
      held = phone;
      slot.insert(phone);
    },
    takeAway: () => {
      held = null;
      slot.pull();
    },
    get awaits() {
      return meet !== null;
    },
    present: (_kind, signal) =>
      new Promise((resolve) => {
        const own = (phone: CardSession): void => resolve(ok(phone));
        meet = own;
        signal.addEventListener('abort', () => {
          if (meet === own) meet = null;
        });
        if (held !== null) slot.insert(held);
      }),
  };
};
