/** What the face process is started with, and what it tells. */
import type { Failure } from '../core/failure.ts';
import type { FaceAttemptEvent } from './face-verifier.ts';

/** Where the frames come from. */
export type CameraSettings =
  | {
      readonly kind: 'ffmpeg';
      /** A V4L2 device (`/dev/video0`), or a lavfi graph or a file for tests. */
      readonly source: { readonly device: string } | { readonly lavfi: string } | { readonly file: string };
      readonly framesPerSecond?: number;
    }
  | {
      /** The Raspberry Pi's own camera, by `rpicam-vid`. */
      readonly kind: 'rpicam';
      /** 0 = the first; `rpicam-vid --list-cameras` counts them. */
      readonly index: number;
      readonly framesPerSecond?: number;
    }
  | {
      readonly kind: 'virtual';
      readonly seed: number;
      readonly framesPerSecond?: number;
      /** Path of the control panel's unix socket; without it `face` stays before the camera. */
      readonly controlSocket?: string;
      readonly face?: string | null;
    };

/** There is no driver for a real one yet (src/ports/depth-camera.ts). */
export type DepthCameraSettings = { readonly kind: 'virtual'; readonly controlSocket: string };

export type FaceSettings = {
  readonly modelsDir: string;
  readonly profile: 'release' | 'demo';
  readonly camera: CameraSettings;
  /** Left out: none, the usual case. */
  readonly depthCamera?: DepthCameraSettings;
  /** Id of the embedding model in models/manifest.json. */
  readonly embeddingModel: string;
  /** Cosine at or above which two faces are one person's; without it the model's default. */
  readonly threshold?: number;
  /** Ids of models that may be used in the release profile although their licence is not verified. */
  readonly acceptedUnverifiedModels: readonly string[];
  readonly threads: number;
};

/** What the face process tells the terminal. */
export type FromFaceProcess =
  | { readonly type: 'health'; readonly trouble: Failure | null }
  | { readonly type: 'event'; readonly attempt: number; readonly event: FaceAttemptEvent }
  /** Frames, embeddings, reference and the models' inputs have been overwritten, `afterMs` after the attempt's end. */
  | { readonly type: 'wiped'; readonly attempt: number; readonly afterMs: number };
