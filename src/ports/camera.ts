import type { Failure } from '../core/failure.ts';

/** 8-bit RGB, row by row, no padding: `rgb.length = width × height × 3`. `capturedAtMs` is monotonic. */
export type Frame = {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
  readonly capturedAtMs: number;
};

export type CameraEvent =
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'lost'; readonly failure: Failure }
  | { readonly type: 'found' };

/** Frames flow while somebody listens; the buffer of a frame is the listener's to read until it returns. */
export interface Camera {
  subscribe(listener: (event: CameraEvent) => void): () => void;
  close(): Promise<void>;
}
