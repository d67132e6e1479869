/**
 * Which test files may follow each other in one process. A process for each costs a quarter of a second of a processor,
 * more than most of them take; what starts programs, threads or connections, or changes its process, keeps one of its own.
 */
import { globSync, mkdtempSync, readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';

/** Compute, files and SQLite: nothing of these goes on once a test file has ended, or is seen by the next one. */
const quiet = new Set([
  ...['vitest', 'fast-check', 'zod', 'ajv', 'yaml', 'jose', 'pino', 'uqr', 'iconv-lite', 'reflect-metadata', 'sql.js'],
  ...[
    '@peculiar/x509',
    '@noble/hashes',
    'buffer',
    'preact',
    'budoux',
    'fs',
    'path',
    'os',
    'url',
    'util',
    'module',
    'vm',
  ],
  ...['crypto', 'zlib', 'sqlite', 'timers', 'assert', 'buffer', 'events', 'stream'],
]);
const packageOf = (specifier: string): string => /^(node:)?(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[2] ?? specifier;

const imported = /^\s*(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;
/** A thread begins from its file; mocks, simulated timers, variables of the environment and signals are the process's. */
const changesProcess =
  /new URL\('[^']+\.m?[jt]sx?', import\.meta\.url\)|\bvi\.(?!fn\b|waitFor\b|waitUntil\b)\w+\(|\bprocess\.(env|chdir|umask|exit|exitCode|on|once|emit|stdin|kill)\b|\bglobalThis\b|\.prototype\.\w+ = |\b(Date|performance)\.now = /;
/** What the product itself may touch of its process is seen by its own tests alone, which run it. */
const isOfTests = (file: string): boolean => /^(test|scripts)\//.test(file);

/** `read`: the text of a path of the repository, null where there is none. The test files that may share a process. */
export const testsTogether = (tests: readonly string[], read: (file: string) => string | null): string[] => {
  const known = new Map<string, { readonly isQuiet: boolean; readonly reaches: readonly string[] }>();
  const look = (file: string) => {
    const before = known.get(file);
    if (before !== undefined) return before;
    const text = /\.json$/.test(file) ? '' : read(file);
    const specifiers = [...(text ?? '').matchAll(imported)].map(([, fixed, later]) => fixed ?? later ?? '');
    const reaches = specifiers
      .filter((each) => each.startsWith('.'))
      .map((each) => posix.join(posix.dirname(file), each));
    const packages = specifiers.filter((each) => !each.startsWith('.'));
    const isQuiet =
      text !== null &&
      packages.every((each) => quiet.has(packageOf(each))) &&
      !(isOfTests(file) && changesProcess.test(text));
    const seen = { isQuiet, reaches };
    known.set(file, seen);
    return seen;
  };
  return tests.filter((test) => {
    const reached = new Set([test]);
    // A set is walked through to its end, whatever is added meanwhile.
    for (const file of reached) {
      const { isQuiet, reaches } = look(file);
      if (!isQuiet) return false;
      for (const each of reaches) reached.add(each);
    }
    return true;
  });
};

/** The same of the repository at `root` */
export const testsTogetherIn = (root: string): string[] =>
  testsTogether(globSync('test/**/*.test.{ts,tsx}', { cwd: root }).toSorted(), (file) => {
    try {
      return readFileSync(join(root, file), 'utf8');
    } catch {
      return null;
    }
  });

/**
 * Their temporary files lie in memory where there is enough of it and we may write there: a journal on a disk takes five to
 * fifteen times as long to open, and these tests open hundreds. What a disk keeps is asked by tests that start programs.
 */
export const scratchFolder = (memory: string, leastBytes = 2e9): string => {
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize > leastBytes) return mkdtempSync(join(memory, 'uketsuke-tests-'));
  } catch {
    // There is none, or it is not ours to write.
  }
  return mkdtempSync(join(tmpdir(), 'uketsuke-tests-'));
};
