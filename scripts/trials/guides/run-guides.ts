/**
 * npm run guides -- [--only docs/FILE.md] [--json]
 *
 * Types every command of the guides that this tree can run by itself, document by document and in their order, in a network,
 * a list of processes and a /run/pcscd of its own; register.ts says which those are, and who runs the others. Needs root,
 * util-linux, iproute2, pcscd, vsmartcard-vpcd, opensc. Exit status 1: a command did not do what its document says.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { project } from '../../package/tree.ts';
import { guides } from './register.ts';
import type { Way } from './way.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean' } } });
const say = (text: string): boolean => process.stderr.write(`guides: ${text}\n`);
/** The demo plays every visit. s */
const longestSeconds = 300;

if (process.env.UKETSUKE_GUIDES === undefined) {
  const apart = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc'];
  const inside = spawnSync('unshare', [...apart, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, UKETSUKE_GUIDES: 'inside', NODE_NO_WARNINGS: '1' },
  });
  process.exit(inside.status ?? 1);
}

const room = mkdtempSync(join(tmpdir(), 'uketsuke-guides-'));
const kept = join(project, 'test/flow/recorded/name-of-the-story.jsonl');
const env = { ...process.env, ROOM: room, PATH: `${join(room, 'bin')}${delimiter}${process.env.PATH}`, NO_COLOR: '1' };

const prepare = (): void => {
  mkdirSync('/run/pcscd', { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run/pcscd']);
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  mkdirSync(join(room, 'bin'));
  symlinkSync(join(project, 'scripts/uketsuke.mjs'), join(room, 'bin/uketsuke'));
  copyFileSync(
    join(project, 'test/flow/recorded/wrong-pin-then-card-pulled-and-put-back.jsonl'),
    join(room, 'visits.jsonl'),
  );
  writeFileSync(join(room, 'figures.csv'), '2026-10,120,300\n');
  const select = '00A4040C0AD392F000260100000001';
  writeFileSync(join(room, 'other.jsonl'), `${JSON.stringify({ command: select, response: '9000' })}\n`);
  writeFileSync(join(room, 'terminal.yaml'), '');
};

type Ran = { readonly ok: boolean; readonly said: string };
const staying: ChildProcess[] = [];

/** In the background, as the document has it, until it says `until`; it goes on until the document ends. */
const begin = (command: string, until: string): Promise<Ran> =>
  new Promise((resolve) => {
    const child = spawn('bash', ['-c', `${command}\nwait`], { cwd: project, env, stdio: ['pipe', 'pipe', 'pipe'] });
    staying.push(child);
    let said = '';
    const timer = setTimeout(() => resolve({ ok: false, said }), longestSeconds * 1_000);
    const end = (ok: boolean): void => {
      clearTimeout(timer);
      resolve({ ok, said });
    };
    const hear = (part: Buffer): void => {
      said += String(part);
      if (said.includes(until)) end(true);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => end(said.includes(until)));
  });

const run = (command: string, status: number, prints: string): Ran => {
  const done = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    cwd: project,
    env,
    encoding: 'utf8',
    timeout: longestSeconds * 1_000,
    maxBuffer: 1 << 26,
  });
  const said = `${done.stdout}${done.stderr}`;
  return { ok: done.status === status && said.includes(prints), said };
};

/** The prompt of the document's first such command: each line is answered by what stands below it there. */
const onPrompt = (document: string, commands: readonly string[]): Ran => {
  const [program = '', ...typed] = commands;
  const lines = readFileSync(join(project, document), 'utf8').split('\n');
  const answers = typed.map((each) => (lines[lines.findIndex((line) => line.trim() === each) + 1] ?? '').trim());
  const input = typed.map((each) => each.replace(/^> /, '')).join('\n');
  const asked = spawnSync('bash', ['-c', `${program} --interactive`], {
    cwd: project,
    env,
    encoding: 'utf8',
    input: `${input}\n.exit\n`,
    timeout: 60_000,
  });
  const answered = asked.stdout.split('\n').map((line) => line.replace(/^(> )+/, ''));
  return {
    ok: answers.every((answer) => answer !== '' && answered.includes(answer)),
    said: asked.stdout + asked.stderr,
  };
};

const tryOne = async (document: string, written: string, way: Way): Promise<Ran | null> => {
  if (way.way === 'prompt') {
    const prompted = (guides[document] ?? []).filter(([, its]) => its.way === 'prompt').map(([each]) => each);
    return written === prompted[0] ? onPrompt(document, prompted) : null;
  }
  if (way.way !== 'tree') return null;
  const command = way.command ?? written;
  return way.until === undefined ? run(command, way.status ?? 0, way.prints ?? '') : begin(command, way.until);
};

let tried = 0;
let failed = 0;
try {
  prepare();
  for (const [document, commands] of Object.entries(guides)) {
    if (values.only !== undefined && document !== values.only) continue;
    for (const [written, way] of commands) {
      const ran = await tryOne(document, written, way);
      if (ran === null) continue;
      tried += 1;
      if (!ran.ok) failed += 1;
      say(`${ran.ok ? 'OK ' : 'NOT'} ${document}: ${written}${ran.ok ? '' : `\n${ran.said.slice(-1_500)}`}`);
    }
    for (const child of staying.splice(0)) child.kill('SIGTERM');
  }
} finally {
  rmSync(kept, { force: true });
  rmSync(room, { recursive: true, force: true });
}
const ways = Object.values(guides).flat();
const count = (...of: readonly Way['way'][]): number => ways.filter(([, { way }]) => of.includes(way)).length;
process.stdout.write(
  `${JSON.stringify({
    documents: Object.keys(guides).length,
    commands: ways.length,
    tried,
    failed,
    byTestVm: count('guide', 'installed'),
    byOthers: count('by', 'figure', 'named'),
    notRun: count('not run'),
  })}\n`,
);
process.exit(failed === 0 && tried > 0 ? 0 : 1);
