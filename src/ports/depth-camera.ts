import type { Failure } from '../core/failure.ts';

/**
 * One measurement beside the colour camera, registered to it: same field of view, same middle, other resolution.
 * `capturedAtMs` is monotonic, of the same clock as the colour frames.
 */
export type DepthFrame = {
  readonly width: number;
  readonly height: number;
  /** Millimetres from the sensor, row by row, `width × height`; 0 = nothing measured there. */
  readonly depthMm: Uint16Array;
  /** Near infrared under the sensor's own lamp, same shape, 0..255; left out where the sensor tells depth alone. */
  readonly infrared?: Uint8Array;
  readonly capturedAtMs: number;
};

export type DepthCameraEvent =
  | { readonly type: 'frame'; readonly frame: DepthFrame }
  | { readonly type: 'lost'; readonly failure: Failure }
  | { readonly type: 'found' };

/**
 * An infrared or depth camera (structured light, time of flight, stereo) as further evidence against photos and screens.
 * Off by default, and no driver for a real one is here. Where there is one, `src/face/attempt/judge-depth.ts` makes a verdict of
 * the measurement around the moment of each colour frame, and `src/face/attempt/weigh-evidence.ts` joins it with the passive
 * model and moiré: depth that says attack is enough to suspect one, and without depth that says bona fide nobody
 * matches in the strengths `passive` and `active`. Frames flow while somebody listens; the buffers are the listener's
 * until it returns.
 */
export interface DepthCamera {
  subscribe(listener: (event: DepthCameraEvent) => void): () => void;
  close(): Promise<void>;
}
