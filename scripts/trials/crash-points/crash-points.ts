import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isOnPath } from '../../../drivers/host/is-on-path.ts';
import { type Cut, cutMigrations } from './cut-migrations.ts';
import { cutPrograms } from './cut-programs.ts';
import { cutVisits, ends } from './cut-visits.ts';

/**
 * npm run crash-points [-- --json] [-- --only agent|link|terminal|migration|renewal] [-- --every N] [-- --from N] [-- --most N] [-- --after FILE]
 *
 * A visit by PIN through the real processes of one clinic is watched first: each system call by which agent, link or
 * terminal writes, syncs, names or removes a file is a point (traced-calls.ts). Then a visit for each point, in which that
 * process dies at the call and is started again; and the migration of every release's stores, a renewal of certificates
 * and the parting of keys by an update, cut off in the same way. What those visits show besides are points, too, until no
 * place is left that was seen and not died at (places.ts). `visited`: points at which a process did die. `absent`: places that a
 * visit which was watched showed, and none of six that were made for it, which ended whole. `bad`: visits
 * that never ended, requests lost, done twice or told falsely (misfortunes-judge.ts), stores that did not open with every row.
 * `--only` may stand several times. `--every`: each N-th point only. `--from`, `--most`: so many points from the N-th on (0 is
 * the first) of each process, so that a run can be split. `--after FILE`: goes on after a run that broke off, whose standard
 * error that file is: what it visited of agent, link and terminal counts and is not visited again. Needs root and strace.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    every: { type: 'string', default: '1' },
    after: { type: 'string' },
    from: { type: 'string', default: '0' },
    most: { type: 'string', default: '1000000' },
  },
});
const [every, from, most] = [Number(values.every), Number(values.from), Number(values.most)];
/** Of the points of one process or program, in their order */
const isWanted = (index: number): boolean => index >= from && index < from + most && (index - from) % every === 0;
/** What an earlier run told on standard error of points at which nothing was wrong */
const told = values.after === undefined ? '' : readFileSync(values.after, 'utf8');
const done = new Set([...told.matchAll(/^cut +((?:(?! {2}BAD: ).)*)$/gm)].map(([, name = '']) => name));
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
if (process.getuid?.() !== 0 || !isOnPath('strace') || !existsSync('/usr/sbin/mkfs.ext4')) {
  say('crash-points: skipped, needs root and the Debian packages strace and e2fsprogs');
  process.exit(1);
}
// One thread for the calls on files: which of four takes which is another in every visit.
process.env.UV_THREADPOOL_SIZE = '1';

const figures = { points: 0, visited: 0, absent: 0, bad: 0 };
const words = { true: 'cut ', false: 'MISSED', absent: 'ABSENT' };
const note = ({ name, visited, wrong }: Cut): void => {
  if (visited === 'absent') figures.absent += 1;
  else figures.points += 1;
  if (visited === true) figures.visited += 1;
  if (wrong !== null) figures.bad += 1;
  say(`${words[`${visited}`]} ${name}${wrong === null ? '' : `  BAD: ${wrong}`}`);
};

const isChosen = (name: string): boolean => values.only === undefined || values.only.includes(name);
const noteAll = async (cuts: AsyncIterable<Cut>): Promise<void> => {
  for await (const cut of cuts) note(cut);
};
let index = 0;
const isNext = (): boolean => {
  index += 1;
  return isWanted(index - 1);
};
// A visit is mostly waiting for a finger: the programs that only write have the processor meanwhile.
const programs = async (): Promise<void> => {
  if (isChosen('migration')) await noteAll(cutMigrations(done));
  if (isChosen('renewal')) await noteAll(cutPrograms(isNext));
};
const visits = ends.filter(isChosen).map((end) => noteAll(cutVisits(end, { isWanted, done }, say)));
await Promise.all([programs(), ...visits]);
process.stdout.write(`${JSON.stringify({ profile: 'demo', ...figures })}\n`);
process.exit(figures.points > 0 && figures.visited === figures.points && figures.bad === 0 ? 0 : 1);
