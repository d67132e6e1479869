/** A depth camera of computed measurements beside the virtual camera: it hears the same orders and sees the same scene. */
import { failure } from '../../src/core/failure.ts';
import type { DepthCamera, DepthCameraEvent, DepthFrame } from '../../src/ports/depth-camera.ts';
import { OrderedFrames } from './ordered-frames.ts';
import type { Person } from './render-scene.ts';
import { type CameraOrders, hearOrders } from './virtual-camera-control.ts';

const frameWidth = 160;
const frameHeight = 120;
const intervalMs = 66;
const wallMm = 1_500;
const faceMm = 500;
/** Half a face of scale 1, in parts of the picture's width; 75 mm wide. */
const halfFace = 0.13;
const halfFaceMm = 75;
const skinInfrared = 120;

/** Depth at a place, in millimetres to the right of and below the middle of the face; null = past its edge. */
const headMm = (x: number, y: number): number | null => {
  if (Math.hypot(x / 90, y / 120) > 1) return null;
  const nose = 20 * Math.exp(-(x * x + (y - 10) ** 2) / (2 * 15 ** 2));
  return faceMm + 40 * (x / 75) ** 2 + 20 * (y / 100) ** 2 - nose;
};
const sheetMm = (x: number, y: number, turn: number): number | null =>
  Math.abs(x) > 150 || Math.abs(y) > 200 ? null : faceMm - x * Math.tan((turn * Math.PI) / 180);

export type VirtualDepthCameraSettings = { readonly controlSocket: string };

export class VirtualDepthCamera implements DepthCamera {
  readonly #depthMm = new Uint16Array(frameWidth * frameHeight);
  readonly #infrared = new Uint8Array(frameWidth * frameHeight);
  readonly #frames = new OrderedFrames<DepthFrame>({
    intervalMs: intervalMs,
    lost: failure('camera.lost', 'depth camera'),
    make: (orders) => this.#measure(orders),
    wipe: () => {
      this.#depthMm.fill(0);
      this.#infrared.fill(0);
    },
  });
  readonly #stopHearing: () => void;

  constructor({ controlSocket }: VirtualDepthCameraSettings) {
    this.#stopHearing = hearOrders(controlSocket, (orders) => this.#frames.obey(orders));
  }

  subscribe(listener: (event: DepthCameraEvent) => void): () => void {
    return this.#frames.subscribe(listener);
  }

  async close(): Promise<void> {
    this.#stopHearing();
    this.#frames.close();
  }

  #measure({ scene }: CameraOrders): DepthFrame {
    this.#depthMm.fill(wallMm);
    this.#infrared.fill(skinInfrared);
    for (const person of scene.people) this.#paint(person);
    const depthMm = this.#depthMm;
    const infrared = this.#infrared;
    return { width: frameWidth, height: frameHeight, depthMm, infrared, capturedAtMs: performance.now() };
  }

  #paint({ x, y, scale, sheet }: Person): void {
    const mmPerPart = halfFaceMm / (halfFace * scale);
    const isScreen = sheet !== undefined && Math.max(...sheet.colour) < 64;
    for (let v = 0; v < frameHeight; v++)
      for (let u = 0; u < frameWidth; u++) {
        const across = (u / frameWidth - 0.5 - x) * mmPerPart;
        // A part of the height is shorter than one of the width.
        const down = (v / frameHeight - 0.5 - y) * mmPerPart * (frameHeight / frameWidth);
        const depth = sheet === undefined ? headMm(across, down) : sheetMm(across, down, sheet.turn);
        if (depth === null) continue;
        this.#depthMm[v * frameWidth + u] = depth;
        if (isScreen) this.#infrared[v * frameWidth + u] = 4;
      }
  }
}

export const createVirtualDepthCamera = (settings: VirtualDepthCameraSettings): DepthCamera =>
  new VirtualDepthCamera(settings);
