/**
 * npm run api-docs [-- --json]: what package.json exports, as pages to read: dist/api-docs, from the docstrings, by TypeDoc.
 * That units and errors stand in them is held by the house rules (scripts/house/published-words.ts). TypeDoc itself comes
 * with scripts/setup-trials, in scripts/api-docs/node_modules; it reads programs through TypeScript 6. Exit code 1 where it
 * warns: a link that leads nowhere, a parameter that is not there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isPublished, publishedTargets } from '../house/published-words.ts';

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const root = join(import.meta.dirname, '..', '..');
const typedoc = join(import.meta.dirname, 'node_modules/typedoc/bin/typedoc');
const say = (text: string): void => void process.stderr.write(`api-docs: ${text}\n`);
if (!existsSync(typedoc)) {
  say('TypeDoc is not there: scripts/setup-trials, or npm ci in scripts/api-docs');
  process.exit(1);
}

const targets = publishedTargets(readFileSync(join(root, 'package.json'), 'utf8'));
const modules = globSync('{src,drivers}/**/*.ts', { cwd: root }).filter((file) => isPublished(file, targets));
const place = join(root, '.cache/api-docs');
const out = join(root, 'dist/api-docs');
mkdirSync(place, { recursive: true });
rmSync(out, { recursive: true, force: true });
const write = (name: string, content: object): string => {
  writeFileSync(join(place, name), JSON.stringify(content));
  return join(place, name);
};
const settings = write('typedoc.json', {
  name: 'Uketsuke',
  entryPoints: modules.map((file) => join(root, file)),
  entryPointStrategy: 'expand',
  tsconfig: write('tsconfig.json', {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
    files: modules.map((file) => join(root, file)),
    include: [],
  }),
  out,
  readme: join(root, 'docs/examples/README.md'),
  basePath: root,
  disableGit: true,
  sourceLinkTemplate: '{path}#{line}',
  // Types that a module keeps to itself are told where they are used.
  validation: { notExported: false, rewrittenLink: false },
  githubPages: false,
});
const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--options', settings], { encoding: 'utf8' });
const told = `${stdout}${stderr}`;
const warnings = told.split('\n').filter((line) => /\[(warning|error)\]/.test(line));
for (const line of warnings) say(line);
const pages = globSync('**/*', { cwd: out }).map((name) => statSync(join(out, name)));
const bytes = pages.filter((each) => each.isFile()).reduce((sum, { size }) => sum + size, 0);
if (status === 0) say(`open ${join(out, 'index.html')}`);
const report = { modules: modules.length, warnings: warnings.length, bytes };
process.stdout.write(`${JSON.stringify(report, null, options.json ? undefined : 2)}\n`);
process.exitCode = status === 0 && warnings.length === 0 && modules.length > 0 ? 0 : 1;
