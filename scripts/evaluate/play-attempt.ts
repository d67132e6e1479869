/**
 * One attempt before painted frames, in simulated time: what the camera sees is painted from what was told, the real
 * pipeline looks at it, the real course of an attempt decides. A frame every `frameMs`.
 */
import { frameHeight, frameWidth } from '../../drivers/virtual/render-scene.ts';
import { type FaceHint, isFacePrompt, type PadStrength } from '../../src/core/visit/verification.ts';
import { AttemptCourse } from '../../src/face/attempt/face-attempt.ts';
import { asAttemptFinding } from '../../src/face/attempt/face-worker.ts';
import { CameraWatch } from '../../src/face/attempt/watch-camera.ts';
import type { LivenessEvidence } from '../../src/face/attempt/weigh-evidence.ts';
import type { Embedding } from '../../src/face/models/embed-face.ts';
import type { FrameLooker } from './look-at-frames.ts';
import type { Bench } from './open-bench.ts';

/** What whoever stands before the camera has last been told, and for how long. */
export type Told = { readonly hint: FaceHint | null; readonly forMs: number };

type Play = {
  readonly frameMs: number;
  readonly timeLimitMs: number;
  readonly padStrength: PadStrength;
  /** Paints what the camera sees, 640×480 RGB. */
  readonly paint: (atMs: number, told: Told, target: Uint8Array) => void;
  /** The length of a recording that is fed in: from then on the very same frames come again. */
  readonly loopMs?: number;
  /** false: the patient stays and tries again, as a miss keeps them where they are. */
  readonly endsAtMiss?: boolean;
  /** Numbers in 0..1 for this attempt alone: what it comes to depends on no other attempt. */
  readonly random: () => number;
  /** The card's photo comes at 0 and takes so long: frames of that time are not looked at, as in the face process. */
  readonly referenceMs?: number;
};

export type Played = {
  readonly end: 'matched' | 'missed' | 'unsure' | 'suspected' | 'nothing';
  /** What ended it (src/face/attempt/face-attempt.ts); null after a match. */
  readonly why: string | null;
  readonly hints: readonly FaceHint[];
  /**
   * For each hint: from the moment the picture went wrong (somewhere between two frames) until it was told, with what the
   * telling frame really took to examine. Not of one that ends a turn.
   */
  readonly hintMs: readonly number[];
  /** Each hint with the moment it was told; null = all is well. */
  readonly told: readonly { readonly hint: FaceHint | null; readonly atMs: number }[];
  /** Hints that were told again although every frame in between asked for the same: nothing that was seen had changed. */
  readonly toldAgain: readonly FaceHint[];
  /** From the card's photo to the decision, with what the photo and the deciding frame took to examine. */
  readonly decidedAfterMs: number;
  /** What was weighed, frame by frame. */
  readonly evidence: readonly LivenessEvidence[];
};

/** After a turn that was asked for everybody is told to look here: it says that the turn will do, not that the picture went wrong. */
export const endsTurn = (hint: FaceHint | null, before: FaceHint | null): boolean =>
  hint === 'look-here' && isFacePrompt(before);

/** Plays until a match, a miss, a suspicion or the time limit. `reference`: of the card. */
export const playAttempt = async (
  bench: Pick<Bench, 'threshold'> & { readonly looker: Pick<FrameLooker, 'frame' | 'liveness'> },
  reference: Embedding,
  play: Play,
): Promise<Played> => {
  const { looker } = bench;
  const { random } = play;
  const course = new AttemptCourse(bench.threshold, play.padStrength, random);
  course.compareWith(reference.slice(), 0);
  const watch = new CameraWatch();
  const recording: Uint8Array[] = [];
  const hints: FaceHint[] = [];
  const hintMs: number[] = [];
  const weighed: LivenessEvidence[] = [];
  let told: { hint: FaceHint | null; sinceMs: number } = { hint: null, sinceMs: 0 };
  let untold = null as { readonly hint: FaceHint; readonly sinceMs: number } | null;
  const allTold: { hint: FaceHint | null; atMs: number }[] = [];
  /** Hints of which no frame has been free since they were told. */
  const unanswered = new Set<FaceHint>();
  const toldAgain: FaceHint[] = [];
  const finish = (end: Played['end'], decidedAfterMs: number): Played => {
    course.wipe();
    const why = end === 'matched' ? null : course.why;
    return { end, why, hints, hintMs, told: allTold, toldAgain, decidedAfterMs, evidence: weighed };
  };
  for (let atMs = 0, i = 0; atMs < play.timeLimitMs; atMs += play.frameMs, i++) {
    const place = play.loopMs === undefined ? -1 : Math.floor((atMs % play.loopMs) / play.frameMs);
    const rgb = recording[place] ?? new Uint8Array(frameWidth * frameHeight * 3);
    if (recording[place] === undefined) {
      play.paint(atMs, { hint: told.hint, forMs: atMs - told.sinceMs }, rgb);
      if (place >= 0) recording[place] = rgb;
    }
    const image = { width: frameWidth, height: frameHeight, rgb };
    watch.check({ ...image, capturedAtMs: atMs });
    if (atMs < (play.referenceMs ?? 0)) continue;
    const { seen: finding, tookMs: lookedMs } = await looker.frame(image, i % 2 === 1);
    const steps = course.take(asAttemptFinding(finding, watch.hasRepeated), atMs);
    let tookMs = lookedMs;
    if (course.wantsEvidence && finding.embedding !== undefined) {
      const { seen: evidence, tookMs: weighedMs } = await looker.liveness(image, finding.mesh);
      tookMs += weighedMs;
      weighed.push(evidence);
      steps.push(...course.weigh(evidence));
    }
    if (finding.hint === null || finding.hint === told.hint) untold = null;
    else if (finding.hint !== untold?.hint) untold = { hint: finding.hint, sinceMs: atMs - random() * play.frameMs };
    for (const hint of unanswered) if (hint !== finding.hint) unanswered.delete(hint);
    for (const step of steps) {
      if (step.type === 'missed' && play.endsAtMiss === false) continue;
      if (step.type !== 'hint') return finish(step.type, atMs + tookMs);
      allTold.push({ hint: step.hint, atMs });
      const isEndOfTurn = endsTurn(step.hint, told.hint);
      told = { hint: step.hint, sinceMs: atMs };
      if (step.hint === null) continue;
      hints.push(step.hint);
      if (unanswered.has(step.hint)) toldAgain.push(step.hint);
      unanswered.add(step.hint);
      if (untold?.hint === step.hint && !isEndOfTurn) hintMs.push(atMs - untold.sinceMs + tookMs);
      untold = null;
    }
  }
  return finish('nothing', play.timeLimitMs);
};
