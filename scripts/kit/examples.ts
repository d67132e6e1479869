/**
 * npm run examples -- --json: every file of docs/examples as a stranger runs it, from a folder of its own that has this
 * package in its node_modules; what it prints is what it says that it prints. One in a language that is not installed here
 * is passed over and named.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  type ForeignExample,
  foreignExamples,
  foreignMissing,
  isAsPromised,
  prepareForeign,
} from './foreign-examples.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/examples');

/** Whatever hangs is ended then; on a machine that is busy with other things they take seconds. ms */
const longestMs = 120_000;

type Played = { readonly example: string; readonly passed: boolean; readonly said: string };

const run = async (args: readonly string[], cwd: string): Promise<string> => {
  const env = { ...process.env, CARD_CACHE: join(root, '.cache') };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: longestMs,
  });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return said.trim();
};

const promised = (source: string): string =>
  [...source.matchAll(/^\/\/ prints: (.*)$/gm)].map(([, line]) => line).join('\n');

/** What an example on the bus speaks with, in a facility of its own: the kit's broker and our agent. */
const onTheBus = async (name: string, stranger: string): Promise<string> => {
  const folder = join(stranger, 'facility');
  const uketsuke = (...args: readonly string[]) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/main.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2 * longestMs,
    });
  const kit = uketsuke('kit', 'bus', '--facility-dir', folder, '--port', '0', '--seconds', '300');
  const judged = text(kit.stdout.pipe(new PassThrough()));
  const [first] = (await once(createInterface({ input: kit.stdout }), 'line')) as [string];
  const port = String((JSON.parse(first) as { brokerPort: number }).brokerPort);
  writeFileSync(join(folder, 'agents/agent-1/agent.yaml'), 'staffPort: 0\n');
  const agent = uketsuke(
    ...['agent', '--dir', join(folder, 'agents/agent-1'), '--broker', `localhost:${port}`, '--mqtt', '4'],
    '--make-folders',
  );
  agent.stdout.resume();
  const said = await run([name, folder, port], stranger);
  for (const each of [agent, kit]) {
    each.kill('SIGTERM');
    await once(each, 'exit');
  }
  return (await judged).trim().endsWith('"findings":[]}') ? said : await judged;
};

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
  const said = source.includes('kit bus')
    ? await onTheBus(name, stranger)
    : await run(expected === '' ? kit : [name], stranger);
  const isRight = expected === '' ? said.endsWith('{"findings":[]}') : said === expected;
  return { example: name, passed: isRight, said };
};

const playForeign = async (example: ForeignExample, stranger: string): Promise<Played> => {
  const said = await run([join(root, 'src/main.ts'), ...prepareForeign(example, stranger)], stranger);
  return { example: example.name, passed: isAsPromised(example, said), said };
};

export const playExamples = async (): Promise<readonly Played[]> => {
  const stranger = mkdtempSync(join(tmpdir(), 'uketsuke-stranger-'));
  try {
    mkdirSync(join(stranger, 'node_modules'));
    symlinkSync(root, join(stranger, 'node_modules/uketsuke'));
    for (const beside of ['adapter-people.json', 'clinic-client.ts'])
      writeFileSync(join(stranger, beside), readFileSync(join(folder, beside)));
    const played: Played[] = [];
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.mjs')))
      played.push(await play(name, stranger));
    for (const example of foreignExamples) {
      const missing = foreignMissing(example);
      if (missing === null) played.push(await playForeign(example, stranger));
      else process.stderr.write(`examples: skipped: ${example.name}: ${missing}\n`);
    }
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
