/** What the virtual cameras have in common: frames while somebody listens, lost and found again as they are ordered. */
import type { Failure } from '../../src/core/failure.ts';
import { emptyScene } from './render-scene.ts';
import type { CameraOrders } from './virtual-camera-control.ts';

type FrameEvent<Frame> =
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'lost'; readonly failure: Failure }
  | { readonly type: 'found' };

type FrameMaker<Frame> = {
  readonly intervalMs: number;
  readonly lost: Failure;
  readonly make: (orders: CameraOrders) => Frame;
  /** Overwrites the buffers that `make` fills. */
  readonly wipe: () => void;
};

export class OrderedFrames<Frame> {
  orders: CameraOrders = { scene: emptyScene, fault: 'none' };
  readonly #maker: FrameMaker<Frame>;
  readonly #listeners = new Set<(event: FrameEvent<Frame>) => void>();
  #timer: NodeJS.Timeout | null = null;

  constructor(maker: FrameMaker<Frame>) {
    this.#maker = maker;
  }

  subscribe(listener: (event: FrameEvent<Frame>) => void): () => void {
    this.#listeners.add(listener);
    if (this.orders.fault === 'lost') listener({ type: 'lost', failure: this.#maker.lost });
    this.#timer ??= setInterval(() => this.#next(), this.#maker.intervalMs);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  obey(orders: CameraOrders): void {
    const before = this.orders.fault;
    this.orders = orders;
    if (orders.fault === 'lost' && before !== 'lost') this.#emit({ type: 'lost', failure: this.#maker.lost });
    if (orders.fault !== 'lost' && before === 'lost') this.#emit({ type: 'found' });
  }

  close(): void {
    this.#listeners.clear();
    this.#rest();
  }

  #next(): void {
    if (this.orders.fault !== 'lost') this.#emit({ type: 'frame', frame: this.#maker.make(this.orders) });
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#maker.wipe();
  }

  #emit(event: FrameEvent<Frame>): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
