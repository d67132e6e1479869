/**
 * The course of one attempt, without clock or models: findings go in, what to tell comes out. The embeddings of several
 * good frames are averaged before they are compared, so that one lucky frame decides nothing.
 */
import type { FaceHint } from '../core/verification.ts';
import { comparisonScore, type Embedding, normalise } from './embed-face.ts';

/** What the attempt tells; the same words as FaceAttemptEvent. */
export type AttemptStep =
  | { readonly type: 'hint'; readonly hint: FaceHint | null }
  | { readonly type: 'matched' }
  | { readonly type: 'missed' };

export type AttemptFinding = { readonly hint: FaceHint } | { readonly hint: null; readonly embedding: Embedding };

/** Frames in the average: the latest ones. */
const FUSED_FRAMES = 5;
/** No decision on a single frame. */
const MIN_FRAMES = 2;
/** A try is a miss when both have gone by since its first good frame: enough frames, and time to hold still. */
const MISS_FRAMES = 8;
const MISS_AFTER_MS = 1_500;
/** A hint stays this long before another replaces it, so that it can be read; "hold still" (null) gives way at once. */
const HINT_DWELL_MS = 700;

export class AttemptCourse {
  private reference: Embedding | null = null;
  private readonly threshold: number;
  private readonly fused: Embedding[] = [];
  private goodFrames = 0;
  private firstGoodAtMs = 0;
  private toldHint: FaceHint | null | undefined;
  private toldAtMs = 0;

  constructor(threshold: number) {
    this.threshold = threshold;
  }

  /** Comparing begins with it; until then frames give hints only. Taken over: overwritten by `wipe`. */
  compareWith(reference: Embedding): void {
    this.reference = reference;
  }

  private tellHint(hint: FaceHint | null, atMs: number): AttemptStep[] {
    if (hint === this.toldHint) return [];
    const isBeingRead = this.toldHint !== undefined && this.toldHint !== null;
    if (isBeingRead && atMs - this.toldAtMs < HINT_DWELL_MS) return [];
    this.toldHint = hint;
    this.toldAtMs = atMs;
    return [{ type: 'hint', hint }];
  }

  private forgetFrames(): void {
    for (const embedding of this.fused) embedding.fill(0);
    this.fused.length = 0;
    this.goodFrames = 0;
  }

  private fusedScore(reference: Embedding): number {
    const mean = new Float32Array(reference.length);
    for (const embedding of this.fused)
      for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (embedding[i] as number);
    const score = comparisonScore(normalise(mean), reference);
    mean.fill(0);
    return score;
  }

  /** `atMs`: when the frame was taken, monotonic. Takes over the embedding. */
  take(finding: AttemptFinding, atMs: number): AttemptStep[] {
    if (finding.hint !== null) return this.tellHint(finding.hint, atMs);
    this.fused.push(finding.embedding);
    if (this.fused.length > FUSED_FRAMES) this.fused.shift()?.fill(0);
    const steps = this.tellHint(null, atMs);
    if (this.reference === null) return steps;
    if (this.goodFrames === 0) this.firstGoodAtMs = atMs;
    this.goodFrames++;
    if (this.fused.length < MIN_FRAMES) return steps;
    if (this.fusedScore(this.reference) >= this.threshold) {
      this.forgetFrames();
      return [...steps, { type: 'matched' }];
    }
    if (this.goodFrames < MISS_FRAMES || atMs - this.firstGoodAtMs < MISS_AFTER_MS) return steps;
    this.forgetFrames();
    return [...steps, { type: 'missed' }];
  }

  /** Overwrites reference and frames. */
  wipe(): void {
    this.forgetFrames();
    this.reference?.fill(0);
    this.reference = null;
  }
}
