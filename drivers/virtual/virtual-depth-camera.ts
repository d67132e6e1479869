/** A depth camera of computed measurements beside the virtual camera: it hears the same orders and sees the same scene. */
import { failure } from '../../src/core/failure.ts';
import type { DepthCamera, DepthCameraEvent, DepthFrame } from '../../src/ports/depth-camera.ts';
import type { DepthCameraSettings } from '../../src/ports/face-process-messages.ts';
import { OrderedFrames } from './ordered-frames.ts';
import type { Person } from './render-scene.ts';
import { type CameraOrders, hearOrders } from './virtual-camera-control.ts';

const WIDTH = 160;
const HEIGHT = 120;
const INTERVAL_MS = 66;
const WALL_MM = 1_500;
const FACE_MM = 500;
/** Half a face of scale 1, in parts of the picture's width; 75 mm wide. */
const HALF_FACE = 0.13;
const HALF_FACE_MM = 75;
const SKIN_INFRARED = 120;

/** Depth at a place, in millimetres to the right of and below the middle of the face; null = past its edge. */
const headMm = (x: number, y: number): number | null => {
  if (Math.hypot(x / 90, y / 120) > 1) return null;
  const nose = 20 * Math.exp(-(x * x + (y - 10) ** 2) / (2 * 15 ** 2));
  return FACE_MM + 40 * (x / 75) ** 2 + 20 * (y / 100) ** 2 - nose;
};
const sheetMm = (x: number, y: number, turn: number): number | null =>
  Math.abs(x) > 150 || Math.abs(y) > 200 ? null : FACE_MM - x * Math.tan((turn * Math.PI) / 180);

export class VirtualDepthCamera implements DepthCamera {
  private readonly depthMm = new Uint16Array(WIDTH * HEIGHT);
  private readonly infrared = new Uint8Array(WIDTH * HEIGHT);
  private readonly frames = new OrderedFrames<DepthFrame>({
    intervalMs: INTERVAL_MS,
    lost: failure('camera.lost', 'depth camera'),
    make: (orders) => this.measure(orders),
    wipe: () => {
      this.depthMm.fill(0);
      this.infrared.fill(0);
    },
  });
  private readonly stopHearing: () => void;

  constructor({ controlSocket }: DepthCameraSettings) {
    this.stopHearing = hearOrders(controlSocket, (orders) => this.frames.obey(orders));
  }

  subscribe(listener: (event: DepthCameraEvent) => void): () => void {
    return this.frames.subscribe(listener);
  }

  async close(): Promise<void> {
    this.stopHearing();
    this.frames.close();
  }

  private measure({ scene }: CameraOrders): DepthFrame {
    this.depthMm.fill(WALL_MM);
    this.infrared.fill(SKIN_INFRARED);
    for (const person of scene.people) this.paint(person);
    const { depthMm, infrared } = this;
    return { width: WIDTH, height: HEIGHT, depthMm, infrared, capturedAtMs: performance.now() };
  }

  private paint({ x, y, scale, sheet }: Person): void {
    const mmPerPart = HALF_FACE_MM / (HALF_FACE * scale);
    const isScreen = sheet !== undefined && Math.max(...sheet.colour) < 64;
    for (let v = 0; v < HEIGHT; v++)
      for (let u = 0; u < WIDTH; u++) {
        const across = (u / WIDTH - 0.5 - x) * mmPerPart;
        // A part of the height is shorter than one of the width.
        const down = (v / HEIGHT - 0.5 - y) * mmPerPart * (HEIGHT / WIDTH);
        const depth = sheet === undefined ? headMm(across, down) : sheetMm(across, down, sheet.turn);
        if (depth === null) continue;
        this.depthMm[v * WIDTH + u] = depth;
        if (isScreen) this.infrared[v * WIDTH + u] = 4;
      }
  }
}

export const createVirtualDepthCamera = (settings: DepthCameraSettings): DepthCamera =>
  new VirtualDepthCamera(settings);
