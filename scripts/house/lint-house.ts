/**
 * The house rules that no compiler holds: which folder may import which, no two folders each other, nothing dead, file
 * length, no path of one machine in a tracked file, the paths in README's "where do I change X" and the commands of documents
 * exist, and what package.json exports says its units and who throws.
 *
 *   npm run house -- [--long] [--json]     `file:line  rule  what` for each finding, exit status 1 if there is one
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkGraph, type Finding } from './lint-arrows.ts';
import { checkLongFunctions, longFunctions } from './long-functions.ts';
import { type ModuleGraph, moduleGraph } from './module-graph.ts';
import { checkPublishedWords, isPublished, publishedTargets } from './published-words.ts';

const longestFileLines = 400;

// Put together here so that this file does not find itself.
const machinePaths = new RegExp(
  `(?<![\\w.])/(?:${['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me/\\w'].join('|')})/|${'\\.\\./sha'}red/|registry\\.${'npm'}js`,
);

export const checkLength = (file: string, text: string): Finding[] => {
  if (!/^(src|drivers|scripts)\/.*\.(ts|tsx|css)$/.test(file)) return [];
  const lines = text.split('\n').length - 1;
  return lines <= longestFileLines
    ? []
    : [{ file, line: longestFileLines + 1, rule: 'file-length', what: `${lines} lines, at most ${longestFileLines}` }];
};

export const checkMachinePaths = (file: string, text: string): Finding[] =>
  text.split('\n').flatMap((line, index) => {
    const match = machinePaths.exec(line);
    return match === null
      ? []
      : [{ file, line: index + 1, rule: 'machine-path', what: `names ${match[0]}, which only one machine has` }];
  });

/**
 * The product runs programs by `runProgram` alone, which kills by the program's own id and knows time limits. The face
 * process and the agent that is watched have a channel; what waits for terminals on Windows outlives the command that
 * began it.
 */
export const checkPrograms = (file: string, text: string): Finding[] => {
  const mayStart = ['drivers/host/run-program.ts', 'drivers/host/keep-watch.ts', 'src/cli/clinic-windows.ts'];
  if (!/^(src|drivers)\/.*\.tsx?$/.test(file) || mayStart.includes(file)) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      /^(?!import type\b).*(from|import\() ?'(node:)?child_process'/.test(line)
        ? [{ file, line: index + 1, rule: 'programs', what: `starts programs by itself: ${mayStart[0]} does that` }]
        : [],
    );
};

/**
 * What the product renames is to be found after a power cut: `renameDurably` brings the name to the disk, too. The folder
 * shared with other machines does it by its own handle.
 */
export const checkRenames = (file: string, text: string): Finding[] => {
  const mayRename = ['src/storage/rename-durably.ts', 'src/agent/oqs-folder/shared-folder.ts'];
  if (!/^(src|drivers\/(?!virtual\/)).*\.tsx?$/.test(file) || mayRename.includes(file)) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      /\brename(Sync)?\(/.test(line)
        ? [{ file, line: index + 1, rule: 'renames', what: `renames by itself: ${mayRename[0]} does that` }]
        : [],
    );
};

/** Node's own way of making the folders above one, too, never ends where a folder takes none: `makeFolder` does. */
export const checkFolders = (file: string, text: string): Finding[] => {
  const mayMake = 'src/storage/make-folder.ts';
  if (!/^(src|drivers)\/.*\.tsx?$/.test(file)) return [];
  return text
    .split('\n')
    .flatMap((line, index) =>
      /\bmkdir(Sync)?\(.*\brecursive\b/.test(line)
        ? [{ file, line: index + 1, rule: 'folders', what: `makes folders by itself: ${mayMake} does that` }]
        : [],
    );
};

/**
 * Formatters of Intl are made once, beside the functions: each holds some 30 KB that V8 does not count, so a page that made
 * one for every row took a gigabyte in two hundred redraws without a collection.
 */
export const checkFormatters = (file: string, text: string): Finding[] =>
  !/^(src|drivers)\/.*\.tsx?$/.test(file)
    ? []
    : text
        .split('\n')
        .flatMap((line, index) =>
          /^\s.*\bnew Intl\.|=> new Intl\./.test(line)
            ? [{ file, line: index + 1, rule: 'formatters', what: 'makes a formatter each time: once, in the module' }]
            : [],
        );

/**
 * Whoever works on simulated time never looks at the machine's clock: the first of a month, a midnight or a year later the
 * same test would say something else. What needs both has the machine's from a file without a simulated one.
 */
export const checkMachineClock = (file: string, text: string): Finding[] =>
  !/^(test|scripts)\/(?!house\/).*\.tsx?$/.test(file) ||
  !/simulatedStartMs|SimulatedClock|\/(agent|visit)-bed\.ts'/.test(text)
    ? []
    : text
        .split('\n')
        .flatMap((line, index) =>
          /\bDate\.now\b|\bnew Date\(\)/.test(line)
            ? [{ file, line: index + 1, rule: 'machine-clock', what: 'the machine’s clock beside a simulated one' }]
            : [],
        );

/** Every path in back-ticks in README's table "where do I change X" must exist. */
export const checkReadmePaths = (text: string, exists: (path: string) => boolean): Finding[] => {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^#+ .*where do I change/i.test(line));
  if (start < 0) return [{ file: 'README.md', line: 1, rule: 'readme-paths', what: 'has no "Where do I change X"' }];
  const findings: Finding[] = [];
  for (let index = start + 1; index < lines.length && !/^#+ /.test(lines[index] ?? ''); index += 1) {
    for (const match of (lines[index] ?? '').matchAll(/`([\w./-]+\/[\w./-]*)`/g)) {
      const path = match[1] ?? '';
      if (!exists(path))
        findings.push({ file: 'README.md', line: index + 1, rule: 'readme-paths', what: `${path} does not exist` });
    }
  }
  return findings;
};

/** `npm run X` in a document is a script of package.json, and each row of a table of figures has its command where its head says. */
export const checkCommands = (file: string, text: string, scripts: readonly string[]): Finding[] => {
  let column = -1;
  return text.split('\n').flatMap((line, index) => {
    const tell = (what: string): Finding => ({ file, line: index + 1, rule: 'commands', what });
    const cells = line.replace(/^\| | \|$/g, '').split(' | ');
    if (cells[0] === 'what') column = cells.indexOf('command');
    const isRow = column >= 0 && line.startsWith('| ') && cells[0] !== 'what';
    const isThere = !isRow || /^(`|the same)/.test(cells[column] ?? '');
    const unknown = [...line.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].filter(([, name = '']) => !scripts.includes(name));
    return [
      ...(isThere ? [] : [tell('a figure whose command does not stand in its column')]),
      ...unknown.map(([named]) => tell(`${named}: package.json has no such script`)),
    ];
  });
};

/** Two files of one name in different rooms, unless one is the command of that name or a process' entry. */
export const checkNames = (files: readonly string[]): Finding[] => {
  const named = Map.groupBy(
    files.filter(
      (file) => /^(src|drivers|scripts)\/.*\.tsx?$/.test(file) && !/\/(cli\/[^/]+|main|index)\.tsx?$/.test(file),
    ),
    (file) => posix.basename(file),
  );
  return [...named.values()]
    .filter((same) => same.length > 1)
    .map(([file = '', ...others]) => ({ file, line: 1, rule: 'same-name', what: `as ${others.join(', ')}` }));
};

/** Files that no module imports and no other text names: neither package.json, nor a shell script, nor a unit. */
export const checkDeadFiles = ({ modules, arrows }: ModuleGraph, texts: ReadonlyMap<string, string>): Finding[] => {
  const imported = new Set(arrows.map(({ to }) => to));
  return [...modules.keys()]
    .filter((file) => /^(src|drivers|scripts)\//.test(file) && !file.endsWith('.d.ts') && !imported.has(file))
    .filter((file) => ![...texts].some(([other, text]) => other !== file && text.includes(posix.basename(file))))
    .map((file) => ({ file, line: 1, rule: 'dead-file', what: 'nobody imports or starts it' }));
};

const isText = /\.(ts|tsx|mjs|js|json|md|css|html|svg|txt|yaml|yml|conf|service|rules|sh|toml|acl)$|^[^.]*$/;

/** Every text of the tree, by its path. */
const readTree = (): Map<string, string> => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => isText.test(file) && file !== '' && existsSync(file));
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
};

const main = (): void => {
  const texts = readTree();
  const graph = moduleGraph(new Map([...texts].filter(([file]) => /\.(tsx?|m?js)$/.test(file))));
  const published = publishedTargets(texts.get('package.json') ?? '{}');
  const scripts = Object.keys((JSON.parse(texts.get('package.json') ?? '{}') as { scripts?: object }).scripts ?? {});
  const findings = [
    ...[...texts].flatMap(([file, text]) => [
      ...checkMachinePaths(file, text),
      ...checkLength(file, text),
      ...checkPrograms(file, text),
      ...checkRenames(file, text),
      ...checkFolders(file, text),
      ...checkFormatters(file, text),
      ...checkMachineClock(file, text),
      ...(file.endsWith('.md') ? checkCommands(file, text, scripts) : []),
      ...(isPublished(file, published) ? checkPublishedWords(file, text) : []),
    ]),
    ...checkGraph(graph),
    ...checkLongFunctions(graph),
    ...checkNames([...texts.keys()]),
    ...checkDeadFiles(graph, texts),
    ...checkReadmePaths(texts.get('README.md') ?? '', existsSync),
  ];
  for (const { file, line, rule, what } of findings) console.log(`${file}:${line}  ${rule}  ${what}`);
  process.exitCode = findings.length === 0 ? 0 : 1;
  const long = longFunctions(graph);
  if (process.argv.includes('--long'))
    for (const { file, line, name, lines } of long) console.log(`${file}:${line}  ${name}  ${lines} lines`);
  const count = (...rules: string[]): number => findings.filter(({ rule }) => rules.includes(rule)).length;
  const counted = {
    rooms: new Set([...graph.modules.keys()].flatMap((file) => /^src\/([^/]+)\//.exec(file)?.[1] ?? [])).size,
    modules: graph.modules.size,
    arrows: graph.arrows.length,
    arrowsUp: count('arrow'),
    twoWayPairs: count('folder-pair', 'cycle'),
    filesOver400: count('file-length'),
    functionsOver70: long.length,
    deadExports: count('dead-export', 'dead-file'),
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(counted));
  else console.log(`${counted.modules} modules, ${counted.arrows} arrows between them, ${findings.length} findings`);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
