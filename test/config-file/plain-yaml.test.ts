import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { printYaml, readPlainYaml } from '../../src/config-file/plain-yaml.ts';
import { readSettings } from '../../src/config-file/read-settings.ts';

const problemsOf = (file: string | Uint8Array) => {
  const read = readPlainYaml(file);
  if (read.ok) throw new Error(`was read as ${JSON.stringify(read.value.value)}`);
  return read.failure;
};

describe('what YAML reads otherwise than it looks is refused, with its place', () => {
  test.each([
    ['an anchor', 'a: &x 1\nb: 2\n', 1, 7, '& is an anchor'],
    ['a use of it', 'b: *x\n', 1, 4, '* is an alias'],
    ['a tag', 'a: !!binary x\n', 1, 13, '! is a tag'],
    ['a directive, under which no is false', '%YAML 1.1\n---\na: no\n...\n', 1, 1, 'directive'],
    ['a hexadecimal number', 'a: 0x10\n', 1, 4, '0x10 is read as 16'],
    ['an exponent', 'a: 1e3\n', 1, 4, '1e3 is read as 1000'],
    ['a section that is left empty', 'a: 1\nbroker:\n', 2, 1, 'no value'],
    ['an empty item', 'a:\n  - 1\n  -\n', 2, 3, 'no value'],
    ['a line indented too far', 'name: x\n  y\n', 1, 7, 'more than one line'],
    ['a block of text', 'name: |\n  y\n', 1, 7, 'a block of text'],
    ['what stands behind a sign of comment', 'name: ward #2\n', 1, 7, 'what stands behind #'],
    ['a line break in a Windows path', 'a: "C:\\new"\n', 1, 4, 'a backslash in double quotes'],
    ['a blank at the end of a name', "a: 'x '\n", 1, 4, 'a blank'],
    ['a zero-width letter', 'a: x\u200by\n', 1, 5, 'U+200B'],
    ['a blank that is none', 'a:\u00a0x\n', 1, 3, 'U+00A0'],
    ['line ends that YAML does not count', 'a: 1\rb: 2\n', 1, 5, 'U+000D'],
    ['the same key twice', 'a: 1\n"a": 2\n', 2, 1, 'for the second time'],
    ['a key that is no word', '? [1]\n: 2\n', 1, 3, 'not the name'],
    ['an end that is missing', '---\na: 1\n', 2, 1, 'cut off'],
    ['half a last line', 'a: 1\nport: 88', 2, 1, 'not ended'],
    ['something behind the end', '---\na: 1\n...\nb: 2\n', 4, 1, 'cut off'],
    ['a second document', '---\na: 1\n---\nb: 2\n...\n', 3, 1, 'not YAML'],
    ['nothing', '\n', 1, 1, 'empty'],
    ['nothing but comments', '# a: 1\n', 1, 1, 'empty'],
  ])('%s', (_name, text, line, column, reason) => {
    expect(problemsOf(text)).toEqual([{ line, column, reason: expect.stringContaining(reason) }]);
  });

  test('a file that is not UTF-8, by its first wrong line', () => {
    const file = iconv.encode('lane: 1\nname: 山田医院\n', 'Shift_JIS');
    expect(problemsOf(file)).toEqual([{ line: 2, column: 1, reason: expect.stringContaining('UTF-8') }]);
    expect(problemsOf(iconv.encode('lane: 1\n', 'utf-16le', { addBOM: true }))[0]?.reason).toContain('UTF-8');
  });

  test.each([
    ['brackets', `${'['.repeat(30_000)}\n`],
    ['sections', `${'{a: '.repeat(7_000)}\n`],
    ['items', `${'- '.repeat(16_000)}\n`],
    ['a file of another kind', 'a: 1\n'.repeat(10_000)],
  ])('too many %s are refused, not a crash', (_name, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0);
  });

  test('of many mistakes so many are told as somebody reads', () => {
    expect(problemsOf('a: 1\n'.repeat(1_000))).toHaveLength(20);
    const unknown = Array.from({ length: 1_000 }, (_, n) => `k${n}: 1\n`).join('');
    const read = readSettings(z.strictObject({}), unknown);
    expect(read.ok ? [] : read.failure).toHaveLength(20);
  });
});

test('other ways to write the same mean the same', () => {
  const value = { name: '山田　医院', port: 8883, list: ['a', 'b'], on: true, share: 0.5, path: 'C:\\oqs' };
  const text = printYaml(value, 'a comment');
  const json = JSON.stringify(value);
  for (const each of [text, `\ufeff${text}`, text.replaceAll('\n', '\r\n'), text.slice(4, -4), json, `${json}\n`]) {
    const read = readPlainYaml(each);
    expect(read.ok ? read.value.value : read.failure).toEqual(value);
  }
});

test('a file of ours that was cut off anywhere is refused', () => {
  const text = printYaml({ facility: 'x', broker: { host: 'h', port: 8883 }, languages: ['ja', 'en'] });
  for (let end = 0; end < text.length - 1; end += 1)
    expect([end, readPlainYaml(text.slice(0, end)).ok]).toEqual([end, false]);
});
