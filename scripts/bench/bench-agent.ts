import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isOnPath } from '../../drivers/host/is-on-path.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { writeOqsFile } from '../../src/agent/oqs-folder/write-oqs-file.ts';
import { visitsView } from '../../src/agent/staff-page/visits-view.ts';
import { dayMs } from '../../src/core/time-units.ts';
import { type AgentBed, makeAgentBed } from '../beds/agent-bed.ts';
import { createAgentVisits } from '../beds/agent-visits.ts';
import { pageModelOf } from '../beds/staff-page-bed.ts';

/**
 * npm run bench:agent [-- --visits 60 --json]
 *
 * What one visit costs the agent on the disk, as strace counts it in a process that does nothing else. `fsyncsPerVisit`:
 * `journal` when visits are minutes apart, so that each is forgotten by itself; `folder`: its file for the レセコン and that
 * file's name. `sweepRatio`: processor time of a sweep with 300,000 rows that have had their time, to that of one with
 * 5,000. `pageRatio`: of drawing today's list on the staff page with 3,000 visits, to that with 200. Needs the Debian package
 * strace.
 */
const { values } = parseArgs({
  options: { visits: { type: 'string', default: '60' }, child: { type: 'string' }, json: { type: 'boolean' } },
});
const visits = Number(values.visits);
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** Visits in a folder, minutes apart by the journal's clock. */
const makeVisits = async (folder: string): Promise<void> => {
  const startedMs = Date.UTC(2026, 10, 29);
  let nowMs = startedMs;
  const journal = new Journal(join(folder, 'journal.sqlite'), { steadyMs: () => nowMs - startedMs });
  const visit = createAgentVisits(() => nowMs);
  mkdirSync(join(folder, 'face'));
  for (let number = 1; number <= visits; number += 1) {
    const name = `OQSsiquc01res_face_${number}.xml`;
    const written = await writeOqsFile(join(folder, 'face'), name, Buffer.alloc(3_000));
    if (!written.ok) throw new Error(written.failure.code);
    visit(journal, crypto.randomUUID(), name);
    nowMs += 5 * 60_000;
  }
  journal.close();
};

const atATime = 1_000;
const backlogs = { usual: 5 * atATime, long: 300 * atATime };

/** What this process worked, ms: a busy machine does not change it. */
const cpuMs = (work: () => unknown): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

/**
 * ms of the first sweep while so many rows have had their time: what nobody swept for long must not hold up a visit longer
 * than what comes every day.
 */
const sweepMs = (folder: string, backlog: number): number => {
  let steadyMs = 0;
  const path = join(folder, 'backlog.sqlite');
  const journal = new Journal(path, { steadyMs: () => steadyMs });
  const database = new DatabaseSync(path);
  database.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${backlog})
      INSERT INTO challenge SELECT 'c' || i, 'front-1', 0, 1, NULL, 0 FROM n`,
  );
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  steadyMs = 40 * dayMs;
  const ms = cpuMs(() => journal.sweep());
  journal.close();
  rmSync(path);
  return ms;
};
const least = (times: number, measured: () => number): number => Math.min(...Array.from({ length: times }, measured));

/** ms to draw the list of today, the least of some, once so many visits were received more than before */
const pageMs = (bed: AgentBed, more: number): number => {
  const visit = createAgentVisits(() => bed.clock.now().wallMs);
  for (let number = 0; number < more; number += 1) visit(bed.journal, crypto.randomUUID(), crypto.randomUUID());
  return least(15, () => cpuMs(() => visitsView(pageModelOf(bed))));
};
const measurePage = async (): Promise<number> => {
  const bed = await makeAgentBed();
  const [usualMs, manyMs] = [pageMs(bed, 200), pageMs(bed, 2_800)];
  bed.close();
  say(`today's list: ${usualMs.toFixed(1)} ms with 200 visits, ${manyMs.toFixed(1)} ms with 3,000`);
  return Math.round((manyMs / usualMs) * 100) / 100;
};

const limits = { fsyncs: 3, sweepRatio: 10, pageRatio: 2 };

const measure = async (): Promise<void> => {
  if (!isOnPath('strace')) {
    say('bench:agent: skipped, needs the Debian package strace');
    process.exit(1);
  }
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-bench-agent-'));
  const trace = join(folder, 'trace');
  const place = join(folder, 'place');
  mkdirSync(place);
  try {
    const own = [fileURLToPath(import.meta.url), '--visits', String(visits), '--child', place];
    const strace = [
      '-f',
      '-qq',
      '-y',
      '-e',
      'trace=fsync,fdatasync',
      '-o',
      trace,
      process.execPath,
      ...process.execArgv,
    ];
    const ran = spawnSync('strace', [...strace, ...own], { stdio: ['ignore', 'inherit', 'inherit'] });
    if (ran.status !== 0) throw new Error(`the visits ended with ${ran.status}`);
    const all = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /\b(fsync|fdatasync)\(/.test(line));
    // Before the first file there is the opening of the journal.
    const calls = all.slice(all.findIndex((line) => line.includes('/face')));
    const per = (what: RegExp): number =>
      Math.round((calls.filter((line) => what.test(line)).length / visits) * 100) / 100;
    const fsyncsPerVisit = { journal: per(/journal\.sqlite/), folder: per(/\/face/) };
    say(`log ${per(/-wal>/)}, file ${per(/journal\.sqlite>/)}, limit ${limits.fsyncs} a visit`);
    const usualMs = least(5, () => sweepMs(folder, backlogs.usual));
    const longMs = least(3, () => sweepMs(folder, backlogs.long));
    const pageRatio = await measurePage();
    const sweepRatio = Math.round((longMs / usualMs) * 100) / 100;
    say(
      `sweep: ${usualMs.toFixed(1)} ms with ${backlogs.usual} rows to go, ${longMs.toFixed(1)} ms with ${backlogs.long}`,
    );
    process.stdout.write(`${JSON.stringify({ visits, fsyncsPerVisit, sweepRatio, pageRatio, profile: 'release' })}\n`);
    const isBounded = sweepRatio <= limits.sweepRatio && pageRatio <= limits.pageRatio;
    process.exitCode = fsyncsPerVisit.journal <= limits.fsyncs && isBounded ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

if (values.child === undefined) await measure();
else await makeVisits(values.child);
