import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readersOfConfig } from '../../src/cli/config.ts';
import { copiesOfConfig, defaultConfigPath } from '../../src/processes/terminal-config.ts';

const root = join(import.meta.dirname, '../..');

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'uketsuke-config-')), 'terminal.yaml');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

const config = (...words: readonly string[]) =>
  spawnSync(process.execPath, [join(root, 'src/main.ts'), 'config', ...words, '--config', path], { encoding: 'utf8' });

test('the last good configuration comes back; the one with the mistake lies beside it', () => {
  const good = 'facility: clinic-0001\ndevice: terminal-01\nbroker:\n  host: 192.0.2.10\n';
  writeFileSync(path, good);
  expect(config('check', '--keep').status).toBe(0);
  const bad = good.replace('broker', 'brokker');
  writeFileSync(path, bad);
  // What does not hold is not kept.
  expect(config('check', '--keep').status).toBe(2);
  expect(config('restore').status).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe(good);
  expect(readFileSync(copiesOfConfig(path).replaced, 'utf8')).toBe(bad);
});

test('a directory in its place is told by the doctor, and moved away for the last good one', () => {
  const good = 'facility: clinic-0001\ndevice: terminal-01\nbroker:\n  host: 192.0.2.10\n';
  writeFileSync(copiesOfConfig(path).good, good);
  mkdirSync(path);
  const main = join(root, 'src/main.ts');
  const doctor = spawnSync(process.execPath, [main, 'doctor', '--json', '--config', path], { encoding: 'utf8' });
  expect(doctor.status).toBe(1);
  expect(JSON.parse(doctor.stdout).diagnoses[0]).toMatchObject({ fault: 'config.invalid', detail: `${path}: no file` });
  const restored = config('restore');
  expect(restored.status, restored.stderr).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe(good);
});

test('every unit that reads the configuration begins anew with the one that came back', () => {
  const units = readdirSync(join(root, 'systemd')).filter((name) => name.endsWith('.service'));
  const readers = units.filter((name) =>
    readFileSync(join(root, 'systemd', name), 'utf8').includes(`--config ${defaultConfigPath}`),
  );
  expect(readersOfConfig.map((name) => `${name}.service`).sort()).toEqual(readers.sort());
});

test('a release is told of a threshold for which nothing was measured before a patient stands there', () => {
  const withThreshold = (threshold: number): void =>
    writeFileSync(
      path,
      [
        'facility: clinic-0001',
        'device: terminal-01',
        'broker:\n  host: 192.0.2.10',
        'cardFrontReader:\n  driver: tesseract',
        `face:\n  acceptUnverifiedModels: [fr_feature]\n  threshold: ${threshold}`,
        `paths:\n  models: ${join(root, 'models')}\n`,
      ].join('\n'),
    );
  withThreshold(0.5);
  expect(config('check')).toMatchObject({ status: 0 });
  withThreshold(0.3);
  expect(config('check')).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/face\.threshold: 0\.3 is out of range, 0\.\d+ to 0\.\d+ were measured/),
  });
});
