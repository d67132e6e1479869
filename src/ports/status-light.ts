import type { Failure } from '../core/failure.ts';
import type { LightPattern } from '../core/visit/light-of.ts';

export type Beep = 'contact' | 'done' | 'attention';

export type StatusLightEvent =
  | { readonly type: 'presence'; readonly near: boolean }
  | { readonly type: 'found' }
  | { readonly type: 'lost'; readonly failure: Failure };

export interface StatusLight {
  show(pattern: LightPattern): void;
  beep(beep: Beep): void;
  subscribe(listener: (event: StatusLightEvent) => void): () => void;
  close(): Promise<void>;
}
