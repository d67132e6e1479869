import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { foreignExamples, foreignMissing, prepareForeign } from '../../scripts/kit/foreign-examples.ts';
import { answerNames } from '../../src/kit/adapter/adapter-lines.ts';
import { AnswerRecorder } from '../../src/kit/adapter/record-answers.ts';
import { longestLine, splitLines } from '../../src/kit/adapter/split-lines.ts';

const typed = ['kit', 'adapter', '--people', 'docs/examples/adapter-people.json'];
/** The kit on a program; `more`: its other options */
const judge = (program: readonly string[], { kit = typed, more = [] as readonly string[], env = process.env } = {}) =>
  spawnSync(process.execPath, ['src/main.ts', ...kit, ...more, '--', ...program], { env, encoding: 'utf8' });

test('the template keeps every promise of the port, in a process of its own, and is recorded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-adapter-'));
  try {
    const record = join(folder, 'fixtures.jsonl');
    const run = judge([process.execPath, 'docs/examples/adapter.mjs'], { more: ['--record', record] });
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

/** The kit on the template with something done to its lines: `change` is the body of a transform of what it writes. */
const judgedWith = (change: string): { readonly rules: readonly string[]; readonly status: number | null } => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-adapter-'));
  try {
    const wrapper = `const { spawn } = require('node:child_process');
const child = spawn(process.execPath, ['docs/examples/adapter.mjs'], { stdio: ['pipe', 'pipe', 'inherit'] });
process.stdin.pipe(child.stdin);
child.on('exit', () => end());
let end = () => process.exit(0);
${change}`;
    writeFileSync(join(folder, 'wrapper.cjs'), wrapper);
    // As an editor of Windows saves it.
    const people = `\ufeff${readFileSync('docs/examples/adapter-people.json', 'utf8').replaceAll('\n', '\r\n')}`;
    writeFileSync(join(folder, 'people.json'), people);
    const run = judge([process.execPath, join(folder, 'wrapper.cjs')], {
      kit: ['kit', 'adapter', '--people', join(folder, 'people.json')],
    });
    const last = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as { findings: { rule: string }[] };
    return { rules: [...new Set(last.findings.map(({ rule }) => rule))], status: run.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

test('lines that end in CR LF, and characters that come in two pieces, are heard as they are', () => {
  const bytewise = `child.stdout.on('data', (piece) => {
  const bytes = Buffer.from(piece.toString('utf8').replaceAll('\\n', '\\r\\n'));
  for (const byte of bytes) process.stdout.write(Buffer.of(byte));
});`;
  expect(judgedWith(bytewise)).toEqual({ rules: [], status: 0 });
});

test('a console of Windows is told what it is: a byte order mark, Shift_JIS, a program that stays', () => {
  const iconvPath = JSON.stringify(createRequire(import.meta.url).resolve('iconv-lite'));
  const windows = `const iconv = require(${iconvPath});
end = () => setInterval(() => {}, 1000);
process.stdout.write('\\ufeff');
child.stdout.on('data', (piece) => process.stdout.write(iconv.encode(piece.toString('utf8'), 'cp932')));`;
  const { rules, status } = judgedWith(windows);
  expect(rules).toEqual(expect.arrayContaining(['byte-order-mark', 'not-utf8', 'reference-lost', 'stays-after-input']));
  expect(status).toBe(1);
});

test('answers that cannot be kept are told before anybody is asked', () => {
  const run = judge([process.execPath, '-e', 'console.error("asked")'], { more: ['--record', '/no/such/x'] });
  expect(run.status).not.toBe(0);
  expect(run.stderr).toContain('/no/such/x');
  expect(run.stderr).not.toContain('asked');
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
  const run = judge([process.execPath, '-e', 'process.exit(3)']);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('ended, 3 (asked last: lookup)');
});

test('an adapter that is not there is told so', () => {
  const { status, stderr } = judge(['no-such-program'], { env: { ...process.env, LC_ALL: 'C' } });
  expect(stderr).toContain('no-such-program cannot be started: is it installed?');
  expect(status).toBe(2);
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
  expect(kept).toContain('保険者 1');
  expect(kept).toContain('"birthdate":"19800101"');
});

const xml =
  '<?xml version="1.0" encoding="Shift_JIS"?><!-- 髙﨑 花子 様 --><XmlMsg who="TAKASAKI"><Name>高崎 花子</Name></XmlMsg>';
const personal: readonly string[] = [
  ...['髙﨑 花子', '𠮷田太郎', '見󠄁本', 'タカサキ ハナコ', 'ﾀｶｻｷ ﾊﾅｺ', 'たかさき', 'TAKASAKI HANAKO', 'Takasaki', 'Abe'],
  ...[
    '東京都千代田区永田町1-7-1',
    '1-7-1 Nagatacho',
    '〒100-0014',
    '1000014',
    '03-1234-5678',
    '09012345678',
    '+81312345678',
  ],
  ...['06138057', '  138057', '３９１３１２３４', '記架123', '12-3456', '1000001', '5E570001', '12345678901'],
  ...[
    '19800217',
    'S550217',
    '昭和55年2月17日',
    '1980-02-17',
    '317577600000',
    'hanako@example.jp',
    '本人は3か月前に転居',
  ],
  ...['OQSsiquc01res_face_takasaki_20261130090000.xml', xml, iconv.encode('髙崎 花子', 'cp932').toString('utf8')],
  ...[
    iconv.encode('高崎 花子', 'cp932').toString('base64'),
    'A型肝炎',
    'TAKASAKI',
    'check 高崎',
    'eligibility.takasaki',
  ],
];

test('whatever names a person is left nowhere, under whatever name it stands, as text, number, list or name of a member', () => {
  const places = [
    ...answerNames,
    'id',
    'at',
    'call',
    'code',
    'detail',
    'given',
    'insurerNumber',
    'certificateSerial',
    'memo',
  ];
  const left: string[] = [];
  for (const value of personal)
    for (const name of places) {
      const recorder = new AnswerRecorder();
      const said = [
        ...[value, [value], { [value]: 'x' }, { inner: [{ [name]: value }] }],
        ...(/^[1-9]\d{4,}$/.test(value) ? [Number(value)] : []),
      ];
      for (const each of said) recorder.keep(JSON.stringify({ id: 1, ok: true, value: { [name]: each } }));
      recorder.keep(JSON.stringify({ id: 1, ok: false, code: value, detail: value }));
      recorder.keep(value);
      // A date that is nobody's birthday says what the case is about, and stays.
      const isDate = /Date$|^date$/.test(name) && value === '19800217';
      if (!isDate && recorder.lines.join('\n').includes(value.trim())) left.push(`${name}: ${value}`);
    }
  expect(left).toEqual([]);
});

test('a birthday is not left in the dates of the insurance either, and an answer stays that of its question', () => {
  const recorder = new AnswerRecorder();
  const held = { Birthdate: '19400217', QualificationDate: '20150217', InsuredCardExpirationDate: '20150216' };
  const inquiry = { insurerNumber: '39131234', insuredIdentificationNumber: '1000002', insuredBranchNumber: '01' };
  recorder.keep(JSON.stringify({ id: 1, call: 'inquire', inquiry }));
  const numbers = { InsurerNumber: '39131234', InsuredIdentificationNumber: '1000002', InsuredValidDate: '20240401' };
  const qualifications = [{ ...numbers, ...held, InsuredCardValidDate: '20240401' }];
  recorder.keep(JSON.stringify({ id: 1, ok: true, value: { qualifications } }));
  const [asked = '', answered = ''] = recorder.lines;
  expect(answered).not.toMatch(/021[67]/);
  expect(answered).toContain('"InsuredCardValidDate":"20240401"');
  const inquired = (JSON.parse(asked) as { inquiry: typeof inquiry }).inquiry;
  for (const number of [inquired.insurerNumber, inquired.insuredIdentificationNumber]) {
    expect(answered).toContain(`"${number}"`);
    expect(['39131234', '1000002']).not.toContain(number);
  }
  expect(inquired.insurerNumber).toMatch(/^39\d{6}$/);
});

test('a line without end is heard once, cut, and the next ones as they are; an end in two pieces is one', () => {
  const heard: string[] = [];
  const split = splitLines((line) => heard.push(line));
  const piece = 'x'.repeat(1024 * 1024);
  for (let megabytes = 0; megabytes < 100; megabytes += 1) split(piece);
  split('end\nsecond\r');
  split('\nth');
  split('ird\n\n');
  expect(heard.map(({ length }) => length)).toEqual([longestLine, 6, 5, 0]);
  expect(heard.slice(1)).toEqual(['second', 'third', '']);
});

test('one person is the same under every name that an element has, and two stay two', () => {
  const recorder = new AnswerRecorder();
  const qualifications = [
    { InsuredName: '見本 一郎', Name: '見本 花子' },
    { Name: '見本　一郎', NameOfOther: '見本 花子' },
  ];
  recorder.keep(JSON.stringify({ id: 1, ok: true, value: { qualifications } }));
  const [line = ''] = recorder.lines;
  const { value } = JSON.parse(line) as { value: { qualifications: Record<string, string>[] } };
  const [first, second] = value.qualifications;
  expect(first?.InsuredName).not.toBe(first?.Name);
  expect(second).toEqual({ Name: first?.InsuredName, NameOfOther: first?.Name });
});

test('a number that stands as an id below its line, or a birthday that stands as a moment, is replaced', () => {
  const recorder = new AnswerRecorder();
  const consentAt = Date.UTC(2026, 10, 30, 3);
  const choices = { consents: [{ at: consentAt }, { at: Date.UTC(1953, 3, 7) }] };
  recorder.keep(JSON.stringify({ id: 7, ok: true, value: { id: 12_345 }, choices }));
  const [line = ''] = recorder.lines;
  expect(JSON.parse(line)).toEqual({
    id: 7,
    ok: true,
    value: { id: 'replaced 1' },
    choices: { consents: [{ at: Date.UTC(2026, 10, 30) }, { at: 'replaced 2' }] },
  });
});

test.each([
  ['a folder', tmpdir(), 'a file is expected'],
  ['no JSON', 'README.md', 'README.md: not JSON'],
  ['another form', 'docs/examples/../../package.json', 'package.json:'],
])('people that cannot be read are told with their file: %s', (_, people, told) => {
  const kit = ['src/main.ts', 'kit', 'adapter', '--people', people, '--', 'true'];
  const run = spawnSync(process.execPath, kit, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  expect(run.stderr).toContain(told);
  expect(run.status).toBe(2);
});
