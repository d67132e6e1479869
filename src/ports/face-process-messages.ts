import type { Failure } from '../core/failure.ts';
import type { FaceAttemptEvent } from './face-verifier.ts';

/** What the face process tells the terminal. */
export type FromFaceProcess =
  | { readonly type: 'health'; readonly trouble: Failure | null }
  | { readonly type: 'event'; readonly attempt: number; readonly event: FaceAttemptEvent }
  /** Frames, embeddings, reference and the models' inputs have been overwritten, `afterMs` after the attempt's end. */
  | { readonly type: 'wiped'; readonly attempt: number; readonly afterMs: number };
