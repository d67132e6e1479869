import { type SigningKey, sign } from '../../src/trust/seal.ts';
import { breathe } from './simulated-clock.ts';

/**
 * Simulated time stands still while real cryptography is at work: until nothing has been published for some turns. One
 * signature of our own stands behind those of the others each turn, so that a turn lasts as long as the machine is slow.
 */
export const quiet = async (
  signing: SigningKey,
  published: () => number,
  { turns, isBusy = () => false }: { readonly turns: number; readonly isBusy?: () => boolean },
): Promise<void> => {
  for (let still = 0, before = -1; still < turns; ) {
    await sign('state', {}, signing);
    await breathe();
    const now = published();
    still = !isBusy() && now === before ? still + 1 : 0;
    before = now;
  }
};
