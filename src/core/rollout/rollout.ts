import type { RolloutConsent, RolloutOrder, RolloutWord } from '../../wire/rollout-papers.ts';
import { dayMs } from '../time-units.ts';
import type { TrustedTime } from '../trusted-time.ts';
import { toleratedMs } from '../trusted-time.ts';
import { compareVersions } from '../update/compare-versions.ts';

/*
 * A facility's side of a rollout: whether what a chain's operator has signed is taken here, now. Signatures have been looked at
 * before; nothing here knows of files or keys.
 */

/** Why an order is not in force here. The first that holds is told. */
export type RolloutReason =
  /** Cut, or no such file at all */
  | 'unreadable'
  /** By a key that nobody here trusts, or changed after it was signed */
  | 'forged'
  | 'other-chain'
  /** Signed for another kind than its file says, or a word for another order */
  | 'other-order'
  /** A lower number, or an older release, than was seen here */
  | 'older'
  /** Another order under the number that was seen here */
  | 'same-number'
  /** A word that was said before the last one heard */
  | 'replayed'
  | 'stopped'
  /** Goes on after a stop, and nobody with the chain's key has signed that it may */
  | 'no-consent'
  /** Nothing confirms this machine's clock: nobody knows what has expired */
  | 'clock'
  /** Issued in time to come: one of the two clocks is wrong */
  | 'from-the-future'
  /** The order's days are over */
  | 'expired'
  /** The watch has not spoken for too long, or this copy of the folder is old */
  | 'silent-watch'
  | 'not-addressed'
  | 'in-two-waves'
  | 'not-yet'
  /** This facility keeps its own */
  | 'kept'
  | 'opening-hours'
  /** What was signed is not, or not wholly, in the folder */
  | 'content-missing'
  | 'content-changed'
  /** The disk has no room for it */
  | 'no-room'
  /** It could not be written */
  | 'unwritable'
  /** What was held here cannot be read */
  | 'memory-damaged'
  /** Settings that this release cannot be given, or keys that would lock the chain out */
  | 'unusable';

/** What is remembered of one kind of orders, over restarts. */
export type HeldRollout = {
  /** Number of the newest order seen; 0: none */
  readonly number: number;
  /** Hash of that order; null: none */
  readonly order: string | null;
  /** Sequence number of its newest word, and that word's hash */
  readonly sequence: number;
  readonly word: string | null;
  /** Sequence number of the newest word that stopped it; 0: none has */
  readonly stop: number;
  /** It is in force here */
  readonly taken: boolean;
  /** The newest release ever taken here: none below it is */
  readonly floor: string | null;
};
export const nothingHeld: HeldRollout = {
  ...{ number: 0, order: null, sequence: 0, word: null, stop: 0, taken: false, floor: null },
};

/** Papers whose signatures hold. */
export type Rollout = {
  readonly order: RolloutOrder;
  /** Hashes of the two as they were signed */
  readonly orderHash: string;
  readonly wordHash: string;
  readonly word: RolloutWord;
  /** null: none, or none by the chain's key */
  readonly consent: RolloutConsent | null;
};

type Here = {
  readonly chain: string;
  readonly facility: string;
  readonly time: Pick<TrustedTime, 'wallMs' | 'certainty'>;
  readonly hours: 'open' | 'closed' | 'unknown';
  /** This facility keeps its own of this kind */
  readonly isKept: boolean;
};

/** `go`: it may be in force here now. Whatever else, `held` is to be remembered. */
type Judgement = { readonly held: HeldRollout; readonly go: boolean; readonly why: RolloutReason | null };

/** 1 …; 0: in none; null: in more than one, so that nobody could say when it is due */
const waveOf = (waves: RolloutOrder['waves'], facility: string): number | null => {
  const named = waves.flatMap((wave, index) => wave.filter((each) => each === facility).map(() => index + 1));
  return named.length > 1 ? null : (named[0] ?? 0);
};

const isOlder = ({ number, floor }: HeldRollout, { order }: Rollout): boolean => {
  if (order.number < number) return true;
  if (order.version === undefined || floor === null) return false;
  const difference = compareVersions(order.version, floor);
  return difference === null || difference < 0;
};

const concerns = ({ order, orderHash }: Rollout, paper: RolloutWord | RolloutConsent): boolean =>
  paper.order === orderHash &&
  paper.chain === order.chain &&
  paper.kind === order.kind &&
  paper.number === order.number;

/** Whose paper it is, and whether it is a step back; what is refused so is not remembered. */
const whoseOf = (held: HeldRollout, rollout: Rollout, here: Here): RolloutReason | null => {
  const { order, orderHash, word, wordHash } = rollout;
  if (order.chain !== here.chain) return 'other-chain';
  if (!concerns(rollout, word)) return 'other-order';
  if (isOlder(held, rollout)) return 'older';
  if (order.number !== held.number) return null;
  if (orderHash !== held.order) return 'same-number';
  const isRepeated = word.sequence === held.sequence && wordHash !== held.word;
  return word.sequence < held.sequence || isRepeated ? 'replayed' : null;
};

const isConsented = (stop: number, { consent, ...papers }: Rollout): boolean =>
  consent !== null && concerns({ consent, ...papers }, consent) && consent.lifts >= stop;

/** No word is of use for longer, whatever it says: whoever has the watch's key leaves none behind for years. ms */
const longestWordMs = dayMs;

const daysOf = ({ order, word }: Rollout, { wallMs, certainty }: Here['time']): RolloutReason | null => {
  if (certainty === 'doubted') return 'clock';
  if (Math.max(order.issuedAt, word.issuedAt) > wallMs + toleratedMs) return 'from-the-future';
  if (order.expiresAt <= wallMs) return 'expired';
  return Math.min(word.expiresAt, word.issuedAt + longestWordMs) <= wallMs ? 'silent-watch' : null;
};

const turnOf = ({ order, word }: Rollout, here: Here): RolloutReason | null => {
  const wave = waveOf(order.waves, here.facility);
  if (wave === null) return 'in-two-waves';
  if (wave === 0) return 'not-addressed';
  const isTooSoon = here.time.wallMs < order.issuedAt + (wave - 1) * order.paceMs;
  if (wave > word.wave || isTooSoon) return 'not-yet';
  return here.isKept ? 'kept' : null;
};

/**
 * Whether the order may be in force here. A stop is believed whatever the clock says, and remembered: a word that goes on after
 * it counts only with a person's consent to exactly that stop. Examples: wave 2 of 4, word says 2, at night → go; the same
 * word a day later → `silent-watch`; number 6 where 7 was seen → `older`, and 7 stays what is held.
 */
export const judgeRollout = (held: HeldRollout, rollout: Rollout, here: Here): Judgement => {
  const refused = whoseOf(held, rollout, here);
  if (refused !== null) return { held, go: false, why: refused };
  const { order, orderHash, word, wordHash } = rollout;
  const isKnown = order.number === held.number;
  const next: HeldRollout = {
    ...{ number: order.number, order: orderHash, floor: held.floor },
    ...{ sequence: word.sequence, word: wordHash },
    stop: word.stopped ? word.sequence : isKnown ? held.stop : 0,
    taken: isKnown && held.taken,
  };
  const wait = (why: RolloutReason): Judgement => ({ held: next, go: false, why });
  if (word.stopped) return wait('stopped');
  if (next.stop > 0 && !isConsented(next.stop, rollout)) return wait('no-consent');
  const why = daysOf(rollout, here.time) ?? turnOf(rollout, here);
  if (why !== null) return wait(why);
  // What is in force stays so through the day: only to begin it, nobody may be waiting at the counter.
  if (!next.taken && here.hours !== 'closed') return wait(here.hours === 'unknown' ? 'clock' : 'opening-hours');
  return { held: next, go: true, why: null };
};

/** What lies in the folder says nothing of the stop that was heard, nor that anybody has lifted it. */
const unheard: ReadonlySet<RolloutReason | null> = new Set([
  ...(['unreadable', 'forged', 'other-chain', 'other-order', 'older', 'same-number', 'replayed'] as const),
  ...(['stopped', 'no-consent'] as const),
]);

/**
 * Whether a terminal that has fetched the release before may not go on to it: it is stopped, and whoever may write into the
 * folder does not lift that with rubbish or an old order; or, of exactly the release that this agent is of, nobody has said for
 * too long that it may.
 */
export const holdsBack = (held: HeldRollout, why: RolloutReason | null, version: string): boolean => {
  const isUnheard = unheard.has(why);
  if (held.stop > 0 && isUnheard) return true;
  return (
    (isUnheard || why === 'silent-watch') &&
    held.taken &&
    held.floor !== null &&
    compareVersions(held.floor, version) === 0
  );
};

/** It is in force here now. */
export const heldAsTaken = (held: HeldRollout, { version }: Pick<RolloutOrder, 'version'>): HeldRollout => ({
  ...held,
  taken: true,
  floor: version ?? held.floor,
});
