/**
 * Active presentation attack detection: the patient is asked to turn and to blink, in random order and at random times.
 * Turning is read from parallax: on a head the nose moves against the cheeks, on a turned photo it does not. Pure: time
 * and chance are passed in.
 */
import { LEFT_EYE, meshPoint, RIGHT_EYE } from './find-landmarks.ts';

export type Prompt = 'turn-left' | 'turn-right' | 'blink';

export type HeadSignals = {
  /** Nose between the cheeks: 0 = in the middle, ±0.5 = over a cheek; to the picture's right > 0. */
  readonly noseOffset: number;
  /** Height over width of the more open eye. */
  readonly eyeOpening: number;
};

const NOSE = 1;
const LEFT_CHEEK = 234;
const RIGHT_CHEEK = 454;

const between = (mesh: Float32Array, from: number, to: number): number => {
  const a = meshPoint(mesh, from);
  const b = meshPoint(mesh, to);
  return Math.hypot(b.x - a.x, b.y - a.y);
};

export const readHeadSignals = (mesh: Float32Array): HeadSignals => {
  const left = meshPoint(mesh, LEFT_CHEEK);
  const right = meshPoint(mesh, RIGHT_CHEEK);
  const nose = meshPoint(mesh, NOSE);
  const dx = right.x - left.x;
  const dy = right.y - left.y;
  const along = ((nose.x - left.x) * dx + (nose.y - left.y) * dy) / (dx * dx + dy * dy || 1);
  const opening = ([outer, inner, upper, lower]: readonly [number, number, number, number]): number =>
    between(mesh, upper, lower) / (between(mesh, outer, inner) || 1);
  return { noseOffset: along - 0.5, eyeOpening: Math.max(opening(LEFT_EYE), opening(RIGHT_EYE)) };
};

/** Of three prompts two are asked, so that a recording of one answer does not do. */
const ASKED = 2;
/** Enough time to read, understand and move; a recording made in advance rarely fits. */
const ANSWER_WITHIN_MS = 5_000;
/** Pause before a prompt: at a time nobody can know. */
const PAUSE_MS = { least: 300, most: 1_200 } as const;
/** A head turned by about 25° moves the nose so far; a photo turned as far moved it by up to 0.09 (pad-eval's painter). */
const TURN = 0.1;
/** Of the opening at rest; laughing gives about 0.8. */
const CLOSED = 0.72;
const OPEN_AGAIN = 0.85;

export type PromptOutcome =
  | { readonly type: 'waiting'; readonly prompt: Prompt | null }
  | { readonly type: 'passed' }
  | { readonly type: 'failed' };

export class LivenessPrompts {
  private readonly prompts: readonly Prompt[];
  private readonly random: () => number;
  private answered = 0;
  private askAtMs: number | null = null;
  private askedAtMs: number | null = null;
  private resting: HeadSignals | null = null;
  private hasClosed = false;

  /** `random`: numbers in 0..1. */
  constructor(random: () => number) {
    this.random = random;
    const drawn: Prompt[] = ['turn-left', 'turn-right', 'blink'];
    for (let i = drawn.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [drawn[i], drawn[j]] = [drawn[j] as Prompt, drawn[i] as Prompt];
    }
    this.prompts = drawn.slice(0, ASKED);
  }

  take(signals: HeadSignals, atMs: number): PromptOutcome {
    const prompt = this.prompts[this.answered];
    if (prompt === undefined) return { type: 'passed' };
    this.askAtMs ??= atMs + PAUSE_MS.least + this.random() * (PAUSE_MS.most - PAUSE_MS.least);
    if (atMs < this.askAtMs) return { type: 'waiting', prompt: null };
    if (this.askedAtMs === null || this.resting === null) {
      this.askedAtMs = atMs;
      this.resting = signals;
      return { type: 'waiting', prompt };
    }
    if (this.isAnswered(prompt, signals, this.resting)) {
      this.answered++;
      this.askAtMs = null;
      this.askedAtMs = null;
      this.resting = null;
      this.hasClosed = false;
      return this.answered === this.prompts.length ? { type: 'passed' } : { type: 'waiting', prompt: null };
    }
    return atMs - this.askedAtMs > ANSWER_WITHIN_MS ? { type: 'failed' } : { type: 'waiting', prompt };
  }

  private isAnswered(prompt: Prompt, signals: HeadSignals, resting: HeadSignals): boolean {
    // The picture is not mirrored: the patient's left is its right.
    if (prompt === 'turn-left') return signals.noseOffset - resting.noseOffset > TURN;
    if (prompt === 'turn-right') return resting.noseOffset - signals.noseOffset > TURN;
    const isClosed = signals.eyeOpening < resting.eyeOpening * CLOSED;
    const hasOpenedAgain = this.hasClosed && signals.eyeOpening > resting.eyeOpening * OPEN_AGAIN;
    this.hasClosed ||= isClosed;
    return hasOpenedAgain;
  }
}
