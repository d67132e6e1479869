import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { Kernel } from '../../scripts/trials/simulate/stand-ins/kernel.ts';
import { SimulatedDisk } from '../../scripts/trials/simulate/stand-ins/machine-disk.ts';

/* A simulated world takes over the database of the one before, and must not see anything of it. */

let journal: Uint8Array;
const nextDisk = (): SimulatedDisk => new SimulatedDisk(new Kernel('disk', false), journal);
const seen = ({ database }: SimulatedDisk): unknown => [
  database.prepare('SELECT rowid, * FROM visit').all(),
  database.prepare('SELECT rowid, * FROM head').all(),
  database.prepare('SELECT rowid, * FROM sqlite_sequence').all(),
  database.isTransaction,
];

beforeEach(() => {
  const first = new DatabaseSync(':memory:');
  first.exec(`CREATE TABLE visit (number INTEGER PRIMARY KEY AUTOINCREMENT, patient TEXT);
    CREATE TABLE head (hash TEXT); INSERT INTO head VALUES ('first'); PRAGMA user_version = 3;`);
  journal = first.serialize();
  first.close();
});

test('the next world finds the database as it was at first, whatever the one before wrote or had begun', () => {
  const one = nextDisk();
  const { database } = one;
  const before = seen(one);
  one.prepare('INSERT INTO visit (patient) VALUES (?)').run('A');
  one.prepare('UPDATE head SET hash = ?').run('last');
  database.exec("BEGIN; INSERT INTO visit (patient) VALUES ('half written')");
  one.close();
  const next = nextDisk();
  expect(next.database).toBe(database);
  expect(seen(next)).toEqual(before);
  expect(next.prepare('INSERT INTO visit (patient) VALUES (?)').run('B').lastInsertRowid).toBe(1);
  next.close();
});

describe('a database that a world has left in another form goes with it', () => {
  test.each([
    'CREATE TABLE other (content TEXT)',
    'CREATE INDEX by_patient ON visit (patient)',
    'CREATE TEMP TABLE other (content TEXT)',
    'CREATE TEMP TRIGGER more AFTER INSERT ON visit BEGIN DELETE FROM head; END',
    'ANALYZE',
    'PRAGMA user_version = 4',
    'PRAGMA application_id = 4',
    'PRAGMA foreign_keys = OFF',
    'PRAGMA query_only = ON',
  ])('%s', (change) => {
    const one = nextDisk();
    const { database } = one;
    const first = seen(one);
    database.exec(change);
    one.close();
    const next = nextDisk();
    expect(database.isOpen).toBe(false);
    expect(seen(next)).toEqual(first);
    next.close();
  });
});

test('what still runs of a world that is over reaches nothing', () => {
  const one = nextDisk();
  one.close();
  expect(() => one.database).toThrow('is over');
  expect(() => one.prepare('SELECT * FROM visit')).toThrow('is over');
});
