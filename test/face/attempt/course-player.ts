/** Plays findings into the course of an attempt, 100 ms apart, and somebody who does as told. */
import type { FaceHint } from '../../../src/core/visit/verification.ts';
import { AttemptCourse, type AttemptFinding } from '../../../src/face/attempt/face-attempt.ts';
import type { LivenessEvidence } from '../../../src/face/attempt/weigh-evidence.ts';

export const signals = { noseOffset: 0, noseInPlane: 0.5, eyeOpening: 0.3, breadth: 1.6 };
export const reference = () => Float32Array.of(1, 0);
/** An embedding whose comparison score with the reference is `score`. */
export const scoring = (score: number): AttemptFinding => ({
  hint: null,
  embedding: Float32Array.of(score, Math.sqrt(1 - score * score)),
  signals,
});
/** A frame of the card's holder in which something seems to cover the face; `score` with the reference. */
export const coveredScoring = (score: number): AttemptFinding =>
  ({ ...scoring(score), hint: 'mask-off' }) as AttemptFinding;
export const isPrompt = (step: string): boolean => ['turn-left', 'turn-right', 'blink'].includes(step);
export const hinting = (hint: FaceHint): AttemptFinding => ({ hint });

/** Feeds findings 100 ms apart; returns what was told, with its frame. */
export const play = (findings: readonly AttemptFinding[], everyMs = 100): string[] => {
  const course = new AttemptCourse(0.45, 'off', Math.random);
  course.compareWith(reference(), 0);
  return findings.flatMap((finding, i) =>
    course.take(finding, i * everyMs).map((step) => `${i} ${step.type === 'hint' ? `hint ${step.hint}` : step.type}`),
  );
};

/** A good frame, and what the models of attack detection say of it when they are asked. */
export type Seen = AttemptFinding & { readonly liveness?: LivenessEvidence };
export const withLiveness = (
  change: Partial<LivenessEvidence> = {},
  embedding: Float32Array = Float32Array.of(0.8, 0.6),
  head = signals,
): Seen => ({ hint: null, embedding, signals: head, liveness: { bonaFide: 0.9, moire: 0, rim: 0, ...change } });
export const stranger = (): Float32Array => Float32Array.of(0, 1);

export const playLiveness = (
  strength: 'passive' | 'active',
  finding: (i: number, told: FaceHint | null) => Seen,
  frames = 60,
  hasDepthCamera = false,
): string[] => {
  const course = new AttemptCourse(0.45, strength, () => 0.5, hasDepthCamera);
  course.compareWith(reference(), 0);
  let told: FaceHint | null = null;
  return Array.from({ length: frames }, (_, i) => {
    const { liveness, ...seen } = finding(i, told);
    const steps = course.take(seen, i * 100);
    if (course.wantsEvidence && liveness !== undefined) steps.push(...course.weigh(liveness));
    for (const step of steps) if (step.type === 'hint') told = step.hint;
    return steps;
  })
    .flat()
    .map((step) => (step.type === 'hint' ? `${step.hint}` : step.type));
};

/** Does as told, and looks like `change` besides. */
export const obeying = (
  i: number,
  told: FaceHint | null,
  change: (i: number) => { readonly embedding?: Float32Array; readonly hint?: FaceHint } = () => ({}),
): Seen => {
  const turn = told === 'turn-left' ? 0.15 : told === 'turn-right' ? -0.15 : 0;
  const seen = {
    ...signals,
    noseOffset: turn,
    noseInPlane: 0.5 + turn,
    eyeOpening: told === 'blink' && i % 8 < 3 ? 0.1 : 0.3,
  };
  const { embedding, hint } = change(i);
  if (hint !== undefined) return { hint, signals: seen };
  // A head that turns at once has not heard the prompt: the first frames after it are still.
  return withLiveness({}, embedding ?? Float32Array.of(0.8, 0.6), seen);
};
export const late = (): ((told: FaceHint | null) => FaceHint | null) => {
  const heard: (FaceHint | null)[] = [];
  return (told) => {
    heard.push(told);
    return heard.at(-5) ?? null;
  };
};
