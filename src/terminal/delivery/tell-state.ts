import type { StateMessage } from '../../wire/messages.ts';
import { topicOf } from '../../wire/topics.ts';

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** What the broker tells, retained, when the terminal vanishes: for the bus driver's `will`. */
export const lastWill = (
  facility: string,
  state: Omit<StateMessage, 'status' | 'phase' | 'session' | 'failureCode'>,
): { readonly topic: string; readonly payload: Uint8Array } => ({
  topic: topicOf(facility, state.device, 'state'),
  payload: encode({ ...state, status: 'offline' }),
});

/** What the terminal says of itself: the newest, told again after each reconnect. */
export const createStateTeller = (publish: (payload: Uint8Array) => void) => {
  let connected = false;
  let state: StateMessage | null = null;
  const tellNow = (): void => {
    if (state !== null && connected) publish(encode(state));
  };
  return {
    tell: (next: StateMessage): void => {
      state = next;
      tellNow();
    },
    setConnected: (isConnected: boolean): void => {
      connected = isConnected;
      tellNow();
    },
  };
};
