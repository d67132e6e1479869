import { describe, expect, test } from 'vitest';
import { updateDelays } from '../../../src/core/update/update-delays.ts';
import { wakeAtMs } from '../../../src/core/update/update-machine.ts';
import {
  Board,
  did,
  eachSituation,
  free,
  type Happening,
  happenings,
  lasts,
  none,
  type Situation,
  shown,
  situations,
  tried,
} from './update-situations.ts';

const writing = '[new writing w1 t0]';
const written = '[new written w1 t0]';
const trying = '[new trying w1 t1]';
const back = `restarting a ${trying}: Restart a`;
const inTrial: readonly Situation[] = ['takes over', 'proves', 'proves, and asks again', 'is made the standard'];

/** Outcome (state, attempt, what is done) → where. Whatever is not here changes nothing, and does nothing. */
const table: Record<Happening, Readonly<Record<string, readonly Situation[]>>> = {
  'the same bundle is offered': { [`installing ${writing}: Keep, Install new b`]: ['at ease'] },
  'another bundle is offered': {
    'installing [newer writing w1 t0]: Keep, Install newer b': ['at ease'],
    [`waiting agent-first ${writing}`]: ['waits for the agent'],
    [`waiting unwell ${written}`]: ['waits until it is well'],
  },
  'an older bundle is offered': {
    'current: Keep refused 0.1.0 older': ['at ease'],
    [`current ${writing}: Keep refused 0.1.0 older`]: ['waits for the agent'],
    [`current ${written}: Keep refused 0.1.0 older`]: ['waits until it is well'],
  },
  'what runs is offered': {
    [`current ${writing}`]: ['waits for the agent'],
    [`current ${written}`]: ['waits until it is well'],
  },
  'the bundle is withdrawn': {
    [`current ${writing}`]: ['waits for the agent'],
    [`current ${written}`]: ['waits until it is well'],
  },
  'a card is laid down': {
    [`waiting busy ${writing}`]: ['waits for the agent'],
    [`waiting busy ${written}`]: ['waits until it is well'],
  },
  'nothing is in the way': { 'installing [new writing w2 t0]: Keep, Install new b': ['waits for the agent'] },
  'it is written': {
    [`checkingBefore ${written}: Keep, AskHealth`]: ['writes'],
    'checkingBefore [new written w3 t0]: Keep, AskHealth': ['writes for the third time'],
  },
  'writing fails': {
    [`waiting unwell ${writing}`]: ['writes'],
    'current: Keep refused 0.3.0 unwritable': ['writes for the third time'],
  },
  'it is spoiled': { 'current: Keep refused 0.3.0 tampered': ['writes', 'writes for the third time'] },
  'the state is taken over': { [`proving ${trying}: AskHealth`]: ['takes over'] },
  'the state is not taken over': { [back]: ['takes over'] },
  'it is well': {
    [`restarting b ${trying}: Keep, Restart b trial`]: ['is asked before it is left'],
    [`committing ${trying}: Commit b`]: ['proves', 'proves, and asks again'],
  },
  'it is not well': {
    [`waiting unwell ${written}`]: ['is asked before it is left'],
    [`proving ${trying}`]: ['proves'],
  },
  'the board has it as its standard': { 'current: Keep installed 0.3.0 null': ['is made the standard'] },
  'the board does not take it': { [back]: ['is made the standard'] },
  'nothing can be kept': {
    [`waiting unwell ${writing}`]: ['waits for the agent', 'writes'],
    'waiting unwell [new writing w3 t0]': ['writes for the third time'],
    [`waiting unwell ${written}`]: ['is asked before it is left'],
    [`waiting unwell ${trying}`]: ['restarts into the trial'],
    [back]: [...inTrial, 'restarts back'],
  },
  'a technician asks for it once more': {
    'current: Keep': ['at ease'],
    [`waiting agent-first ${writing}: Keep`]: ['waits for the agent'],
    [`waiting unwell ${written}: Keep`]: ['waits until it is well'],
  },
  'it is started again': { current: ['not started'] },
};

const lineOf = (board: Board, effects: readonly string[]): string =>
  [shown(board.update), effects.join(', ')].filter((part) => part !== '').join(': ');

describe('what happens to an update in each of its states', () => {
  test.each(Object.entries(happenings) as [Happening, (typeof happenings)[Happening]][])('%s', (happening, event) => {
    for (const [situation, come] of eachSituation) {
      const board = come();
      const before = board.update;
      const effects = board.tell(event);
      const line = lineOf(board, effects.map(did));
      const [expected] = Object.entries(table[happening]).find(([, where]) => where.includes(situation)) ?? [];
      expect(line, situation).toBe(expected ?? shown(before));
      if (expected === undefined)
        expect([board.update.state, board.update.record, effects]).toEqual([before.state, before.record, []]);
    }
  });
});

const ends: Record<Situation, string> = {
  'not started': 'starting',
  'at ease': 'current',
  'waits for the agent': `waiting agent-first ${writing}`,
  'waits until it is well': `checkingBefore ${written}: AskHealth`,
  writes: `waiting unwell ${writing}`,
  'writes for the third time': 'current: Keep refused 0.3.0 unwritable',
  'is asked before it is left': `waiting unwell ${written}`,
  'restarts into the trial': `restarting b ${trying}: Restart b trial`,
  'takes over': back,
  proves: back,
  'proves, and asks again': `proving ${trying}: AskHealth`,
  'is made the standard': back,
  'restarts back': back,
};

describe('no state waits longer than its time, to the millisecond', () => {
  test.each(eachSituation)('%s', (situation, come) => {
    const board = come();
    const begunMs = board.nowMs;
    const waits = situation === 'waits for the agent' ? null : lasts[board.update.state.name];
    const lastsMs = situation === 'proves, and asks again' ? updateDelays.askHealthAgainMs : waits;
    expect(wakeAtMs(board.update)).toBe(lastsMs === null ? null : begunMs + lastsMs);
    const before = shown(board.update);
    board.nowMs = begunMs + (lastsMs ?? 86_400_000) - 1;
    expect(lineOf(board, board.tell({ type: 'DeadlinePassed' }).map(did))).toBe(before);
    board.nowMs += 1;
    expect(lineOf(board, board.tell({ type: 'DeadlinePassed' }).map(did))).toBe(ends[situation]);
  });

  test('a question that was put again before the time was over does not make it longer', () => {
    const board = situations.proves();
    const endMs = wakeAtMs(board.update) ?? 0;
    board.nowMs = endMs - 1_000;
    board.tell({ type: 'HealthAnswered', ok: false });
    expect(wakeAtMs(board.update)).toBe(endMs);
    board.nowMs = endMs;
    expect(board.tell({ type: 'DeadlinePassed' }).map(did)).toEqual(['Restart a']);
  });

  test('a board that does not restart is asked again each time', () => {
    const board = situations['restarts into the trial']();
    for (let turn = 0; turn < 3; turn += 1) {
      board.nowMs += updateDelays.restartMs - 1;
      expect(board.tell({ type: 'DeadlinePassed' })).toEqual([]);
      board.nowMs += 1;
      expect(board.tell({ type: 'DeadlinePassed' }).map(did)).toEqual(['Restart b trial']);
    }
  });

  test('a release that was not well is not asked before its time, whatever moves around it', () => {
    const board = situations['waits until it is well']();
    const dueMs = wakeAtMs(board.update);
    board.nowMs += 1_000;
    board.tell({ type: 'SurroundingsChanged', surroundings: free });
    expect([shown(board.update), wakeAtMs(board.update)]).toEqual([`waiting unwell ${written}`, dueMs]);
  });
});

describe('what a board finds when it is started', () => {
  const startOn = (record: Parameters<Board['start']>[0], booted: 'a' | 'b', version: string) => {
    const board = new Board();
    const effects = board.start(record, booted, version).map(did);
    return { board, line: lineOf(board, effects) };
  };
  test.each([
    ['nothing was ever tried', none, 'a', '0.2.0', 'current'],
    [
      'a write that was cut off',
      { ...none, attempt: { ...tried, step: 'writing' } },
      'a',
      '0.2.0',
      'current [new writing w1 t1]',
    ],
    [
      'something whole that was never tried',
      { ...none, attempt: { ...tried, step: 'written' } },
      'a',
      '0.2.0',
      'current [new written w1 t1]',
    ],
    ['a first trial that went back', { ...none, attempt: tried }, 'a', '0.2.0', `current ${trying}`],
    [
      'a second trial that went back',
      { ...none, attempt: { ...tried, tries: 2 } },
      'a',
      '0.2.0',
      'current: Keep fell-back 0.3.0 fell-back',
    ],
    ['its trial', { ...none, attempt: tried }, 'b', '0.3.0', `takingOver ${trying}: TakeOverState a b`],
    [
      'a trial in a slot that was only written',
      { ...none, attempt: { ...tried, step: 'written' } },
      'b',
      '0.3.0',
      'restarting a [new written w1 t1]: Restart a',
    ],
    [
      'a trial in a slot that was being written',
      { ...none, attempt: { ...tried, step: 'writing' } },
      'b',
      '0.3.0',
      'restarting a [new writing w1 t1]: Restart a',
    ],
    ['a trial of the other slot', { ...none, attempt: { ...tried, target: 'a' } }, 'b', '0.3.0', `${back}`],
    [
      'the slot that was only written, as its standard',
      { ...none, attempt: { ...tried, step: 'written', target: 'a' } },
      'a',
      '0.2.0',
      'current [new written w1 t1]',
    ],
  ] as const)('%s', (_what, record, booted, version, line) => {
    expect(startOn(record, booted, version).line).toBe(line);
  });

  test('a write that was cut off three times is given up, not begun a fourth time', () => {
    const writes = (count: number) => {
      const { board } = startOn({ ...none, attempt: { ...tried, step: 'writing', writes: count } }, 'a', '0.2.0');
      board.tell({ type: 'SurroundingsChanged', surroundings: free });
      return lineOf(board, board.tell(happenings['the same bundle is offered']).map(did));
    };
    expect(writes(2)).toBe('installing [new writing w3 t0]: Keep, Install new b');
    expect(writes(3)).toBe('current: Keep refused 0.3.0 unwritable');
  });

  test('before it has been looked at nothing begins, whatever is offered and whatever cannot be kept', () => {
    const board = situations['not started']();
    for (const event of ['the same bundle is offered', 'nothing can be kept'] as const)
      expect(board.tell(happenings[event])).toEqual([]);
    expect(shown(board.update)).toBe('starting');
  });

  test('what runs raises the floor, and a floor above it stays', () => {
    expect(startOn({ ...none, floor: '0.1.0' }, 'a', '0.2.0').board.update.record.floor).toBe('0.2.0');
    expect(startOn({ ...none, floor: '0.3.0' }, 'a', '0.2.0').board.update.record.floor).toBe('0.3.0');
    expect(startOn({ ...none, floor: '0.1.0', attempt: tried }, 'a', '0.2.0').board.update.record.floor).toBe('0.2.0');
    expect(startOn(null, 'a', '0.2.0').board.update.record).toEqual({ ...none, floor: '0.2.0' });
    const cutOff = { ...none, floor: '0.1.0', attempt: { ...tried, step: 'writing', target: 'a' } } as const;
    expect(startOn(cutOff, 'a', '0.2.0').board.update.record.floor).toBe('0.2.0');
    // In a trial nothing has proved itself yet.
    expect(startOn({ ...none, attempt: tried }, 'b', '0.3.0').board.update.record.floor).toBe('0.2.0');
  });
});

describe('what is told of a bundle', () => {
  const last = (board: Board) => board.update.record.last;

  test('a refusal is told once, with its time; the same again and what it was refused for before are not told again', () => {
    const board = situations['at ease']();
    board.tell(happenings['an older bundle is offered']);
    expect(last(board)).toEqual({
      ...{ version: '0.1.0', outcome: 'refused', reason: 'older', wallMs: 1_700_000_000_000 + board.nowMs },
    });
    expect(board.tell(happenings['an older bundle is offered'])).toEqual([]);
    const foreign = { ...happenings['an older bundle is offered'].bundle, signature: 'foreign' as const };
    expect(board.tell({ type: 'BundleOffered', bundle: foreign }).map(did)).toEqual(['Keep refused 0.1.0 foreign']);
    const other = {
      ...happenings['an older bundle is offered'].bundle,
      version: '0.0.9',
      signature: 'foreign' as const,
    };
    expect(board.tell({ type: 'BundleOffered', bundle: other }).map(did)).toEqual(['Keep refused 0.0.9 foreign']);
  });

  test('of the version that runs nothing is told, but a bundle of it that somebody else has signed is', () => {
    const board = situations['at ease']();
    const { bundle } = happenings['what runs is offered'];
    expect(board.tell({ type: 'BundleOffered', bundle })).toEqual([]);
    const foreign = { ...bundle, signature: 'foreign' as const };
    expect(board.tell({ type: 'BundleOffered', bundle: foreign }).map(did)).toEqual(['Keep refused 0.2.0 foreign']);
  });

  test('why a trial failed stays told: that it failed before says less', () => {
    const board = new Board();
    board.start({ ...none, attempt: { ...tried, tries: 2 } });
    board.tell({ type: 'SurroundingsChanged', surroundings: free });
    expect(board.tell(happenings['the same bundle is offered'])).toEqual([]);
    expect(last(board)).toMatchObject({ outcome: 'fell-back', reason: 'fell-back' });
  });

  test('of what failed the last twenty are remembered, each once', () => {
    const failed = Array.from({ length: 20 }, (_, index) => ({ id: `id-${index}`, reason: 'unwritable' as const }));
    const board = new Board();
    board.start({ ...none, failed: [...failed, { id: 'new', reason: 'unwritable' }], attempt: { ...tried, tries: 2 } });
    const ids = board.update.record.failed.map(({ id }) => id);
    expect(ids).toEqual([...failed.slice(1).map(({ id }) => id), 'new']);
    expect(board.update.record.failed.at(-1)).toEqual({ id: 'new', reason: 'fell-back' });
  });

  test('a technician’s word forgets what failed and what was told', () => {
    const board = new Board();
    board.start({ ...none, attempt: { ...tried, tries: 2 } });
    board.tell({ type: 'RetryAsked' });
    expect(board.update.record).toMatchObject({ failed: [], last: null });
  });

  test('a bundle withdrawn while it is written is written to the end, and not tried before it is offered again', () => {
    const board = situations.writes();
    expect(board.tell({ type: 'BundleWithdrawn' })).toEqual([]);
    expect(lineOf(board, board.tell({ type: 'Installed' }).map(did))).toBe(`current ${written}: Keep`);
    expect(lineOf(board, board.tell(happenings['the same bundle is offered']).map(did))).toBe(
      `checkingBefore ${written}: AskHealth`,
    );
  });

  test('a bundle withdrawn while its health is asked is not tried; another in its place is written, not tried', () => {
    const gone = situations['is asked before it is left']();
    gone.tell({ type: 'BundleWithdrawn' });
    expect(lineOf(gone, gone.tell({ type: 'HealthAnswered', ok: true }).map(did))).toBe(`current ${written}`);
    const other = situations['is asked before it is left']();
    other.tell(happenings['another bundle is offered']);
    expect(lineOf(other, other.tell({ type: 'HealthAnswered', ok: true }).map(did))).toBe(
      'installing [newer writing w1 t0]: Keep, Install newer b',
    );
  });

  test('the other slot is written, whichever runs', () => {
    const board = situations['is made the standard']();
    board.tell({ type: 'Committed', ok: true });
    board.tell({ type: 'SurroundingsChanged', surroundings: free });
    expect(board.update.board).toEqual({ booted: 'b', standard: 'b' });
    expect(board.tell(happenings['another bundle is offered']).map(did)).toEqual([
      'Keep installed 0.3.0 null',
      'Install newer a',
    ]);
  });
});
