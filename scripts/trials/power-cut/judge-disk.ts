import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outboxKind } from '../../../drivers/store/outbox-kind.ts';
import { journalKind } from '../../../src/agent/journal/journal-kind.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { StoreKind } from '../../../src/storage/store-kind.ts';

/* node judge-disk.ts FOLDER CONSOLE: what the stores said they held before the power was cut, against what the disk holds. */

const [folder = '', console = ''] = process.argv.slice(2);
const told = readFileSync(console, 'utf8');
const stores: Readonly<Record<string, { readonly file: string; readonly kind: StoreKind; readonly sql: string }>> = {
  outbox: { file: 'link.sqlite', kind: outboxKind, sql: 'SELECT request_id AS id FROM outbox' },
  journal: { file: 'journal.sqlite', kind: journalKind, sql: 'SELECT request_id AS id FROM request' },
};
const figures = { held: 0, lost: 0, damaged: 0 };
for (const [store, { file, kind, sql }] of Object.entries(stores)) {
  const ids = [...told.matchAll(new RegExp(`^held ${store} (\\S{36})\\r?$`, 'gm'))].map(([, id = '']) => id);
  const opened = openStore(join(folder, file), kind);
  if (!opened.ok) throw new Error(`${file}: ${opened.failure.code}`);
  const { database, news } = opened.value;
  const there = new Set(
    database
      .prepare(sql)
      .all()
      .map(({ id }) => id),
  );
  database.close();
  figures.held += ids.length;
  figures.lost += ids.filter((id) => !there.has(id)).length;
  figures.damaged += news.length;
}
process.stdout.write(`${JSON.stringify({ cuts: 1, ...figures, profile: 'release' })}\n`);
process.exit(figures.held > 0 && figures.lost + figures.damaged === 0 ? 0 : 1);
