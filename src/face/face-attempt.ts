/**
 * The course of one attempt, without clock or models: findings go in, what to tell comes out. The embeddings of several
 * good frames are averaged before they are compared, so that one lucky frame decides nothing.
 */
import type { FaceHint, PadStrength } from '../core/verification.ts';
import { comparisonScore, type Embedding, normalise } from './embed-face.ts';
import { type HeadSignals, LivenessPrompts } from './liveness-prompts.ts';

/** What the attempt tells; the same words as FaceAttemptEvent. */
export type AttemptStep =
  | { readonly type: 'hint'; readonly hint: FaceHint | null }
  | { readonly type: 'matched' }
  | { readonly type: 'missed' }
  /** Looks like a picture of a face, not like a face. */
  | { readonly type: 'suspected' };

/** What a frame says about being an attack; measured only where the strength asks for it. */
export type LivenessEvidence = {
  /** 0..1 by the passive model. */
  readonly bonaFide: number;
  readonly moire: number;
  /** The very same frame has come before in this attempt: no live sensor does that. */
  readonly isRepeated: boolean;
  readonly signals: HeadSignals;
};

export type AttemptFinding =
  | { readonly hint: FaceHint; readonly embedding?: undefined; readonly signals?: HeadSignals }
  | { readonly hint: null; readonly embedding: Embedding; readonly liveness?: LivenessEvidence };

/** Passive evidence is averaged over as many frames before it counts. */
const PASSIVE_FRAMES = 3;
/**
 * Of 110 ordinary photographs 107 were taken for real, of 3 spoofs none (faces.md's measurement, class 0 as the likeliest
 * of three): a mean below this is more likely an attack than not.
 */
const MIN_BONA_FIDE = 0.4;
/** Painted frames without moiré stay below 0.1, with it above 0.5 (pad-eval). */
const MAX_MOIRE = 0.35;
/** During the prompts the face must stay the same person's; turned heads score lower, another person's far lower. */
const CONTINUITY_MARGIN = 0.2;

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
  private readonly padStrength: PadStrength;
  private readonly random: () => number;
  private bonaFideSum = 0;
  private passiveFrames = 0;
  /** Set once the person is known to be the card's and the passive evidence is good. */
  private prompts: LivenessPrompts | null = null;
  private toldHint: FaceHint | null | undefined;
  private toldAtMs = 0;

  /** `random`: numbers in 0..1, for the order and time of prompts; must not be guessable. */
  constructor(threshold: number, padStrength: PadStrength, random: () => number) {
    this.threshold = threshold;
    this.padStrength = padStrength;
    this.random = random;
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
    this.prompts = null;
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
    if (this.prompts !== null) return this.followPrompts(finding, this.prompts, atMs);
    if (finding.hint !== null) return this.tellHint(finding.hint, atMs);
    this.fused.push(finding.embedding);
    if (this.fused.length > FUSED_FRAMES) this.fused.shift()?.fill(0);
    const steps = this.tellHint(null, atMs);
    if (this.addPassive(finding.liveness) === 'attack') return [...steps, { type: 'suspected' }];
    if (this.reference === null) return steps;
    if (this.goodFrames === 0) this.firstGoodAtMs = atMs;
    this.goodFrames++;
    if (this.fused.length < MIN_FRAMES) return steps;
    if (this.fusedScore(this.reference) >= this.threshold) return [...steps, ...this.onSamePerson()];
    if (this.goodFrames < MISS_FRAMES || atMs - this.firstGoodAtMs < MISS_AFTER_MS) return steps;
    this.forgetFrames();
    return [...steps, { type: 'missed' }];
  }

  private addPassive(evidence: LivenessEvidence | undefined): 'attack' | 'nothing' {
    if (evidence === undefined) return 'nothing';
    if (evidence.isRepeated || evidence.moire > MAX_MOIRE) return 'attack';
    this.bonaFideSum += evidence.bonaFide;
    this.passiveFrames++;
    if (this.passiveFrames < PASSIVE_FRAMES) return 'nothing';
    return this.bonaFideSum / this.passiveFrames < MIN_BONA_FIDE ? 'attack' : 'nothing';
  }

  private onSamePerson(): AttemptStep[] {
    if (this.padStrength !== 'off' && this.passiveFrames < PASSIVE_FRAMES) return [];
    if (this.padStrength === 'active') {
      this.prompts = new LivenessPrompts(this.random);
      return [];
    }
    this.forgetFrames();
    return [{ type: 'matched' }];
  }

  /** A turned head is no good frame to compare, but its points are; only a vanished or another face ends it. */
  private followPrompts(finding: AttemptFinding, prompts: LivenessPrompts, atMs: number): AttemptStep[] {
    const signals = finding.hint === null ? finding.liveness?.signals : finding.signals;
    const isOther =
      finding.hint === null &&
      this.reference !== null &&
      comparisonScore(finding.embedding, this.reference) < this.threshold - CONTINUITY_MARGIN;
    if (finding.hint === null) {
      finding.embedding.fill(0);
      if (finding.liveness?.isRepeated) return [{ type: 'suspected' }];
    }
    const outcome = signals === undefined || isOther ? ({ type: 'failed' } as const) : prompts.take(signals, atMs);
    if (outcome.type === 'waiting') return this.tellHint(outcome.prompt ?? 'hold-still', atMs);
    this.forgetFrames();
    return [{ type: outcome.type === 'passed' ? 'matched' : 'missed' }];
  }

  /** Overwrites reference and frames. */
  wipe(): void {
    this.forgetFrames();
    this.reference?.fill(0);
    this.reference = null;
  }
}
