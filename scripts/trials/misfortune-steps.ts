import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultName } from '../../src/catalogue/faults.ts';
import type { Actor } from '../../src/core/failure.ts';
import type { ScreenName } from '../../src/core/screen/screen-model.ts';
import { eventually } from './eventually.ts';
import { type MisfortunesBed, type Row, reactions, run } from './misfortunes-bed.ts';

/* What the cases are made of: a visit, where somebody looks, what is done to a process or a disk. */

/** `goes-on`: nothing is wrong for whoever looks; the patient is shown the end of the visit that was cut off. */
type Word = FaultName | 'goes-on';

/** `word`: what the first place where somebody looks says; `who`: must act, by the table of faults */
export type Case = {
  readonly name: string;
  readonly word: Word;
  readonly who: Actor | 'nobody';
  readonly befall: () => Promise<Word>;
};

/** `patienceMs`: of the person at the terminal, with one question or wait */
export const stepsWith = (bed: MisfortunesBed, patienceMs?: number) => {
  const lay = (persona = 'taro') => bed.order({ type: 'insert', persona });
  const take = () => bed.order({ type: 'pull' });
  const until = (...screens: ScreenName[]) => bed.patient.follow(reactions, screens, patienceMs);
  const idle = () =>
    eventually('an idle terminal', async () => ((await bed.health())?.state === 'idle' ? true : undefined), 90_000);

  /** A whole visit; answers its screen. */
  const visit = async (): Promise<ScreenName> => {
    await idle();
    lay();
    try {
      return (await until('accepted', 'desk', 'out-of-service', 'outage')).screen;
    } finally {
      take();
    }
  };
  const healthSays = (word: FaultName, limitMs = 20_000) =>
    eventually(
      `${word} at the terminal`,
      async () => {
        const report = await bed.health();
        const clock = report?.time?.fault ? 'clock.corrected' : undefined;
        const said = [report?.stateFailure?.code, report?.agentTrouble?.code, report?.broker.trouble?.code, clock];
        return said.includes(word) ? word : undefined;
      },
      limitMs,
    );
  const staffPageSays = (word: FaultName, limitMs = 20_000) =>
    eventually(
      `${word} on the staff page`,
      async () => ((await bed.staffPage()).includes(`class="code">${word}`) ? word : undefined),
      limitMs,
    );
  const doctorSays = (word: FaultName) =>
    eventually(`${word} by the doctor`, async () => ((await bed.doctor()).includes(word) ? word : undefined), 60_000);

  const faulty = async <W extends Word>(
    work: () => unknown,
    named: () => Promise<W>,
    heal: () => unknown,
  ): Promise<W> => {
    await work();
    try {
      return await named();
    } finally {
      await heal();
    }
  };

  const clockFile = join(bed.directory, 'clock');
  const setClock = (offset: string): void => {
    writeFileSync(`${clockFile}.new`, `${offset}\n`);
    renameSync(`${clockFile}.new`, clockFile);
  };
  const agentWith = async (clock?: string): Promise<void> => {
    await bed.agent?.end('SIGTERM');
    await bed.startAgent(clock);
  };
  const terminalWith = async (clock?: string): Promise<void> => {
    await bed.terminal?.end('SIGTERM');
    await bed.link?.end('SIGTERM');
    await bed.startLink(clock);
    await bed.startTerminal(clock);
  };
  const remount = (disk: string, how: 'ro' | 'rw'): string => run('mount', '-o', `remount,${how}`, disk);
  const fill = (disk: string): void =>
    void run('sh', '-c', `dd if=/dev/zero of=${disk}/filler bs=64k 2>/dev/null || true`);
  const empty = (disk: string): void => rmSync(join(disk, 'filler'), { force: true });

  /** Every fsync of this process takes 7 s from now on; answers how to end that. */
  const stallDisk = async (child: ChildProcess | undefined): Promise<() => Promise<void>> => {
    const inject = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:delay_exit=7000000'];
    const strace = spawn('strace', ['-f', '-o', '/dev/null', '-p', String(child?.pid), ...inject], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // It says that it holds the process.
    await once(strace.stderr, 'data');
    return async () => {
      if (strace.exitCode !== null || strace.signalCode !== null) return;
      const ended = once(strace, 'exit');
      strace.kill('SIGKILL');
      await ended;
    };
  };

  const rowsSince = (before: readonly Row[]): readonly Row[] =>
    bed.rows().filter(({ id }) => !before.some((old) => old.id === id));
  /** The one new visit, answered; `late`: its own line of the staff page says so. */
  const oneVisit = async (before: readonly Row[], late: boolean): Promise<void> => {
    const fresh = () => rowsSince(before);
    const isOver = () => fresh().length > 0 && fresh().every(({ outcome }) => outcome !== null);
    await eventually('the answer', () => (isOver() ? true : undefined), 60_000);
    if (fresh().length !== 1) throw new Error(`${fresh().length} rows of one visit`);
    if (!late) return;
    const ofItsRow = (page: string) =>
      page.split('<tr data-request="').find((each) => each.startsWith(fresh()[0]?.id ?? '-')) ?? '';
    await eventually(
      'late, on the staff page',
      async () => (ofItsRow(await bed.staffPage()).includes('遅れて届いた結果') ? true : undefined),
      60_000,
    );
  };
  return {
    ...{ lay, take, until, idle, visit, healthSays, staffPageSays, doctorSays, faulty, setClock, clockFile },
    ...{ agentWith, terminalWith, remount, fill, empty, stallDisk, rowsSince, oneVisit },
  };
};
