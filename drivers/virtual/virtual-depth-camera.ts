/** A depth camera of computed measurements beside the virtual camera: it hears the same orders and sees the same scene. */
import { failure } from '../../src/core/failure.ts';
import type { DepthCameraSettings } from '../../src/face/messages.ts';
import type { DepthCamera, DepthCameraEvent } from '../../src/ports/depth-camera.ts';
import { emptyScene, type Person } from './render-scene.ts';
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
  private readonly listeners = new Set<(event: DepthCameraEvent) => void>();
  private readonly depthMm = new Uint16Array(WIDTH * HEIGHT);
  private readonly infrared = new Uint8Array(WIDTH * HEIGHT);
  private readonly stopHearing: () => void;
  private orders: CameraOrders = { scene: emptyScene, fault: 'none' };
  private timer: NodeJS.Timeout | null = null;

  constructor({ controlSocket }: DepthCameraSettings) {
    this.stopHearing = hearOrders(controlSocket, (orders) => this.obey(orders));
  }

  subscribe(listener: (event: DepthCameraEvent) => void): () => void {
    this.listeners.add(listener);
    if (this.orders.fault === 'lost') listener({ type: 'lost', failure: failure('camera.lost', 'depth camera') });
    this.timer ??= setInterval(() => this.measure(), INTERVAL_MS);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.rest();
    };
  }

  async close(): Promise<void> {
    this.stopHearing();
    this.listeners.clear();
    this.rest();
  }

  private rest(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.depthMm.fill(0);
    this.infrared.fill(0);
  }

  private emit(event: DepthCameraEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  private obey(orders: CameraOrders): void {
    const before = this.orders.fault;
    this.orders = orders;
    if (orders.fault === 'lost' && before !== 'lost')
      this.emit({ type: 'lost', failure: failure('camera.lost', 'depth camera') });
    if (orders.fault !== 'lost' && before === 'lost') this.emit({ type: 'found' });
  }

  private measure(): void {
    if (this.orders.fault === 'lost') return;
    this.depthMm.fill(WALL_MM);
    this.infrared.fill(SKIN_INFRARED);
    for (const person of this.orders.scene.people) this.paint(person);
    const frame = { width: WIDTH, height: HEIGHT, depthMm: this.depthMm, infrared: this.infrared };
    this.emit({ type: 'frame', frame: { ...frame, capturedAtMs: performance.now() } });
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
