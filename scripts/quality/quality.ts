/**
 * npm run quality [-- bench soak …]
 *
 * docs/quality.md: each figure as its command printed it last, how it was measured, the command, day, commit and load, and
 * what it does not show. With names the commands are run (in that order, one after the other) and what they print is kept in
 * scripts/quality/last-runs/; without, the page is written from what is kept. A figure is kept here by its command, or by
 * hand in docs/figures.md, never both (test/house/quality.test.ts).
 * Exit code 1 when a command that was run ended with another status than 0.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const runsFolder = join(import.meta.dirname, 'last-runs');

type Figure = {
  readonly id: string;
  readonly command: string;
  readonly what: string;
  readonly how: string;
  readonly aim: string;
  readonly notShown: string;
};
type LastRun = {
  readonly day: string;
  readonly commit: string;
  /** Mean of the last 5 minutes as the command began */
  readonly load: number;
  readonly minutes: number;
  /** 0: every aim is met */
  readonly status: number;
  readonly printed: unknown;
};

export const figures = JSON.parse(readFileSync(join(import.meta.dirname, 'figures.json'), 'utf8')) as readonly Figure[];
const pathOf = (id: string, folder = runsFolder): string => join(folder, `${id}.json`);
const lastRunOf = (id: string): LastRun | null =>
  existsSync(pathOf(id)) ? (JSON.parse(readFileSync(pathOf(id), 'utf8')) as LastRun) : null;

const partOf = (figure: Figure): string => {
  const run = lastRunOf(figure.id);
  const seen =
    run === null
      ? 'not measured yet'
      : `\`${JSON.stringify(run.printed)}\` (${run.status === 0 ? 'every aim met' : '**an aim is missed**'}; ${run.day}, commit ${run.commit}, load ${run.load}, ${run.minutes} min)`;
  return `## ${figure.what[0]?.toUpperCase()}${figure.what.slice(1)}

- **Seen**: ${seen}
- **Aim**: ${figure.aim}
- **Command**: \`${figure.command}\`
- **How**: ${figure.how}
- **Does not show**: ${figure.notShown}
`;
};

export const qualityPage = (): string => `# Quality

Made by \`npm run quality\` from what each command printed last; do not edit. The figures that are still kept by hand stand in
[figures.md](figures.md). Shared 2-core x86-64 virtual machine.

${existsSync(join(root, 'docs/pictures/visit-timeline.svg')) ? '![A visit as bars: measured, and the least in the same run](pictures/visit-timeline.svg)\n\n' : ''}${figures.map(partOf).join('\n')}`;

/** Runs the command and keeps what it printed last; its exit status. */
export const measure = (figure: Pick<Figure, 'id' | 'command'>, folder = runsFolder): number => {
  const load = Math.round((loadavg()[1] ?? 0) * 10) / 10;
  const beganMs = performance.now();
  const ran = spawnSync('sh', ['-c', figure.command], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 << 20,
  });
  const line = ran.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) {
    process.stderr.write(`quality: ${figure.id} printed no figures (status ${ran.status})\n`);
    return 1;
  }
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
  const minutes = Math.round((performance.now() - beganMs) / 6_000) / 10;
  const day = new Date().toISOString().slice(0, 10);
  const run: LastRun = { day, commit, load, minutes, status: ran.status ?? 1, printed: JSON.parse(line) };
  mkdirSync(folder, { recursive: true });
  writeFileSync(pathOf(figure.id, folder), `${JSON.stringify(run, null, 2)}\n`);
  return run.status;
};

if (process.argv[1] === import.meta.filename) {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !figures.some(({ id }) => id === name));
  if (unknown !== undefined) {
    process.stderr.write(`quality: no figure "${unknown}": ${figures.map(({ id }) => id).join(', ')}\n`);
    process.exit(2);
  }
  const failed = figures.filter(({ id }) => names.includes(id)).filter((figure) => measure(figure) !== 0);
  writeFileSync(join(root, 'docs/quality.md'), qualityPage());
  process.exit(failed.length === 0 ? 0 : 1);
}
