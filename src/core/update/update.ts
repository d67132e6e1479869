import type { Moment } from '../moment.ts';

/**
 * A terminal's disk has two places for the whole of its system. One runs; a new release is written into the other, tried
 * once, and becomes the standard when a test request went all the way. What has not proved itself is left by any restart.
 */
export type Slot = 'a' | 'b';
export const otherSlot = (slot: Slot): Slot => (slot === 'a' ? 'b' : 'a');

/** What the board itself says: which slot runs, and which one it takes when nobody asks for another. */
export type Board = { readonly booted: Slot; readonly standard: Slot };

/** What the signature of a bundle proves. `trusted`: made by a key that the trust file of this release names. */
type SignatureResult = 'trusted' | 'foreign' | 'broken' | 'absent';

export type Bundle = {
  /** SHA-256 of the file, hex: another file is another bundle */
  readonly id: string;
  readonly version: string;
  /** The kind of device it is for */
  readonly compatible: string;
  readonly signature: SignatureResult;
};

/** Why a bundle is never installed here, whatever the hour. */
export type RefusalReason =
  /** Signed by a key that nobody here trusts, or by none */
  | 'foreign'
  /** Its bytes are not those that were signed */
  | 'tampered'
  /** For another kind of device */
  | 'other-device'
  /** Its version cannot be read, so nothing could say that it is newer */
  | 'no-version'
  /** Below the floor: of this version or an older one, or than one that has run here */
  | 'older'
  /** Was tried here and did not prove itself, or could not be written */
  | 'failed-before';

/** Why nothing happens for now with a bundle that is good. The first that holds is told. */
export type WaitReason =
  /** Of this board: it could not start a release once on trial */
  | 'boot-loader'
  /** The clinic's agent is of an older release: agents first (docs/updating.md) */
  | 'agent-first'
  /** The lanes before this one are not through yet, or one of them has fallen back */
  | 'wave'
  /** Nothing confirms the clock: nobody knows whether the clinic is open */
  | 'clock'
  | 'opening-hours'
  /** A visit, a card on the bed, or something signed that has not been received yet */
  | 'busy'
  /** The release that runs does not reach the agent: a new one could prove nothing. Or something could not be written */
  | 'unwell';

export type FailedBundle = {
  readonly id: string;
  readonly reason: 'fell-back' | 'foreign' | 'tampered' | 'unwritable';
};

export type Attempt = {
  readonly bundle: { readonly id: string; readonly version: string };
  readonly target: Slot;
  /**
   * writing  the slot holds neither release whole
   * written  whole, never tried
   * trying   the board was asked to take it, `tries` times
   */
  readonly step: 'writing' | 'written' | 'trying';
  readonly writes: number;
  readonly tries: number;
};

/** What outlives a restart, one file outside both slots. */
export type UpdateRecord = {
  /** The newest version that has proved itself here: nothing older is installed again */
  readonly floor: string;
  readonly attempt: Attempt | null;
  readonly failed: readonly FailedBundle[];
  readonly last: {
    readonly version: string;
    readonly outcome: 'installed' | 'fell-back' | 'refused';
    readonly reason: RefusalReason | FailedBundle['reason'] | null;
    readonly wallMs: number;
  } | null;
};

export type Surroundings = {
  /** Nobody is served and nothing waits to be sent */
  readonly isIdle: boolean;
  /** `closed`: and stays so for as long as an update may take. `unknown`: the clock is doubted */
  readonly hours: 'open' | 'closed' | 'unknown';
  /** What the agent says of this lane */
  readonly wave: 'go' | 'wait';
  /** null: not heard yet */
  readonly agentVersion: string | null;
  /** Of the board: a trial could not be started; left out: it can, or nothing is known */
  readonly isBootLoaderTooOld?: boolean;
};

export type UpdateState =
  /** Nothing of the board is known yet. */
  | { readonly name: 'starting'; readonly deadlineMs: null }
  /** Nothing is offered, or what is offered was refused. */
  | { readonly name: 'current'; readonly deadlineMs: null }
  | { readonly name: 'waiting'; readonly bundle: Bundle; readonly why: WaitReason; readonly deadlineMs: number | null }
  | { readonly name: 'installing'; readonly bundle: Bundle; readonly attempt: Attempt; readonly deadlineMs: number }
  /** Whether the release that runs reaches the agent, before it is left. */
  | { readonly name: 'checkingBefore'; readonly bundle: Bundle; readonly attempt: Attempt; readonly deadlineMs: number }
  /** The board was asked to restart. */
  | { readonly name: 'restarting'; readonly into: Slot; readonly deadlineMs: number }
  /** In the new slot: the state of the old one is copied, then the test request is made until it passes. */
  | { readonly name: 'takingOver'; readonly attempt: Attempt; readonly deadlineMs: number }
  | {
      readonly name: 'proving';
      readonly attempt: Attempt;
      readonly askAtMs: number | null;
      readonly deadlineMs: number;
    }
  | { readonly name: 'committing'; readonly attempt: Attempt; readonly deadlineMs: number };

type At = { readonly at: Moment };

export type UpdateEvent = At &
  (
    | {
        readonly type: 'Started';
        readonly board: Board;
        /** The release that runs */
        readonly version: string;
        readonly compatible: string;
        /** null: there is none (a new device), or it cannot be read */
        readonly record: UpdateRecord | null;
      }
    | { readonly type: 'BundleOffered'; readonly bundle: Bundle }
    | { readonly type: 'BundleWithdrawn' }
    | { readonly type: 'SurroundingsChanged'; readonly surroundings: Surroundings }
    | { readonly type: 'Installed' }
    | { readonly type: 'InstallFailed'; readonly reason: 'foreign' | 'tampered' | 'unwritable' }
    | { readonly type: 'StateTaken'; readonly ok: boolean }
    | { readonly type: 'HealthAnswered'; readonly ok: boolean }
    | { readonly type: 'Committed'; readonly ok: boolean }
    /** A record could not be written: the rest of that step was not done. */
    | { readonly type: 'KeepFailed' }
    /** A technician wants what failed to be tried once more. */
    | { readonly type: 'RetryAsked' }
    | { readonly type: 'DeadlinePassed' }
  );

/**
 * What the world shall do, in this order: a later effect begins when the one before it is done, and none does after a
 * `Keep` that failed.
 */
export type UpdateEffect =
  /** The record, durable: after a power cut it is there whole, or the one before it is. */
  | { readonly type: 'Keep'; readonly record: UpdateRecord }
  /** Both parts of the release into that slot, every byte checked against the signature; never the slot that runs. */
  | { readonly type: 'Install'; readonly bundle: Bundle; readonly target: Slot }
  /** `trial`: this one time, whatever ends it; otherwise the standard slot. */
  | { readonly type: 'Restart'; readonly into: Slot; readonly trial: boolean }
  /** What the terminal knows (outbox, settings) is copied from the standard slot's state; that one stays as it is. */
  | { readonly type: 'TakeOverState'; readonly from: Slot; readonly to: Slot }
  /** On trial a test request end to end: store, signature, seal, broker, agent, receipt. Before it: the agent is reached. */
  | { readonly type: 'AskHealth' }
  /** From now on the board takes this slot: one write of one sector. */
  | { readonly type: 'Commit'; readonly slot: Slot };

/** The whole of what the machine knows. */
export type Update = {
  readonly state: UpdateState;
  readonly board: Board;
  readonly version: string;
  readonly compatible: string;
  readonly record: UpdateRecord;
  readonly offered: Bundle | null;
  readonly surroundings: Surroundings;
};
export type UpdateStep = { readonly update: Update; readonly effects: readonly UpdateEffect[] };
