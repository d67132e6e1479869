/**
 * Attack, bona fide (ISO/IEC 30107-1 terms) or unsure? What the latest frames say together; advisory, no claim is made.
 * Only what a living face cannot show is an attack. A passive model that has doubts, or could not look, leaves it
 * unsure: whoever stands there is asked to move, and nobody is sent away by a number alone.
 */

/** What depth or infrared say of one moment (src/ports/depth-camera.ts, judge-depth.ts). */
export type DepthVerdict = 'bona-fide' | 'attack' | 'unclear';

/** What a frame says about being an attack; measured only where the strength asks for it. */
export type LivenessEvidence = {
  /** 0..1 by the passive model; null = it could not judge. */
  readonly bonaFide: number | null;
  readonly moire: number;
  /** 0..1: how surely a straight upright edge runs along both sides of the face. */
  readonly rim: number;
  /** Where the terminal has a depth camera. */
  readonly depth?: DepthVerdict;
};

/** The latest frames only: they are the ones that are compared, so nobody can lend a photo their own liveness. */
export const weighedFrames = 3;
/** Of these, as one of them may be taken while the head moves. */
const depthFrames = 2;
/**
 * Of 110 ordinary photographs 107 were taken for real, of 3 spoofs none (measured with class 0 as the likeliest of
 * three): from this mean on a living face is likelier than not.
 */
const minBonaFide = 0.4;
/** Painted frames without moiré stay below 0.1, with it above 0.5 (pad-eval). */
const maxMoire = 0.35;
/**
 * Between two such edges stands whoever is shown on paper or a screen, as no hand holds one that fills the camera's view; and who
 * stands before a door. So it raises doubts, and is no attack. Painted sheets and screens give 1, of 55 living people 7 as much as this.
 */
const doubtfulRim = 0.9;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export class EvidenceScale {
  readonly #latest: LivenessEvidence[] = [];
  readonly #hasDepthCamera: boolean;

  /** With a depth camera its evidence is needed, not only listened to: without it nobody is bona fide. */
  constructor(hasDepthCamera: boolean) {
    this.#hasDepthCamera = hasDepthCamera;
  }

  add(evidence: LivenessEvidence): void {
    this.#latest.push(evidence);
    if (this.#latest.length > weighedFrames) this.#latest.shift();
  }

  forget(): void {
    this.#latest.length = 0;
  }

  /** `framed`: unsure, and between the upright edges of what may be paper or a screen. null = too few frames yet, or a depth camera that has not seen enough. */
  weigh(): 'attack' | 'bona-fide' | 'unsure' | 'framed' | null {
    if (this.#latest.length < weighedFrames) return null;
    const saying = (verdict: DepthVerdict): number => this.#latest.filter(({ depth }) => depth === verdict).length;
    if (saying('attack') >= depthFrames) return 'attack';
    if (mean(this.#latest.map(({ moire }) => moire)) > maxMoire) return 'attack';
    // Depth says more than the look of a picture: with it the passive model is not asked.
    if (this.#hasDepthCamera) return saying('bona-fide') < depthFrames ? null : 'bona-fide';
    if (this.#latest.every(({ rim }) => rim >= doubtfulRim)) return 'framed';
    const judged = this.#latest.flatMap(({ bonaFide }) => bonaFide ?? []);
    return judged.length < weighedFrames || mean(judged) < minBonaFide ? 'unsure' : 'bona-fide';
  }
}
