import { posix } from 'node:path';
import { type Arrow, type Import, type ModuleGraph, targetOf } from './module-graph.ts';

export type Finding = { readonly file: string; readonly line: number; readonly rule: string; readonly what: string };

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
const shared = [...ground, 'config-file', 'ports', 'catalogue', 'trust', 'log', 'storage', 'web'];
const all = [...shared, 'config', 'terminal', 'face', 'agent', 'kit', 'root', 'drivers', 'virtual'];

/** Which parts a part may import. What is not named here (test) may import anything. */
const mayImport: Record<string, readonly string[]> = {
  wire: ['wire'],
  core: ['core'],
  protocol: ['wire', 'core', 'protocol'],
  'config-file': ['core', 'config-file'],
  ports: [...ground, 'ports'],
  catalogue: [...ground, 'catalogue'],
  trust: [...ground, 'storage', 'trust'],
  log: [...ground, 'storage', 'log'],
  web: ['web'],
  storage: [...ground, 'storage'],
  config: [...ground, 'config-file', 'ports', 'catalogue', 'config'],
  terminal: [...shared, 'terminal'],
  face: [...ground, 'ports', 'face'],
  agent: [...shared, 'agent'],
  kit: [...shared, 'agent', 'kit'],
  screens: ['core', 'screens'],
  drivers: [...shared, 'drivers'],
  virtual: [...shared, 'drivers', 'virtual'],
  root: all,
  scripts: [...all, 'screens', 'scripts'],
};

/** Beside them, types alone: the words of the wire that a session is made of; the pictures that a virtual camera draws. */
const mayImportTypes: Record<string, readonly string[]> = { core: ['wire'], virtual: ['face'] };

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
  virtual: 'virtual hardware knows ports, drivers, and the types of pictures',
  scripts: 'scripts import no test: what both need stands in scripts/beds',
};

/**
 * Commands for whoever has no card: the only ones of src that reach for virtual hardware without a demo profile. Models are
 * measured on photos as a card would hold them.
 */
const virtualCommands = /^src\/cli\/(virtual-card|trace|models|kit-card|kit-facility)\.ts$/;

/** Scripts that play a patient or draw one. What builds, packs, checks or documents the product knows no virtual hardware. */
const playsPatients =
  /^scripts\/(beds|demonstration|bench|evaluate|screens|trials|playground|kit)\/|^scripts\/models\/cut-faces\.ts$/;

const cameraRegistry = 'src/processes/cameras.ts';

/** Loaded past this file, by a test too, the runtime of the models tells its maker of its use. */
const modelRuntime = 'src/face/models/runtime.ts';

/** What is wrong with one import; null = nothing. */
const whatIsWrong = (file: string, from: string, each: Import): string | null => {
  if (each.specifier === 'onnxruntime-node' && file !== modelRuntime) return `loaded by ${modelRuntime} alone`;
  if (mayImport[from] === undefined) return null;
  const target = targetOf(file, each);
  if (target === null) {
    const only = packages[from];
    const configuresBuild = from === 'screens' && /\.config\.ts$/.test(file);
    return only === undefined || only.test(each.specifier) || configuresBuild ? null : `not a package for ${from}`;
  }
  const to = partOf(target);
  const { way } = each;
  if (to === undefined || !(to in mayImport)) {
    if (from === 'scripts') return to === 'test' ? (explain.scripts ?? null) : null;
    return /\.json$/.test(target) ? null : `src and drivers do not depend on ${to ?? target}`;
  }
  if (way === 'type' && mayImportTypes[from]?.includes(to) === true) return null;
  if (mayImport[from]?.includes(to) !== true) return explain[from] ?? `${from} may not import ${to}`;
  if (from === 'screens' && to === 'core' && way !== 'type') return 'types of core only (import type)';
  if (from === 'scripts' && to === 'virtual' && !playsPatients.test(file))
    return 'only scripts that play a patient have virtual hardware';
  if (from === 'root' && /^drivers\/camera\//.test(target) && file !== cameraRegistry)
    return `cameras are picked in ${cameraRegistry} alone`;
  if (from === 'root' && to === 'virtual') {
    if (file.startsWith('src/cli/') && !virtualCommands.test(file))
      return 'no command but virtual-card, kit card, kit bus, trace and models';
    if (way !== 'dynamic' && way !== 'type')
      return 'virtual drivers are reached by import() alone, after the profile was checked';
  }
  return null;
};

/** Arrows that run the wrong way, with packages where they do not belong. */
export const checkArrows = ({ modules }: ModuleGraph): Finding[] =>
  [...modules].flatMap(([file, { imports }]) => {
    const from = partOf(file);
    if (from === undefined) return [];
    return imports.flatMap((each): Finding[] => {
      const wrong = whatIsWrong(file, from, each);
      const what = `${each.way === 'worker' ? 'starts' : 'imports'} ${each.specifier}: ${wrong}`;
      return wrong === null ? [] : [{ file, line: each.line, rule: 'arrow', what }];
    });
  });

/** Circles of imports, types included: files that cannot be understood one after the other. Each is told once. */
export const checkCycles = ({ modules, arrows }: ModuleGraph): Finding[] => {
  const findings: Finding[] = [];
  const from = Map.groupBy(arrows, (arrow) => arrow.from);
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const { to, line } of from.get(file) ?? []) {
      const since = path.indexOf(to);
      if (since >= 0) findings.push({ file, line, rule: 'cycle', what: [...path.slice(since), to].join(' → ') });
      else if (!finished.has(to)) visit(to);
    }
    path.pop();
    finished.add(file);
  };
  for (const file of modules.keys()) if (!finished.has(file)) visit(file);
  return findings;
};

const isOfHouse = ({ from, to }: Arrow): boolean => !from.startsWith('test/') && !to.startsWith('test/');

/** Two folders that import each other, types included; told at one arrow of the side that has fewer. */
export const checkFolderPairs = ({ arrows }: ModuleGraph): Finding[] => {
  const between = Map.groupBy(
    arrows.filter((arrow) => isOfHouse(arrow) && posix.dirname(arrow.from) !== posix.dirname(arrow.to)),
    ({ from, to }) => `${posix.dirname(from)} → ${posix.dirname(to)}`,
  );
  return [...between].flatMap(([way, there]): Finding[] => {
    const [from = '', to = ''] = way.split(' → ');
    const back = between.get(`${to} → ${from}`) ?? [];
    const isTold = back.length > 0 && (there.length < back.length || (there.length === back.length && from < to));
    const [arrow] = there;
    if (!isTold || arrow === undefined) return [];
    const what = `imports ${arrow.to}, but ${to} is imported by ${from} and ${from} by ${to} (${back[0]?.from})`;
    return [{ file: arrow.from, line: arrow.line, rule: 'folder-pair', what }];
  });
};

/** Files whose exports a tool takes by their place: configurations, reporters, plugins, what stands in for Node's own modules. */
const isTakenByTool = (file: string): boolean =>
  /\.config\.ts$|^scripts\/house\/test-counts\.ts$|^scripts\/mutation\/(ignore-diagnoses|kept-runner|kept-worker)\.mjs$|^scripts\/trials\/simulate\/stand-ins\/(cheap|seeded|simulated)-|^scripts\/playground\/page\/node\/|^docs\/examples\/clinic-client\.ts$/.test(
    file,
  );

/** What is exported and imported by nobody, tests included. */
export const checkDeadExports = ({ modules }: ModuleGraph): Finding[] => {
  const asked = new Map<string, Set<string>>();
  for (const [file, { imports }] of modules)
    for (const each of imports) {
      const target = targetOf(file, each);
      if (target === null) continue;
      const names = asked.get(target) ?? new Set();
      asked.set(target, names);
      for (const name of each.names === '*' ? ['*'] : each.names) names.add(name);
    }
  return [...modules].flatMap(([file, { exports }]) => {
    const names = asked.get(file);
    if (file.startsWith('test/') || isTakenByTool(file) || names?.has('*') === true) return [];
    return exports
      .filter(({ name }) => names?.has(name) !== true)
      .map(({ name, line }) => ({ file, line, rule: 'dead-export', what: `nobody imports ${name}` }));
  });
};

/** Everything that the graph alone can tell. A graph without arrows is a parser that saw nothing: a finding, too. */
export const checkGraph = (graph: ModuleGraph): Finding[] => {
  const unread = [...graph.modules].flatMap(([file, { errors }]) =>
    errors.map((what) => ({ file, line: 1, rule: 'unreadable', what })),
  );
  const nothing = {
    file: 'scripts/house/lint-arrows.ts',
    line: 1,
    rule: 'nothing-seen',
    what: 'no modules, no arrows',
  };
  return [
    ...(graph.modules.size === 0 || graph.arrows.length === 0 ? [nothing] : []),
    ...unread,
    ...checkArrows(graph),
    ...checkCycles(graph),
    ...checkFolderPairs(graph),
    ...checkDeadExports(graph),
  ];
};
