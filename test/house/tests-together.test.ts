import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchFolder, testsTogether, testsTogetherIn } from '../../scripts/house/tests-together.ts';

/** Of `test/one.test.ts` with this text, beside the files that it may import */
const together = (text: string, more: Readonly<Record<string, string>> = {}): boolean => {
  const files: Readonly<Record<string, string>> = { 'test/one.test.ts': text, ...more };
  return testsTogether(['test/one.test.ts'], (file) => files[file] ?? null).length === 1;
};

test('what computes, reads files or asks SQLite may follow another test in its process', () => {
  expect(together("import { expect, test, vi } from 'vitest';\nvi.fn();")).toBe(true);
  const far = {
    'src/a.ts': "import { b } from './b/b.ts';\nimport type { Server } from 'node:net';",
    'src/b/b.ts':
      "import { createHash } from 'node:crypto';\nimport { DatabaseSync } from 'node:sqlite';\nimport '../a.ts';",
  };
  expect(
    together("import {\n  a,\n} from '../src/a.ts';\nimport words from './words.json' with { type: 'json' };", far),
  ).toBe(true);
});

test.each([
  ['a program', "import { spawn } from 'node:child_process';"],
  ['a thread', "import { Worker } from 'node:worker_threads';"],
  ['a thread by its file', "run(new URL('./thread.ts', import.meta.url));"],
  ['a connection', "import { connect } from 'mqtt';"],
  ['native code that starts threads', "import sharp from 'sharp';"],
  ['a package that nobody has looked at', "export * from '@some/package/part.js';"],
  ['one reached later', "await import('node:http');"],
  ['a mock', "import { vi } from 'vitest';\nvi.mock('../src/a.ts');"],
  ['simulated timers', "import { vi } from 'vitest';\nvi.useFakeTimers();"],
  ['a variable of the environment', "process.env.PATH = '';"],
  ['a signal', "process.once('SIGTERM', () => {});"],
  ['a changed built-in', 'Date.now = () => 0;'],
  ['a file that is not there', "import './nowhere.ts';"],
])('%s: a process of its own, also where it is reached through another file', (_, text) => {
  expect(together(text)).toBe(false);
  expect(together("import './bed.ts';", { 'test/bed.ts': text })).toBe(false);
});

test('about half of the tests share a process', () => {
  const files = testsTogetherIn(process.cwd());
  expect(files).toContain('test/core/visit/session-machine.test.ts');
  expect(files).not.toContain('test/house/hangs.test.ts');
  expect(files.length).toBeGreaterThan(100);
});

test('their temporary files lie in memory; where there is none, too little, or none to write in, where all others do', () => {
  const memory = mkdtempSync(join(tmpdir(), 'uketsuke-memory-'));
  const placeOf = (...asked: Parameters<typeof scratchFolder>): string => {
    const made = scratchFolder(...asked);
    rmSync(made, { recursive: true });
    return dirname(made);
  };
  expect(placeOf(memory, -1)).toBe(memory);
  expect(placeOf(memory, Number.POSITIVE_INFINITY)).toBe(tmpdir());
  expect(placeOf(join(memory, 'nowhere'), -1)).toBe(tmpdir());
  // Nobody makes a folder there, root neither.
  expect(placeOf('/proc', -1)).toBe(tmpdir());
  rmSync(memory, { recursive: true });
});
