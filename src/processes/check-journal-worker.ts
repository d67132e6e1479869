import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { AuditChain } from '../storage/audit-chain.ts';
import { busyForMs, damageOf } from '../storage/open-store.ts';
import { sqlOf } from '../storage/sqlite-engine.ts';
import type { CheckStart, JournalCheck } from './check-journal-messages.ts';

/* Reads all of the journal once, beside the agent that writes it, and says what it found. */

const ofFile = (path: string): JournalCheck => {
  const database = new DatabaseSync(path, { readOnly: true, timeout: busyForMs });
  try {
    const damage = damageOf(database);
    // Of broken pages nobody can say what stood in them.
    const audit = damage === null ? new AuditChain(sqlOf(() => database)).verify() : { entries: 0, brokenAt: null };
    return { damage, audit };
  } finally {
    database.close();
  }
};

const start = workerData as CheckStart;
if ('file' in start) parentPort?.postMessage(ofFile(start.file));
else {
  // The driver of a database is no part of a clinic that has none.
  const { openDatabase } = await import('./open-journal.ts');
  const engine = openDatabase(start.address, start.directory, start.facility, {});
  parentPort?.postMessage({ damage: null, audit: new AuditChain(engine).verify() } satisfies JournalCheck);
  engine.close();
}
