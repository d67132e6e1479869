import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isOnPath } from '../../drivers/host/is-on-path.ts';

/* What must be on the disk before anybody is told of it, by the system calls themselves. */

const hasStrace = isOnPath('strace');
if (!hasStrace) console.warn('skipped: "on the disk" needs the Debian package strace');

const program = `
  import { openSync, writeSync } from 'node:fs';
  import { createAgentVisits } from ${JSON.stringify(new URL('../../scripts/beds/agent-visits.ts', import.meta.url).href)};
  import { Journal } from ${JSON.stringify(new URL('../../src/agent/journal/journal.ts', import.meta.url).href)};
  const [, , path, marks] = process.argv;
  const mark = openSync(marks, 'a');
  const journal = new Journal(path);
  const said = (name) => {
    const call = journal[name].bind(journal);
    journal[name] = (...of) => {
      const answer = call(...of);
      writeSync(mark, 'after ' + name);
      return answer;
    };
  };
  for (const name of ['record', 'finish', 'atOnceAndForgotten', 'handOver']) said(name);
  const visit = createAgentVisits(() => Date.UTC(2026, 10, 29));
  for (let number = 1; number <= 5; number += 1) visit(journal, crypto.randomUUID(), 'file-' + number);
  journal.handOver('alone', 1);
  writeSync(mark, 'together begins');
  const six = Array.from({ length: 6 }, (_, number) =>
    journal.together('now', () => journal.audit.append({ atMs: 1, event: 'e', subject: String(number) })),
  );
  await Promise.all(six.map((one) => one.then(() => writeSync(mark, 'after together'))));
  writeSync(mark, 'together ends');
  journal.close();`;

/** Each mark with whether everything written to the journal's files before it had been synced. */
const marksOf = (trace: string): [name: string, isDurable: boolean][] => {
  const unsynced = new Set<string>();
  const marks: [string, boolean][] = [];
  for (const line of trace.split('\n')) {
    const mark = /write\(\d+<[^>]*marks>, "after (\w+)"/.exec(line)?.[1];
    if (mark !== undefined) marks.push([mark, unsynced.size === 0]);
    const file = /\d+<([^>]*journal\.sqlite(?:-wal)?)>/.exec(line)?.[1];
    if (file === undefined) continue;
    if (/pwrite64\(|write\(/.test(line)) unsynced.add(file);
    if (/fsync\(|fdatasync\(/.test(line)) unsynced.delete(file);
    // What is emptied after a checkpoint has been synced elsewhere: the file itself.
    if (/ftruncate\(.*, 0\)/.test(line)) unsynced.delete(file);
  }
  return marks;
};

const syncsTogether = (trace: string): number =>
  trace
    .slice(trace.indexOf('"together begins"'), trace.indexOf('"together ends"'))
    .split('\n')
    .filter((line) => /journal\.sqlite/.test(line) && /fsync\(|fdatasync\(/.test(line)).length;

test.skipIf(!hasStrace)(
  'a request and the end of a visit are on the disk when their call returns; an answer need not be; six at once share it',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-durable-'));
    try {
      const trace = join(folder, 'trace');
      const calls = 'trace=pwrite64,write,fsync,fdatasync,ftruncate';
      const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-'];
      const args = [join(folder, 'journal.sqlite'), join(folder, 'marks')];
      const ran = spawnSync('strace', ['-f', '-qq', '-y', '-s', '60', '-e', calls, '-o', trace, ...node, ...args], {
        input: program,
        encoding: 'utf8',
      });
      expect(ran.stderr).toBe('');
      const marks = marksOf(readFileSync(trace, 'utf8'));
      const durable = (name: string) => marks.filter(([mark]) => mark === name).map(([, isDurable]) => isDurable);
      expect(durable('record')).toEqual([true, true, true, true, true]);
      // Five times as a part of the whole end, which is durable with it; once by itself.
      expect(durable('atOnceAndForgotten')).toEqual([...Array.from({ length: 5 }, () => [false, true]).flat(), true]);
      expect(durable('handOver').at(-1)).toBe(true);
      // The look bites: what is left to the next write is seen as such.
      expect(durable('finish')).toEqual([false, false, false, false, false]);
      // Six that wait at the same time: one sync of the log's head, one of the log, and none is told before.
      expect(durable('together')).toEqual([true, true, true, true, true, true]);
      expect(syncsTogether(readFileSync(trace, 'utf8'))).toBeLessThanOrEqual(2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
