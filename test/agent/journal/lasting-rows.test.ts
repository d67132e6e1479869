import { beforeEach, describe, expect, test } from 'vitest';
import { memoryPlace } from '../../../scripts/beds/memory-journal.ts';
import type { Journal } from '../../../src/agent/journal/journal.ts';
import { endOfJapanDay, japanDate } from '../../../src/core/japan-time.ts';
import { dayMs } from '../../../src/core/time-units.ts';
import type { Cells } from '../../../src/storage/sql-engine.ts';
import { at, request } from '../../contract/journal.ts';

/* Rows about persons: each under its own seal, each with its time, gone from every file when it has had it. */

/** Sealed as in a database: a cell opens in its own place, a person's key is no number, and the key may be lost. */
let isLost: boolean;
const cells: Cells = {
  seal: (place, text) => JSON.stringify([place, text]),
  open: (place, cell) => {
    const [of, text] = JSON.parse(cell) as [string, string];
    return isLost || of !== place ? null : text;
  },
  index: (table, value) => `${table}/${[...value].reverse().join('')}`,
};

let nowMs: number;
let forgotten: number;
let place: ReturnType<typeof memoryPlace>;
let journal: Journal;
beforeEach(() => {
  isLost = false;
  nowMs = 0;
  forgotten = 0;
  const forget = (): boolean => {
    forgotten += 1;
    return true;
  };
  place = memoryPlace({ cells, forget });
  journal = place.open(() => nowMs);
  journal.forgetDeleted();
  forgotten = 0;
});
/** Whether what went a moment ago is wiped from every file at the next look */
const isWiped = (): boolean => {
  const before = forgotten;
  journal.forgetDeleted();
  return forgotten > before;
};
const rows = (table: string) => place.engine.all(`SELECT * FROM ${table} ORDER BY rowid`);

describe('names with ●', () => {
  test('of one element after the other, each person’s own', () => {
    journal.names.keep('4711', { Name: '髙﨑' });
    journal.names.keep('4711', { NameKana: 'タカサキ' });
    journal.names.keep('4712', { Name: '𠮷田' });
    expect(journal.names.of('4711')).toEqual({ Name: '髙﨑', NameKana: 'タカサキ' });
    expect(journal.names.count).toBe(2);
    expect(rows('kept_name').map(({ reference_number: key }) => key)).not.toContain('4711');
    // What stood there before is a name of a person, too.
    expect(isWiped()).toBe(true);
    expect(journal.names.forget('4711')).toBe(true);
    expect(isWiped()).toBe(true);
    expect(isWiped()).toBe(false);
    expect([journal.names.of('4711'), journal.names.of('4712')]).toEqual([{}, { Name: '𠮷田' }]);
    isLost = true;
    expect(journal.names.of('4712')).toEqual({});
  });

  test('go 400 days after they were last used', () => {
    journal.names.keep('old', { Name: 'a' });
    journal.names.keep('used', { Name: 'b' });
    nowMs = 100 * dayMs;
    journal.names.used('used');
    nowMs = 400 * dayMs - 1;
    journal.sweep();
    expect(journal.names.count).toBe(2);
    nowMs += 1;
    journal.sweep();
    expect([journal.names.of('old'), journal.names.of('used')]).toEqual([{}, { Name: 'b' }]);
    nowMs = 500 * dayMs;
    journal.sweep();
    expect(journal.names.count).toBe(0);
  });
});

describe('certificates that end', () => {
  const list = (from = 0) => journal.certificateEnds.since(from).map(({ referenceNumber }) => referenceNumber);

  test('the earliest end first, from the day they were seen; one that was renewed is taken off', () => {
    journal.certificateEnds.see('late', at + 9 * dayMs + 0.4, at);
    journal.certificateEnds.see('early', at + dayMs, at + 1.4);
    journal.certificateEnds.see('before', at + 2 * dayMs, at - 1);
    expect(journal.certificateEnds.since(at)).toEqual([
      { referenceNumber: 'early', endsAt: at + dayMs, seenAt: at + 1 },
      { referenceNumber: 'late', endsAt: at + 9 * dayMs, seenAt: at },
    ]);
    expect([
      list(at - 1).length,
      journal.certificateEnds.countSince(at),
      journal.certificateEnds.countSince(at + 2),
    ]).toEqual([3, 2, 0]);
    expect(isWiped()).toBe(false);
    expect(rows('certificate_end')[0]?.reference_number).toBe(cells.index('certificate_end', 'late'));
    journal.certificateEnds.see('early', null, at);
    expect(isWiped()).toBe(true);
    expect(list()).toEqual(['before', 'late']);
    journal.certificateEnds.see('late', at, at);
    expect(list()).toEqual(['late', 'before']);
    isLost = true;
    expect(list()).toEqual([]);
  });

  test('of a release that kept the number itself', () => {
    place.engine.run("INSERT INTO certificate_end VALUES ('4711', 5, 6, 7, NULL)");
    expect(journal.certificateEnds.since(0)).toEqual([{ referenceNumber: '4711', endsAt: 5, seenAt: 6 }]);
  });

  test('are told in the month of the visit and the one after', () => {
    journal.certificateEnds.see('4711', at, at);
    nowMs = 62 * dayMs - 1;
    journal.sweep();
    expect(list()).toEqual(['4711']);
    nowMs += 1;
    journal.sweep();
    expect(list()).toEqual([]);
  });
});

describe('files of the facility', () => {
  test('follow one another, whoever writes them; nobody overwrites what he has not seen', () => {
    const files = journal.facilityFiles;
    expect(files.get('approvers')).toBeUndefined();
    expect(files.follow('approvers', 1, 'a')).toBe(false);
    expect(files.follow('approvers', 0, 'a')).toBe(true);
    expect(files.get('approvers')).toEqual({ content: 'a', version: 1 });
    expect(isWiped()).toBe(true);
    expect(files.follow('approvers', 0, 'b')).toBe(false);
    expect(isWiped()).toBe(false);
    expect(files.follow('approvers', 1, 'b')).toBe(true);
    expect(files.get('approvers')).toEqual({ content: 'b', version: 2 });
    expect(files.get('settings')).toBeUndefined();
    isLost = true;
    expect(files.get('approvers')).toEqual({ content: null, version: 2 });
  });
});

describe('一括照会', () => {
  const inquiry = (receptionNumber: string, source: string) => ({ receptionNumber, source, questions: `of ${source}` });

  test('the same file again is the same inquiry; it goes when it is told to, or at its time', () => {
    expect(journal.receiveBulk(inquiry('n1', 'file 1'), dayMs)).toBe('n1');
    expect(journal.receiveBulk(inquiry('n2', 'file 1'), dayMs)).toBe('n1');
    expect(journal.receiveBulk(inquiry('n3', 'file 3'), 2 * dayMs)).toBe('n3');
    expect(journal.bulkInquiries()).toEqual([inquiry('n1', 'file 1'), inquiry('n3', 'file 3')]);
    expect(isWiped()).toBe(false);
    nowMs = dayMs;
    journal.sweep();
    expect(journal.bulkInquiries()).toEqual([inquiry('n3', 'file 3')]);
    isLost = true;
    expect(journal.bulkInquiries()).toEqual([]);
    isLost = false;
    journal.forgetBulk('n3');
    expect([journal.bulkInquiries(), isWiped()]).toEqual([[], true]);
  });
});

describe('what staff need on the day of a visit', () => {
  const note = { referenceNumber: '4711', notices: ['kept-name-differs'], openNames: [{ Name: '●﨑' }] };

  test('is there by request until the day is over, in its own places alone', () => {
    journal.rememberToday('r1', note, at);
    journal.rememberToday('r2', { referenceNumber: '', notices: [] }, at);
    expect(journal.todayNotes(['r1', 'r3'])).toEqual(new Map([['r1', note]]));
    expect([...journal.todayNotes().keys()]).toEqual(['r1', 'r2']);
    journal.rememberToday('r2', { ...note, referenceNumber: '4712' }, at);
    expect(journal.todayNotes(['r2']).get('r2')?.referenceNumber).toBe('4712');
    nowMs = endOfJapanDay(japanDate(at)) - at - 1;
    journal.sweep();
    expect(journal.todayNotes().size).toBe(2);
    nowMs += 1;
    journal.sweep();
    expect(journal.todayNotes().size).toBe(0);
    // It is gone; that the card was seen this month stays.
    expect([journal.cardSeen('4711', at), journal.cardSeen('4712', at)]).toEqual([true, true]);
  });

  test('nobody can read it any more: it is as if it had gone', () => {
    journal.rememberToday('r1', note, at);
    isLost = true;
    expect(journal.todayNotes()).toEqual(new Map());
  });

  test('of a release that kept no names, or one for all qualifications', () => {
    const sealed = (column: string, text: string) => cells.seal(`today.${column} old`, text);
    const write = (openNames: string | null) =>
      place.engine.run(
        'INSERT OR REPLACE INTO today (request_id, reference_number, notices, open_names, delete_at) VALUES (?, ?, ?, ?, 1)',
        ...['old', sealed('reference_number', '1'), sealed('notices', '["n"]'), openNames],
      );
    write(null);
    expect(journal.todayNotes().get('old')).toEqual({ referenceNumber: '1', notices: ['n'], openNames: [] });
    write(sealed('open_names', '{"Name":"●"}'));
    expect(journal.todayNotes().get('old')?.openNames).toEqual([{ Name: '●' }]);
  });

  test('a card is seen in its month alone; whose it was nobody can tell from the marks', () => {
    journal.rememberToday('r1', note, at);
    journal.rememberToday('r2', note, at);
    journal.rememberToday('r3', { referenceNumber: '', notices: [] }, at);
    expect([journal.cardSeen('4711', at), journal.cardSeen('4712', at), journal.cardSeen('', at)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(journal.cardSeen('4711', at + 31 * dayMs)).toBe(false);
    const [mark, ...others] = rows('card_seen');
    expect(others).toEqual([]);
    expect(mark).toEqual({ month: '202611', who: expect.stringMatching(/^[\w-]{43}$/) });
    // The key of a month is its own: the same card leaves another mark, also at another clinic.
    journal.rememberToday('r4', note, at + 31 * dayMs);
    expect(new Set(rows('card_seen').map(({ who }) => who)).size).toBe(2);
    const elsewhere = memoryPlace({ cells });
    elsewhere.open().rememberToday('r1', note, at);
    expect(elsewhere.engine.all('SELECT who FROM card_seen')[0]?.who).not.toBe(mark?.who);
    // Its key outlives a restart; without it the mark says nothing, and the month begins anew.
    journal.close();
    journal = place.open(() => nowMs);
    expect(journal.cardSeen('4711', at)).toBe(true);
    isLost = true;
    expect(journal.cardSeen('4711', at)).toBe(false);
  });
});

test('what a visit holds of its patient is sealed under its own request', () => {
  journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
  const personal = { ...request().personal, birthdate: '19800102', sex: '2' } as const;
  journal.record(request({ personal }));
  expect(journal.personal('r1')).toEqual(personal);
  expect(journal.personal('r2')).toBeUndefined();
  expect(journal.unfinished()).toEqual([{ visit: journal.visit('r1'), personal }]);
  place.engine.run("UPDATE personal SET content = replace(content, 'r1', 'r9')");
  expect([journal.personal('r1'), journal.unfinished()]).toEqual([undefined, []]);
});
