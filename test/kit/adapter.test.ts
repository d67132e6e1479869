import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foreignExamples, foreignMissing, prepareForeign } from '../../scripts/kit/foreign-examples.ts';
import { AnswerRecorder } from '../../src/kit/adapter/record-answers.ts';

test('the template keeps every promise of the port, in a process of its own, and is recorded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-adapter-'));
  try {
    const record = join(folder, 'fixtures.jsonl');
    const kit = ['src/main.ts', 'kit', 'adapter', '--people', 'docs/examples/adapter-people.json', '--record', record];
    const run = spawnSync(process.execPath, [...kit, '--', process.execPath, 'docs/examples/adapter.mjs'], {
      encoding: 'utf8',
    });
    expect(run.stdout.trim().split('\n').at(-1)).toBe('{"findings":[]}');
    expect(run.status).toBe(0);
    const recorded = readFileSync(record, 'utf8');
    expect(recorded).toContain('"call":"lookup"');
    expect(recorded).not.toContain('1000001');
    expect(recorded).not.toContain('5E570001');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const foreign = foreignExamples.filter(({ kit }) => kit === 'adapter');
describe.each(foreign)('the template in another language: $name', (example) => {
  const reason = foreignMissing(example);
  if (reason !== null) console.warn(`skipped: an adapter, ${example.name}: ${reason}`);

  // A clinic's PC speaks Shift_JIS on its console, this one nothing but ASCII: the lines are UTF-8 all the same.
  test.skipIf(reason !== null)('keeps every promise of the port, whatever the locale', { timeout: 240_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-adapter-'));
    try {
      const kit = [join(import.meta.dirname, '../../src/main.ts'), ...prepareForeign(example, folder)];
      const env = { ...process.env, LC_ALL: 'C' };
      const run = spawnSync(process.execPath, kit, { cwd: folder, env, encoding: 'utf8', timeout: 110_000 });
      expect(run.stdout.trim().split('\n').at(-1)).toBe('{"findings":[]}');
      expect(run.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test('an adapter that ends at once is told so', () => {
  const kit = ['src/main.ts', 'kit', 'adapter', '--people', 'docs/examples/adapter-people.json'];
  const run = spawnSync(process.execPath, [...kit, '--', process.execPath, '-e', 'process.exit(3)'], {
    encoding: 'utf8',
  });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('ended, 3');
});

test('a recorder leaves nothing that names a person, and keeps two people two', () => {
  const recorder = new AnswerRecorder();
  const answer = (name: string, number: string, birthdate: string) =>
    JSON.stringify({
      id: 1,
      ok: true,
      value: {
        birthdate,
        referenceNumber: `K-${number}`,
        qualifications: [
          {
            Name: name,
            NameKana: 'ﾀｶｻｷ',
            Address: '実在県実在市1',
            InsuredIdentificationNumber: number,
            InsurerName: '架空組合',
          },
        ],
        unforeseen: `${name} さまの備考`,
        telephone: '0312345678',
        nameInLetters: 'TAKASAKI HANAKO',
        householder: 8_765_432,
      },
    });
  for (const line of [
    answer('髙﨑 花子', '1234567', '19800217'),
    answer('髙﨑 花子', '1234567', '19800217'),
    answer('吉田 太郎', '7654321', '19520505'),
    'この行は JSON ではない 髙﨑',
  ])
    recorder.keep(line);
  const kept = recorder.lines.join('\n');
  const persons = [
    '髙﨑',
    '吉田',
    'ﾀｶｻｷ',
    '実在',
    '1234567',
    '7654321',
    '0217',
    '0505',
    '0312345678',
    'TAKASAKI',
    '8765432',
  ];
  for (const part of persons) expect(kept).not.toContain(part);
  expect(recorder.lines[0]).toBe(recorder.lines[1]);
  expect(recorder.lines[0]).not.toBe(recorder.lines[2]);
  expect(kept).toContain('架空組合');
  expect(kept).toContain('"birthdate":"19800101"');
});
