import type { Speaker } from '../../src/ports/speaker.ts';
import { figures, type Tone } from './chimes.ts';
import { loudnessPercent } from './loudness.ts';
import { recordings } from './speech-voices.ts';

/** What the page is asked to sound like. `src`: a recording it can fetch; without one its browser's own voice is tried. */
type PageSound =
  | { readonly say: readonly { readonly language: string; readonly text: string; readonly src?: string }[] }
  | { readonly tones: readonly Tone[] }
  | { readonly silence: true };

/** Where the kiosk serves the recordings. */
export const speechPath = '/speech/';

/**
 * Voice and chimes by the browser that shows the screen: for the demo on any computer, and for a kiosk whose browser
 * owns the sound card. A browser plays nothing until it has been touched once, unless it was started with
 * `--autoplay-policy=no-user-gesture-required`.
 */
export const createPageSpeaker = (
  send: (sound: PageSound & { readonly volume: number }) => void,
  speechDir: string,
): Speaker => {
  const fileOf = recordings(speechDir);
  let volume = 50;
  let steps = 0;
  return {
    say: (utterances) =>
      send({
        say: utterances.map((utterance) => {
          const file = fileOf(utterance);
          const { language, text } = utterance;
          return file === undefined ? { language, text } : { language, text, src: `${speechPath}${file}` };
        }),
        volume: loudnessPercent(volume, steps),
      }),
    chime: (sound) => send({ tones: figures[sound], volume: loudnessPercent(volume, steps) }),
    silence: () => send({ silence: true, volume: loudnessPercent(volume, steps) }),
    setVolume: (percent) => {
      volume = percent;
    },
    setLoudness: (wanted) => {
      steps = wanted;
    },
    // A browser does not tell where its sound goes.
    onEarphone: () => {},
    close: async () => {},
  };
};
