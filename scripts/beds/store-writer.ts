import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';

/** Writes rows until it is killed; a row's id is printed only after the store said ok. */
const store = createSqliteStore(process.argv[2] ?? '');
for (let count = 0; count < 5_000; count++) {
  const requestId = randomUUID();
  const sealed = new Uint8Array(4_000).fill(count & 255);
  const row = {
    requestId,
    session: randomUUID(),
    documentHash: 'h',
    sealed,
    createdAtMs: count,
    visitMark: null,
    expiresAtMs: count + 1,
  };
  const stored = await store.addOutboxRow(row);
  if (stored.ok) writeSync(1, `${requestId}\n`);
}
