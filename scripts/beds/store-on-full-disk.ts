import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSqliteStore } from '../../drivers/store/sqlite-store.ts';

/** Runs on a small file system of its own: fills it, then makes room. Prints what came of it as JSON. */
const directory = process.argv[2] ?? '';
const store = createSqliteStore(join(directory, 'store.db'));
const newRow = () => ({
  requestId: randomUUID(),
  session: randomUUID(),
  documentHash: 'h',
  sealed: new Uint8Array(8_000),
  createdAtMs: 1,
  visitMark: null,
  expiresAtMs: 2,
});
const ballast = join(directory, 'ballast');
writeFileSync(ballast, new Uint8Array(200_000));
const acknowledged: string[] = [];
let refusedWith = '';
for (let count = 0; count < 500 && refusedWith === ''; count++) {
  const row = newRow();
  const stored = await store.addOutboxRow(row);
  if (stored.ok) acknowledged.push(row.requestId);
  else refusedWith = stored.failure.code;
}
rmSync(ballast);
const again = await store.addOutboxRow(newRow());
const rows = await store.outboxRows();
const kept = new Set(rows.ok ? rows.value.map(({ requestId }) => requestId) : []);
const broken = await store.firstBrokenAuditEntry();
await store.close();
console.log(
  JSON.stringify({
    refusedWith,
    lost: acknowledged.filter((requestId) => !kept.has(requestId)).length,
    writesAgain: again.ok,
    audit: broken.ok ? broken.value : 'unknown',
  }),
);
