import { expect, test } from 'vitest';
import { memoryEngine, memoryJournal } from '../../../scripts/beds/memory-journal.ts';
import { journalTables, moveJournal } from '../../../src/agent/journal/move-journal.ts';
import type { Cells, SqlEngine } from '../../../src/storage/sql-engine.ts';
import { at, request } from '../../contract/journal.ts';

/* A journal moves whole: every row, what is about persons under the seals of the new place, and the chain goes on. */

const cellsOf = (key: string, lost: readonly string[] = []): Cells => ({
  seal: (place, text) => JSON.stringify([key, place, text]),
  open: (place, cell) => {
    const [by, of, text] = JSON.parse(cell) as [string, string, string];
    if (by !== key || of !== place) throw new Error(`${place} was opened with another key or in another place`);
    return lost.includes(text) ? null : text;
  },
  index: (table, value) => `${key}/${table}/${value}`,
});

const filled = (cells: Cells | undefined, many = 3): SqlEngine => {
  const engine = memoryEngine(cells === undefined ? { close: () => {} } : { cells, close: () => {} });
  const journal = memoryJournal(engine);
  journal.addChallenges('front-1', [{ nonce: 'c1', issuedAt: at, expiresAt: at + 1_000 }], 48);
  journal.record(request({ personal: { ...request().personal, birthdate: '19800102' } }));
  journal.rememberToday('r1', { referenceNumber: '4711', notices: ['n'], openNames: [{ Name: '●' }] }, at);
  journal.names.keep('4711', { Name: '髙﨑' });
  journal.names.keep('4712', { Name: '𠮷田' });
  journal.certificateEnds.see('4711', at, at);
  journal.receiveBulk({ receptionNumber: 'n1', source: 'file', questions: '[1]' }, 1_000);
  journal.addApproval({ session: 's', device: 'd', approver: 'a', approvedAt: at, expiresAt: at, certificate: 'x' });
  journal.facilityFiles.follow('approvers', 0, 'hashes');
  journal.atOnce(() => {
    for (let number = 0; number < many; number += 1)
      journal.audit.append({ atMs: at, event: 'e', subject: String(number) });
  });
  journal.close();
  return engine;
};
const rowsOf = (engine: SqlEngine): number =>
  journalTables.reduce((sum, table) => sum + engine.all(`SELECT * FROM ${table}`).length, 0);
const move = (from: SqlEngine, to: SqlEngine) => moveJournal(from, to, { atMs: at + 5, name: 'clinic-0001' });

test('every table of every form is one of those that are moved', () => {
  const made = memoryEngine().all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  expect([...journalTables].sort()).toEqual(made.map(({ name }) => name));
});

test.each<[string, Cells | undefined, Cells | undefined]>([
  ['a file into a database', undefined, cellsOf('new')],
  ['from one database to another', cellsOf('old'), cellsOf('new')],
  ['a database into a file', cellsOf('old'), undefined],
])('%s: all that was known is known there', (_which, old, fresh) => {
  // More rows of one table than are written at once.
  const from = filled(old, 1_100);
  const to = memoryEngine(fresh === undefined ? {} : { cells: fresh });
  expect(move(from, to)).toEqual({ rows: rowsOf(from), unreadable: 0, chainHolds: true });
  const [before, journal] = [memoryJournal(from), memoryJournal(to)];
  expect(journal.visits()).toEqual(before.visits());
  expect(journal.personal('r1')).toMatchObject({ birthdate: '19800102' });
  const note = { referenceNumber: '4711', notices: ['n'], openNames: [{ Name: '●' }] };
  expect(journal.todayNotes()).toEqual(new Map([['r1', note]]));
  expect([journal.names.of('4711'), journal.names.of('4712')]).toEqual([{ Name: '髙﨑' }, { Name: '𠮷田' }]);
  expect(journal.certificateEnds.since(0)).toEqual([{ referenceNumber: '4711', endsAt: at, seenAt: at }]);
  expect(journal.bulkInquiries()).toEqual([{ receptionNumber: 'n1', source: 'file', questions: '[1]' }]);
  expect([journal.cardSeen('4711', at), journal.cardSeen('4712', at)]).toEqual([true, false]);
  expect(journal.facilityFiles.get('approvers')).toEqual({ content: 'hashes', version: 1 });
  journal.addChallenges('front-1', [{ nonce: 'c2', issuedAt: at, expiresAt: at + 1_000 }], 48);
  const staff = request({ requestId: 'r2', session: 's', challenge: 'c2', method: 'staff', certificate: 'y' });
  expect(journal.record(staff)).toMatchObject({ visit: { code: 'message.forged' } });
  // The chain goes on where it was, with a word about the move.
  const lines = [...journal.audit.lines()];
  expect(lines.slice(0, before.audit.length)).toEqual([...before.audit.lines()]);
  expect(lines[before.audit.length]).toMatchObject({ atMs: at + 5, event: 'journal-moved', subject: 'clinic-0001' });
  expect(journal.audit.verify().brokenAt).toBeNull();
  expect(from.all('SELECT * FROM audit WHERE event = ?', 'journal-moved')).toEqual([]);
});

test('what nobody can read any more stays behind, and is counted', () => {
  const from = filled(cellsOf('old', ['4712', '[1]']));
  const to = memoryEngine({ cells: cellsOf('new') });
  expect(move(from, to)).toEqual({ rows: rowsOf(from) - 2, unreadable: 2, chainHolds: true });
  const journal = memoryJournal(to);
  expect([journal.names.of('4711'), journal.names.count, journal.bulkInquiries()]).toEqual([{ Name: '髙﨑' }, 1, []]);
});

test('of a release whose rows are found by the number itself', () => {
  const from = filled(undefined);
  from.run('UPDATE kept_name SET who = NULL');
  from.run('UPDATE today SET open_names = NULL');
  const to = memoryEngine({ cells: cellsOf('new') });
  move(from, to);
  expect(memoryJournal(to).names.of('4711')).toEqual({ Name: '髙﨑' });
  expect(to.all('SELECT reference_number AS key FROM kept_name ORDER BY key')).toEqual(
    ['4711', '4712'].map((number) => ({ key: `new/kept_name/${number}` })),
  );
  expect(to.get('SELECT open_names FROM today')).toEqual({ open_names: null });
});

test('a chain that was broken before is moved as it is, and said to be', () => {
  const from = filled(undefined);
  from.run("UPDATE audit SET subject = 'another' WHERE number = 3");
  const to = memoryEngine();
  expect(move(from, to)).toMatchObject({ chainHolds: false });
  expect(memoryJournal(to).audit.verify().brokenAt).toBe(3);
});

test.each<[string, (from: SqlEngine) => SqlEngine, string]>([
  ['onto a journal that is there', () => filled(undefined), 'is not empty'],
  [
    'where rows are lost on the way',
    () => {
      const to = memoryEngine();
      return { ...to, run: (sql, ...values) => (sql.includes('INTO approval ') ? 0 : to.run(sql, ...values)) };
    },
    'approval: 1 rows there, 0 of them here',
  ],
  [
    'where the chain is not the same afterwards',
    () => {
      const to = memoryEngine();
      const spoil = (sql: string) => sql.includes('INTO audit_head');
      return {
        ...to,
        run: (sql, ...values) => to.run(sql, ...values.map((value, at) => (spoil(sql) && at === 2 ? 'x' : value))),
      };
    },
    'does not hold',
  ],
  [
    'where an entry of the chain is another afterwards',
    () => {
      const to = memoryEngine();
      const other = (sql: string) => sql.includes('INTO audit (');
      return {
        ...to,
        run: (sql, ...values) => to.run(sql, ...values.map((value) => (other(sql) && value === '1' ? '7' : value))),
      };
    },
    'does not hold',
  ],
])('%s nothing is moved', (_where, open, reason) => {
  const from = filled(undefined);
  const to = open(from);
  const before = rowsOf(to);
  expect(() => move(from, to)).toThrow(reason);
  expect(rowsOf(to)).toBe(before);
});
