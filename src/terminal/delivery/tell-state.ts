import type { StateMessage } from '../../wire/messages.ts';
import { topicOf } from '../../wire/topics.ts';
import { inWordsOf } from '../../wire/translate.ts';
import { bothSpeak, sayWire } from '../../wire/versions.ts';

const encoder = new TextEncoder();
const encode = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** What the broker tells, retained, when the terminal vanishes: for the bus driver's `will`. */
export const lastWill = (
  facility: string,
  state: Omit<StateMessage, 'status' | 'phase' | 'session' | 'code'>,
): { readonly topic: string; readonly payload: Uint8Array } => ({
  topic: topicOf(facility, state.device, 'state'),
  payload: encode({ ...state, version: sayWire(state.version), status: 'offline' }),
});

/** What is true besides the session, and told with it to agents that understand it. */
type Besides = Pick<
  StateMessage,
  'settingsVersion' | 'lastAccepted' | 'late' | 'certificateWarning' | 'about' | 'figures' | 'update'
>;

/**
 * What the terminal says of itself: the newest, told again after each reconnect. Retained for every agent of the facility,
 * so in the words of the oldest of those that were heard; before any was heard, of version 1.
 */
export const createStateTeller = (publish: (payload: Uint8Array) => void, besides: () => Besides) => {
  const wires = new Map<string, number>();
  let connected = false;
  let state: StateMessage | null = null;
  const wire = (): number => (wires.size === 0 ? bothSpeak(undefined) : Math.min(...wires.values()));
  /** false: there is nothing to tell yet, or nobody to tell it to */
  const tellNow = (): boolean => {
    if (state === null || !connected) return false;
    publish(encode(inWordsOf(wire(), 'state', { ...state, ...besides(), version: sayWire(state.version) })));
    return true;
  };
  return {
    tell: (next: StateMessage): void => {
      state = next;
      tellNow();
    },
    tellNow,
    /** The oldest wire of the agents that were heard; before any was, the oldest there is */
    wire,
    /** `said`: the newest wire that this agent says it speaks */
    heard: (agent: string, said: number | undefined): void => {
      const before = wire();
      wires.set(agent, bothSpeak(said));
      if (wire() !== before) tellNow();
    },
    setConnected: (isConnected: boolean): void => {
      connected = isConnected;
      tellNow();
    },
  };
};
export type StateTeller = ReturnType<typeof createStateTeller>;
