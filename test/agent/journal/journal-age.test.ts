import { beforeEach, describe, expect, test } from 'vitest';
import { memoryEngine, memoryJournal, memoryPlace } from '../../../scripts/beds/memory-journal.ts';
import { heedAudit, rotateAudit } from '../../../src/agent/journal/heed-audit.ts';
import type { Journal } from '../../../src/agent/journal/journal.ts';
import { keepTimeSeen } from '../../../src/agent/journal/keep-time-seen.ts';
import { highestSettingsVersion } from '../../../src/wire/messages.ts';
import { at, request } from '../../contract/journal.ts';

/* How long a journal has been kept, what it remembers of the time, and what it is told about itself. */

const minuteMs = 60_000;
let nowMs: number;
let place: ReturnType<typeof memoryPlace>;
const opened = (): Journal => place.open(() => nowMs);
const written = () => place.engine.get('SELECT lived_ms, seen_at, seen_confirmed FROM age');
beforeEach(() => {
  nowMs = 1_000_000;
  place = memoryPlace();
});

describe('the age', () => {
  test('goes on from run to run, by the clock that nobody sets, in whole ms', () => {
    let journal = opened();
    expect([journal.livedMs, written()]).toEqual([0, undefined]);
    nowMs += 10.4;
    expect(journal.livedMs).toBe(10);
    journal.close();
    nowMs = 5;
    journal = opened();
    expect(journal.livedMs).toBe(10);
    nowMs += 7;
    expect(journal.livedMs).toBe(17);
    journal.countTimeOff(100);
    expect(journal.livedMs).toBe(117);
    journal.tryWrite();
    expect(written()).toMatchObject({ lived_ms: 117 });
  });

  test.each([
    [false, 10 * minuteMs],
    [true, 5_000],
  ])('is written down seldom; several agents: %s, every %d ms', (shared, everyMs) => {
    place = memoryPlace({ shared });
    let journal = opened();
    nowMs += everyMs - 1;
    journal.keepAge();
    expect(written()).toBeUndefined();
    nowMs += 1;
    journal.keepAge();
    expect(written()).toMatchObject({ lived_ms: everyMs });
    nowMs += everyMs - 1;
    journal.sweep();
    expect(written()).toMatchObject({ lived_ms: everyMs });
    journal.close();
    // Also counted from what an earlier run wrote.
    journal = opened();
    nowMs += everyMs - 1;
    journal.keepAge();
    expect(written()).toMatchObject({ lived_ms: 2 * everyMs - 1 });
    nowMs += 1;
    journal.sweep();
    expect(written()).toMatchObject({ lived_ms: 3 * everyMs - 1 });
  });

  test('of several agents the oldest is right; where one writes alone nobody else is asked', () => {
    for (const shared of [true, false]) {
      place = memoryPlace({ shared });
      const [one, other] = [opened(), place.open(() => nowMs + minuteMs)];
      other.countTimeOff(minuteMs);
      other.tryWrite();
      one.tryWrite();
      expect(one.livedMs).toBe(shared ? minuteMs : 0);
      // One that is ahead stays so.
      one.countTimeOff(5 * minuteMs);
      one.tryWrite();
      expect(one.livedMs).toBe(shared ? 6 * minuteMs : 5 * minuteMs);
    }
  });

  test('a full disk: it closes all the same, that much younger', () => {
    const engine = memoryEngine();
    let closed = 0;
    const full = {
      ...engine,
      run: () => {
        throw new Error('database or disk is full');
      },
      forget: () => {
        throw new Error('database or disk is full');
      },
      close: () => {
        closed += 1;
      },
    };
    memoryJournal(full).close();
    expect(closed).toBe(1);
  });

  test('whoever only reads asks for no age and writes none', () => {
    const journal = opened();
    nowMs += 50;
    journal.see({ wallMs: at, confirmed: true });
    journal.close();
    const before = written();
    let forgotten = 0;
    const engine = {
      ...place.engine,
      forget: () => {
        forgotten += 1;
        return true;
      },
    };
    const reader = new (journal.constructor as typeof Journal)(engine, { readOnly: true, steadyMs: () => nowMs });
    expect([reader.livedMs, reader.timeSeen]).toEqual([0, null]);
    nowMs += 1_000;
    reader.close();
    expect([written(), forgotten]).toEqual([before, 0]);
  });
});

describe('the time seen', () => {
  test.each([true, false])('is there at the next opening, confirmed or not: %s', (confirmed) => {
    let journal = opened();
    expect(journal.timeSeen).toBeNull();
    journal.tryWrite();
    expect(written()).toMatchObject({ seen_at: null, seen_confirmed: 0 });
    journal.see({ wallMs: at + 0.6, confirmed });
    expect(journal.timeSeen).toEqual({ wallMs: at + 0.6, confirmed });
    journal.close();
    journal = opened();
    expect(journal.timeSeen).toEqual({ wallMs: at + 1, confirmed });
    journal.close();
    expect(opened().timeSeen).toEqual({ wallMs: at + 1, confirmed });
  });

  test('an hour off counts once, where two confirmed clocks say so; what is doubted is not kept', () => {
    const look = (
      journal: Journal,
      certainty: 'confirmed' | 'plausible' | 'doubted',
      wallMs: number,
      watch = keepTimeSeen(journal, () => ({ certainty, wallMs })),
    ) => watch();
    let journal = opened();
    look(journal, 'doubted', at);
    expect(journal.timeSeen).toBeNull();
    look(journal, 'plausible', at);
    expect(journal.timeSeen).toEqual({ wallMs: at, confirmed: false });
    look(journal, 'confirmed', at);
    expect([journal.timeSeen, journal.livedMs]).toEqual([{ wallMs: at, confirmed: true }, 0]);
    nowMs += minuteMs;
    look(journal, 'confirmed', at);
    journal.close();
    journal = opened();
    let [certainty, wallMs] = ['plausible' as const, at + 60 * minuteMs] as ['plausible' | 'confirmed', number];
    const watch = keepTimeSeen(journal, () => ({ certainty, wallMs }));
    watch();
    expect(journal.livedMs).toBe(minuteMs);
    // It has run for a minute when its clock is confirmed: that minute is not counted twice.
    nowMs += minuteMs;
    [certainty, wallMs] = ['confirmed', at + 61 * minuteMs];
    watch();
    expect(journal.livedMs).toBe(62 * minuteMs);
    wallMs += 600 * minuteMs;
    watch();
    expect(journal.livedMs).toBe(62 * minuteMs);
    expect(journal.timeSeen).toEqual({ wallMs, confirmed: true });
  });
});

describe('the chain', () => {
  test('what a look at it found is told, and kept as a fault until a look finds it whole', () => {
    const journal = opened();
    const events: unknown[] = [];
    const log = { event: (...said: unknown[]) => void events.push(said) };
    expect(heedAudit(journal, log, { entries: 7, brokenAt: 3 })).toBe(false);
    expect(journal.auditFault).toMatchObject({ code: 'storage.audit-broken', detail: expect.stringContaining('3') });
    expect(heedAudit(journal, log, { entries: 7, brokenAt: null })).toBe(true);
    expect(journal.auditFault).toBeNull();
    expect(events).toEqual([
      ['audit.broken', { number: 3 }],
      ['audit.verified', { entries: 7 }],
    ]);
  });

  test('beyond so many entries the oldest go; where there are none nothing is written', () => {
    const committed: string[] = [];
    const journal = memoryJournal(memoryEngine({ committed }));
    for (let number = 0; number < 5; number += 1) journal.noteMishap('storage.taken-away', at + number);
    committed.length = 0;
    rotateAudit(journal, 5);
    expect([journal.audit.length, committed]).toEqual([5, []]);
    rotateAudit(journal, 3);
    expect(journal.audit.length).toBe(3);
    rotateAudit(journal);
    expect(journal.audit.verify()).toEqual({ entries: 3, brokenAt: null });
  });

  test('mishaps of the last days are told, with their instant; a roll-back however old', () => {
    const journal = opened();
    expect([journal.mishaps(), journal.rolledBackAt()]).toEqual([[], null]);
    journal.noteMishap('storage.rolled-back', at);
    journal.noteMishap('storage.taken-away', at + 1);
    journal.noteMishap('storage.taken-away', at + 2);
    expect(journal.mishaps()).toMatchObject([
      { code: 'storage.taken-away', detail: new Date(at + 2).toISOString() },
      { code: 'storage.rolled-back', detail: new Date(at).toISOString() },
    ]);
    journal.atOnce(() => {
      for (let number = 0; number < 1_998; number += 1) journal.audit.append({ atMs: at, event: 'e', subject: 's' });
    });
    expect(journal.mishaps().map(({ code }) => code)).toEqual(['storage.taken-away']);
    expect(journal.rolledBackAt()).toBe(at);
  });

  test('of what was rolled back nothing is remembered: the next entry follows the last that stands', () => {
    const journal = opened();
    const append = (subject: string) => journal.audit.append({ atMs: at, event: 'e', subject });
    journal.atOnce(() => append('a'));
    for (const transaction of [journal.atOnce.bind(journal), journal.atOnceAndForgotten.bind(journal)])
      expect(() =>
        transaction(() => {
          append('never');
          throw new Error('refused');
        }),
      ).toThrow('refused');
    journal.atOnce(() => append('b'));
    expect(journal.audit.verify()).toEqual({ entries: 2, brokenAt: null });
  });

  test('two agents append to one chain', () => {
    place = memoryPlace({ shared: true });
    const [one, other] = [opened(), opened()];
    for (const journal of [one, other, one, other]) journal.noteMishap('storage.taken-away', at);
    expect(one.audit.verify()).toEqual({ entries: 4, brokenAt: null });
  });
});

describe('what was deleted', () => {
  let answers: boolean[];
  let asked: number;
  const withForgetting = (isForgotten: boolean): Journal => {
    asked = 0;
    const engine = memoryEngine();
    return memoryJournal({
      ...engine,
      transactionForgetting: (work) => ({ ...engine.transactionForgetting(work), isForgotten }),
      forget: () => {
        asked += 1;
        return answers.shift() ?? true;
      },
    });
  };

  test('of a run before is wiped, again until the disk has done it', () => {
    answers = [false, false, true];
    const journal = withForgetting(true);
    for (let round = 0; round < 5; round += 1) journal.forgetDeleted();
    expect(asked).toBe(3);
  });

  test.each([
    [true, 0],
    [false, 1],
  ])('with the end of a visit: %s, or at the next look', (isForgotten, looks) => {
    answers = [];
    const journal = withForgetting(isForgotten);
    journal.forgetDeleted();
    asked = 0;
    journal.handOver('r1', at);
    for (let round = 0; round < 3; round += 1) journal.forgetDeleted();
    expect(asked).toBe(looks);
    // Within another transaction it is the other that ends: the next look wipes it.
    asked = 0;
    journal.atOnce(() => journal.giveUp('r1', at));
    for (let round = 0; round < 3; round += 1) journal.forgetDeleted();
    expect(asked).toBe(1);
  });

  test('is wiped when the journal is closed', () => {
    answers = [];
    const journal = withForgetting(true);
    journal.close();
    expect(asked).toBe(1);
  });
});

test('what the opening did is told, and a copy is made of all of it', () => {
  const copies: string[] = [];
  const news = [{ type: 'migrated', from: 1, to: 2, backup: '' }] as const;
  const journal = memoryJournal(memoryEngine({ news, copyTo: (path) => void copies.push(path) }));
  journal.copyTo('elsewhere');
  expect([journal.news, copies, journal.place]).toEqual([news, ['elsewhere'], null]);
});

test('together: as durable as each was to be', async () => {
  const committed: string[] = [];
  const journal = memoryJournal(memoryEngine({ committed }));
  for (const durability of ['soon', 'now', 'forgotten'] as const) await journal.together(durability, () => 0);
  expect(committed).toEqual(['soon', 'now', 'forgotten']);
});

describe('versions of settings', () => {
  const issue = (journal: Journal, contentHash: string, atMs = at, device = 'front-1') =>
    journal.settingsIssue({ facility: 'clinic', device, contentHash }, atMs);

  test('begin with the seconds since 1970, or above the count that all terminals once shared', () => {
    const journal = opened();
    expect(issue(journal, 'a', at + 999)).toEqual({ version: at / 1000, validFrom: at + 999 });
    expect([...journal.audit.lines()]).toMatchObject([{ event: 'settings-issued', subject: `front-1 ${at / 1000}` }]);
    expect(issue(journal, 'a', at + 5_000)).toEqual({ version: at / 1000, validFrom: at + 999 });
    expect(journal.audit.length).toBe(1);
    place.engine.run("INSERT INTO settings_version VALUES ('clinic', 41, 'x')");
    expect(issue(journal, 'a', at, 'front-2').version).toBe(42);
    expect(issue(journal, 'b').version).toBe(at / 1000 + 1);
  });

  test('a terminal that holds a later one is believed, unless it leaves no room', () => {
    const journal = opened();
    const { version } = issue(journal, 'a');
    expect(journal.learnSettingsFloor('front-2', version + 5)).toBe(false);
    expect(journal.learnSettingsFloor('front-1', version)).toBe(false);
    expect(journal.learnSettingsFloor('front-1', version + 5)).toBe(true);
    // What it holds is told anew, above it.
    expect(issue(journal, 'a')).toEqual({ version: version + 6, validFrom: at });
    // Asked with every state of every terminal: what changes nothing is not written either.
    const run = () => {
      throw new Error('database is locked');
    };
    expect(memoryJournal({ ...place.engine, run }).learnSettingsFloor('front-1', version + 5)).toBe(false);
    const room = 10_000_000;
    expect(journal.learnSettingsFloor('front-1', highestSettingsVersion - room)).toBe(false);
    expect(issue(journal, 'a').version).toBe(version + 6);
    expect(journal.learnSettingsFloor('front-1', highestSettingsVersion - room - 1)).toBe(true);
  });

  test('after a roll-back each goes beyond all that may have been counted, and challenges of before are void', () => {
    const journal = opened();
    const { version } = issue(journal, 'a', 5_000_000);
    issue(journal, 'a', at, 'front-2');
    journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
    expect([journal.isRolledBack, journal.knowsNothingBefore]).toEqual([false, null]);
    journal.noteRolledBack(at + 0.7);
    expect([journal.isRolledBack, journal.knowsNothingBefore]).toEqual([true, at + 1]);
    expect(issue(journal, 'a').version).toBe(at / 1000 + 1);
    expect(version + 1_000_000).toBeLessThan(at / 1000);
    expect(issue(journal, 'a', at, 'front-2').version).toBe(at / 1000 + 1_000_001);
    expect(journal.record(request())).toMatchObject({ visit: { code: 'message.stale' } });
  });
});
