/**
 * The probes of one attempt that are compared together. What helps is views that *differ*: the mean of two other pictures
 * of a person is rejected a third as often as one picture, at the same false accepts; frames that repeat each other add
 * nothing (`npm run face-eval`). So alike frames share one view, and each view counts once.
 */
import { comparisonScore, type Embedding, meanEmbedding } from '../models/embed-face.ts';

/** Frames 100 ms apart of a head at rest are more alike than this, a head turned by 15° or its mirror image less. */
const sameView = 0.9;
/** Less alike than any two views of one person within an attempt: somebody else stands there now. */
const samePerson = 0.3;
const views = 4;
/** The latest frames of a view. */
const framesOfView = 3;

type View = { readonly frames: Embedding[]; mean: Embedding };

const overwrite = ({ frames, mean }: View): void => {
  for (const frame of frames) frame.fill(0);
  mean.fill(0);
};

/** Cosine: the lengths, which carry the quality, play no part. */
const likeness = (a: Embedding, b: Embedding): number => {
  let dot = 0;
  let squaresOfA = 0;
  let squaresOfB = 0;
  for (let i = 0; i < a.length; i++) {
    dot += (a[i] as number) * (b[i] as number);
    squaresOfA += (a[i] as number) ** 2;
    squaresOfB += (b[i] as number) ** 2;
  }
  return squaresOfA > 0 && squaresOfB > 0 ? dot / Math.sqrt(squaresOfA * squaresOfB) : -1;
};

export class ProbeSet {
  #views: View[] = [];

  /** Frames held. */
  get frames(): number {
    return this.#views.reduce((sum, { frames }) => sum + frames.length, 0);
  }

  /** Takes over the embedding of a good frame. */
  add(embedding: Embedding): void {
    const likenesses = new Map(this.#views.map((view) => [view, likeness(view.mean, embedding)]));
    for (const [view, alike] of likenesses) if (alike < samePerson) this.#drop(view);
    let nearest: View | undefined;
    for (const view of this.#views)
      if (nearest === undefined || (likenesses.get(view) ?? -1) > (likenesses.get(nearest) ?? -1)) nearest = view;
    const isKnown = nearest !== undefined && (likenesses.get(nearest) ?? -1) >= sameView;
    if (nearest !== undefined && (isKnown || this.#views.length === views)) {
      nearest.frames.push(embedding);
      if (nearest.frames.length > framesOfView) nearest.frames.shift()?.fill(0);
      nearest.mean.fill(0);
      nearest.mean = meanEmbedding(nearest.frames);
    } else this.#views.push({ frames: [embedding], mean: embedding.slice() });
  }

  /**
   * How alike the views together are to the reference. A view of one frame waits for a second one: no lucky frame
   * decides. -1 with nothing to compare.
   */
  score(reference: Embedding): number {
    const confirmed = this.#views.filter(({ frames }) => frames.length > 1);
    const counted = confirmed.length > 0 ? confirmed : this.#views;
    if (counted.length === 0) return -1;
    const mean = meanEmbedding(counted.map((view) => view.mean));
    const score = comparisonScore(mean, reference);
    mean.fill(0);
    return score;
  }

  wipe(): void {
    for (const view of this.#views) overwrite(view);
    this.#views = [];
  }

  #drop(view: View): void {
    overwrite(view);
    this.#views = this.#views.filter((other) => other !== view);
  }
}
