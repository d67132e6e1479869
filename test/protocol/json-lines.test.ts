import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseJsonLines } from '../../src/protocol/json-lines.ts';

const schema = z.strictObject({ who: z.strictObject({ age: z.number() }) });
const good = '{"who":{"age":85}}';

test('every line that is not blank is read, and nothing where there is none', () => {
  expect(parseJsonLines(`${good}\n\n \r\n${good}\n`, schema)).toEqual([{ who: { age: 85 } }, { who: { age: 85 } }]);
  expect(parseJsonLines('\n', schema)).toEqual([]);
});

test.each([
  [`${good}\n\nPIN 1234`, /^line 3: not JSON$/],
  [`\n{"who":{"age":"1234"}}`, /^line 2: who: age: [^1]+$/],
  ['"1234"', /^line 1: (?!a key)[^1]{5,}$/],
  ['{"who":1234}', /^line 1: who: (?!a key)[^1]{5,}$/],
  ['{"who":{"age":85},"1234":1}', /^line 1: a key that is not known$/],
])('what is wrong is told by its line in the file, and not what stands there: %j', (text, told) => {
  expect(() => parseJsonLines(text, schema)).toThrow(told);
});
