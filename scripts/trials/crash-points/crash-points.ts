import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isOnPath } from '../../../drivers/host/is-on-path.ts';
import { eventually } from '../eventually.ts';
import { judgeClinic, settledClinic } from '../judge-clinic.ts';
import { stepsWith } from '../misfortune-steps.ts';
import { MisfortunesBed } from '../misfortunes-bed.ts';
import { cutMigrations } from './cut-migrations.ts';
import { cutPrograms } from './cut-programs.ts';
import { type CrashPoint, cutAt, watchCalls } from './traced-calls.ts';

/**
 * npm run crash-points [-- --json] [-- --only agent|link|terminal|migration|renewal] [-- --every N] [-- --from N] [-- --most N]
 *
 * A visit by PIN through the real processes of one clinic is watched first: each system call by which agent, link or
 * terminal writes, syncs, names or removes a file is a point (traced-calls.ts). Then a visit for each point, in which that
 * process dies as it enters the call and is started again; and the migration of every release's stores, a renewal of certificates
 * and the parting of keys by an update, cut off in the same way. `visited`: points at which a process did die. `bad`: visits that never ended, requests lost, done twice or told falsely
 * (misfortunes-judge.ts), stores that did not open with every row. `--every`: each N-th point only. `--from`, `--most`: so many points
 * from the N-th on (0 is the first) of each process, so that a run can be split, or gone on with. Needs root and strace.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string' },
    every: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    most: { type: 'string', default: '1000000' },
  },
});
const [every, from, most] = [Number(values.every), Number(values.from), Number(values.most)];
/** Of the points of one process or program, in their order */
const isWanted = (index: number): boolean => index >= from && index < from + most && (index - from) % every === 0;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
if (process.getuid?.() !== 0 || !isOnPath('strace') || !existsSync('/usr/sbin/mkfs.ext4')) {
  say('crash-points: skipped, needs root and the Debian packages strace and e2fsprogs');
  process.exit(1);
}
// One thread for the calls on files: which of four takes which is another in every visit.
process.env.UV_THREADPOOL_SIZE = '1';

const ends = ['agent', 'link', 'terminal'] as const;
type End = (typeof ends)[number];
/** How often a point is tried that was not met: another call of the same thread came before it. */
const tries = 4;

const bed = new MisfortunesBed();
const steps = stepsWith(bed);
const begin = { agent: () => bed.startAgent(), link: () => bed.startLink(), terminal: () => bed.startTerminal() };
const childOf = (end: End) => {
  const child = bed[end]?.child;
  if (child?.pid === undefined) throw new Error(`no ${end}`);
  return { pid: child.pid, isRunning: () => bed[end]?.isRunning === true };
};

/** What a visit changes on the disk, in order, until the agent has handed it on. */
const watched = async (end: End): Promise<readonly CrashPoint[]> => {
  await steps.idle();
  const stop = await watchCalls(childOf(end).pid, bed.directory);
  if ((await steps.visit()) !== 'accepted') throw new Error('nobody is served without a crash');
  await settledClinic(bed);
  return stop();
};

/** A visit with the process dying at the point; answers the name of what was cut off, or null, and what went wrong. */
const visitCutAt = async (end: End, point: CrashPoint): Promise<{ cut: string | null; wrong: string | null }> => {
  await steps.idle();
  const before = judgeClinic(bed);
  const cutting = await cutAt(childOf(end).pid, bed.directory, point);
  let wrong: string | null = null;
  const visit = steps.visit().catch((error: unknown) => {
    // A terminal that dies takes its screen with it: its visit is judged by what is left of it.
    if (end !== 'terminal') wrong = `the visit did not end: ${error}`;
  });
  const isOver = visit.then(() => true);
  // Dead, or the visit is over and everything of it has been written.
  await Promise.race([
    eventually('the end of the process', () => (childOf(end).isRunning() ? undefined : true), 60_000).catch(() => {}),
    isOver.then(() => settledClinic(bed).catch(() => {})),
  ]);
  await cutting.end();
  if (!childOf(end).isRunning()) await begin[end]();
  await visit;
  steps.take();
  await steps.idle();
  await settledClinic(bed).catch((error: unknown) => (wrong ??= String(error)));
  await eventually('an empty outbox', () => (bed.outbox() === 0 ? true : undefined), 60_000).catch(
    (error: unknown) => (wrong ??= String(error)),
  );
  const after = judgeClinic(bed);
  for (const kind of ['lost', 'twice', 'falseAccepted'] as const)
    if (after[kind] > before[kind]) wrong ??= `${after[kind] - before[kind]} ${kind}`;
  return { cut: cutting.cut(), wrong };
};

const figures = { points: 0, visited: 0, bad: 0 };
const note = (name: string, isVisited: boolean, wrong: string | null): void => {
  figures.points += 1;
  if (isVisited) figures.visited += 1;
  if (wrong !== null) figures.bad += 1;
  say(`${isVisited ? 'cut ' : 'MISSED'} ${name}${wrong === null ? '' : `  BAD: ${wrong}`}`);
};

const cutVisits = async (end: End): Promise<void> => {
  const points = await watched(end);
  say(`${end}: ${points.length} calls a visit`);
  const met = new Set<string>();
  for (const point of points.filter((_, index) => isWanted(index))) {
    let wrong: string | null = null;
    for (let time = 0; time < tries && !met.has(point.name); time += 1) {
      const done = await visitCutAt(end, point);
      if (done.cut !== null) met.add(done.cut);
      wrong ??= done.wrong;
    }
    note(`${end}: ${point.name}`, met.has(point.name), wrong);
  }
};

const isChosen = (name: string): boolean => values.only === undefined || values.only === name;
if (isChosen('migration')) for (const { name, visited, wrong } of cutMigrations()) note(name, visited, wrong);
if (isChosen('renewal')) {
  let index = 0;
  const isNext = (): boolean => {
    index += 1;
    return isWanted(index - 1);
  };
  for await (const { name, visited, wrong } of cutPrograms(isNext)) note(name, visited, wrong);
}
if (ends.some(isChosen))
  try {
    await bed.build();
    for (const end of ends) if (isChosen(end)) await cutVisits(end);
  } finally {
    await bed.close();
  }
process.stdout.write(`${JSON.stringify({ profile: 'demo', ...figures })}\n`);
process.exit(figures.points > 0 && figures.visited === figures.points && figures.bad === 0 ? 0 : 1);
