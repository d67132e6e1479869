/**
 * The painted person before the virtual camera does what the screen asks of a face: turns, blinks, comes back to rest.
 * It sees the screen as the patient does, over the page's socket.
 */
import WebSocket from 'ws';
import { eyesOf, type FaceId } from '../../drivers/virtual/faces.ts';
import { emptyScene, type Person, personBefore } from '../../drivers/virtual/render-scene.ts';
import type { VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';
import type { FaceHint } from '../../src/core/visit/verification.ts';

/** From seeing the words to moving. ms */
export const reactionMs = 700;
const lidsShutMs = 350;
const turnDegrees = 30;

const movement = (face: FaceId, hint: FaceHint | null): Partial<Person> | null => {
  switch (hint) {
    case 'turn-left':
      return { yaw: turnDegrees };
    case 'turn-right':
      return { yaw: -turnDegrees };
    case 'blink':
      return { eyes: { opening: 0.05, centres: eyesOf[face] } };
    default:
      return null;
  }
};

export class PaintedHead {
  readonly #control: VirtualCameraControl;
  readonly #screenPort: number;
  #socket: WebSocket | null = null;
  #face: FaceId | null = null;
  #hint: FaceHint | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(control: VirtualCameraControl, screenPort: number) {
    this.#control = control;
    this.#screenPort = screenPort;
  }

  /** null = nobody. */
  setFace(face: FaceId | null): void {
    this.#face = face;
    if (face === null) this.#lookAway();
    else this.#lookAtScreen();
    this.#hold({});
  }

  // Only while somebody stands there: who watches counts as a page of the screen, and nobody is none.
  #lookAtScreen(): void {
    if (this.#socket !== null) return;
    this.#socket = new WebSocket(`ws://127.0.0.1:${this.#screenPort}/screen`);
    // Without the screen it stands still.
    this.#socket.on('error', () => undefined);
    this.#socket.on('message', (raw, binary) => {
      if (binary) return;
      const { model } = JSON.parse(String(raw)) as { model?: ScreenModel };
      if (model !== undefined) this.#see(model.body.kind === 'face' ? model.body.hint : null);
    });
  }

  #lookAway(): void {
    this.#socket?.terminate();
    this.#socket = null;
    this.#see(null);
  }

  close(): void {
    this.#lookAway();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #see(hint: FaceHint | null): void {
    if (hint === this.#hint) return;
    this.#hint = hint;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#move(hint), hint === null ? 0 : reactionMs);
  }

  #move(hint: FaceHint | null): void {
    const moved = this.#face === null ? null : movement(this.#face, hint);
    this.#hold(moved ?? {});
    if (moved !== null && hint === 'blink') this.#timer = setTimeout(() => this.#hold({}), lidsShutMs);
  }

  #hold(change: Partial<Person>): void {
    const people = this.#face === null ? [] : [{ ...personBefore(this.#face), ...change }];
    this.#control.setScene({ ...emptyScene, people });
  }
}
