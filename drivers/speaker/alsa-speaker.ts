import { setTimeout as wait } from 'node:timers/promises';
import type { Saying, Speaker, Utterance } from '../../src/ports/speaker.ts';
import { type RunningProgram, runProgram } from '../host/run-program.ts';
import { watchEarphoneJack } from './alsa-earphone-jack.ts';
import { chimeSamples } from './chimes.ts';
import { loudnessPercent } from './loudness.ts';
import {
  espeakVoice,
  languagesWithoutVoice,
  recordedVoice,
  sampleRate,
  type Voice,
  voiceLimitMs,
} from './speech-voices.ts';

type AlsaSpeakerOptions = {
  /** The recorded voice (src/catalogue/speech) */
  readonly speechDir: string;
  /** ALSA device of the loudspeaker, as `aplay -L` names it */
  readonly device?: string;
  /** The same of an earphone's socket; empty: the same */
  readonly earphoneDevice?: string;
  /** What tells whether an earphone is in (alsa-earphone-jack.ts); empty: nothing does, the voice is always in its device. */
  readonly earphoneJack?: string;
  /** Program that asks the sound card about it */
  readonly amixer?: string;
  /** 0 … 100 */
  readonly volume?: number;
  /** Program that plays raw samples (mono, signed 16 bit little endian, 22,050 Hz) from its standard input */
  readonly player?: readonly [string, ...string[]];
};

/**
 * A sound card that does not take its samples holds the player up, some so that it cannot even be killed. Of so many
 * players that have not gone, no further one is started: a patient who types a PIN must not fill the memory.
 */
const mostPlayers = 4;
/** How much longer than its sound a player may take. ms */
const playerSlackMs = 5_000;
const pauseMs = 350;
/** A player is given the next sentence so long before the last one ends. ms */
const leadMs = 200;
const pause = new Uint8Array(2 * Math.round((sampleRate * pauseMs) / 1_000));

const durationMs = (samples: Uint8Array): number => (samples.byteLength / 2 / sampleRate) * 1_000;

type Said = { readonly utterances: readonly Utterance[]; readonly ended?: Saying['ended'] };

/** Until then, or until what is being heard has ended or been stopped. */
const waitUntil = async (atMs: number, signal: AbortSignal, ended: Promise<unknown> | undefined): Promise<void> => {
  const waitMs = atMs - performance.now();
  if (waitMs <= 0 || signal.aborted) return;
  const waiting = new AbortController();
  const stop = (): void => waiting.abort();
  signal.addEventListener('abort', stop, { once: true });
  void ended?.then(stop);
  await wait(waitMs, undefined, { signal: waiting.signal }).catch(() => undefined);
  signal.removeEventListener('abort', stop);
};

/** Louder or softer; a copy, since recordings are used again. */
const scaled = (samples: Uint8Array, percent: number): Uint8Array => {
  const from = new DataView(samples.buffer, samples.byteOffset, samples.byteLength - (samples.byteLength % 2));
  const to = new DataView(new ArrayBuffer(from.byteLength));
  for (let at = 0; at < from.byteLength; at += 2)
    to.setInt16(at, Math.round((from.getInt16(at, true) * percent) / 100), true);
  return new Uint8Array(to.buffer);
};

/**
 * Voice and chimes through ALSA: recordings where a text has one, espeak-ng for the rest, silence where neither can.
 * Never fails a visit: a player that is missing or dies is silence too, and the next word tries again.
 */
export const createAlsaSpeaker = (
  options: AlsaSpeakerOptions,
): Speaker & {
  /** Resolves when everything told so far has been played. */
  finished(): Promise<void>;
} => {
  const voices: readonly Voice[] = [recordedVoice(options.speechDir), espeakVoice()];
  const [program, ...args] = options.player ?? [
    'aplay',
    ...['-q', '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(sampleRate)],
  ];
  const { device, earphoneDevice = '', earphoneJack = '' } = options;
  let earphone = earphoneJack === '' && earphoneDevice !== '';
  let tellEarphone: (inserted: boolean) => void = () => {};
  let volume = options.volume ?? 50;
  let steps = 0;
  let speaking: AbortController | null = null;
  /** Said once the sentence in progress has been heard */
  let next: Said | null = null;
  const speeches = new Set<Promise<void>>();
  /** Those that have not gone. */
  const players = new Set<RunningProgram>();

  /** A player of so much sound; null while too many hang. */
  const open = (to: string | undefined, soundMs: number): RunningProgram | null => {
    if (players.size >= mostPlayers) return null;
    const player = runProgram(program, [...args, ...(to === undefined ? [] : ['-D', to])], {
      takesInput: true,
      limitMs: soundMs + playerSlackMs,
    });
    players.add(player);
    void player.gone.then(() => players.delete(player));
    return player;
  };

  const soundOf = async (utterance: Utterance, signal: AbortSignal): Promise<Uint8Array | null> => {
    for (const voice of voices) {
      const samples = await voice(utterance, signal);
      if (samples !== null || signal.aborted) return samples;
    }
    return null;
  };

  /** Says one thing after the other in one player; a thing that is to come after the sentence takes the place of the rest. */
  const speak = async (first: Said, signal: AbortSignal): Promise<void> => {
    let said = first;
    let at = 0;
    let player: RunningProgram | null = null;
    let endsAtMs = 0;
    while (!signal.aborted) {
      if (next !== null) [said, at, next] = [next, 0, null];
      const utterance = said.utterances[at];
      if (utterance === undefined) {
        // The player ends when all has been heard.
        player?.input?.end();
        player?.allow(Math.max(0, endsAtMs - performance.now()) + playerSlackMs);
        await player?.ended;
        if (signal.aborted) return;
        player = null;
        if (next !== null) continue;
        speaking = null;
        return said.ended?.();
      }
      at += 1;
      // The next sentence is made while this one is heard, and given shortly before its end.
      const samples = await soundOf(utterance, signal);
      await waitUntil(endsAtMs - leadMs, signal, player?.ended);
      if (signal.aborted || next !== null || samples === null) continue;
      endsAtMs = Math.max(performance.now(), endsAtMs) + durationMs(samples) + pauseMs;
      const leftMs = endsAtMs - performance.now();
      player?.allow(leftMs + playerSlackMs + voiceLimitMs);
      if (player === null) {
        player = open(earphone && earphoneDevice !== '' ? earphoneDevice : device, leftMs + voiceLimitMs);
        if (player !== null) signal.addEventListener('abort', player.stop, { once: true });
      }
      player?.input?.write(scaled(samples, loudnessPercent(volume, steps)));
      player?.input?.write(pause);
    }
  };

  const jack =
    earphoneJack === ''
      ? null
      : watchEarphoneJack({ ...options, jack: earphoneJack }, (inserted) => {
          // What is being said would go on in the room, or in an ear that is no longer there.
          speaking?.abort();
          speaking = null;
          next = null;
          earphone = inserted;
          tellEarphone(inserted);
        });

  return {
    say(utterances, { when = 'after-sentence', ended } = {}) {
      const said = { utterances, ended };
      if (speaking !== null && when === 'after-sentence') {
        next = said;
        return;
      }
      speaking?.abort();
      next = null;
      speaking = new AbortController();
      const task = speak(said, speaking.signal);
      speeches.add(task);
      void task.then(() => speeches.delete(task));
    },
    chime(sound) {
      const samples = chimeSamples(sound);
      open(device, durationMs(samples))?.input?.end(scaled(samples, loudnessPercent(volume, steps)));
    },
    silence() {
      speaking?.abort();
      speaking = null;
      next = null;
    },
    speaks: (language) => !(languagesWithoutVoice as readonly string[]).includes(language),
    setVolume(percent) {
      volume = percent;
    },
    setLoudness(wanted) {
      steps = wanted;
    },
    onEarphone(listener) {
      tellEarphone = listener;
      if (earphone && jack !== null) listener(true);
    },
    async finished() {
      while (speeches.size + players.size > 0)
        await Promise.all([...speeches, ...[...players].map(({ ended }) => ended)]);
    },
    async close() {
      jack?.close();
      speaking?.abort();
      for (const player of players) player.stop();
      await Promise.all([...speeches, ...[...players].map(({ ended }) => ended)]);
    },
  };
};
