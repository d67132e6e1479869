/**
 * npm run doctor-bench [-- --debs DIR] [--suite bookworm|trixie] [--only PART|PART] [--root DIR] [--resume] [--keep] [--json]
 *
 * Faults of an installed terminal and clinic (packages of `npm run package`, real systemd in a container), injected one
 * after the other. `right`: the first line has the expected code and names who must act, with at most two more lines.
 * `remedyProven`: the commands of the remedy (between backticks) run word for word, step by step until one helps (CODE: the
 * letters that the command before it told); then the doctor is content and a test visit goes all the way; in percent of all
 * faults. What needs hands (a cable, a backup) counts as not proven. Exit status 1: below 95 % right, below 80 % proven, a
 * false alarm, more than 5 s, or fewer than 80 faults.
 *
 * `--root`: the machine is kept there, and made only where there is none. `--resume`: a run that was cut goes on with the
 * faults that it had not tried; each is told in ROOT/trial/progress.txt as it ends.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bootFor, inRoot, installPackages, makeRoot, readTrial, say } from '../installed/root.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    keep: { type: 'boolean' },
    only: { type: 'string' },
    suite: { type: 'string', default: 'bookworm' },
    debs: { type: 'string', default: 'packages' },
    root: { type: 'string' },
    resume: { type: 'boolean' },
  },
});
type Outcome = { name: string; right: boolean; told: string[]; remedyProven?: boolean; why?: string; ms: number };
type Kept = { outcomes: Outcome[]; falseAlarms: string[] };

/** What a technician's machine has: a place from which apt gets our packages again. */
const offerPackages = (root: string): void => {
  const control = (deb: string): string => inRoot(root, 'dpkg-deb', '--field', deb).trim();
  const names = inRoot(root, 'sh', '-c', 'ls *.deb').trim().split('\n');
  const entries = names.map((name) => {
    const [sha256] = inRoot(root, 'sha256sum', name).split(' ');
    const size = inRoot(root, 'stat', '-c', '%s', name).trim();
    return `${control(name)}\nFilename: ./${name}\nSize: ${size}\nSHA256: ${sha256}\n`;
  });
  writeFileSync(join(root, 'trial/debs/Packages'), `${entries.join('\n')}\n`);
  rmSync(join(root, 'etc/apt/sources.list'), { force: true });
  execFileSync('sh', ['-c', `rm -f ${root}/etc/apt/sources.list.d/*`]);
  writeFileSync(join(root, 'etc/apt/sources.list.d/clinic.list'), 'deb [trusted=yes] file:/trial/debs ./\n');
  inRoot(root, 'apt-get', 'update', '-q');
};

const isMade = values.root !== undefined && existsSync(join(values.root, 'trial/made'));
const root = isMade && values.root !== undefined ? values.root : makeRoot(values.suite, values.root);
try {
  if (!isMade) {
    await installPackages(root, resolve(values.debs), [
      'apt-get update',
      'apt-get install ./uketsuke_*_amd64.deb ./uketsuke-agent_*_all.deb ./uketsuke-terminal_*_all.deb rsync nftables openssl',
    ]);
    offerPackages(root);
    writeFileSync(join(root, 'trial/made'), '');
  }
  for (const left of ['only', ...(values.resume ? [] : ['doctor.json', 'progress.txt'])])
    rmSync(join(root, 'trial', left), { force: true });
  if (values.only !== undefined) writeFileSync(join(root, 'trial/only'), values.only);
  say(`booting …; tail -f ${root}/trial/progress.txt`);
  bootFor(root, 'doctor-bench/in-the-clinic.ts', 7_200);
  const { outcomes, falseAlarms } = JSON.parse(
    readTrial(root, 'doctor.json') || '{"outcomes":[],"falseAlarms":["it never ran"]}',
  ) as Kept;
  for (const { name, right, told, remedyProven, why, ms } of outcomes) {
    const remedy = remedyProven === undefined ? 'hands' : remedyProven ? 'mended' : `NOT MENDED ${why ?? ''}`;
    say(`${right ? 'right' : 'WRONG'} | ${name} | ${told.join(' / ') || 'nothing'} | ${remedy} | ${ms} ms`);
  }
  for (const alarm of falseAlarms) say(`FALSE ALARM ${alarm}`);
  if (outcomes.length === 0) say(readTrial(root, 'inside.err').slice(-1_500));
  const percent = (count: number): number => Math.round((count * 1_000) / Math.max(1, outcomes.length)) / 10;
  const right = percent(outcomes.filter((each) => each.right).length);
  const remedyProven = percent(outcomes.filter((each) => each.remedyProven).length);
  const max = Math.max(0, ...outcomes.map(({ ms }) => ms));
  process.stdout.write(
    `${JSON.stringify({ profile: 'test', faults: outcomes.length, right, remedyProven, falseAlarms: falseAlarms.length, ms: { max } })}\n`,
  );
  const holds = outcomes.length >= 80 && right >= 95 && remedyProven >= 80 && falseAlarms.length === 0 && max <= 5_000;
  process.exitCode = holds ? 0 : 1;
} finally {
  if (values.keep || values.root !== undefined) say(`kept: ${root}`);
  else rmSync(root, { recursive: true, force: true });
}
