import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import {
  type Canary,
  type Needle,
  needlesOf,
  searchContent,
  searchFolder,
  searchFor,
  searchMemory,
} from '../../beds/canary-search.ts';
import { endChild } from '../../beds/end-child.ts';
import { anyPicture } from './any-picture.ts';
import { isFoundIn, writeCarelessly } from './careless-writers.ts';

/* The search is proved on leaks put where careless code would put them, before it is believed that there are none. */

type Plant = (needles: readonly Needle[], folder: string) => Promise<(search: Search) => Promise<readonly Needle[]>>;
type Search = ReturnType<typeof searchFor>;

const inFiles =
  (write: (path: string, needle: Needle, at: number) => void): Plant =>
  async (needles, folder) => {
    for (const [at, needle] of needles.entries()) write(join(folder, `${at}`), needle, at);
    return async (search) => searchFolder(search, folder);
  };
const around = ({ bytes }: Needle): Buffer =>
  Buffer.concat([Buffer.from('{"event":"x","detail":"'), bytes, Buffer.from('"}\n')]);

/** Rows that were deleted: their pages are free, and still full. */
const inFreedPages: Plant = async (needles, folder) => {
  const database = new DatabaseSync(join(folder, 'rows.sqlite'));
  database.exec('PRAGMA secure_delete = OFF; CREATE TABLE t (content BLOB)');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  for (const needle of needles) insert.run(around(needle));
  database.exec('DELETE FROM t');
  database.close();
  return async (search) => searchFolder(search, folder);
};

/** Rows that stand in the write-ahead log alone */
const inWriteAheadLog: Plant = async (needles, folder) => {
  const database = new DatabaseSync(join(folder, 'log.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (content BLOB)');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  for (const needle of needles) insert.run(around(needle));
  return async (search) => {
    const found = searchFolder(search, folder, (path) => !path.endsWith('-wal'));
    database.close();
    return found;
  };
};

/** Signed content within sealed content, as a broker passes it when nothing is sealed */
const inMessages: Plant = async (needles) => {
  const messages = needles.map((needle) => {
    const signed = `e30.${around(needle).toString('base64url')}.AAAA`;
    return Buffer.from(`e30...${Buffer.from(signed).toString('base64url')}.AAAA`);
  });
  return async (search) => messages.flatMap((message) => searchContent(search, message));
};

const holder = `
  const held = [];
  process.stdin.on('data', (chunk) => held.push(chunk));
  process.stdin.on('end', () => { setInterval(() => held.length, 1000); process.stdout.write('held'); });`;

/** In the memory of another process */
const inMemory: Plant = async (needles) => {
  const child = spawn(process.execPath, ['-e', holder], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(Buffer.concat(needles.map(around)));
  await once(child.stdout, 'data');
  return async (search) => {
    const found = await searchMemory(search, child.pid ?? 0);
    await endChild(child, 'SIGKILL');
    return found;
  };
};

const places: Readonly<Record<string, Plant>> = {
  'log line': inFiles((path, needle) => writeFileSync(`${path}.log`, around(needle))),
  'packed file': inFiles((path, needle) => writeFileSync(`${path}.json.gz`, gzipSync(around(needle)))),
  'freed page': inFreedPages,
  'write-ahead log': inWriteAheadLog,
  message: inMessages,
  memory: inMemory,
};

/** Another window of each photo, another piece of each form */
const spread = 7;

/** In each form that the search knows, in each place. What is not found is told by name. */
const proveForms = async (needles: readonly Needle[], search: Search, wanted: number, say: (line: string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-leaks-'));
  const forms = [...Map.groupBy(needles, ({ what, encoding }) => `${what} ${encoding}`).values()];
  // More forms than are planted: evenly over all canaries.
  const stride = forms.length / wanted;
  const chosen = Array.from({ length: wanted }, (_, at) => {
    const form = forms[Math.floor(at * stride)] ?? [];
    return form[(at * spread) % form.length] as Needle;
  });
  const names = Object.keys(places);
  let found = 0;
  try {
    for (const [index, name] of names.entries()) {
      const own = chosen.filter((_, at) => at % names.length === index);
      const below = join(folder, `${index}`);
      mkdirSync(below);
      const look = await places[name]?.(own, below);
      const seen = new Set((await look?.(search))?.map(({ bytes }) => bytes.toString('latin1')));
      for (const { what, encoding, bytes } of own) {
        if (seen.has(bytes.toString('latin1'))) found += 1;
        else say(`planted and not found: ${what} in ${encoding}, ${name}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { planted: chosen.length, found };
};
/** As careless code would write it, by other means than the search's own. */
const proveCareless = async (
  canaries: readonly Canary[],
  search: Search,
  wanted: number,
  say: (line: string) => void,
) => {
  const written = await writeCarelessly(canaries, wanted);
  const missed = written.filter((each) => !isFoundIn(search, each));
  for (const { what, name } of missed) say(`planted and not found: ${what} as ${name}`);
  return { planted: written.length, found: written.length - missed.length };
};

/** Half of them each. `found`: as what it is, where it was put */
export const provePlanted = async (canaries: readonly Canary[], wanted: number, say: (line: string) => void) => {
  const half = wanted / 2;
  const search = searchFor(needlesOf([...canaries, ...anyPicture]));
  const [forms, careless] = [
    await proveForms(needlesOf(canaries), search, half, say),
    await proveCareless(canaries, search, half, say),
  ];
  return { planted: forms.planted + careless.planted, found: forms.found + careless.found };
};
