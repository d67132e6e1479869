import { posix } from 'node:path';

export type Finding = { readonly file: string; readonly line: number; readonly rule: string; readonly what: string };

/** One import of a module. `how`: `type` is erased before running, `dynamic` runs only when reached. */
export type Import = {
  readonly specifier: string;
  readonly line: number;
  readonly how: 'type' | 'static' | 'dynamic';
};

const statement = /^[ \t]*(?:import|export)\b(?<clause>[^;'"`]*?\bfrom\s*|\s*)(?<quote>['"])(?<path>[^'"]+)\k<quote>/gm;
const dynamic = /\bimport\(\s*(['"])([^'"]+)\1\s*\)/g;

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** The imports of a TypeScript file, by its import lines alone (biome's formatting makes them regular). */
export const importsOf = (text: string): Import[] => {
  const found: Import[] = [];
  for (const match of text.matchAll(statement)) {
    const typeOnly = /^\s+type\b/.test(match.groups?.clause ?? '');
    const line = lineAt(text, match.index + match[0].length);
    found.push({ specifier: match.groups?.path ?? '', line, how: typeOnly ? 'type' : 'static' });
  }
  for (const match of text.matchAll(dynamic)) {
    // `typeof import('x')` and `import('x').Y` in a type are erased, too.
    const erased =
      /typeof\s*$/.test(text.slice(0, match.index)) || /^\.[A-Z]/.test(text.slice(match.index + match[0].length));
    found.push({ specifier: match[2] ?? '', line: lineAt(text, match.index), how: erased ? 'type' : 'dynamic' });
  }
  return found;
};

/** The files that join everything: one a process, and the command line. */
const isRoot = (file: string): boolean => /^src\/(main\.ts$|processes\/|cli\/)/.test(file);

/** The part of the house a file belongs to: a folder of src, `root`, `drivers`, `virtual`, `scripts`, `test`. */
const partOf = (file: string): string | undefined => {
  if (/^src\/processes\/[a-z]+-config\.ts$/.test(file)) return 'config';
  if (isRoot(file)) return 'root';
  const folders = file.split('/');
  if (folders[0] === 'src') return folders.length > 2 ? folders[1] : 'root';
  if (file.startsWith('drivers/virtual/')) return 'virtual';
  return folders[0];
};

const ground = ['wire', 'core', 'protocol'];
const shared = [...ground, 'ports', 'catalogue', 'trust', 'log', 'storage', 'web'];

/** Which parts a part may import. What is not named here (test) may import anything. */
const mayImport: Record<string, readonly string[]> = {
  wire: ['wire'],
  core: ['core'],
  protocol: ['wire', 'core', 'protocol'],
  ports: [...ground, 'ports'],
  catalogue: [...ground, 'catalogue'],
  trust: [...ground, 'trust'],
  log: [...ground, 'storage', 'log'],
  web: ['web'],
  storage: [...ground, 'storage'],
  config: [...ground, 'ports', 'catalogue', 'config'],
  terminal: [...shared, 'terminal', 'config'],
  face: [...ground, 'ports', 'face'],
  agent: [...shared, 'agent', 'config'],
  screens: ['core', 'screens'],
  drivers: [...shared, 'config', 'terminal', 'face', 'agent', 'drivers'],
  virtual: [...shared, 'config', 'terminal', 'face', 'agent', 'drivers', 'virtual'],
  root: [...shared, 'config', 'terminal', 'face', 'agent', 'root', 'drivers', 'virtual'],
  scripts: [...shared, 'config', 'terminal', 'face', 'agent', 'root', 'screens', 'drivers', 'virtual', 'scripts'],
};

/** npm packages of the parts that may have only a few; the others may use what package.json names. */
const packages: Record<string, RegExp> = {
  core: /^$/,
  wire: /^zod$/,
  protocol: /^zod$/,
  ports: /^$/,
  // Its loader reads the JSON files beside it.
  catalogue: /^(zod|node:(fs|path))$/,
  screens: /^(preact|@preact|@digital-go-jp|budoux|uqr|vite)(\/|$)/,
};

const explain: Record<string, string> = {
  wire: 'wire is the ground and knows nobody',
  core: 'core is pure and knows types of wire alone',
  protocol: 'protocol is pure: core, wire and zod only',
  ports: 'ports are types over core, wire and protocol',
  terminal: 'the terminal sees the world through ports; only src/processes picks drivers',
  agent: 'only src/processes picks drivers',
  face: 'only src/processes picks drivers',
  screens: 'the screen draws a model and knows no rule: types of core only',
  drivers: 'a driver knows its port, not who composes it, and not the virtual ones',
};

/** Arrows of one file that run the wrong way. */
export const checkArrows = (file: string, text: string): Finding[] => {
  const from = partOf(file);
  if (!/\.(ts|tsx)$/.test(file) || from === undefined) return [];
  const allowed = mayImport[from];
  if (allowed === undefined) return [];
  const findings: Finding[] = [];
  for (const { specifier, line, how } of importsOf(text)) {
    const wrong = (what: string) => findings.push({ file, line, rule: 'arrow', what: `imports ${specifier}: ${what}` });
    if (!specifier.startsWith('.')) {
      const only = packages[from];
      const configuresBuild = from === 'screens' && /\.config\.ts$/.test(file);
      if (only !== undefined && !only.test(specifier) && !configuresBuild) wrong(`not a package for ${from}`);
      continue;
    }
    const target = posix.join(posix.dirname(file), specifier);
    const to = partOf(target);
    if (to === undefined || !(to in mayImport)) {
      if (!/\.json$/.test(target))
        wrong(`${from === 'scripts' ? 'scripts' : 'src and drivers'} do not depend on ${to ?? target}`);
    } else if (from === 'core' && how === 'type' && to === 'wire') {
      // The words of the wire that a session is made of; no code.
    } else if (to === 'scripts' && from !== 'scripts') {
      wrong('src and drivers do not depend on scripts');
    } else if (!allowed.includes(to)) {
      wrong(explain[from] ?? `${from} may import ${allowed.join(', ')}`);
    } else if (from === 'screens' && to === 'core' && how !== 'type') {
      wrong('types of core only (import type)');
    } else if (from === 'root' && to === 'virtual' && how === 'static') {
      wrong('virtual drivers are reached by import() alone, after the profile was checked');
    }
  }
  return findings;
};

/** Circles of imports, types included: files that cannot be understood one after the other. Each is told once. */
export const checkCycles = (sources: ReadonlyMap<string, string>): Finding[] => {
  const findings: Finding[] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const { specifier, line } of importsOf(sources.get(file) ?? '')) {
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(file), specifier);
      const since = path.indexOf(target);
      if (since >= 0) {
        findings.push({ file, line, rule: 'cycle', what: [...path.slice(since), target].join(' → ') });
      } else if (sources.has(target) && !finished.has(target)) visit(target);
    }
    path.pop();
    finished.add(file);
  };
  for (const file of sources.keys()) if (!finished.has(file)) visit(file);
  return findings;
};
