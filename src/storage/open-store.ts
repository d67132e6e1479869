import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Failure, failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import { backUp, copyStore } from './back-up.ts';
import { isKnownWhole } from './known-whole.ts';
import { recoverRows, setAside } from './recover-rows.ts';
import { newestVersion, type StoreKind } from './store-kind.ts';
import { finishPutBack, idOf, type StorePlace, watchStorePlace } from './store-place.ts';

/** What happened at the opening that somebody must hear of. */
export type StoreNews =
  | { readonly type: 'migrated'; readonly from: number; readonly to: number; readonly backup: string }
  /** The file could not be read; it lies under `aside`, and `rows` of it are in the new one. */
  | { readonly type: 'set-aside'; readonly failure: Failure; readonly aside: string; readonly rows: number }
  /** Somebody had deleted or replaced the open file; all of it lies there again. */
  | { readonly type: 'put-back'; readonly failure: Failure };

type OpenedStore = {
  readonly database: DatabaseSync;
  readonly news: readonly StoreNews[];
  /** Whether its file still lies where it was opened */
  readonly place: StorePlace;
};

/** SQLite's primary result codes (sqlite.org/rescode.html) that we tell apart. */
const busy = 5;
/** Another process that writes or reads is waited for so long. ms */
export const busyForMs = 2_000;
const corrupt = 11;
const notADatabase = 26;

const codeOf = (error: unknown): number | null => {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' ? code & 0xff : null;
};
const wordOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');
const isDamage = (error: unknown): boolean => [corrupt, notADatabase].includes(codeOf(error) ?? 0);

/** A file whose content broke; thrown between the steps of the opening and caught there. */
class Damage extends Error {}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

/** What is wrong with the pages, in SQLite's words; null: nothing. Reads all of them. */
export const damageOf = (database: DatabaseSync): string | null => {
  const [verdict] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
  return verdict === 'ok' ? null : String(verdict);
};

const tablesOf = (database: DatabaseSync): readonly string[] =>
  database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .all()
    .map(({ name }) => String(name));

/**
 * WAL with synchronous=FULL: a power cut lost nothing acknowledged; synchronous=NORMAL lost 150 of 150 rows in the same
 * cut. `secure_delete`: what is deleted is overwritten in the file.
 */
const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;';

/**
 * A row here has 100 to 3,000 bytes, and each transaction writes whole pages, twice: pages of 512 bytes write a third of what
 * SQLite's usual 4 KiB do (`npm run five-years` measures it). bytes
 */
const pageSize = 512;
/**
 * Pages that are freed at the end of the file leave it with the transaction: a sealed request that comes and goes is
 * written once, to the log, and never reaches the file.
 */
const pages = `PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = FULL;`;

/** Whether this file is of this kind and not of a later release; null = it may be opened. */
const refusal = (database: DatabaseSync, path: string, kind: StoreKind): Failure | null => {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const tables = tablesOf(database);
  const isNew = version === 0 && application === 0 && tables.length === 0;
  const isUnversioned = application === 0 && kind.unversionedTables.every((table) => tables.includes(table));
  if (!isNew && !isUnversioned && application !== kind.applicationId)
    return failure('storage.not-ours', `${path}: no ${kind.name} of this product`);
  if (version > newestVersion(kind))
    return failure(
      'storage.newer',
      `${path}: written by a later release (form ${version}, this release knows ${newestVersion(kind)})`,
    );
  return null;
};

/** A file of an earlier release is written anew in our page size; another process that has it open puts that off. */
const rewritePages = (database: DatabaseSync): void => {
  if (pragma(database, 'page_size') === pageSize) return;
  try {
    database.exec(`PRAGMA journal_mode = DELETE; ${pages} VACUUM;`);
  } catch (error) {
    if (codeOf(error) !== busy) throw error;
  }
  database.exec(settings);
};

/** Brings the file to the newest form: each step whole or not at all, after a copy of what was there before. */
const migrate = (database: DatabaseSync, path: string, kind: StoreKind): Result<StoreNews | null> => {
  const from = pragma(database, 'user_version');
  const to = newestVersion(kind);
  if (from === to) return ok(null);
  const isNew = tablesOf(database).length === 0;
  let step = from;
  try {
    const backup = isNew ? '' : backUp(database, path, from);
    if (!isNew) rewritePages(database);
    for (const { version, sql } of kind.migrations) {
      step = version;
      database.exec('BEGIN IMMEDIATE');
      // Another process may have taken the step while this one waited.
      if (pragma(database, 'user_version') < version)
        database.exec(`${sql}; PRAGMA application_id = ${kind.applicationId}; PRAGMA user_version = ${version};`);
      database.exec('COMMIT');
    }
    return ok(isNew ? null : { type: 'migrated', from, to, backup });
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (isDamage(error)) throw error;
    return err(failure('storage.migration-failed', `${path}: step ${step} of ${to}: ${wordOf(error)}`));
  }
};

const openOnce = (path: string, kind: StoreKind, looksLater: boolean): Result<OpenedStore> => {
  const put = finishPutBack(path);
  const isKnown = looksLater && put === null && isKnownWhole(path);
  const before = idOf(path);
  const database = new DatabaseSync(path, { timeout: busyForMs });
  const closing = <T>(failed: T): T => {
    database.close();
    return failed;
  };
  try {
    const refused = refusal(database, path, kind);
    if (refused !== null) return closing(err(refused));
    database.exec(pages + settings);
    const damage = isKnown ? null : damageOf(database);
    if (damage !== null) throw new Damage(damage);
    const migrated = migrate(database, path, kind);
    if (!migrated.ok) return closing(migrated);
    const place = watchStorePlace(path, before, (to) => copyStore(database, to));
    const news: StoreNews[] = put === null ? [] : [{ type: 'put-back', failure: put }];
    if (migrated.value !== null) news.push(migrated.value);
    return ok({ database, place, news });
  } catch (error) {
    database.close();
    throw error;
  }
};

const unwritable = (path: string, error: unknown): Result<never> =>
  err(failure('storage.unwritable', `${path}: ${wordOf(error)}`));

/**
 * Opens (or makes) a store in its newest form. A file of an earlier release is copied and migrated, one of a later
 * release refused (`storage.newer`) and left as it is. A damaged one is moved aside, what can still be read of it goes
 * into a new file: `news` says so. `looksLater`: whoever opens it looks for damage once it runs, where known-whole.ts says that
 * this does.
 */
export const openStore = (path: string, kind: StoreKind, looksLater = false): Result<OpenedStore> => {
  try {
    return openOnce(path, kind, looksLater);
  } catch (error) {
    if (!(error instanceof Damage) && !isDamage(error)) return unwritable(path, error);
    if (!existsSync(path)) return unwritable(path, error);
    try {
      const aside = setAside(path);
      const opened = openOnce(path, kind, false);
      if (!opened.ok) return opened;
      const rows = recoverRows(aside, opened.value.database);
      const damaged = failure('storage.damaged', `${path}: ${wordOf(error)}; the file lies aside as ${aside}`);
      return ok({
        ...opened.value,
        news: [...opened.value.news, { type: 'set-aside', failure: damaged, aside, rows }],
      });
    } catch (second) {
      return unwritable(path, second);
    }
  }
};
