import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { modelsMissing } from '../../scripts/beds/built-models.ts';
import { encodingsOfBytes, textEncodings } from '../../scripts/beds/canary-search.ts';
import { terminalOnPcscdMissing } from '../../scripts/demonstration/terminal-on-pcscd.ts';

// A bound for a machine that does ten other things.
const limitMs = 900_000;
const root = fileURLToPath(new URL('../../', import.meta.url));
const leaks = (...words: string[]) =>
  new Promise<{ last: unknown; told: string }>((resolve) => {
    const args = [`${root}scripts/trials/leaks/leaks.ts`, '--json', ...words];
    execFile(process.execPath, args, { timeout: limitMs }, (_error, stdout, told) => {
      const last = stdout.trim().split('\n').at(-1) ?? '';
      resolve({ last: last.startsWith('{') ? JSON.parse(last) : null, told });
    });
  });

test('the search knows at least twelve encodings of text and of bytes', () => {
  expect(Object.keys(textEncodings).length).toBeGreaterThanOrEqual(12);
  expect(encodingsOfBytes.length).toBeGreaterThanOrEqual(12);
});

test('simulated visits leave no photo, number or name anywhere, and with another PIN the very same bytes', {
  timeout: limitMs + 10_000,
}, async () => {
  const { last, told } = await leaks('--simulated', '120', '--real', '0');
  expect(last, told).toEqual({ visits: 120, hits: 0, planted: 0, found: 0, pinDifferences: 0 });
});

const why = (await terminalOnPcscdMissing()) ?? (modelsMissing('leaks') ? 'the models are not built' : null);
if (why !== null) console.warn(`skipped: leaks of real visits: ${why}`);

test.skipIf(why !== null)(
  'a real visit by face and one by PIN leave no photo, number, PIN, name or embedding, not in memory either; 200 planted leaks are found',
  { timeout: limitMs + 10_000 },
  async () => {
    const { last, told } = await leaks('--simulated', '0', '--real', '2');
    expect(last, told).toEqual({ visits: 2, hits: 0, planted: 200, found: 200, pinDifferences: 0 });
    expect(told).toContain('1 of them by face');
  },
);
