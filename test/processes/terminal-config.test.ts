import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeSettings } from '../../src/config-file/read-settings.ts';
import { commands } from '../../src/main.ts';
import { configSchema, exampleOf, loadConfig } from '../../src/processes/terminal-config.ts';

const minimal = 'facility: clinic-0001\ndevice: terminal-01\nbroker:\n  host: 192.0.2.10\n';
const problemsOf = (text: string) => {
  const read = loadConfig(text);
  if (read.ok) throw new Error('was accepted');
  return read.failure;
};

describe('a configuration file', () => {
  test('with the three things nobody can guess is complete; everything else has a default', () => {
    const read = loadConfig(minimal);
    expect(read).toMatchObject({ ok: true, value: { profile: 'release', lane: 1, broker: { port: 8883 } } });
  });

  test.each([
    ['an unknown key', `${minimal}  prot: 1\n`, 5, 3, 'unknown key "prot"', 'port'],
    ['an unknown section', `${minimal}camra: {}\n`, 5, 1, 'unknown key "camra"', 'camera'],
    ['a word nobody could have meant', `${minimal}zebra: {}\n`, 5, 1, 'unknown key "zebra"', undefined],
    ['a value out of range', `${minimal}  port: 99999\n`, 5, 9, 'broker.port: Too big', undefined],
    ['a misspelt choice', `${minimal}profile: relase\n`, 5, 10, 'profile: Invalid option', 'release'],
    ['a number as text', `${minimal}lane: "one"\n`, 5, 7, 'lane: Invalid input', undefined],
    ['a list where a section stands', `${minimal}camera:\n  - 1\n`, 6, 3, 'camera: Invalid input', undefined],
    ['a password', `${minimal}  password: x\n`, 5, 3, 'secrets are files', undefined],
    ['the same key twice', `${minimal}lane: 1\nlane: 2\n`, 6, 1, 'for the second time', undefined],
    ['a tab', `${minimal}\tlane: 1\n`, 5, 1, 'not YAML', undefined],
    ['half its keys', 'facility: clinic-0001\n', 1, 1, 'device is missing', undefined],
  ])('with %s is refused, with the place', (_name, text, line, column, reason, nearest) => {
    const found = problemsOf(text).find((problem) => problem.reason.includes(reason));
    expect(found).toEqual({
      line,
      column,
      reason: expect.stringContaining(reason),
      ...(nearest === undefined ? {} : { nearest }),
    });
  });

  test('of an earlier release keeps its words for a part; both words at once are refused', () => {
    const former = loadConfig(`${minimal}cardFaceReader:\n  driver: tesseract\n`);
    expect(former).toMatchObject({ ok: true, value: { cardFrontReader: { driver: 'tesseract' } } });
    expect(problemsOf(`${minimal}cardFaceReader:\n  driver: tesseracd\n`)).toMatchObject([{ line: 6, column: 11 }]);
    const both = `${minimal}cardFaceReader:\n  driver: none\ncardFrontReader:\n  driver: tesseract\n`;
    expect(problemsOf(both)).toMatchObject([{ line: 5, reason: 'unknown key "cardFaceReader"' }]);
  });

  test.each(['', 'x', '- 1', '3', '{', '\0', 'a: &a [*a]', '? [1]: 2', '!!binary x'])(
    '%j is refused, not a crash',
    (text) => {
      expect(loadConfig(text).ok).toBe(false);
    },
  );

  test.each(['cardReader', 'camera', 'cardFrontReader', 'keypad', 'statusLight'])(
    'of the release profile refuses a virtual %s; the demo has it',
    (part) => {
      const text = `${minimal}${part}:\n  driver: virtual\n`;
      expect(problemsOf(text)).toMatchObject([{ line: 6, column: 11, reason: /release refuses virtual/ }]);
      expect(loadConfig(`profile: demo\n${text}`).ok).toBe(true);
    },
  );
});

describe('the schema', () => {
  test('has a comment for every setting, and a range for every number', () => {
    const bare: string[] = [];
    const walk = (at: ReturnType<typeof describeSettings>, path: string): void => {
      for (const [key, setting] of Object.entries(at.properties ?? {})) {
        if (!setting.description) bare.push(`${path}${key}: no comment`);
        if (typeof setting.default === 'number' && setting.enum === undefined && setting.maximum === undefined)
          bare.push(`${path}${key}: no range`);
        walk(setting, `${path}${key}.`);
      }
    };
    walk(describeSettings(configSchema), '');
    expect(bare).toEqual([]);
  });

  test('and the commented example are equal (scripts/node src/main.ts config example > systemd/uketsuke.example.yaml)', () => {
    const example = exampleOf(configSchema, 'Uketsuke terminal. Check it with: uketsuke config check');
    expect(readFileSync('systemd/uketsuke.example.yaml', 'utf8')).toBe(example);
    // As it comes it is refused, a line for each thing that somebody must say.
    const refused = loadConfig(example);
    expect(refused).toMatchObject({
      ok: false,
      failure: ['facility', 'device', 'broker.host'].map((name) => ({
        reason: `${name}: still the example's placeholder; must be set`,
      })),
    });
    const filled = example
      .replace('<facility>', 'clinic-0001')
      .replace('<device>', 'terminal-01')
      .replace('<host>', '192.0.2.10');
    expect(loadConfig(filled)).toEqual(loadConfig(minimal));
  });
});

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-config-'));
  const run = (...args: string[]) => spawnSync(process.execPath, ['src/main.ts', ...args], { encoding: 'utf8' });

  test('config example | config check is refused until somebody has said what must be said', () => {
    const example = run('config', 'example').stdout;
    const check = (input: string) =>
      spawnSync(process.execPath, ['src/main.ts', 'config', 'check', '--config', '-'], { encoding: 'utf8', input });
    expect(check(example)).toMatchObject({ status: 2, stdout: '' });
    const filled = example.replace('<facility>', 'a').replace('<device>', 'b').replace('<host>', '192.0.2.10');
    const checked = check(filled.replace('/usr/lib/uketsuke/models', `${process.cwd()}/models`));
    // It works as it stands, and what it will not have is said.
    expect(checked).toMatchObject({ status: 0, stdout: '-: OK\n' });
    expect(checked.stderr).toContain('no matching of faces');
    const faces = filled
      .replace('/usr/lib/uketsuke/models', `${process.cwd()}/models`)
      .replace('driver: "none"', 'driver: "tesseract"');
    expect(check(faces)).toMatchObject({ status: 2, stderr: expect.stringContaining('face.acceptUnverifiedModels') });
    const accepted = faces.replace('acceptUnverifiedModels: []', 'acceptUnverifiedModels: ["fr_feature"]');
    expect(check(accepted).status).toBe(0);
    expect(check(filled.replace('192.0.2.10', 'broker.clinic.example')).status).toBe(2);
  });

  test('config check answers 0 for a good file, 2 and the places for a bad one, 2 for none', () => {
    const file = join(folder, 'terminal.yaml');
    writeFileSync(file, minimal);
    expect(run('config', 'check', '--config', file)).toMatchObject({ status: 0, stdout: `${file}: OK\n` });
    writeFileSync(file, `${minimal}  prot: 1\n`);
    const refused = run('config', 'check', '--config', file);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toBe(`${file}:5:3: unknown key "prot" (did you mean "port"?)\n`);
    expect(run('config', 'check', '--config', join(folder, 'absent.yaml'))).toMatchObject({
      status: 2,
      stderr: `${join(folder, 'absent.yaml')}: there is no such file or folder\n`,
    });
  });

  test('config show prints a file that is itself accepted and means the same', () => {
    const file = join(folder, 'shown.yaml');
    writeFileSync(file, minimal);
    const shown = execFileSync(process.execPath, ['src/main.ts', 'config', 'show', '--config', file], {
      encoding: 'utf8',
    });
    expect(loadConfig(shown)).toEqual(loadConfig(minimal));
  });

  test.each(Object.keys(commands))('%s explains itself', (name) => {
    const help = run(name, '--help');
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(`Usage: uketsuke ${name}`);
  });
});
