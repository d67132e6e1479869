import { describe, expect, test } from 'vitest';
import {
  checkArrows as checkArrowsOf,
  checkCycles,
  checkDeadExports,
  checkFolderPairs,
  checkGraph,
} from '../../scripts/house/lint-arrows.ts';
import {
  checkCommands,
  checkDeadFiles,
  checkFolders,
  checkFormatters,
  checkLength,
  checkMachineClock,
  checkMachinePaths,
  checkNames,
  checkPrograms,
  checkReadmePaths,
  checkRenames,
} from '../../scripts/house/lint-house.ts';
import { checkLongFunctions, readWhole } from '../../scripts/house/long-functions.ts';
import { moduleGraph, parseModule } from '../../scripts/house/module-graph.ts';
import { checkPublishedWords, isPublished, publishedTargets } from '../../scripts/house/published-words.ts';

const graphOf = (files: Readonly<Record<string, string>>) => moduleGraph(new Map(Object.entries(files)));
const checkArrows = (file: string, text: string) => checkArrowsOf(graphOf({ [file]: text }));

describe('an import that runs the wrong way is found, with its line', () => {
  test.each([
    ['core into terminal', 'src/core/a.ts', "import { x } from '../terminal/b.ts';"],
    ['core into Node', 'src/core/a.ts', "import { readFileSync } from 'node:fs';"],
    ['core into code of wire', 'src/core/a.ts', "import { stateSchema } from '../wire/messages.ts';"],
    ['core into a type of protocol', 'src/core/a.ts', "import type { X } from '../protocol/card/apdu.ts';"],
    ['protocol into a package', 'src/protocol/a.ts', "import { pino } from 'pino';"],
    ['protocol into ports', 'src/protocol/a.ts', "import type { X } from '../ports/clock.ts';"],
    ['ports into terminal', 'src/ports/a.ts', "import type { X } from '../terminal/b.ts';"],
    ['terminal into drivers', 'src/terminal/a.ts', "import { x } from '../../drivers/b.ts';"],
    ['terminal into drivers, dynamically', 'src/terminal/a.ts', "const x = await import('../../drivers/b.ts');"],
    ['terminal into a process', 'src/terminal/a.ts', "export { x } from '../processes/terminal.ts';"],
    ['agent into terminal', 'src/agent/a.ts', "import { x } from '../terminal/b.ts';"],
    ['terminal into agent', 'src/terminal/a.ts', "import { x } from '../agent/b.ts';"],
    ['wire into core', 'src/wire/a.ts', "import type { X } from '../core/b.ts';"],
    ['agent into drivers', 'src/agent/a.ts', "import '../../drivers/b.ts';"],
    ['face into terminal', 'src/face/a.ts', "import { x } from '../terminal/b.ts';"],
    ['screens into code of core', 'src/screens/a.tsx', "import { x } from '../core/b.ts';"],
    ['screens into ports', 'src/screens/a.tsx', "import type { X } from '../ports/b.ts';"],
    ['a driver into a composition root', 'drivers/a.ts', "import { x } from '../src/processes/terminal.ts';"],
    ['a driver into a virtual one', 'drivers/a.ts', "import { x } from './virtual/b.ts';"],
    [
      'the daemon, statically, into a virtual driver',
      'src/processes/terminal.ts',
      "import { x } from '../../drivers/virtual/b.ts';",
    ],
    ['a driver into the terminal', 'drivers/a.ts', "import type { X } from '../src/terminal/b.ts';"],
    ['a worker started upward', 'drivers/a.ts', "new Worker(new URL('../src/processes/face.ts', import.meta.url));"],
    ['a type written as import()', 'src/wire/a.ts', "type X = import('../core/b.ts').X;"],
    ['a package into virtual hardware', 'scripts/package/b.ts', "import '../../drivers/virtual/c.ts';"],
    ['a process past the list of cameras', 'src/processes/b.ts', "import '../../drivers/camera/ffmpeg-camera.ts';"],
    ['a command into virtual hardware', 'src/cli/run.ts', "await import('../../drivers/virtual/b.ts');"],
    ['src into test', 'src/terminal/a.ts', "import { x } from '../../test/b.ts';"],
    ['src into scripts', 'src/processes/terminal.ts', "import { x } from '../../scripts/b.ts';"],
    ['a script into a test', 'scripts/a.ts', "import { x } from '../test/b.ts';"],
    [
      'a test into the runtime of the models, past its file',
      'test/a.test.ts',
      "import * as ort from 'onnxruntime-node';",
    ],
    ['over several lines', 'src/core/a.ts', "\n\nimport {\n  x,\n} from '../terminal/b.ts';"],
  ])('%s', (_name, file, text) => {
    const line = text.split('\n').length;
    expect(checkArrows(file, text)).toMatchObject([{ file, line, rule: 'arrow' }]);
  });

  test.each([
    ['core into types of wire', 'src/core/a.ts', "import type { X } from '../wire/messages.ts';"],
    ['screens into types of core', 'src/screens/a.tsx', "import type { X } from '../core/screen/screen-model.ts';"],
    ['the daemon into a driver', 'src/processes/terminal.ts', "import { x } from '../../drivers/b.ts';"],
    ['the agent into a driver', 'src/processes/agent.ts', "import { x } from '../../drivers/b.ts';"],
    ['the face process into a driver', 'src/processes/face.ts', "import { x } from '../../drivers/b.ts';"],
    [
      'the daemon, on demand, into a virtual driver',
      'src/processes/terminal.ts',
      "await import('../../drivers/virtual/b.ts');",
    ],
    ['a driver, its own worker', 'drivers/store/a.ts', "new Worker(new URL('./b.ts', import.meta.url));"],
    ['the virtual-card command', 'src/cli/virtual-card.ts', "await import('../../drivers/virtual/b.ts');"],
    ['a test into anything', 'test/core/a.test.ts', "import { x } from '../../drivers/virtual/b.ts';"],
    ['a word in a comment', 'src/core/a.ts', '// we import nothing from "node:fs" here'],
  ])('but not %s', (_name, file, text) => {
    expect(checkArrows(file, text)).toEqual([]);
  });

  test('each way to write an import is seen, with what it asks for', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "import { type C, c as d } from './c.ts';",
      "import './d.ts';",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "const g = import('./g.ts');",
      "type H = typeof import('./h.ts');",
      "await import('./m.mjs' as string);",
      "new Worker(new URL('i.ts', import.meta.url));",
      "new URL('j.css', import.meta.url);",
      "const text = `import k from './k.ts'`; // import './l.ts'",
    ].join('\n');
    expect(
      parseModule('a.ts', text).imports.map(({ specifier, way, names }) => `${specifier} ${way} ${names}`),
    ).toEqual([
      './a.ts static default',
      './b.ts type B',
      './c.ts static C,c',
      './d.ts static ',
      './e.ts static *',
      './f.ts type F',
      './g.ts dynamic *',
      './h.ts type *',
      './m.mjs dynamic *',
      'i.ts worker *',
    ]);
  });

  test('a circle is told once', () => {
    const circle = graphOf({
      'src/a.ts': "import './b.ts';",
      'src/b.ts': "import './c.ts';",
      'src/c.ts': "import type { A } from './a.ts';",
      'src/d.ts': "import './a.ts';",
    });
    expect(checkCycles(circle)).toMatchObject([{ what: 'src/a.ts → src/b.ts → src/c.ts → src/a.ts' }]);
  });

  test('two folders that import each other are told, at the side with fewer arrows; tests are outside', () => {
    const files = {
      'src/a/one.ts': "import '../b/one.ts'; import '../b/two.ts';",
      'src/b/one.ts': '',
      'src/b/two.ts': '\nimport type { X } from "../a/three.ts";',
      'src/a/three.ts': '',
      'test/a/x.ts': "import '../../src/a/one.ts';",
    };
    expect(checkFolderPairs(graphOf(files))).toMatchObject([{ file: 'src/b/two.ts', line: 2, rule: 'folder-pair' }]);
    expect(checkFolderPairs(graphOf({ ...files, 'src/b/two.ts': '' }))).toEqual([]);
  });
});

describe('what is dead is told', () => {
  const files = {
    'src/terminal/a.ts': 'export const used = 1;\nexport const dead = 2;\nexport type Dead = 3;',
    'src/terminal/b.ts': "import { used } from './a.ts';\nexport const all = [used];",
    'test/terminal/b.test.ts': "import * as b from '../../src/terminal/b.ts';\nexport const ownHelper = b;",
  };
  test('an export that nobody asks for, with its line; a test counts as somebody', () => {
    expect(checkDeadExports(graphOf(files)).map(({ file, line }) => `${file}:${line}`)).toEqual([
      'src/terminal/a.ts:2',
      'src/terminal/a.ts:3',
    ]);
  });
  test('a file that nobody imports, starts or names', () => {
    const graph = graphOf({ ...files, 'scripts/trials/c.ts': '', 'scripts/trials/d.ts': '' });
    const texts = new Map([['package.json', '"d": "scripts/node scripts/trials/d.ts"']]);
    expect(checkDeadFiles(graph, texts).map(({ file }) => file)).toEqual(['scripts/trials/c.ts']);
  });
});

describe('three violations planted in a sound tree turn the check red', () => {
  const sound = {
    'src/wire/words.ts': 'export const words = 1;',
    'src/core/rule.ts': "import type {} from '../wire/words.ts';",
    'src/terminal/part.ts': "import { words } from '../wire/words.ts';\nwords;",
    'scripts/trials/trial.ts': "import { words } from '../../src/wire/words.ts';\nwords;",
    'test/flow/a.test.ts': "import { words } from '../../src/wire/words.ts';\nwords;",
  };
  const rulesOf = (files: Readonly<Record<string, string>>) => checkGraph(graphOf(files)).map(({ rule }) => rule);
  test('sound as it is', () => expect(rulesOf(sound)).toEqual([]));
  test.each([
    ['the ground looks up', { 'src/wire/words.ts': "import '../terminal/part.ts';\nexport const words = 1;" }, 'arrow'],
    ['a trial leans on a test', { 'scripts/trials/trial.ts': "import '../../test/flow/a.test.ts';" }, 'arrow'],
    ['an export that nobody wants', { 'src/core/rule.ts': 'export const nobodyWants = 1;' }, 'dead-export'],
    ['a file that cannot be read', { 'src/core/rule.ts': 'const = ;' }, 'unreadable'],
  ])('%s', (_name, planted, rule) => {
    expect(rulesOf({ ...sound, ...planted } as Readonly<Record<string, string>>)).toContain(rule);
  });
  test('a parser that sees nothing is told, too', () => {
    expect(rulesOf({})).toEqual(['nothing-seen']);
    expect(rulesOf({ 'src/a.ts': '' })).toContain('nothing-seen');
  });
});

describe('the other house rules', () => {
  test('two files of one name in different rooms are told; a command may be called as what it runs', () => {
    expect(checkNames(['src/a/x.ts', 'src/b/x.ts', 'src/cli/y.ts', 'src/b/y.ts'])).toMatchObject([
      { file: 'src/a/x.ts', rule: 'same-name', what: 'as src/b/x.ts' },
    ]);
  });

  test('a file of 401 lines is told, one of 400 is not', () => {
    expect(checkLength('src/a.ts', '\n'.repeat(400))).toEqual([]);
    expect(checkLength('src/a.ts', '\n'.repeat(401))).toMatchObject([{ rule: 'file-length' }]);
  });

  test("a path of one machine is told; a device's own path is not", () => {
    const home = ['', 'root', 'x'].join('/');
    expect(checkMachinePaths('a.md', `see\n${home}`)).toMatchObject([{ line: 2, rule: 'machine-path' }]);
    expect(checkMachinePaths('a.md', '/etc/uketsuke /dev/video0 src/root/x')).toEqual([]);
  });

  test('a path in "Where do I change" that does not exist is told', () => {
    const readme = '# A\n`no/x`\n## Where do I change what?\n| words | `src/a/`, `src/b.ts` |\n## Next\n`no/y`\n';
    expect(checkReadmePaths(readme, (path) => path === 'src/a/')).toMatchObject([{ line: 4, what: /src\/b\.ts/ }]);
    expect(checkReadmePaths('# A\n', () => true)).toMatchObject([{ rule: 'readme-paths' }]);
  });

  test('a command that package.json does not have is told, and a figure whose command stands in another column', () => {
    const told = (text: string) => checkCommands('a.md', text, ['bench']).map(({ line }) => line);
    expect(told('`npm run bench -- --json`\n`npm run bunch`')).toEqual([2]);
    const head = '| what | figure | command |\n|---|---|---|\n';
    expect(told(`${head}| a | 2 s | \`npm run bench\` |\n| the last of it | 3 s | the same, last part |`)).toEqual([]);
    expect(told(`${head}| a | \`npm run bench\` | 2 s |`)).toEqual([3]);
  });
});

test('a driver that starts programs by itself is found; a type, a script and the one way are not', () => {
  const text = "import { spawn } from 'node:child_process';";
  for (const file of ['drivers/speaker/a.ts', 'src/terminal/a.ts', 'src/cli/a.ts'])
    expect(checkPrograms(file, text)).toMatchObject([{ file, line: 1, rule: 'programs' }]);
  for (const file of ['drivers/host/run-program.ts', 'scripts/beds/a.ts', 'test/a.test.ts'])
    expect(checkPrograms(file, text)).toEqual([]);
  expect(checkPrograms('drivers/a.ts', text.replace('import', 'import type'))).toEqual([]);
});

test('a rename that a power cut may take back is found; the two that bring it to the disk are not', () => {
  for (const text of ['await rename(aside, to);', 'renameSync(aside, to);'])
    for (const file of ['src/trust/a.ts', 'drivers/host/a.ts'])
      expect(checkRenames(file, text)).toMatchObject([{ file, line: 1, rule: 'renames' }]);
  for (const file of ['src/storage/rename-durably.ts', 'scripts/beds/a.ts', 'drivers/virtual/a.ts'])
    expect(checkRenames(file, 'renameSync(aside, to);')).toEqual([]);
  expect(checkRenames('src/trust/a.ts', 'renameDurably(aside, to);')).toEqual([]);
});

test('a folder that is made with those above it by Node’s own way, which may never end, is found', () => {
  for (const text of ['await mkdir(at, { recursive: true, mode: 0o700 });', 'mkdirSync(at, { recursive: true });'])
    for (const file of ['src/trust/a.ts', 'drivers/host/a.ts'])
      expect(checkFolders(file, text)).toMatchObject([{ file, line: 1, rule: 'folders' }]);
  expect(checkFolders('scripts/beds/a.ts', 'mkdirSync(at, { recursive: true });')).toEqual([]);
  for (const text of ['await makeFolder(at, 0o700);', 'await mkdir(at);', 'await rm(at, { recursive: true });'])
    expect(checkFolders('src/trust/a.ts', text)).toEqual([]);
});

test('the machine’s clock beside a simulated one is found; alone it may be looked at', () => {
  const bed = "import { openVisitBed } from '../../scripts/beds/visit-bed.ts';\n";
  for (const line of [
    'const now = Date.now();',
    'const now = new Date();',
    'const clock = new SimulatedClock(Date.now());',
  ])
    for (const file of ['test/flow/a.test.ts', 'scripts/trials/a.ts'])
      expect(checkMachineClock(file, bed + line)).toMatchObject([{ file, line: 2, rule: 'machine-clock' }]);
  expect(checkMachineClock('test/flow/a.test.ts', 'const now = Date.now();')).toEqual([]);
  expect(checkMachineClock('test/flow/a.test.ts', `${bed}new Date(bed.clock.now().wallMs)`)).toEqual([]);
});

describe('functions of more than 70 lines', () => {
  const long = `export const long = () => {\n${'  run();\n'.repeat(69)}};\n`;
  const graph = graphOf({ 'src/terminal/a.ts': long, 'test/a.test.ts': long });

  test('one that the list does not know is told, with its name; tests are outside', () => {
    expect(checkLongFunctions(graph, {})).toMatchObject([{ file: 'src/terminal/a.ts', rule: 'long-function' }]);
    expect(checkLongFunctions(graph, { 'src/terminal/a.ts long': 'why' })).toEqual([]);
    expect(checkLongFunctions(graphOf({ 'src/terminal/a.ts': long.replace('  run();\n', '') }), {})).toEqual([]);
  });

  test('an entry of the list that has become short is told; each says why', () => {
    const known = { 'src/terminal/a.ts long': 'why', 'src/terminal/b.ts gone': 'why' };
    expect(checkLongFunctions(graph, known)).toMatchObject([{ what: /^src\/terminal\/b\.ts gone is no longer/ }]);
    expect(Object.values(readWhole).filter((why) => why.length < 15)).toEqual([]);
    // It may become shorter.
    expect(Object.keys(readWhole).length).toBeLessThanOrEqual(15);
  });
});

describe('what package.json exports', () => {
  const rules = (text: string) => checkPublishedWords('src/core/a.ts', text).map(({ line, rule }) => `${line} ${rule}`);

  test('a number says what it counts or is measured in, by its name or a docstring', () => {
    expect(rules('export type A = {\n  readonly loud: number;\n};')).toEqual(['2 unit']);
    expect(rules('export type A = { readonly loud: number | null };')).toEqual(['1 unit']);
    expect(rules("export type A =\n  | { readonly kind: 'a'; readonly entered: number };")).toEqual(['2 unit']);
    expect(rules('/** Not known. */\nexport type A = { readonly loud: number };')).toEqual(['2 unit']);
    for (const said of [
      'export type A = { readonly waitMs: number; readonly triesLeft: number; readonly days: number };',
      'export type A = {\n  /** 0 … 1 */\n  readonly loud: number;\n};',
      '/** Angles in degrees. */\nexport type A = { readonly turn: number };',
      "export type A =\n  /** `entered`: digits so far */\n  | { readonly kind: 'a'; readonly entered: number };",
      'type Own = { readonly loud: number };',
    ])
      expect(rules(said), said).toEqual([]);
  });

  test('who throws says so; what an inner function throws is its own', () => {
    const thrower = 'export const read = (text: string) => {\n  if (text === "") throw new Error("empty");\n};';
    expect(rules(thrower)).toEqual(['1 throws']);
    expect(rules(`/** Reads. */\n${thrower}`)).toEqual(['2 throws']);
    expect(rules(`/** Throws on an empty text. */\n${thrower}`)).toEqual([]);
    expect(rules('export class A {\n  read() {\n    throw new Error("never");\n  }\n}')).toEqual(['2 throws']);
    expect(rules('export const later = () => () => {\n  throw new Error("later");\n};')).toEqual([]);
  });

  test('those files and no other', () => {
    const targets = publishedTargets(
      '{"exports":{"./card":"./drivers/card.ts","./core/*":"./src/core/*.ts","./x":"./x.json"}}',
    );
    expect(targets).toHaveLength(2);
    for (const file of ['drivers/card.ts', 'src/core/a.ts', 'src/core/visit/a.ts'])
      expect(isPublished(file, targets), file).toBe(true);
    for (const file of ['drivers/other.ts', 'src/agent/a.ts', 'src/core/a.json'])
      expect(isPublished(file, targets), file).toBe(false);
  });
});

test('a formatter of Intl is made once in its module, not each time', () => {
  const found = (text: string) => checkFormatters('src/agent/a.ts', text).map(({ line }) => line);
  expect(found("const time = new Intl.DateTimeFormat('ja-JP');\nexport const text = (ms) => time.format(ms);")).toEqual(
    [],
  );
  expect(found("export const text = (ms) =>\n  new Intl.DateTimeFormat('ja-JP').format(ms);")).toEqual([2]);
  expect(found("const text = (yen: number) => new Intl.NumberFormat('ja-JP').format(yen);")).toEqual([1]);
});
