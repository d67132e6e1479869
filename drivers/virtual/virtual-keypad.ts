import { failure } from '../../src/core/failure.ts';
import type { Keypad, KeypadEvent, KeypadMove, PinKey } from '../../src/ports/keypad.ts';

/** A keypad whose keys a test or the demo's control panel presses. */
interface VirtualKeypad extends Keypad {
  /** One key; nothing happens while the keypad is unplugged. */
  press(key: PinKey): void;
  /** One of the four keys of a device without digits. */
  move(move: KeypadMove): void;
  unplug(): void;
  plug(): void;
}

export const createVirtualKeypad = (keys: Keypad['keys'] = 'digits'): VirtualKeypad => {
  const listeners = new Set<(event: KeypadEvent) => void>();
  let plugged = true;
  const tell = (event: KeypadEvent): void => {
    for (const listener of listeners) listener(event);
  };
  return {
    keys,
    subscribe: (listener) => {
      listeners.add(listener);
      listener(plugged ? { type: 'found' } : { type: 'lost', failure: failure('keypad.lost') });
      return () => listeners.delete(listener);
    },
    press: (key) => {
      if (plugged) tell({ type: 'key', key });
    },
    move: (move) => {
      if (plugged) tell({ type: 'move', move });
    },
    unplug: () => {
      if (!plugged) return;
      plugged = false;
      tell({ type: 'lost', failure: failure('keypad.lost') });
    },
    plug: () => {
      if (plugged) return;
      plugged = true;
      tell({ type: 'found' });
    },
    close: async () => listeners.clear(),
  };
};
