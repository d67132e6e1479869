/** A camera of painted frames behind the camera port; everything after it is as with a real one. */
import { failure } from '../../src/core/failure.ts';
import type { Camera, CameraEvent, Frame } from '../../src/ports/camera.ts';
import { openCameraApart } from './camera-apart.ts';
import { OrderedFrames } from './ordered-frames.ts';
import { frameHeight, frameWidth, SceneRenderer, sceneBefore } from './render-scene.ts';
import { type CameraOrders, hearOrders } from './virtual-camera-control.ts';

/** A frame costs about 10 ms to paint; more of them would only take time from the models. */
export const usualFramesPerSecond = 15;

export type VirtualCameraSettings = {
  readonly seed: number;
  /** 15 a second where left out */
  readonly framesPerSecond?: number;
  /** Path of the control panel's unix socket; without it `face` stays before the camera. */
  readonly controlSocket?: string;
  readonly face?: string | null;
  /** Painted in a process of its own: for whoever measures what the face process does */
  readonly apart?: true;
};

export class VirtualCamera implements Camera {
  readonly #renderer: SceneRenderer;
  readonly #rgb = new Uint8Array(frameWidth * frameHeight * 3);
  readonly #frames: OrderedFrames<Frame>;
  #latestOrders: CameraOrders;
  #stopHearing = (): void => undefined;

  /** Throws where there is no face of that name. */
  constructor(settings: VirtualCameraSettings) {
    const scene = sceneBefore(settings.face ?? null);
    this.#renderer = new SceneRenderer(settings.seed);
    this.#frames = new OrderedFrames({
      intervalMs: 1000 / (settings.framesPerSecond ?? usualFramesPerSecond),
      lost: failure('camera.lost'),
      make: (orders) => this.#shoot(orders),
      wipe: () => this.#rgb.fill(0),
    });
    this.#latestOrders = this.#frames.orders;
    void this.obey({ scene, fault: 'none' });
    if (settings.controlSocket !== undefined)
      this.#stopHearing = hearOrders(settings.controlSocket, (orders) => void this.obey(orders));
  }

  subscribe(listener: (event: CameraEvent) => void): () => void {
    return this.#frames.subscribe(listener);
  }

  async close(): Promise<void> {
    this.#stopHearing();
    this.#frames.close();
  }

  /** Follows new orders once the faces they name are loaded, unless newer ones have come by then. */
  async obey(orders: CameraOrders): Promise<void> {
    this.#latestOrders = orders;
    for (const { face } of orders.scene.people) await this.#renderer.load(face);
    if (this.#latestOrders === orders) this.#frames.obey(orders);
  }

  #shoot({ scene, fault }: CameraOrders): Frame {
    const capturedAtMs = performance.now();
    if (fault === 'black') this.#rgb.fill(0);
    else if (fault === 'none') this.#renderer.render(scene, capturedAtMs, this.#rgb);
    return { width: frameWidth, height: frameHeight, rgb: this.#rgb, capturedAtMs };
  }
}

export const createVirtualCamera = ({ apart, ...settings }: VirtualCameraSettings): Camera =>
  apart === true ? openCameraApart(settings) : new VirtualCamera(settings);
