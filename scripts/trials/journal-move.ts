import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { Journal } from '../../src/agent/journal/journal.ts';
import { journalTables } from '../../src/agent/journal/move-journal.ts';
import { addAgent, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { createAgentVisits } from '../beds/agent-visits.ts';
import { Postgres, postgresMissing } from '../beds/postgres.ts';

/**
 * npm run journal-move -- [--rows 100000] [--json]
 *
 * A facility's journal of so many visits, the last of them not yet handed over, by `uketsuke agent journal move` to a
 * PostgreSQL of its own and back again. `rows`: of every table, as PostgreSQL itself counts them; each must be there in
 * the number in which it left, nothing about a person in any file of the database, and after the way back each row as it was
 * at first, byte for byte. `chainHolds`: as `agent audit verify` says at either place.
 */
const { values } = parseArgs({ options: { rows: { type: 'string', default: '100000' }, json: { type: 'boolean' } } });
const visits = Number(values.rows);
const waiting = 20;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
if (postgresMissing !== null) {
  say(postgresMissing);
  process.exit(1);
}

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uketsuke-move-'));
const uketsuke = (...words: string[]): string => {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'agent', ...words], { encoding: 'utf8' });
  say(
    `${((performance.now() - began) / 1000).toFixed(1)} s: agent ${words.slice(0, 2).join(' ')}: ${stdout.trim()}${stderr}`,
  );
  if (status !== 0) throw new Error(`agent ${words.join(' ')}: ${status}`);
  return stdout;
};

const bytesAsText = (_key: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
/** Of a file: how many rows each table has, and one hash of all they hold, whatever their order. */
const contentOf = (path: string, table: string): { count: number; hash: string } => {
  const database = new DatabaseSync(path, { readOnly: true });
  const hashes: string[] = [];
  const condition = table === 'audit' ? " WHERE event <> 'journal-moved'" : '';
  for (const row of database.prepare(`SELECT * FROM ${table}${condition}`).iterate())
    hashes.push(
      createHash('sha256')
        .update(JSON.stringify(Object.entries(row).sort(), bytesAsText))
        .digest('hex'),
    );
  database.close();
  return { count: hashes.length, hash: createHash('sha256').update(hashes.sort().join()).digest('hex') };
};
/** Changes with each move: its end. */
const moves: readonly string[] = ['audit_head'];

const server = await Postgres.start();
try {
  await createFacility(join(folder, 'facility'), { facility: 'clinic', brokerNames: ['localhost'] });
  const directory = await addAgent(join(folder, 'facility'), 'agent-01');
  writeFileSync(join(directory, 'agent.yaml'), '# of this clinic\nstaffPort: 0\n');
  const path = join(directory, 'journal.sqlite');
  let nowMs = Date.now();
  const journal = new Journal(path, { steadyMs: () => 0 });
  const visit = createAgentVisits(() => nowMs);
  for (let number = 0; number < visits; number += 1) {
    visit(journal, `visit-${number}`, number < visits - waiting ? `OQS_${number}.xml` : null);
    nowMs += 30_000;
  }
  journal.names.keep('4711', { Name: '髙﨑　鷗' });
  journal.close();
  const before = join(folder, 'before.sqlite');
  copyFileSync(path, before);
  const first = new Map(journalTables.map((table) => [table, contentOf(before, table)]));
  say(`${visits} visits: ${[...first.values()].reduce((sum, { count }) => sum + count, 0)} rows`);

  const address = server.address('hospital');
  uketsuke('journal', 'move', '--dir', directory, '--to', address);
  const wrong: string[] = [];
  let rows = 0;
  for (const table of journalTables) {
    const count = Number(server.sql('hospital', `SELECT count(*) FROM uketsuke.${table}`).stdout);
    const moved = table === 'audit' ? 1 : 0;
    rows += count;
    if (count !== (first.get(table)?.count ?? 0) + moved) wrong.push(`${table}: ${count} in the database`);
  }
  const config = readFileSync(join(directory, 'agent.yaml'), 'utf8');
  if (!config.includes('# of this clinic') || !config.includes(`journalDatabase: ${address}`)) wrong.push(config);
  if (existsSync(path)) wrong.push('the file lies there still');
  server.sql('hospital', 'CHECKPOINT');
  for (const text of ['髙﨑', 'A'.repeat(100)])
    if (spawnSync('grep', ['-rqaF', text, server.data]).status === 0) wrong.push(`${text} in a file of the database`);
  let chainHolds = uketsuke('audit', 'verify', '--dir', directory).startsWith('whole');

  uketsuke('journal', 'move', '--dir', directory, '--to', 'file');
  for (const table of journalTables) {
    const [was, is] = [first.get(table), contentOf(path, table)];
    if (!moves.includes(table) && was?.hash !== is.hash)
      wrong.push(`${table}: ${was?.count} rows, ${is.count} after the way back`);
  }
  const personal = Number(server.sql('hospital', 'SELECT count(*) FROM uketsuke.personal').stdout);
  if (personal !== 0) wrong.push(`${personal} rows about persons left behind`);
  chainHolds &&= uketsuke('audit', 'verify', '--dir', directory).startsWith('whole');
  for (const each of wrong) say(`wrong: ${each}`);
  console.log(
    values.json ? JSON.stringify({ rows, chainHolds }) : `${rows} rows, chain ${chainHolds ? 'whole' : 'broken'}`,
  );
  if (!chainHolds || wrong.length > 0) process.exitCode = 1;
} finally {
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
}
