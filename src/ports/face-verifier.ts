import type { Failure } from '../core/failure.ts';
import type { FaceHint, PadStrength } from '../core/visit/verification.ts';

export type FaceAttemptEvent =
  /** What the patient can do better now; `null` = hold still, it is going well. */
  | { readonly type: 'hint'; readonly hint: FaceHint | null }
  | { readonly type: 'matched' }
  /** One try ended without a match; the attempt goes on with new frames until `stop`. */
  | { readonly type: 'missed' }
  | { readonly type: 'preview'; readonly jpeg: Uint8Array }
  | { readonly type: 'failed'; readonly failure: Failure };

export type FaceAttempt = {
  /**
   * The card's photo, JPEG 2000 in a JP2 container; copied to the face process, overwritten there at the end. May come
   * later: hints and preview begin at once, comparing and misses with the photo. null ends the attempt with
   * `face.reference-unusable`.
   */
  readonly referenceJp2: Uint8Array | Promise<Uint8Array | null>;
  readonly padStrength: PadStrength;
};

/** Compares the face before the camera with the card's photo. No picture, embedding or score leaves it, but the preview. */
export interface FaceVerifier {
  /** Begins; exactly one attempt at a time. The returned function stops it and wipes what it held. */
  start(attempt: FaceAttempt, listener: (event: FaceAttemptEvent) => void): () => void;
  /** null = able to work; told again on each change. */
  subscribeHealth(listener: (trouble: Failure | null) => void): () => void;
  close(): Promise<void>;
}
