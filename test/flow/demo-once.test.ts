import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const missing = ['models/blazeface.onnx', 'dist/screens/index.html'].find((path) => !existsSync(`${root}${path}`));
if (missing !== undefined) console.warn(`skipped: the demo by processes, ${missing} is not built (scripts/setup)`);

/** Real processes, real broker, real models: what `./scripts/demo --once --json` runs after its set-up. */
it.skipIf(missing !== undefined)(
  'the demo plays every visit, and each ends as it should',
  { timeout: 180_000 },
  async () => {
    const demo = spawn(process.execPath, [`${root}scripts/demonstration/main.ts`, '--once', '--json']);
    let printed = '';
    demo.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    demo.stderr.on('data', (chunk) => {
      printed += chunk;
    });
    const code = await new Promise((resolve) => demo.once('exit', resolve));
    const lastLine = printed.trimEnd().split('\n').at(-1) ?? '';
    expect(code, printed).toBe(0);
    const report = JSON.parse(lastLine) as {
      ok: boolean;
      visits: { name: string; receipt: boolean; method: string }[];
    };
    expect(report.ok).toBe(true);
    expect(report.visits.map(({ name, method, receipt }) => `${name} ${method} ${receipt}`)).toEqual([
      'face face true',
      'pin pin true',
      'refuse-every-consent pin true',
      'wrong-pin-then-right pin true',
      'impostor-then-pin pin true',
      'card-pulled-while-consenting pin true',
      'first-registration pin true',
      'broker-cut-while-sending pin true',
      'link-killed-while-consenting-and-sending pin true',
    ]);
  },
);
