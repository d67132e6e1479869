/**
 * One attempt before painted frames, in simulated time: what the camera sees is painted from what was told, the real
 * pipeline looks at it, the real course of an attempt decides. A frame every `frameMs`.
 */
import { frameHeight, frameWidth, type Scene } from '../../drivers/virtual/render-scene.ts';
import type { FaceHint, PadStrength } from '../../src/core/visit/verification.ts';
import { AttemptCourse } from '../../src/face/attempt/face-attempt.ts';
import { examineFrame } from '../../src/face/attempt/face-pipeline.ts';
import { CameraWatch } from '../../src/face/attempt/watch-camera.ts';
import type { Bench, Known } from './open-bench.ts';

/** What whoever stands before the camera has last been told, and for how long. */
export type Told = { readonly hint: FaceHint | null; readonly forMs: number };

export type Play = {
  readonly frameMs: number;
  readonly timeLimitMs: number;
  readonly padStrength: PadStrength;
  readonly scene: (atMs: number, told: Told) => Scene;
  /** Changes the painted frame, as a screen before the camera would. */
  readonly spoil?: (rgb: Uint8Array) => void;
  /** The length of a recording that is fed in: from then on the very same frames come again. */
  readonly loopMs?: number;
  /** false: the patient stays and tries again, as a miss keeps them where they are. */
  readonly endsAtMiss?: boolean;
};

export type Played = {
  readonly end: 'matched' | 'missed' | 'suspected' | 'nothing';
  /** What ended it (src/face/attempt/face-attempt.ts); null after a match. */
  readonly why: string | null;
  readonly hints: readonly FaceHint[];
  /**
   * For each hint: from the moment the picture went wrong (somewhere between two frames) until it was told, with what the
   * telling frame really took to examine.
   */
  readonly hintMs: readonly number[];
  /** Mean of the passive model over the good frames; null where there was none. */
  readonly bonaFide: number | null;
};

/** Plays until a match, a miss, a suspicion or the time limit. The passive model is measured, and has no say. */
export const playAttempt = async (bench: Bench, known: Known, play: Play): Promise<Played> => {
  const { models, renderer, random } = bench;
  const course = new AttemptCourse(bench.threshold, play.padStrength, random);
  course.compareWith(known.reference.slice());
  const watch = new CameraWatch();
  const recording: Uint8Array[] = [];
  const hints: FaceHint[] = [];
  const hintMs: number[] = [];
  const bonaFides: number[] = [];
  let told: { hint: FaceHint | null; sinceMs: number } = { hint: null, sinceMs: 0 };
  let untold = null as { readonly hint: FaceHint; readonly sinceMs: number } | null;
  const finish = (end: Played['end']): Played => {
    course.wipe();
    const bonaFide = bonaFides.length === 0 ? null : bonaFides.reduce((a, b) => a + b, 0) / bonaFides.length;
    return { end, why: end === 'matched' ? null : course.why, hints, hintMs, bonaFide };
  };
  for (let atMs = 0, i = 0; atMs < play.timeLimitMs; atMs += play.frameMs, i++) {
    const place = play.loopMs === undefined ? -1 : Math.floor((atMs % play.loopMs) / play.frameMs);
    const rgb = recording[place] ?? new Uint8Array(frameWidth * frameHeight * 3);
    if (recording[place] === undefined) {
      renderer.render(play.scene(atMs, { hint: told.hint, forMs: atMs - told.sinceMs }), atMs, rgb);
      play.spoil?.(rgb);
      if (place >= 0) recording[place] = rgb;
    }
    const image = { width: frameWidth, height: frameHeight, rgb };
    watch.check({ ...image, capturedAtMs: atMs });
    const startedMs = performance.now();
    const pad = play.padStrength === 'off' ? null : bench.pad;
    const finding = await examineFrame(models, image, { mirrored: i % 2 === 1, pad });
    const tookMs = performance.now() - startedMs;
    if (finding.hint === null && finding.passive !== undefined) bonaFides.push(finding.passive.bonaFide);
    const isRepeated = watch.hasRepeated;
    const steps = course.take(
      finding.hint !== null
        ? { hint: finding.hint, isRepeated, ...(finding.signals === undefined ? {} : { signals: finding.signals }) }
        : {
            hint: null,
            embedding: finding.embedding,
            isRepeated,
            ...(finding.passive === undefined ? {} : { liveness: { ...finding.passive, bonaFide: 1 } }),
          },
      atMs,
    );
    if (finding.hint === null || finding.hint === told.hint) untold = null;
    else if (finding.hint !== untold?.hint) untold = { hint: finding.hint, sinceMs: atMs - random() * play.frameMs };
    for (const step of steps) {
      if (step.type === 'missed' && play.endsAtMiss === false) continue;
      if (step.type !== 'hint') return finish(step.type);
      told = { hint: step.hint, sinceMs: atMs };
      if (step.hint === null) continue;
      hints.push(step.hint);
      if (untold?.hint === step.hint) hintMs.push(atMs - untold.sinceMs + tookMs);
      untold = null;
    }
  }
  return finish('nothing');
};
