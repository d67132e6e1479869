import type { Saying, Speaker, Utterance } from '../../src/ports/speaker.ts';

/** An ear instead of a loudspeaker: keeps what was said, for tests and for the demo's control panel. */
export interface VirtualSpeaker extends Speaker {
  readonly said: readonly (readonly Utterance[])[];
  readonly chimes: readonly Parameters<Speaker['chime']>[0][];
  /** The last thing said, as one text */
  readonly last: string;
  /** Everything said, a line for each utterance */
  readonly all: string;
  /** The patient's steps from the terminal's volume */
  readonly loudness: number;
  /** An earphone is put in, or taken out. */
  earphone(inserted: boolean): void;
}

/**
 * `timed`: calls back when so many utterances have been heard, by the clock of a story; without it everything has been
 * heard at once.
 */
export const createVirtualSpeaker = (
  timed: (utterances: readonly Utterance[], saying: Saying) => void = (_utterances, { ended }) => ended?.(),
  silence: () => void = () => {},
): VirtualSpeaker => {
  const said: (readonly Utterance[])[] = [];
  const chimes: Parameters<Speaker['chime']>[0][] = [];
  let loudness = 0;
  let tellEarphone: (inserted: boolean) => void = () => {};
  return {
    said,
    chimes,
    get last() {
      return (said.at(-1) ?? []).map(({ text }) => text).join(' ');
    },
    get all() {
      return said.flatMap((words) => words.map(({ text }) => text)).join('\n');
    },
    say: (utterances, saying = {}) => {
      said.push(utterances);
      timed(utterances, saying);
    },
    chime: (sound) => {
      chimes.push(sound);
    },
    silence,
    speaks: () => true,
    setVolume: () => {},
    get loudness() {
      return loudness;
    },
    setLoudness: (steps) => {
      loudness = steps;
    },
    onEarphone: (listener) => {
      tellEarphone = listener;
    },
    earphone: (inserted) => tellEarphone(inserted),
    close: async () => {},
  };
};
