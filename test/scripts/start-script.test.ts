import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compiled, startScript } from '../../scripts/package/start-script.ts';

let folder = '';
const program = (name: string, text: string): void => {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, name), 0o755);
};
const uketsuke = (...args: readonly string[]) =>
  spawnSync(join(folder, 'uketsuke'), args, {
    encoding: 'utf8',
    env: { ...process.env, NODE_COMPILE_CACHE: '', PATH: `${folder}:${process.env.PATH}` },
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-start-'));
  writeFileSync(join(folder, 'uketsuke'), startScript(join(folder, 'program')));
  chmodSync(join(folder, 'uketsuke'), 0o755);
  program('dpkg', `[ "$2" = uketsuke ] && echo 'missing     /usr/lib/uketsuke/node_modules/zod/package.json'; exit 1`);
  program('systemctl', '[ "$3" != uketsuke-agent ]');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a program that cannot even start is told of by the shell, with the commands that mend it', () => {
  program('program', 'echo "Cannot find package zod" >&2; exit 1');
  const { status, stdout } = uketsuke('doctor', '--json');
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    diagnoses: [
      {
        fault: 'program.damaged',
        actor: 'technician',
        detail: '/usr/lib/uketsuke/node_modules/zod/package.json',
        steps: [
          '`chmod -R a+rX /usr/lib/uketsuke`; `apt-get install --reinstall -y uketsuke`; ' +
            '`systemctl restart uketsuke-link uketsuke-face uketsuke`',
        ],
      },
    ],
  });
  expect(uketsuke('doctor').stdout).toContain('program.damaged (/usr/lib/uketsuke/node_modules/zod/package.json)');
});

test('what the doctor says itself is passed on as it is, with its status', () => {
  program('program', `echo "said $*"; exit 1`);
  expect(uketsuke('doctor', '--qr')).toMatchObject({ status: 1, stdout: 'said doctor --qr\n' });
  program('program', 'exit 2');
  expect(uketsuke('doctor')).toMatchObject({ status: 2, stdout: '' });
  program('program', 'exit 7');
  expect(uketsuke('run').status).toBe(7);
});

test('a doctor that says nothing while the program is whole is no damage', () => {
  program('program', 'exit 1');
  program('dpkg', 'exit 0');
  expect(uketsuke('doctor', '--json')).toMatchObject({ status: 1, stdout: '' });
});

test.each([
  ['is not there', 127],
  ['may not be executed', 126],
  ['is killed by the system', 132],
])('a Node that %s is damage, also where dpkg sees none', (_, status) => {
  program('program', `exit ${status}`);
  program('dpkg', 'exit 0');
  const told = uketsuke('doctor', '--json');
  expect(told.status).toBe(1);
  expect(JSON.parse(told.stdout)).toMatchObject({
    diagnoses: [{ fault: 'program.damaged', detail: join(folder, 'program') }],
  });
  expect(told.stdout).toContain('apt-get install --reinstall -y uketsuke`');
});

test('what Node has compiled of the program serves whoever asks, and another place may be named', () => {
  program('program', 'printf %s "$NODE_COMPILE_CACHE"');
  expect(uketsuke('metrics').stdout).toBe(compiled);
});
