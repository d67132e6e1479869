import { failure } from '../../src/core/failure.ts';
import type { LightPattern } from '../../src/core/visit/light-of.ts';
import type { Beep, StatusLight, StatusLightEvent } from '../../src/ports/status-light.ts';

/** A light that a test or the demo's control panel looks at. */
interface VirtualStatusLight extends StatusLight {
  readonly shown: LightPattern;
  /** Somebody steps before the terminal, or away. */
  setPresence(near: boolean): void;
  unplug(): void;
  plug(): void;
}

/** `onShow` hears each pattern once it shines, and with a beep the pattern that shines meanwhile. */
export const createVirtualStatusLight = (
  onShow: (pattern: LightPattern, beep?: Beep) => void = () => {},
): VirtualStatusLight => {
  const listeners = new Set<(event: StatusLightEvent) => void>();
  let wanted: LightPattern = 'off';
  let plugged = true;
  const tell = (event: StatusLightEvent): void => {
    for (const listener of listeners) listener(event);
  };
  return {
    get shown() {
      return plugged ? wanted : 'off';
    },
    show: (pattern) => {
      wanted = pattern;
      if (plugged) onShow(pattern);
    },
    beep: (beep) => {
      if (plugged) onShow(wanted, beep);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      listener(plugged ? { type: 'found' } : { type: 'lost', failure: failure('light.lost') });
      return () => listeners.delete(listener);
    },
    setPresence: (near) => {
      if (plugged) tell({ type: 'presence', near });
    },
    unplug: () => {
      if (!plugged) return;
      plugged = false;
      tell({ type: 'lost', failure: failure('light.lost') });
    },
    plug: () => {
      if (plugged) return;
      plugged = true;
      tell({ type: 'found' });
      // A light that comes back shows at once what holds now.
      onShow(wanted);
    },
    close: async () => listeners.clear(),
  };
};
