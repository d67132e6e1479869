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
/** Between two sentences: a breath, as a person reads aloud. ms */
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

class AlsaSpeaker implements Speaker {
  readonly #voices: readonly Voice[];
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #device: AlsaSpeakerOptions['device'];
  readonly #earphoneDevice: string;
  #earphone: boolean;
  #tellEarphone: (inserted: boolean) => void = () => {};
  #volume: number;
  #steps = 0;
  #speaking: AbortController | null = null;
  /** Said once the sentence in progress has been heard */
  #next: Said | null = null;
  readonly #speeches = new Set<Promise<void>>();
  /** Those that have not gone. */
  readonly #players = new Set<RunningProgram>();
  readonly #jack: ReturnType<typeof watchEarphoneJack> | null;

  constructor(options: AlsaSpeakerOptions) {
    this.#voices = [recordedVoice(options.speechDir), espeakVoice()];
    const [program, ...args] = options.player ?? [
      'aplay',
      ...['-q', '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(sampleRate)],
    ];
    this.#program = program;
    this.#args = args;
    const { device, earphoneDevice = '', earphoneJack = '' } = options;
    this.#device = device;
    this.#earphoneDevice = earphoneDevice;
    this.#earphone = earphoneJack === '' && this.#earphoneDevice !== '';
    this.#volume = options.volume ?? 50;
    this.#jack =
      earphoneJack === ''
        ? null
        : watchEarphoneJack({ ...options, jack: earphoneJack }, (inserted) => {
            // What is being said would go on in the room, or in an ear that is no longer there.
            this.silence();
            this.#earphone = inserted;
            this.#tellEarphone(inserted);
          });
  }

  say(utterances: readonly Utterance[], { when = 'after-sentence', ended }: Saying = {}): void {
    const said = { utterances, ended };
    if (this.#speaking !== null && when === 'after-sentence') {
      const replaced = this.#next;
      this.#next = said;
      return replaced?.ended?.();
    }
    this.silence();
    this.#speaking = new AbortController();
    const task = this.#speak(said, this.#speaking.signal);
    this.#speeches.add(task);
    void task.then(() => this.#speeches.delete(task));
  }

  chime(sound: 'contact' | 'accepted' | 'attention' | 'key'): void {
    const samples = chimeSamples(sound);
    this.#open(this.#device, durationMs(samples))?.input?.end(
      scaled(samples, loudnessPercent(this.#volume, this.#steps)),
    );
  }

  async tryNote(): Promise<string | null> {
    const samples = chimeSamples('key');
    const player = this.#open(this.#device, durationMs(samples));
    if (player === null) return 'players hang in the sound card';
    player.input?.end(scaled(samples, loudnessPercent(this.#volume, this.#steps)));
    const { how, code, words } = await player.ended;
    return how === 'ended' && code === 0 ? null : words || how;
  }

  silence(): void {
    const waiting = this.#next;
    this.#speaking?.abort();
    this.#speaking = null;
    this.#next = null;
    waiting?.ended?.();
  }

  speaks(language: string): boolean {
    return !(languagesWithoutVoice as readonly string[]).includes(language);
  }

  setVolume(percent: number): void {
    this.#volume = percent;
  }

  setLoudness(wanted: number): void {
    this.#steps = wanted;
  }

  onEarphone(listener: (inserted: boolean) => void): void {
    this.#tellEarphone = listener;
    if (this.#earphone && this.#jack !== null) listener(true);
  }

  async finished(): Promise<void> {
    while (this.#speeches.size + this.#players.size > 0)
      await Promise.all([...this.#speeches, ...[...this.#players].map(({ ended }) => ended)]);
  }

  async close(): Promise<void> {
    this.#jack?.close();
    this.#speaking?.abort();
    for (const player of this.#players) player.stop();
    await Promise.all([...this.#speeches, ...[...this.#players].map(({ ended }) => ended)]);
  }

  /** A player of so much sound; null while too many hang. */
  #open(to: string | undefined, soundMs: number): RunningProgram | null {
    if (this.#players.size >= mostPlayers) return null;
    const player = runProgram(this.#program, [...this.#args, ...(to === undefined ? [] : ['-D', to])], {
      takesInput: true,
      limitMs: soundMs + playerSlackMs,
    });
    this.#players.add(player);
    void player.gone.then(() => this.#players.delete(player));
    return player;
  }

  async #soundOf(utterance: Utterance, signal: AbortSignal): Promise<Uint8Array | null> {
    for (const voice of this.#voices) {
      const samples = await voice(utterance, signal);
      if (samples !== null || signal.aborted) return samples;
    }
    return null;
  }

  /** Says one thing after the other in one player; a thing that is to come after the sentence takes the place of the rest. */
  async #speak(first: Said, signal: AbortSignal): Promise<void> {
    let said = first;
    let at = 0;
    let player: RunningProgram | null = null;
    let endsAtMs = 0;
    while (!signal.aborted) {
      if (this.#next !== null) {
        said.ended?.();
        [said, at, this.#next] = [this.#next, 0, null];
      }
      const utterance = said.utterances[at];
      if (utterance === undefined) {
        // The player ends when all has been heard.
        player?.input?.end();
        player?.allow(Math.max(0, endsAtMs - performance.now()) + playerSlackMs);
        await player?.ended;
        player = null;
        if (signal.aborted || this.#next !== null) continue;
        this.#speaking = null;
        break;
      }
      at += 1;
      // The next sentence is made while this one is heard, and given shortly before its end.
      const samples = await this.#soundOf(utterance, signal);
      await waitUntil(endsAtMs - leadMs, signal, player?.ended);
      if (signal.aborted || this.#next !== null || samples === null) continue;
      endsAtMs = Math.max(performance.now(), endsAtMs) + durationMs(samples) + pauseMs;
      const leftMs = endsAtMs - performance.now();
      player?.allow(leftMs + playerSlackMs + voiceLimitMs);
      if (player === null) {
        player = this.#open(
          this.#earphone && this.#earphoneDevice !== '' ? this.#earphoneDevice : this.#device,
          leftMs + voiceLimitMs,
        );
        if (player !== null) signal.addEventListener('abort', player.stop, { once: true });
      }
      player?.input?.write(scaled(samples, loudnessPercent(this.#volume, this.#steps)));
      player?.input?.write(pause);
    }
    said.ended?.();
  }
}

/**
 * Voice and chimes through ALSA: recordings where a text has one, espeak-ng for the rest, silence where neither can.
 * Never fails a visit: a player that is missing or dies is silence too, and the next word tries again.
 */
export const createAlsaSpeaker = (
  options: AlsaSpeakerOptions,
): Speaker & {
  /** Resolves when everything told so far has been played. */
  finished(): Promise<void>;
} => new AlsaSpeaker(options);
