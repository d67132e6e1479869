import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseJsonFile } from '../../src/storage/parse-file.ts';

const schema = z.strictObject({ name: z.string() });

test('what is no JSON is told with its place, and without a word of what stands there', () => {
  const secret = '{"d":"MIGHAgEAMBMG" x}';
  const read = () => parseJsonFile('signing-key.jwk.json', secret, schema);
  expect(read).toThrow(/^signing-key\.jwk\.json: not JSON at position 20/);
  expect(read).not.toThrow(/MIGH/);
});

test('what has another shape is told with the file and the key; what is right is read', () => {
  expect(() => parseJsonFile('a.json', '{"name":1}', schema)).toThrow(/^a\.json:\n.*\n.*name/);
  expect(parseJsonFile('a.json', '{"name":"x"}', schema)).toEqual({ name: 'x' });
});
