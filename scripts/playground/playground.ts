/**
 * Uketsuke in one page, for whoever wants to try it: the real core, screens, catalogue, terminal and agent with a simulated
 * card, clinic and service, without a server.
 *   npm run playground -- build [--out DIR]     the folder; open its index.html
 *   npm run playground -- check [--json]        the same visits in real Chromium from a file and at a real terminal
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../demonstration/facility.ts';
import { buildPlayground } from './build.ts';
import { comparePlayground } from './check.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** With check: only visits with this in their names */
    only: { type: 'string', default: '' },
    out: { type: 'string', default: join(projectRoot, 'dist/playground') },
    json: { type: 'boolean', default: false },
  },
});

const [task = ''] = positionals;
if (task !== 'build' && task !== 'check') throw new Error('playground build or check: which?');
const files = await buildPlayground(options.out);
const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
for (const file of files.filter(({ name }) => !name.startsWith('fonts/')))
  process.stderr.write(`playground: ${file.name} ${file.bytes} bytes\n`);
process.stderr.write(`playground: ${bytes} bytes; open ${join(options.out, 'index.html')}\n`);
if (task === 'check') {
  let errors = 0;
  const say = (line: string): void => void process.stderr.write(`playground: ${line}\n`);
  const compared = await comparePlayground(options.out, options.only, say, (what) => {
    errors += 1;
    say(what);
  });
  const { visits, same, csp } = compared;
  const report = { visits, sameStatesAsTerminal: same === visits, bytes, csp, errors };
  process.stdout.write(`${JSON.stringify(report, null, options.json ? undefined : 2)}\n`);
  process.exitCode = report.sameStatesAsTerminal && csp && errors === 0 ? 0 : 1;
}
