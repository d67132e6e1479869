import type { Board, Bundle, Slot, UpdateRecord } from '../core/update/update.ts';

/** What an update needs of the device: two slots, a boot loader that can be asked for one once, a file outside both. */
export interface UpdateBoard {
  look(): Promise<{ readonly board: Board; readonly version: string; readonly compatible: string }>;
  /** null: none, or not readable */
  readRecord(): Promise<UpdateRecord | null>;
  /** Resolves once the record would be there after a power cut; false: the old one is. */
  keep(record: UpdateRecord): Promise<boolean>;
  /** Writes both parts of the release, each byte checked against the signature. The slot is no good from the first byte on. */
  install(bundle: Bundle, target: Slot): Promise<'ok' | 'foreign' | 'tampered' | 'unwritable'>;
  /** The process ends soon after. */
  restart(into: Slot, trial: boolean): Promise<void>;
  takeOver(from: Slot, to: Slot): Promise<boolean>;
  /** On trial: a test request went all the way and back. Before it: the release that runs reaches the agent. */
  askHealth(): Promise<boolean>;
  commit(slot: Slot): Promise<boolean>;
}
