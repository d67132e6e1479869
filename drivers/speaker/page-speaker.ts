import type { Speaker, Utterance } from '../../src/ports/speaker.ts';
import { figures, type Tone } from './chimes.ts';
import { loudnessPercent } from './loudness.ts';
import { recordings } from './speech-voices.ts';

/** What the page is asked to sound like. `src`: a recording it can fetch; without one its browser's own voice is tried. */
type PageSound =
  | {
      readonly say: readonly { readonly language: string; readonly text: string; readonly src?: string }[];
      /** The sentence in progress is heard to its end first */
      readonly after: boolean;
      /** Told back when all of it has been heard */
      readonly id: number;
    }
  | { readonly tones: readonly Tone[] }
  | { readonly silence: true };

/** Slower than any voice says a sentence: a page that has not told by then plays nothing. ms */
const longestMs = (utterances: readonly Utterance[]): number =>
  utterances.reduce((sum, { text }) => sum + 1_500 + 300 * text.length, 0);

/** Where the kiosk serves the recordings. */
export const speechPath = '/speech/';

/** `heard`: a page has said all of that; `away`: there is no page any more. */
type PageSpeaker = Speaker & { heard(id: number): void; away(): void };

/**
 * Voice and chimes by the browser that shows the screen: for the demo on any computer, and for a kiosk whose browser
 * owns the sound card. A browser plays nothing until it has been touched once, unless it was started with
 * `--autoplay-policy=no-user-gesture-required`.
 */
export const createPageSpeaker = (
  /** false: there is no page to send it to */
  send: (sound: PageSound & { readonly volume: number }) => boolean,
  speechDir: string,
): PageSpeaker => {
  const fileOf = recordings(speechDir);
  let volume = 50;
  let steps = 0;
  let lastId = 0;
  let ended: (() => void) | undefined;
  let limit: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(limit);
    const tell = ended;
    ended = undefined;
    tell?.();
  };
  return {
    say: (utterances, saying = {}) => {
      end();
      lastId += 1;
      ended = saying.ended;
      const sent = send({
        id: lastId,
        after: saying.when !== 'now',
        say: utterances.map((utterance) => {
          const file = fileOf(utterance);
          const { language, text } = utterance;
          return file === undefined ? { language, text } : { language, text, src: `${speechPath}${file}` };
        }),
        volume: loudnessPercent(volume, steps),
      });
      if (sent) limit = setTimeout(end, longestMs(utterances)).unref();
      else end();
    },
    heard: (id) => {
      if (id === lastId) end();
    },
    away: end,
    // What a browser's own voices can say is not known here.
    speaks: () => true,
    chime: (sound) => void send({ tones: figures[sound], volume: loudnessPercent(volume, steps) }),
    silence: () => {
      send({ silence: true, volume: loudnessPercent(volume, steps) });
      end();
    },
    setVolume: (percent) => {
      volume = percent;
    },
    setLoudness: (wanted) => {
      steps = wanted;
    },
    // A browser does not tell where its sound goes.
    onEarphone: () => {},
    close: async () => end(),
  };
};
