import type { Speaker } from './speaker.ts';

/** Listens for moments, while nobody is served, and for one thing alone: whether the loudspeaker sounds. */
export interface Microphone {
  /**
   * Listens, calls `play` once it does, and says whether the chime was heard; null: it could not listen. What it heard is
   * measured in memory, overwritten, and never leaves the driver. `signal`: somebody has come; it listens no longer (null).
   */
  hears(chime: Parameters<Speaker['chime']>[0], play: () => void, signal?: AbortSignal): Promise<boolean | null>;
}
