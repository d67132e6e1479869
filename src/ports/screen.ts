import type { ScreenModel, Touch } from '../core/screen/screen-model.ts';
import type { PinKey } from './keypad.ts';

export type ScreenEvent =
  | { readonly type: 'touched'; readonly touch: Touch }
  /** One binary frame of one byte per key of the touch pad. */
  | { readonly type: 'pin-key'; readonly key: PinKey }
  /** The page has painted this revision: the screen's heart-beat. */
  | { readonly type: 'painted'; readonly revision: number }
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' };

export interface Screen {
  show(model: ScreenModel): void;
  /** Mirrored live picture, JPEG; memory only. `null` takes it away. */
  preview(jpeg: Uint8Array | null): void;
  subscribe(listener: (event: ScreenEvent) => void): () => void;
  close(): Promise<void>;
}
