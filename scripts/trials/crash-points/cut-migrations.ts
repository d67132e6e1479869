import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { outboxKind } from '../../../drivers/store/outbox-kind.ts';
import { journalKind } from '../../../src/agent/journal/journal-kind.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { StoreKind } from '../../../src/storage/store-kind.ts';
import { layDown, storedReleases } from '../../beds/stored-releases.ts';
import { changing, pointsOf } from './traced-calls.ts';

/* A store of an earlier release is opened by a process that dies at each call of it, and opened again by the next one. */

const stores = {
  journal: { kind: journalKind, source: ['src/agent/journal/journal-kind.ts', 'journalKind'] },
  outbox: { kind: outboxKind, source: ['drivers/store/outbox-kind.ts', 'outboxKind'] },
} as const;
const root = new URL('../../../', import.meta.url).href;

const opening = ([file, kind]: readonly [string, string]): string => `
  const { openStore } = await import('${root}src/storage/open-store.ts');
  const { ${kind} } = await import('${root}${file}');
  const opened = openStore(process.argv[1], ${kind});
  if (!opened.ok) throw new Error(opened.failure.code);
  opened.value.database.close();`;

const rowsOf = (database: DatabaseSync): string => {
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all();
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS rows FROM "${table}"`).get()?.rows);
  return tables.map(({ name }) => `${name} ${count(String(name))}`).join(', ');
};

/** What stands in the store once it has been opened without a crash, or why it does not open. */
const contentOf = (path: string, kind: StoreKind): string => {
  const opened = openStore(path, kind);
  if (!opened.ok) return opened.failure.code;
  const rows = rowsOf(opened.value.database);
  opened.value.database.close();
  return rows;
};

/** `visited`: it died there; `absent`: no visit that was made for this place showed it (places.ts) */
export type Cut = { readonly name: string; readonly visited: boolean | 'absent'; readonly wrong: string | null };

/** `done`: names of points that an earlier run visited, and found nothing wrong */
export async function* cutMigrations(done: ReadonlySet<string>): AsyncGenerator<Cut> {
  for (const release of storedReleases())
    for (const store of ['journal', 'outbox'] as const) {
      const { kind, source } = stores[store];
      const run = async (inject: readonly string[]) => {
        const folder = mkdtempSync(join(tmpdir(), 'uketsuke-cut-'));
        const path = join(folder, `${store}.sqlite`);
        layDown(release, store, path);
        const trace = join(folder, 'trace');
        const node = [process.execPath, '--input-type=module', '-e', opening(source), path];
        const strace = ['-qq', '-y', '-s', '0', '-e', `trace=${changing}`, ...inject, '-o', trace];
        const [status] = await once(
          spawn('strace', [...strace, ...node], { stdio: ['ignore', 'ignore', 'inherit'] }),
          'exit',
        );
        const points = pointsOf(readFileSync(trace, 'utf8'), folder, () => 'main');
        const content = contentOf(path, kind);
        rmSync(folder, { recursive: true });
        return { status, points, content };
      };
      const whole = await run([]);
      if (whole.status !== 0) throw new Error(`${release} ${store}: not opened without a crash`);
      for (const { call, nth, name: place } of whole.points) {
        const name = `migration of ${release}, ${store}: ${place}`;
        if (done.has(name)) {
          yield { name, visited: true, wrong: null };
          continue;
        }
        const cut = await run(['-e', `inject=${call}:signal=SIGKILL:when=${nth}`]);
        yield {
          name,
          visited: cut.status !== 0 && cut.points.at(-1)?.name === place,
          wrong: cut.content === whole.content ? null : `holds ${cut.content}`,
        };
      }
    }
}
