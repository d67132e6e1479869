/**
 * npm run examples -- --json: every file of docs/examples as a stranger runs it, from a folder of its own that has this
 * package in its node_modules; what it prints is what it says that it prints.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/examples');

type Played = { readonly example: string; readonly passed: boolean; readonly said: string };

const run = async (args: readonly string[], cwd: string): Promise<string> => {
  const env = { ...process.env, CARD_CACHE: join(root, '.cache') };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return said.trim();
};

const promised = (source: string): string =>
  [...source.matchAll(/^\/\/ prints: (.*)$/gm)].map(([, line]) => line).join('\n');

/** `stranger`: the folder of somebody who has this package beside their own files */
const play = async (name: string, stranger: string): Promise<Played> => {
  const source = readFileSync(join(folder, name), 'utf8');
  const expected = promised(source);
  writeFileSync(join(stranger, name), source);
  // An adapter speaks to whoever asks it: the kit does.
  const kit = [
    join(root, 'src/main.ts'),
    'kit',
    'adapter',
    '--people',
    'adapter-people.json',
    '--',
    process.execPath,
    name,
  ];
  const said = await run(expected === '' ? kit : [name], stranger);
  const isRight = expected === '' ? said.endsWith('{"findings":[]}') : said === expected;
  return { example: name, passed: isRight, said };
};

export const playExamples = async (): Promise<readonly Played[]> => {
  const stranger = mkdtempSync(join(tmpdir(), 'uketsuke-stranger-'));
  try {
    mkdirSync(join(stranger, 'node_modules'));
    symlinkSync(root, join(stranger, 'node_modules/uketsuke'));
    writeFileSync(join(stranger, 'adapter-people.json'), readFileSync(join(folder, 'adapter-people.json')));
    const played: Played[] = [];
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.mjs')))
      played.push(await play(name, stranger));
    return played;
  } finally {
    rmSync(stranger, { recursive: true, force: true });
  }
};

if (import.meta.main) {
  const played = await playExamples();
  for (const { example, passed, said } of played)
    process.stderr.write(`examples: ${example} ${passed ? 'prints what it says' : `prints: ${said}`}\n`);
  const report = { examples: played.length, passed: played.filter(({ passed }) => passed).length };
  process.stdout.write(`${JSON.stringify(report, null, process.argv.includes('--json') ? undefined : 2)}\n`);
  process.exitCode = report.passed === report.examples && report.examples > 0 ? 0 : 1;
}
