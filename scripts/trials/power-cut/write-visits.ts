import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createSqliteStore } from '../../../drivers/store/sqlite-store.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { createAgentVisits } from '../../beds/agent-visits.ts';

/*
 * In a machine whose power is cut: requests into the outbox of a terminal and the journal of an agent, until then. A line says
 * which store has said of which request that it holds it.
 */

const folder = process.argv[2] ?? '';
const startedMs = performance.now();
const journal = new Journal(join(folder, 'journal.sqlite'), { steadyMs: () => performance.now() - startedMs });
const visit = createAgentVisits(() => Date.now());
const outbox = createSqliteStore(join(folder, 'link.sqlite'));
const tell = (store: string, requestId: string): void => void writeSync(1, `held ${store} ${requestId}\n`);

for (let count = 0; ; count += 1) {
  const requestId = randomUUID();
  const row = { requestId, session: randomUUID(), documentHash: 'h', createdAtMs: count, expiresAtMs: count + 1 };
  const stored = await outbox.addOutboxRow({
    ...row,
    sealed: new Uint8Array(4_000).fill(count & 255),
    visitMark: null,
  });
  // Not held, as a slow machine's store says after its time: then nothing is promised.
  if (stored.ok) tell('outbox', requestId);
  else process.stderr.write(`${stored.failure.code} ${stored.failure.detail}\n`);
  // Every other one is handed over and forgotten: then the log is emptied under it.
  visit(journal, requestId, count % 2 === 0 ? `OQSsiquc01res_face_${count}.xml` : null);
  tell('journal', requestId);
}
