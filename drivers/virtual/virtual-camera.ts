/** A camera of painted frames behind the camera port; everything after it is as with a real one. */
import { failure } from '../../src/core/failure.ts';
import type { CameraSettings } from '../../src/face/messages.ts';
import type { Camera, CameraEvent } from '../../src/ports/camera.ts';
import { isFaceId } from './faces.ts';
import { emptyScene, FRAME_HEIGHT, FRAME_WIDTH, personBefore, SceneRenderer } from './render-scene.ts';
import { type CameraOrders, hearOrders } from './virtual-camera-control.ts';

/** A frame costs about 10 ms to paint; more of them would only take time from the models. */
const FRAMES_PER_SECOND = 15;

type VirtualCameraSettings = Extract<CameraSettings, { kind: 'virtual' }>;

export class VirtualCamera implements Camera {
  private readonly renderer: SceneRenderer;
  private readonly intervalMs: number;
  private readonly rgb = new Uint8Array(FRAME_WIDTH * FRAME_HEIGHT * 3);
  private readonly listeners = new Set<(event: CameraEvent) => void>();
  private orders: CameraOrders;
  private latestOrders: CameraOrders;
  private timer: NodeJS.Timeout | null = null;
  private stopHearing = (): void => undefined;

  constructor(settings: VirtualCameraSettings) {
    const { face = null } = settings;
    if (face !== null && !isFaceId(face)) throw new Error(`virtual-camera: there is no face "${face}"`);
    this.renderer = new SceneRenderer(settings.seed);
    this.intervalMs = 1000 / (settings.framesPerSecond ?? FRAMES_PER_SECOND);
    this.orders = { scene: emptyScene, fault: 'none' };
    this.latestOrders = this.orders;
    void this.obey({
      scene: { ...emptyScene, people: face === null ? [] : [personBefore(face)] },
      fault: 'none',
    });
    if (settings.controlSocket !== undefined)
      this.stopHearing = hearOrders(settings.controlSocket, (orders) => void this.obey(orders));
  }

  subscribe(listener: (event: CameraEvent) => void): () => void {
    this.listeners.add(listener);
    if (this.orders.fault === 'lost') listener({ type: 'lost', failure: failure('camera.lost') });
    this.timer ??= setInterval(() => this.shoot(), this.intervalMs);
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

  /** Follows new orders once the faces they name are loaded, unless newer ones have come by then. */
  async obey(orders: CameraOrders): Promise<void> {
    this.latestOrders = orders;
    for (const { face } of orders.scene.people) await this.renderer.load(face);
    if (this.latestOrders !== orders) return;
    const before = this.orders.fault;
    this.orders = orders;
    if (orders.fault === 'lost' && before !== 'lost') this.emit({ type: 'lost', failure: failure('camera.lost') });
    if (orders.fault !== 'lost' && before === 'lost') this.emit({ type: 'found' });
  }

  private rest(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.rgb.fill(0);
  }

  private emit(event: CameraEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  private shoot(): void {
    const { scene, fault } = this.orders;
    if (fault === 'lost') return;
    const capturedAtMs = performance.now();
    if (fault === 'black') this.rgb.fill(0);
    else if (fault === 'none') this.renderer.render(scene, capturedAtMs, this.rgb);
    this.emit({ type: 'frame', frame: { width: FRAME_WIDTH, height: FRAME_HEIGHT, rgb: this.rgb, capturedAtMs } });
  }
}

export const createVirtualCamera = (settings: VirtualCameraSettings): Camera => new VirtualCamera(settings);
