import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultConfigPath } from '../../src/processes/terminal-config.ts';

type FindNode = {
  findNode(machine: { root: string; execPath: string; version: string; searchPath: string }): string | undefined;
  isNewEnough(version: string): boolean;
};
// Plain JavaScript without types: the Node 18 of a fresh machine reads it.
const { findNode, isNewEnough } = (await import('../../scripts/packages/find-node.mjs' as string)) as FindNode;

const isWindows = process.platform === 'win32';
if (existsSync(defaultConfigPath))
  console.warn(`skipped: a machine without a configuration, here is ${defaultConfigPath}`);
if (isWindows) console.warn('skipped: the command by shell scripts needs a POSIX system');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-command-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program called node that says this version. */
const makeNode = (place: string, says: string): string => {
  mkdirSync(join(folder, place), { recursive: true });
  const file = join(folder, place, 'node');
  writeFileSync(file, `#!/bin/sh\n${says}\n`, { mode: 0o755 });
  return file;
};
const searchPathOf = (...places: string[]): string => places.map((place) => join(folder, place)).join(delimiter);
const ownPlace = `scripts/node24/node_modules/node-${process.platform}-${process.arch}/bin`;

describe.skipIf(isWindows)('the command finds a Node that is new enough', () => {
  const machine = (version: string, ...places: string[]) => ({
    root: folder,
    execPath: '/usr/bin/node',
    version,
    searchPath: searchPathOf(...places),
  });

  test('the one that runs, when it is', () => {
    makeNode(ownPlace, 'echo v24.21.0');
    expect(findNode(machine('v24.0.0'))).toBe('/usr/bin/node');
    expect(findNode(machine('v26.1.0'))).toBe('/usr/bin/node');
  });

  test.each(['v18.20.4', 'v20.19.2', 'v22.14.0'])('from %s: the project’s own before any on the PATH', (version) => {
    makeNode('new', 'echo v24.9.0');
    const own = makeNode(ownPlace, 'echo v24.21.0');
    expect(findNode(machine(version, 'new'))).toBe(own);
  });

  test('else the first on the PATH that says 24 or newer; old, broken and foreign ones are passed by', () => {
    makeNode('old', 'echo v20.19.2');
    makeNode('broken', 'exit 1');
    makeNode('foreign', 'echo node of another kind 24.0.0');
    const found = makeNode('new', 'echo v25.2.0');
    expect(findNode(machine('v18.20.4', 'nowhere', 'old', 'broken', 'foreign', 'new'))).toBe(found);
  });

  test('none: undefined', () => {
    makeNode('old', 'echo v22.14.0');
    expect(findNode(machine('v18.20.4', 'old'))).toBeUndefined();
  });

  test('versions', () => {
    expect(['v24.0.0', '24.1.2', 'v100.0.0'].filter(isNewEnough)).toHaveLength(3);
    expect(['v23.11.0', 'v2.4.0', '', 'v240'].filter(isNewEnough)).toEqual([]);
  });
});

describe.skipIf(isWindows)('the command', () => {
  test('is the bin of the package, and hands arguments, output and exit status through', () => {
    const { bin, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      bin: { uketsuke: string };
      version: string;
    };
    // As npm links it.
    symlinkSync(resolve(bin.uketsuke), join(folder, 'uketsuke'));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(folder, 'uketsuke'), ...args], { encoding: 'utf8' });
    expect(run('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
    expect(run('config', 'check', '--config', join(folder, 'none.yaml'))).toMatchObject({ status: 2, stdout: '' });
  });

  test.skipIf(existsSync(defaultConfigPath))(
    'doctor tells of a machine without a configuration what can be told',
    () => {
      type Told = { diagnoses: { check: string; state: string; fault?: string; detail: string }[] };
      const ask = (tries: number): { status: number | null } & Told => {
        const asked = spawnSync(process.execPath, ['src/main.ts', 'doctor', '--json'], { encoding: 'utf8' });
        const told = { status: asked.status, ...(JSON.parse(asked.stdout) as Told) };
        // On a machine that has no time for it: as the doctor itself says, it is asked again.
        const isLate = told.diagnoses.some(({ detail }) => detail === 'no answer in time');
        return isLate && tries > 1 ? ask(tries - 1) : told;
      };
      const { status, diagnoses } = ask(5);
      expect(new Set(diagnoses.map(({ check }) => check))).toEqual(
        new Set(['config', 'models', 'pcscd', 'reader', 'screen', 'fonts', 'program']),
      );
      expect(diagnoses[0]).toMatchObject({ state: 'fault', fault: 'config.missing' });
      expect(diagnoses.find(({ check }) => check === 'models')).toMatchObject({ state: 'ok' });
      expect(diagnoses.find(({ check }) => check === 'fonts')).toMatchObject({ state: 'ok' });
      expect(status).toBe(1);
    },
  );
});
