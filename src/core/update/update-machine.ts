import type { Moment } from '../moment.ts';
import { isAtLeast } from './compare-versions.ts';
import { refusalOf } from './judge-bundle.ts';
import type {
  Attempt,
  Bundle,
  FailedBundle,
  RefusalReason,
  Update,
  UpdateEffect,
  UpdateEvent,
  UpdateRecord,
  UpdateState,
  UpdateStep,
  WaitReason,
} from './update.ts';
import { otherSlot } from './update.ts';
import { mostTries, mostWrites, updateDelays } from './update-delays.ts';

/** Before the board has been looked at. */
export const initialUpdate: Update = {
  state: { name: 'starting', deadlineMs: null },
  board: { booted: 'a', standard: 'a' },
  version: '0.0.0',
  compatible: '',
  record: { floor: '0.0.0', attempt: null, failed: [], last: null },
  offered: null,
  surroundings: { isIdle: false, hours: 'unknown', wave: 'wait', agentVersion: null },
};

/** Nothing is under way. */
const atEase: UpdateState = { name: 'current', deadlineMs: null };

const go = (update: Update, state: UpdateState, ...effects: readonly UpdateEffect[]): UpdateStep => ({
  update: { ...update, state },
  effects,
});
const stay = (update: Update): UpdateStep => ({ update, effects: [] });

/** The record as it is from now on, and the effect that makes it last. */
const kept = (update: Update, record: UpdateRecord): { readonly update: Update; readonly keep: UpdateEffect } => ({
  update: { ...update, record },
  keep: { type: 'Keep', record },
});

/**
 * The rule book of updates: pure and total, every event is answered in every state. What it relies on, and nothing else:
 * a `Keep` is there whole or not at all; the standard slot changes by `Commit` alone, in one write; a trial is taken once.
 */
export const transition = (before: Update, event: UpdateEvent): UpdateStep => {
  const { at } = event;
  const { state } = before;
  switch (event.type) {
    case 'Started':
      return state.name === 'starting' ? started(before, event) : stay(before);
    case 'BundleOffered':
      return mayBeginNow({ ...before, offered: event.bundle }, at);
    case 'BundleWithdrawn':
      return mayBeginNow({ ...before, offered: null }, at);
    case 'SurroundingsChanged':
      return mayBeginNow({ ...before, surroundings: event.surroundings }, at);
    case 'Installed':
      return state.name === 'installing' ? installed(before, state.attempt, at) : stay(before);
    case 'InstallFailed':
      return state.name === 'installing' ? installFailed(before, state, event.reason, at) : stay(before);
    case 'StateTaken':
      if (state.name !== 'takingOver') return stay(before);
      if (!event.ok) return leaveTrial(before, at);
      return go(
        before,
        { name: 'proving', attempt: state.attempt, askAtMs: null, deadlineMs: at.monotonicMs + updateDelays.proveMs },
        { type: 'AskHealth' },
      );
    case 'HealthAnswered':
      return healthAnswered(before, event.ok, at);
    case 'Committed':
      if (state.name !== 'committing') return stay(before);
      return event.ok ? proved(before, state.attempt, at) : leaveTrial(before, at);
    case 'KeepFailed':
      return keepFailed(before, at);
    case 'RetryAsked': {
      if (state.name !== 'current' && state.name !== 'waiting') return stay(before);
      // Told no longer either: the agent lets no lane follow a release that somebody is known to have gone back from.
      const again = kept(before, { ...before.record, failed: [], last: null });
      return then(mayBeginNow(again.update, at), again.keep);
    }
    case 'DeadlinePassed':
      return deadlinePassed(before, at);
    default:
      return event satisfies never;
  }
};

const then = ({ update, effects }: UpdateStep, ...first: readonly UpdateEffect[]): UpdateStep => ({
  update,
  effects: [...first, ...effects],
});

/** What the board says and what was kept together tell what the restart was. */
const started = (before: Update, event: Extract<UpdateEvent, { type: 'Started' }>): UpdateStep => {
  const { board, version, compatible, at } = event;
  const record = event.record ?? initialUpdate.record;
  const update: Update = { ...before, board, version, compatible, record };
  const { attempt } = record;
  const inTrial = board.booted !== board.standard;
  if (attempt === null || attempt.step === 'writing')
    // A trial that nobody ordered proves nothing.
    return inTrial ? leaveTrial(update, at) : atRest(withFloor(update), at);
  if (inTrial) {
    const isIt = attempt.step === 'trying' && attempt.target === board.booted && attempt.bundle.version === version;
    if (!isIt) return leaveTrial(update, at);
    return go(
      update,
      { name: 'takingOver', attempt, deadlineMs: at.monotonicMs + updateDelays.takeOverMs },
      { type: 'TakeOverState', from: board.standard, to: board.booted },
    );
  }
  // Committed, and cut off before that was written down.
  if (board.booted === attempt.target)
    return attempt.step === 'trying' ? proved(update, attempt, at) : atRest(update, at);
  if (attempt.tries >= mostTries) return givenUp(update, attempt, 'fell-back', at);
  return atRest(withFloor(update), at);
};

/** What runs as the standard has proved itself, or was there from the beginning. */
const withFloor = (update: Update): Update => {
  const { record, version } = update;
  return isAtLeast(record.floor, version) ? update : { ...update, record: { ...record, floor: version } };
};

/** Nothing is under way: what is offered is looked at. */
const atRest = (update: Update, at: Moment): UpdateStep => mayBeginNow({ ...update, state: atEase }, at);

const waitReason = ({ surroundings, state }: Update, bundle: Bundle): WaitReason | null => {
  const { agentVersion, wave, hours, isIdle, isBootLoaderTooOld = false } = surroundings;
  if (isBootLoaderTooOld) return 'boot-loader';
  if (agentVersion === null || !isAtLeast(agentVersion, bundle.version)) return 'agent-first';
  if (wave === 'wait') return 'wave';
  if (hours === 'unknown') return 'clock';
  if (hours === 'open') return 'opening-hours';
  if (!isIdle) return 'busy';
  // No other wait has an end of its own.
  return state.name === 'waiting' && state.deadlineMs !== null ? 'unwell' : null;
};

/** The one place where something begins: at rest, with a bundle that may be installed, when nothing is in the way. */
const mayBeginNow = (update: Update, at: Moment): UpdateStep => {
  const { state, offered, record } = update;
  if (state.name !== 'current' && state.name !== 'waiting') return stay(update);
  if (offered === null) return go(update, atEase);
  const refused = refusalOf(offered, update);
  if (refused !== null) return refuse(update, offered, refused, at);
  const why = waitReason(update, offered);
  if (why !== null) {
    const deadlineMs = why === 'unwell' ? state.deadlineMs : null;
    return go(update, { name: 'waiting', bundle: offered, why, deadlineMs });
  }
  const { attempt } = record;
  const isWritten = attempt !== null && attempt.step !== 'writing' && attempt.bundle.id === offered.id;
  return isWritten ? checkBefore(update, offered, attempt, at) : install(update, offered, at);
};

const refuse = (update: Update, bundle: Bundle, reason: RefusalReason, at: Moment): UpdateStep => {
  const { last } = update.record;
  // The release that runs lies there still: nothing to tell.
  if (reason === 'older' && bundle.version === update.version) return go(update, atEase);
  // Why it failed says more than that it did.
  const isTold =
    last !== null && last.version === bundle.version && (last.reason === reason || reason === 'failed-before');
  if (isTold) return go(update, atEase);
  const told = kept(update, {
    ...update.record,
    last: { version: bundle.version, outcome: 'refused', reason, wallMs: at.wallMs },
  });
  return go(told.update, atEase, told.keep);
};

const install = (update: Update, bundle: Bundle, at: Moment): UpdateStep => {
  const { attempt } = update.record;
  const writes = attempt?.bundle.id === bundle.id ? attempt.writes : 0;
  const target = otherSlot(update.board.booted);
  const next: Attempt = {
    bundle: { id: bundle.id, version: bundle.version },
    target,
    step: 'writing',
    writes: writes + 1,
    tries: 0,
  };
  if (writes >= mostWrites) return givenUp(update, next, 'unwritable', at);
  const begun = kept(update, { ...update.record, attempt: next });
  return go(
    begun.update,
    { name: 'installing', bundle, attempt: next, deadlineMs: at.monotonicMs + updateDelays.installMs },
    begun.keep,
    { type: 'Install', bundle, target },
  );
};

/** Whether it may be tried now is asked anew; what was withdrawn meanwhile is not. */
const installed = (update: Update, attempt: Attempt, at: Moment): UpdateStep => {
  const whole = kept(update, { ...update.record, attempt: { ...attempt, step: 'written' } });
  return then(atRest(whole.update, at), whole.keep);
};

const installFailed = (
  update: Update,
  { bundle, attempt }: Extract<UpdateState, { name: 'installing' }>,
  reason: 'foreign' | 'tampered' | 'unwritable',
  at: Moment,
): UpdateStep => {
  if (reason !== 'unwritable' || attempt.writes >= mostWrites) return givenUp(update, attempt, reason, at);
  return unwell(update, bundle, at);
};

/** Never tried again by itself; told to staff. */
const givenUp = (update: Update, attempt: Attempt, reason: FailedBundle['reason'], at: Moment): UpdateStep => {
  const { record } = update;
  const ended = kept(update, {
    ...record,
    attempt: null,
    failed: [...record.failed.filter(({ id }) => id !== attempt.bundle.id), { id: attempt.bundle.id, reason }].slice(
      -20,
    ),
    last: {
      version: attempt.bundle.version,
      outcome: reason === 'fell-back' ? 'fell-back' : 'refused',
      reason,
      wallMs: at.wallMs,
    },
  });
  return then(atRest(ended.update, at), ended.keep);
};

const checkBefore = (update: Update, bundle: Bundle, attempt: Attempt, at: Moment): UpdateStep =>
  go(
    update,
    { name: 'checkingBefore', bundle, attempt, deadlineMs: at.monotonicMs + updateDelays.checkBeforeMs },
    { type: 'AskHealth' },
  );

const unwell = (update: Update, bundle: Bundle, at: Moment): UpdateStep =>
  go(update, { name: 'waiting', bundle, why: 'unwell', deadlineMs: at.monotonicMs + updateDelays.lookAgainMs });

const healthAnswered = (update: Update, isWell: boolean, at: Moment): UpdateStep => {
  const { state } = update;
  if (state.name === 'checkingBefore') return isWell ? tryIt(update, state, at) : unwell(update, state.bundle, at);
  if (state.name !== 'proving') return stay(update);
  if (!isWell) return go(update, { ...state, askAtMs: at.monotonicMs + updateDelays.askHealthAgainMs });
  return go(
    update,
    { name: 'committing', attempt: state.attempt, deadlineMs: at.monotonicMs + updateDelays.commitMs },
    { type: 'Commit', slot: state.attempt.target },
  );
};

/** Asked last whether anybody is being served: a card may have come while the question was under way. */
const tryIt = (
  update: Update,
  { bundle, attempt }: Extract<UpdateState, { name: 'checkingBefore' }>,
  at: Moment,
): UpdateStep => {
  if (update.offered?.id !== bundle.id || waitReason(update, bundle) !== null) return atRest(update, at);
  const trying = kept(update, { ...update.record, attempt: { ...attempt, step: 'trying', tries: attempt.tries + 1 } });
  return go(
    trying.update,
    { name: 'restarting', into: attempt.target, deadlineMs: at.monotonicMs + updateDelays.restartMs },
    trying.keep,
    { type: 'Restart', into: attempt.target, trial: true },
  );
};

/** Any restart that asks for nothing goes back to the standard slot. */
const leaveTrial = (update: Update, at: Moment): UpdateStep => {
  const into = update.board.standard;
  return go(
    update,
    { name: 'restarting', into, deadlineMs: at.monotonicMs + updateDelays.restartMs },
    { type: 'Restart', into, trial: false },
  );
};

const proved = (update: Update, attempt: Attempt, at: Moment): UpdateStep => {
  const { version } = attempt.bundle;
  const done = kept(
    { ...update, board: { booted: attempt.target, standard: attempt.target } },
    {
      ...update.record,
      floor: version,
      attempt: null,
      last: { version, outcome: 'installed', reason: null, wallMs: at.wallMs },
    },
  );
  return then(atRest(done.update, at), done.keep);
};

/** Without a record nothing is begun: the slot that runs stays; in a trial the standard one comes back. */
const keepFailed = (update: Update, at: Moment): UpdateStep => {
  const { state, board, offered } = update;
  if (board.booted !== board.standard) return leaveTrial(update, at);
  if (offered === null || state.name === 'starting') return stay(update);
  return unwell(update, offered, at);
};

const deadlinePassed = (update: Update, at: Moment): UpdateStep => {
  const { state } = update;
  if (state.deadlineMs === null) return stay(update);
  if (at.monotonicMs < state.deadlineMs) {
    const isDue = state.name === 'proving' && state.askAtMs !== null && at.monotonicMs >= state.askAtMs;
    return isDue ? go(update, { ...state, askAtMs: null }, { type: 'AskHealth' }) : stay(update);
  }
  switch (state.name) {
    case 'waiting':
      return mayBeginNow({ ...update, state: { ...state, deadlineMs: null } }, at);
    case 'installing':
      return installFailed(update, state, 'unwritable', at);
    case 'checkingBefore':
      return unwell(update, state.bundle, at);
    case 'takingOver':
    case 'proving':
    case 'committing':
      return leaveTrial(update, at);
    case 'restarting': {
      const trial = state.into !== update.board.standard;
      return go(
        update,
        { ...state, deadlineMs: at.monotonicMs + updateDelays.restartMs },
        { type: 'Restart', into: state.into, trial },
      );
    }
    default:
      return state satisfies never;
  }
};

/** When the machine wants to be woken; null: never. Monotonic ms */
export const wakeAtMs = ({ state }: Update): number | null =>
  state.name === 'proving' && state.askAtMs !== null ? Math.min(state.askAtMs, state.deadlineMs) : state.deadlineMs;
