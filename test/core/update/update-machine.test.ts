import { describe, expect, it } from 'vitest';
import type {
  Attempt,
  Bundle,
  Update,
  UpdateEffect,
  UpdateEvent,
  UpdateRecord,
} from '../../../src/core/update/update.ts';
import { initialUpdate, transition, wakeAtMs } from '../../../src/core/update/update-machine.ts';

type Told = UpdateEvent extends infer E ? (E extends UpdateEvent ? Omit<E, 'at'> : never) : never;

const bundle: Bundle = { id: 'new', version: '0.3.0', compatible: 'board', signature: 'trusted' };
const free = { isIdle: true, hours: 'closed', wave: 'go', agentVersion: '0.3.0' } as const;
const none: UpdateRecord = { floor: '0.2.0', attempt: null, failed: [], last: null };
const attempt: Attempt = {
  ...{ bundle: { id: 'new', version: '0.3.0' }, target: 'b', step: 'trying', writes: 1, tries: 1 },
};

class Night {
  update: Update = initialUpdate;
  effects: readonly UpdateEffect[] = [];
  nowMs = 1_000;

  tell(event: Told): this {
    const at = { monotonicMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs };
    const step = transition(this.update, { ...event, at } as UpdateEvent);
    this.update = step.update;
    this.effects = step.effects;
    return this;
  }

  start(
    record: UpdateRecord | null = none,
    booted: 'a' | 'b' = 'a',
    standard: 'a' | 'b' = 'a',
    version = '0.2.0',
  ): this {
    return this.tell({ type: 'Started', board: { booted, standard }, version, compatible: 'board', record });
  }

  /** To the moment before the board is asked for the new slot. */
  written(): this {
    this.start().tell({ type: 'SurroundingsChanged', surroundings: free });
    return this.tell({ type: 'BundleOffered', bundle }).tell({ type: 'Installed' });
  }

  trial(tries = 1): this {
    return this.start({ ...none, attempt: { ...attempt, tries } }, 'b', 'a', '0.3.0');
  }

  get told(): readonly string[] {
    return this.effects.map(({ type }) => type);
  }

  get name(): string {
    const { state } = this.update;
    return state.name === 'waiting' ? `waiting: ${state.why}` : state.name;
  }

  pass(ms: number): this {
    this.nowMs += ms;
    return this.tell({ type: 'DeadlinePassed' });
  }
}
const story = (): Night => new Night();

describe('an update', () => {
  it('is written, checked, tried, proved, and the standard: in this order, each step kept before the next', () => {
    const night = story().start().tell({ type: 'SurroundingsChanged', surroundings: free });
    night.tell({ type: 'BundleOffered', bundle });
    expect(night.told).toEqual(['Keep', 'Install']);
    night.tell({ type: 'Installed' });
    expect(night.told).toEqual(['Keep', 'AskHealth']);
    night.tell({ type: 'HealthAnswered', ok: true });
    expect(night.effects).toMatchObject([
      { type: 'Keep', record: { attempt: { step: 'trying', tries: 1 } } },
      { type: 'Restart', into: 'b', trial: true },
    ]);
    const trial = story().trial();
    expect(trial.effects).toEqual([{ type: 'TakeOverState', from: 'a', to: 'b' }]);
    expect(trial.tell({ type: 'StateTaken', ok: true }).told).toEqual(['AskHealth']);
    expect(trial.tell({ type: 'HealthAnswered', ok: true }).effects).toEqual([{ type: 'Commit', slot: 'b' }]);
    expect(trial.tell({ type: 'Committed', ok: true }).effects).toMatchObject([
      { type: 'Keep', record: { floor: '0.3.0', attempt: null, last: { outcome: 'installed' } } },
    ]);
    expect(trial.update.board).toEqual({ booted: 'b', standard: 'b' });
  });

  it.each([
    ['boot-loader', { isBootLoaderTooOld: true, agentVersion: null }],
    ['agent-first', { agentVersion: null }],
    ['agent-first', { agentVersion: '0.2.9' }],
    ['wave', { wave: 'wait' }],
    ['clock', { hours: 'unknown' }],
    ['opening-hours', { hours: 'open' }],
    ['busy', { isIdle: false }],
  ] as const)('waits: %s (%o)', (why, changes) => {
    const waiting = story()
      .start()
      .tell({ type: 'SurroundingsChanged', surroundings: { ...free, ...changes } });
    waiting.tell({ type: 'BundleOffered', bundle });
    expect([waiting.name, waiting.told]).toEqual([`waiting: ${why}`, []]);
    expect(waiting.tell({ type: 'SurroundingsChanged', surroundings: free }).told).toEqual(['Keep', 'Install']);
  });

  it('does not restart when a card came while the test request was under way, and does later', () => {
    const night = story().written();
    night.tell({ type: 'SurroundingsChanged', surroundings: { ...free, isIdle: false } });
    night.tell({ type: 'HealthAnswered', ok: true });
    expect([night.name, night.told]).toEqual(['waiting: busy', []]);
    night.tell({ type: 'SurroundingsChanged', surroundings: free });
    expect(night.told).toEqual(['AskHealth']);
  });

  it('leaves nothing that works for something that could not prove itself: the line is down', () => {
    const night = story().written().tell({ type: 'HealthAnswered', ok: false });
    expect([night.name, night.told]).toEqual(['waiting: unwell', []]);
    expect(night.tell({ type: 'SurroundingsChanged', surroundings: free }).told).toEqual([]);
    expect(night.pass(5 * 60_000).told).toEqual(['AskHealth']);
  });

  it('asks for health until its time is over, and then goes back by a plain restart', () => {
    const trial = story().trial().tell({ type: 'StateTaken', ok: true });
    trial.tell({ type: 'HealthAnswered', ok: false });
    const wake = wakeAtMs(trial.update);
    expect(wake).toBe(trial.nowMs + 3_000);
    expect(trial.pass(3_000).told).toEqual(['AskHealth']);
    expect(trial.pass(45_000).effects).toEqual([{ type: 'Restart', into: 'a', trial: false }]);
  });

  it('is given up after two boots that proved nothing, and is told', () => {
    const once = story().start({ ...none, attempt });
    once.tell({ type: 'SurroundingsChanged', surroundings: free }).tell({ type: 'BundleOffered', bundle });
    expect(once.told).toEqual(['AskHealth']);
    const twice = story().start({ ...none, attempt: { ...attempt, tries: 2 } });
    expect(twice.effects).toMatchObject([
      { type: 'Keep', record: { attempt: null, failed: [{ id: 'new' }], last: { outcome: 'fell-back' } } },
    ]);
    twice.tell({ type: 'SurroundingsChanged', surroundings: free }).tell({ type: 'BundleOffered', bundle });
    expect([twice.name, twice.told]).toEqual(['current', []]);
    expect(twice.tell({ type: 'RetryAsked' }).told).toEqual(['Keep', 'Keep', 'Install']);
  });

  it('knows a slot that was made the standard before the power went', () => {
    const after = story().start({ ...none, attempt }, 'b', 'b', '0.3.0');
    expect(after.effects).toMatchObject([{ type: 'Keep', record: { floor: '0.3.0', attempt: null } }]);
  });

  it.each([
    ['nobody ordered', none, '0.3.0'],
    ['whose record is gone', null, '0.3.0'],
    ['that runs another version than was written', undefined, '0.4.0'],
  ] as const)('leaves a trial %s', (_what, record, version) => {
    const trial = story().start(record === undefined ? { ...none, attempt } : record, 'b', 'a', version);
    expect(trial.effects).toEqual([{ type: 'Restart', into: 'a', trial: false }]);
  });

  it('begins nothing that it cannot keep', () => {
    const night = story().start().tell({ type: 'SurroundingsChanged', surroundings: free });
    night.tell({ type: 'BundleOffered', bundle }).tell({ type: 'KeepFailed' });
    expect([night.name, night.told]).toEqual(['waiting: unwell', []]);
  });

  it('gives up what cannot be written, and at once what is spoiled', () => {
    for (const reason of ['tampered', 'foreign'] as const) {
      const spoiled = story().start().tell({ type: 'SurroundingsChanged', surroundings: free });
      spoiled.tell({ type: 'BundleOffered', bundle }).tell({ type: 'InstallFailed', reason });
      expect(spoiled.effects.at(-1)).toMatchObject({ type: 'Keep', record: { last: { outcome: 'refused', reason } } });
      expect([spoiled.name, spoiled.tell({ type: 'BundleOffered', bundle }).told]).toEqual(['current', []]);
    }
    const night = story().start().tell({ type: 'SurroundingsChanged', surroundings: free });
    night.tell({ type: 'BundleOffered', bundle });
    const writes: number[] = [];
    for (let left = 9; left > 0 && night.name !== 'current'; left -= 1) {
      if (night.told.includes('Install')) writes.push(night.nowMs);
      night.tell({ type: 'InstallFailed', reason: 'unwritable' });
      if (night.name === 'waiting: unwell') night.pass(5 * 60_000);
    }
    expect([writes.length, night.update.record.last?.reason]).toEqual([3, 'unwritable']);
  });
});
