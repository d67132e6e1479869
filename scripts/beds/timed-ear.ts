import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { espeakVoice, recordings, sampleRate } from '../../drivers/speaker/speech-voices.ts';
import { createVirtualSpeaker, type VirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Saying, Utterance } from '../../src/ports/speaker.ts';

/** As the loudspeaker's driver leaves between two sentences. ms */
const pauseMs = 350;
const opusRate = 48_000;

/** How long an Ogg Opus file sounds, from the position of its last page. ms */
const oggLengthMs = (bytes: Uint8Array): number => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const skip = file.readUInt16LE(file.indexOf('OpusHead') + 10);
  return ((Number(file.readBigUInt64LE(file.lastIndexOf('OggS') + 6)) - skip) / opusRate) * 1_000;
};

/** The length of an utterance as it would be heard: its recording's, else what the engine makes of it; null: silence. */
export const spokenLengths = (): ((utterance: Utterance) => Promise<number | null>) => {
  const dir = join(catalogueDir, 'speech');
  const fileOf = recordings(dir);
  const voice = espeakVoice();
  const known = new Map<string, number | null>();
  return async (utterance) => {
    const key = `${utterance.language} ${utterance.text} ${utterance.reading ?? ''}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const file = fileOf(utterance);
    const path = file === undefined ? null : join(dir, file);
    const samples = path === null ? await voice(utterance, new AbortController().signal) : null;
    const engineMs = samples === null ? null : (samples.byteLength / 2 / sampleRate) * 1_000;
    const lengthMs = path !== null && existsSync(path) ? oggLengthMs(readFileSync(path)) : engineMs;
    known.set(key, lengthMs);
    return lengthMs;
  };
};

/** What is heard of a story on simulated time, sentence by sentence. */
export type TimedEar = {
  readonly speaker: VirtualSpeaker;
  readonly speaking: boolean;
  /** Sentences that have been heard to their end */
  readonly heard: readonly string[];
  /** Sentences that were cut though whoever listened had done nothing */
  readonly cut: readonly string[];
  /** Runs what the visitor does: whoever acts cuts what is being said. */
  act<T>(what: () => T): T;
};

type Said = { readonly utterances: readonly Utterance[]; readonly ended: Saying['ended'] };

/** `lengthMs`: of an utterance, known beforehand. */
export const createTimedEar = (clock: () => Clock, lengthMs: (utterance: Utterance) => number): TimedEar => {
  const cut: string[] = [];
  const heard: string[] = [];
  let acting = false;
  let now: { said: Said; at: number; cancel: () => void } | null = null;
  let next: Said | null = null;

  const go = (said: Said, at: number): void => {
    const utterance = said.utterances[at];
    if (utterance === undefined) {
      now = null;
      said.ended?.();
      return;
    }
    const endMs = clock().now().monotonicMs + lengthMs(utterance) + pauseMs;
    const cancel = clock().wakeAt(endMs, () => {
      heard.push(utterance.text);
      if (next === null) return go(said, at + 1);
      const other = next;
      next = null;
      said.ended?.();
      go(other, 0);
    });
    now = { said, at, cancel };
  };
  const stop = (): void => {
    const sentence = now?.said.utterances[now.at];
    if (sentence !== undefined && !acting) cut.push(sentence.text);
    const over = [now?.said, next];
    now?.cancel();
    now = null;
    next = null;
    for (const said of over) said?.ended?.();
  };
  const say = (said: Said, when: Saying['when']): void => {
    if (now === null || when === 'now') {
      stop();
      return go(said, 0);
    }
    const replaced = next;
    next = said;
    replaced?.ended?.();
  };
  const speaker = createVirtualSpeaker((utterances, { when, ended }) => say({ utterances, ended }, when), stop);
  return {
    speaker,
    cut,
    heard,
    get speaking() {
      return now !== null;
    },
    act: (what) => {
      acting = true;
      try {
        return what();
      } finally {
        acting = false;
      }
    },
  };
};
