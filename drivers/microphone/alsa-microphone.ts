import type { Microphone } from '../../src/ports/microphone.ts';
import { runProgram } from '../host/run-program.ts';
import { figures } from '../speaker/chimes.ts';

type AlsaMicrophoneOptions = {
  /** ALSA device, as `arecord -L` names it */
  readonly device: string;
  /** Program that writes raw samples (mono, signed 16 bit little endian, 22,050 Hz) to its standard output */
  readonly recorder?: readonly [string, ...string[]];
};

const sampleRate = 22_050;
/** The room alone, before the chime: what is louder than this is ours. ms */
const roomMs = 400;
/** A player opens its sound card within this. ms */
const playerMs = 2_000;
/** A program that has not begun to hear by then hears nothing. ms */
const beginMs = 2_000;
/** Goertzel windows; a tone of 220 ms fills at least three of them. ms */
const windowMs = 50;
/** A tone counts as heard where its power is so many times that of the room at the same pitch … */
const aboveRoom = 20;
/** … and so many times that of the two pitches beside it: a door that slams has them all. */
const aboveNeighbours = 5;
/** Of full scale, squared: below this a window holds rounding noise */
const floor = 1e-9;

/** Power of one pitch in a window, as a part of full scale squared (Goertzel). */
const powerAt = (samples: Int16Array, from: number, count: number, hertz: number): number => {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate);
  let [before, last] = [0, 0];
  for (let at = from; at < from + count; at += 1) {
    const next = (samples[at] ?? 0) / 0x8000 + turn * last - before;
    before = last;
    last = next;
  }
  return (before * before + last * last - turn * before * last) / (count * count);
};

/** Whether each tone sounds somewhere after `roomSamples`, louder than the room and than its neighbours. */
export const hearsTones = (samples: Int16Array, roomSamples: number, tones: readonly number[]): boolean => {
  const size = Math.round((sampleRate * windowMs) / 1_000);
  return tones.every((hertz) => {
    let room = floor;
    for (let from = 0; from + size <= roomSamples; from += size)
      room = Math.max(room, powerAt(samples, from, size, hertz));
    let windows = 0;
    for (let from = roomSamples; from + size <= samples.length; from += size) {
      const power = powerAt(samples, from, size, hertz);
      const beside = Math.max(
        powerAt(samples, from, size, hertz * 0.88),
        powerAt(samples, from, size, hertz * 1.12),
        floor,
      );
      if (power > room * aboveRoom && power > beside * aboveNeighbours) windows += 1;
    }
    return windows >= 2;
  });
};

/** Through `arecord`: opened for two or three seconds, and its samples overwritten as soon as they are measured. */
export const createAlsaMicrophone = ({ device, recorder }: AlsaMicrophoneOptions): Microphone => ({
  hears: async (chime, play, signal) => {
    const [program, ...args] = recorder ?? [
      'arecord',
      ...['-q', '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(sampleRate), '-D', device],
    ];
    const soundMs = figures[chime].reduce((sum, { ms }) => sum + ms, 0);
    const wanted = Math.round((sampleRate * (roomMs + playerMs + soundMs)) / 1_000);
    const roomSamples = Math.round((sampleRate * roomMs) / 1_000);
    const bytes = Buffer.alloc(2 * wanted);
    let length = 0;
    let isPlayed = false;
    const recording = runProgram(program, args, {
      limitMs: beginMs + roomMs + playerMs + soundMs,
      onOutput: (piece) => {
        length += piece.copy(bytes, length);
        piece.fill(0);
        if (signal?.aborted) return;
        if (!isPlayed && length >= 2 * roomSamples) {
          isPlayed = true;
          play();
        }
        if (length >= bytes.length) recording.stop();
      },
    });
    signal?.addEventListener('abort', recording.stop, { once: true });
    if (signal?.aborted) recording.stop();
    await recording.ended;
    signal?.removeEventListener('abort', recording.stop);
    const samples = new Int16Array(bytes.buffer, bytes.byteOffset, length >> 1);
    const tones = figures[chime].map(({ hertz }) => hertz).filter((hertz) => hertz > 0);
    // Without the room and the whole sound nothing can be said.
    const isEnough =
      !signal?.aborted && isPlayed && samples.length >= roomSamples + Math.round((sampleRate * soundMs) / 1_000);
    const heard = isEnough ? hearsTones(samples, roomSamples, [...new Set(tones)]) : null;
    bytes.fill(0);
    return heard;
  },
});
