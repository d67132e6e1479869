/**
 * Good frames that came before the card's photo, each with what it says of an attack: when the photo is there they decide as if
 * it had been there first. Only the last ones, in a row, and each must be the card's person by itself: what was seen of
 * somebody else, or before the face went away, is worth nothing.
 */
import { comparisonScore, type Embedding } from '../models/embed-face.ts';
import { type LivenessEvidence, weighedFrames } from './weigh-evidence.ts';

/** A card's photo is embedded in 60 ms, on a slow board in half a second; meanwhile no frame is looked at. ms */
const lastSeenMs = 1_000;
/** The first of them, too: while a slow card's photo is waited for there is a look every 0.4 s. ms */
const earlyMs = 2_000;

type HeldFrame = { readonly evidence: LivenessEvidence; readonly atMs: number; readonly embedding: Embedding };

export class EarlyFrames {
  #held: HeldFrame[] = [];
  #next: Omit<HeldFrame, 'evidence'> | null = null;

  /** Copies the embedding; the frame counts once its evidence has been added. */
  see(embedding: Embedding, atMs: number): void {
    this.#next?.embedding.fill(0);
    this.#next = { embedding: embedding.slice(), atMs };
  }

  add(evidence: LivenessEvidence): void {
    if (this.#next === null) return;
    this.#held.push({ ...this.#next, evidence });
    this.#next = null;
    if (this.#held.length > weighedFrames) this.#held.shift()?.embedding.fill(0);
  }

  get isWhole(): boolean {
    return this.#held.length === weighedFrames;
  }

  /** Gives up all frames: of as many as are weighed, where each of them is the reference's, the last seen just now; else of none. */
  take(reference: Embedding, threshold: number, nowMs: number): readonly LivenessEvidence[] {
    const taken = this.#held.map(({ evidence }) => evidence);
    const isWhole =
      this.isWhole &&
      nowMs - (this.#held.at(-1)?.atMs ?? 0) <= lastSeenMs &&
      this.#held.every(
        ({ embedding, atMs }) => nowMs - atMs <= earlyMs && comparisonScore(embedding, reference) >= threshold,
      );
    this.wipe();
    return isWhole ? taken : [];
  }

  wipe(): void {
    for (const { embedding } of this.#held) embedding.fill(0);
    this.#held = [];
    this.#next?.embedding.fill(0);
    this.#next = null;
  }
}
