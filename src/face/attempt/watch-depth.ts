/** Keeps the latest measurement of the depth camera, and gives the verdict on the face of the colour frame taken then. */
import type { DepthCamera, DepthFrame } from '../../ports/depth-camera.ts';
import type { Box } from '../picture/geometry.ts';
import { judgeDepth } from './judge-depth.ts';
import type { DepthVerdict } from './weigh-evidence.ts';

/** A head that moves at 10 cm/s is still over its place after so long. */
const sameMomentMs = 200;

const copyOf = (frame: DepthFrame): DepthFrame => {
  const { depthMm, infrared } = frame;
  return { ...frame, depthMm: depthMm.slice(), ...(infrared && { infrared: infrared.slice() }) };
};

/** The shape of a face is a face. */
const wipe = (frame: DepthFrame | null): void => {
  frame?.depthMm.fill(0);
  frame?.infrared?.fill(0);
};

export class DepthWatch {
  readonly #camera: DepthCamera;
  #latest: DepthFrame | null = null;
  /** What belongs to the colour frame that is being looked at. */
  #kept: DepthFrame | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(camera: DepthCamera) {
    this.#camera = camera;
  }

  follow(): void {
    this.#unsubscribe ??= this.#camera.subscribe((event) => {
      if (event.type === 'found') return;
      const before = this.#latest;
      this.#latest = event.type === 'frame' ? copyOf(event.frame) : null;
      if (before !== this.#kept) wipe(before);
    });
  }

  /** Chooses the measurement for the colour frame taken at `atMs`. */
  keep(atMs: number): void {
    const isNear = this.#latest !== null && Math.abs(atMs - this.#latest.capturedAtMs) <= sameMomentMs;
    const before = this.#kept;
    this.#kept = isNear ? this.#latest : null;
    if (before !== this.#latest) wipe(before);
  }

  /** `face` in parts of the colour picture. `unclear` when nothing was measured at that moment. */
  judge(face: Box): DepthVerdict {
    return this.#kept === null ? 'unclear' : judgeDepth(this.#kept, face);
  }

  /** Nobody is looked at any more: overwrites what is held. */
  rest(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    wipe(this.#latest);
    wipe(this.#kept);
    this.#latest = null;
    this.#kept = null;
  }
}
