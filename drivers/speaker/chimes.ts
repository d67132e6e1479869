import type { Speaker } from '../../src/ports/speaker.ts';
import { sampleRate } from './speech-voices.ts';

export type Tone = { readonly hertz: number; readonly ms: number };

/** Short figures of sine tones. Every key of the PIN pad has the one same sound. */
export const figures: Readonly<Record<Parameters<Speaker['chime']>[0], readonly Tone[]>> = {
  contact: [{ hertz: 988, ms: 90 }],
  accepted: [
    { hertz: 659, ms: 220 },
    { hertz: 0, ms: 40 },
    { hertz: 880, ms: 420 },
  ],
  attention: [
    { hertz: 523, ms: 160 },
    { hertz: 0, ms: 90 },
    { hertz: 523, ms: 160 },
  ],
  key: [{ hertz: 1_047, ms: 30 }],
};

const peak = 0.5 * 0x7fff;
/** Rise and fall, so that no tone clicks. ms */
const edgeMs = 8;

/** The samples of a chime: mono, signed 16 bit little endian. */
export const chimeSamples = (sound: Parameters<Speaker['chime']>[0]): Uint8Array => {
  const samples = figures[sound].flatMap(({ hertz, ms }) => {
    const count = Math.round((sampleRate * ms) / 1_000);
    const edge = (sampleRate * edgeMs) / 1_000;
    return Array.from({ length: count }, (_, index) => {
      const loudness = Math.min(1, index / edge, (count - index) / edge);
      return Math.round(peak * loudness * Math.sin((2 * Math.PI * hertz * index) / sampleRate));
    });
  });
  return new Uint8Array(Int16Array.from(samples).buffer);
};
