import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readBackup, writeBackup } from '../../src/cli/provision-move.ts';
import { pinCard } from '../beds/evidence-fixtures.ts';
import { RealAgent } from '../beds/real-agent.ts';
import { within } from '../beds/within.ts';

/**
 * npm run restore-drill [-- --visits N] [--json]
 *
 * A clinic's PC that dies, as processes and files: visits, the last of them not yet handed over (the folder is away) →
 * `provision backup`'s file → everything is deleted → wrong passphrase and a damaged copy are tried → `provision
 * restore`'s reading → the agent runs again. `rows`: of every table of the journal, as it was copied; `filesWrong`: files
 * of the agent's directory that are not byte for byte as before, and files for the レセコン that are missing, written a
 * second time, or not those of their visits.
 */
const main = new URL('../../src/main.ts', import.meta.url).pathname;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const at = process.argv.indexOf('--visits');
const visits = at === -1 ? 60 : Number(process.argv[at + 1]);
const waiting = 5;
const passphrase = 'twelve words on a sheet in the safe';

/** Every row of every table, by a hash of what it holds. */
const rowsOf = (journal: string): ReadonlyMap<string, number> => {
  const database = new DatabaseSync(journal, { readOnly: true });
  const rows = new Map<string, number>();
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all();
  for (const { name } of tables) {
    for (const row of database.prepare(`SELECT * FROM "${name}"`).all()) {
      const key = `${name} ${createHash('sha256')
        .update(JSON.stringify(Object.values(row), bytesAsText))
        .digest('hex')}`;
      rows.set(key, (rows.get(key) ?? 0) + 1);
    }
  }
  database.close();
  return rows;
};
const bytesAsText = (_key: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;

const hashesOf = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );

const refusal = async (work: Promise<void>): Promise<string> =>
  work.then(
    () => 'not refused',
    (error: Error) => error.message,
  );

const work = mkdtempSync(join(tmpdir(), 'uketsuke-restore-'));
const agent = await RealAgent.provision();
const { agentDirectory, directory } = agent.testFacility;
const oqs = join(work, 'oqs');
const face = join(oqs, 'face');
const resultFiles = (): string[] => readdirSync(face).filter((name) => name.endsWith('.xml'));
const visit = async (): Promise<string> =>
  agent.request(pinCard(await agent.certificate('5E570001'), agent.keys.auth), {});
const problems: string[] = [];
const expect = (what: string, holds: boolean): void => {
  say(`${holds ? 'ok   ' : 'WRONG'} ${what}`);
  if (!holds) problems.push(what);
};

try {
  await agent.start('--oqs-dir', oqs);
  for (let count = 0; count < visits - waiting; count += 1)
    expect(`visit ${count + 1}`, (await visit()) === 'accepted');
  expect(`${visits - waiting} files`, await within(20_000, () => resultFiles().length === visits - waiting));
  renameSync(face, `${face}-away`);
  for (let count = 0; count < waiting; count += 1) expect('visit, folder away', (await visit()) === 'accepted');
  // As `provision backup` has it: nobody writes while the journal is copied.
  await agent.kill();
  const { journal } = agent.ready;
  const rows = rowsOf(journal);
  const files = hashesOf(directory);
  const backup = join(work, 'clinic.uketsuke');
  await writeBackup(backup, passphrase, [directory]);
  const damaged = join(work, 'damaged.uketsuke');
  const bytes = readFileSync(backup);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(damaged, bytes);
  rmSync(directory, { recursive: true });

  for (const [file, word] of [
    [backup, 'another passphrase'],
    [damaged, passphrase],
  ] as const)
    expect('refused whole', (await refusal(readBackup(file, word, '/'))).includes('nothing was restored'));
  await readBackup(backup, passphrase, '/');
  const restored = hashesOf(directory);
  const differing = [...files].filter(([name, hash]) => restored.get(name) !== hash).map(([name]) => name);
  expect(`${files.size} files as before (${differing.join(', ') || 'all'})`, differing.length === 0);
  const after = rowsOf(journal);
  const rowsMissing = [...rows].reduce((sum, [key, count]) => sum + Math.max(0, count - (after.get(key) ?? 0)), 0);

  renameSync(`${face}-away`, face);
  const before = hashesOf(face);
  await agent.start('--oqs-dir', oqs);
  expect('what waited is handed over', await within(40_000, () => resultFiles().length === visits));
  const verified = execFileSync(process.execPath, [main, 'agent', 'audit', 'verify', '--dir', agentDirectory], {
    ...{ encoding: 'utf8', timeout: 30_000 },
  });
  expect(`audit chain: ${verified.trim()}`, verified.startsWith('whole'));
  expect('a visit after it', (await visit()) === 'accepted');
  expect('its file', await within(20_000, () => resultFiles().length === visits + 1));
  const now = hashesOf(face);
  const rewritten = [...before].filter(([name, hash]) => now.get(name) !== hash).length;
  await agent.kill();
  const database = new DatabaseSync(journal, { readOnly: true });
  const named = database.prepare(`SELECT file FROM request WHERE verdict = 'accepted'`).all();
  database.close();
  const nameless = named.filter(({ file }) => !now.has(String(file))).length;
  const filesWrong = differing.length + rewritten + nameless + Math.abs(resultFiles().length - named.length);
  const rowCount = [...rows.values()].reduce((sum, count) => sum + count, 0);
  const figures = { profile: 'release', visits: visits + 1, rows: rowCount, rowsMissing, filesWrong };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exitCode = rowCount > visits && rowsMissing + filesWrong + problems.length === 0 ? 0 : 1;
} finally {
  await agent.close();
  rmSync(work, { recursive: true, force: true });
}
