import type {
  Attempt,
  Bundle,
  Surroundings,
  Update,
  UpdateEffect,
  UpdateEvent,
  UpdateRecord,
  UpdateState,
} from '../../../src/core/update/update.ts';
import { updateDelays } from '../../../src/core/update/update-delays.ts';
import { initialUpdate, transition } from '../../../src/core/update/update-machine.ts';

/* Every state of an update, come to as a board comes to it; what can happen; and what came of it in a line. */

type Told = UpdateEvent extends infer Each ? (Each extends UpdateEvent ? Omit<Each, 'at'> : never) : never;

export const bundle: Bundle = { id: 'new', version: '0.3.0', compatible: 'board', signature: 'trusted' };
export const free: Surroundings = { isIdle: true, hours: 'closed', wave: 'go', agentVersion: '0.4.0' };
export const none: UpdateRecord = { floor: '0.2.0', attempt: null, failed: [], last: null };
export const tried: Attempt = {
  ...{ bundle: { id: 'new', version: '0.3.0' }, target: 'b', step: 'trying', writes: 1, tries: 1 },
};

export class Board {
  update: Update = initialUpdate;
  nowMs = 1_000;

  tell(event: Told): readonly UpdateEffect[] {
    const at = { monotonicMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs };
    const step = transition(this.update, { ...event, at } as UpdateEvent);
    this.update = step.update;
    return step.effects;
  }

  start(record: UpdateRecord | null, booted: 'a' | 'b' = 'a', version = '0.2.0'): readonly UpdateEffect[] {
    return this.tell({ type: 'Started', board: { booted, standard: 'a' }, version, compatible: 'board', record });
  }
}

const then =
  (from: () => Board, ...events: readonly Told[]) =>
  (): Board => {
    const board = from();
    for (const event of events) board.tell(event);
    return board;
  };

const begun = (record: UpdateRecord = none) => {
  const board = new Board();
  board.start(record);
  board.tell({ type: 'SurroundingsChanged', surroundings: free });
  return board;
};
const offered: Told = { type: 'BundleOffered', bundle };
const well: Told = { type: 'HealthAnswered', ok: true };
const unwell: Told = { type: 'HealthAnswered', ok: false };
const installing = then(begun, offered);
const checking = then(installing, { type: 'Installed' });
const trial = () => {
  const board = new Board();
  board.start({ ...none, attempt: tried }, 'b', '0.3.0');
  return board;
};
const proving = then(trial, { type: 'StateTaken', ok: true });

export const situations = {
  'not started': () => new Board(),
  'at ease': begun,
  'waits for the agent': then(
    begun,
    offered,
    { type: 'InstallFailed', reason: 'unwritable' },
    {
      type: 'SurroundingsChanged',
      surroundings: { ...free, agentVersion: '0.2.9' },
    },
  ),
  'waits until it is well': then(checking, unwell),
  writes: installing,
  'writes for the third time': then(
    () => begun({ ...none, attempt: { ...tried, step: 'writing', writes: 2 } }),
    offered,
  ),
  'is asked before it is left': checking,
  'restarts into the trial': then(checking, well),
  'takes over': trial,
  proves: proving,
  'proves, and asks again': then(proving, unwell),
  'is made the standard': then(proving, well),
  'restarts back': then(trial, { type: 'StateTaken', ok: false }),
} as const;
export type Situation = keyof typeof situations;
export const eachSituation = Object.entries(situations) as [Situation, () => Board][];

export const happenings = {
  'the same bundle is offered': offered,
  'another bundle is offered': { type: 'BundleOffered', bundle: { ...bundle, id: 'newer', version: '0.4.0' } },
  'an older bundle is offered': { type: 'BundleOffered', bundle: { ...bundle, id: 'old', version: '0.1.0' } },
  'what runs is offered': { type: 'BundleOffered', bundle: { ...bundle, id: 'same', version: '0.2.0' } },
  'the bundle is withdrawn': { type: 'BundleWithdrawn' },
  'a card is laid down': { type: 'SurroundingsChanged', surroundings: { ...free, isIdle: false } },
  'nothing is in the way': { type: 'SurroundingsChanged', surroundings: free },
  'it is written': { type: 'Installed' },
  'writing fails': { type: 'InstallFailed', reason: 'unwritable' },
  'it is spoiled': { type: 'InstallFailed', reason: 'tampered' },
  'the state is taken over': { type: 'StateTaken', ok: true },
  'the state is not taken over': { type: 'StateTaken', ok: false },
  'it is well': well,
  'it is not well': unwell,
  'the board has it as its standard': { type: 'Committed', ok: true },
  'the board does not take it': { type: 'Committed', ok: false },
  'nothing can be kept': { type: 'KeepFailed' },
  'a technician asks for it once more': { type: 'RetryAsked' },
  'it is started again': {
    type: 'Started',
    ...{ board: { booted: 'a', standard: 'a' }, version: '0.9.0', compatible: 'other', record: null },
  },
} as const satisfies Record<string, Told>;
export type Happening = keyof typeof happenings;

const attemptIn = ({ record }: Update): string =>
  record.attempt === null
    ? ''
    : ` [${record.attempt.bundle.id} ${record.attempt.step} w${record.attempt.writes} t${record.attempt.tries}]`;

const lastIn = ({ last }: UpdateRecord): string =>
  last === null ? '' : ` ${last.outcome} ${last.version} ${last.reason}`;

export const shown = (update: Update): string => {
  const { state } = update;
  const parts: string[] = [state.name];
  if (state.name === 'waiting') parts.push(state.why);
  if (state.name === 'restarting') parts.push(state.into);
  return `${parts.join(' ')}${attemptIn(update)}`;
};

export const did = (effect: UpdateEffect): string => {
  switch (effect.type) {
    case 'Keep':
      return `Keep${lastIn(effect.record)}`;
    case 'Install':
      return `Install ${effect.bundle.id} ${effect.target}`;
    case 'Restart':
      return `Restart ${effect.into}${effect.trial ? ' trial' : ''}`;
    case 'TakeOverState':
      return `TakeOverState ${effect.from} ${effect.to}`;
    case 'Commit':
      return `Commit ${effect.slot}`;
    default:
      return effect.type;
  }
};

/** How long each state may last, ms; null: for ever. */
export const lasts: Readonly<Record<UpdateState['name'], number | null>> = {
  ...{ starting: null, current: null, waiting: updateDelays.lookAgainMs, installing: updateDelays.installMs },
  ...{ checkingBefore: updateDelays.checkBeforeMs, restarting: updateDelays.restartMs },
  ...{ takingOver: updateDelays.takeOverMs, proving: updateDelays.proveMs, committing: updateDelays.commitMs },
};
