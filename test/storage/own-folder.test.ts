import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { runProgram } from '../../drivers/host/run-program.ts';
import { makeOwnFolder } from '../../src/storage/own-folder.ts';

const place = mkdtempSync(join(tmpdir(), 'uketsuke-own-'));
vi.stubEnv('TMPDIR', place);
afterEach(() => rmSync(place, { recursive: true, force: true }));

test('what a killed process left behind goes when the next one begins; what somebody lives in, or is no such folder, stays', async () => {
  const ours = makeOwnFolder('tried');
  expect(statSync(ours).mode & 0o777).toBe(0o700);
  let pid = '';
  const { how } = await runProgram(process.execPath, ['-p', 'process.pid'], {
    onOutput: (piece) => {
      pid += piece.toString();
    },
  }).ended;
  expect(how).toBe('ended');
  const of = (who: string, end: string) => `${ours.replace(/-\d+-\w{6}$/, '')}-${who}-${end}`;
  const gone = of(pid.trim(), 'abcdef');
  const named = of(pid.trim(), 'a-folder-of-somebody');
  const file = of(pid.trim(), 'filefi');
  const link = of(pid.trim(), 'linkli');
  for (const each of [gone, named]) mkdirSync(each);
  writeFileSync(join(gone, 'journal'), 'x');
  writeFileSync(file, '');
  symlinkSync(ours, link);
  const next = makeOwnFolder('tried');
  expect([gone, named, file, link, ours, next].map((path) => existsSync(path))).toEqual([
    false,
    ...[true, true, true, true, true],
  ]);
});

test('pcscd’s namespace ends with whoever started it, even one that was killed: its relay hears its input close', async () => {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  mkdirSync(place, { recursive: true });
  const relay = runProgram(process.execPath, ['drivers/host/vpcd-relay.ts', join(place, 'relay.sock'), '1'], {
    takesInput: true,
    limitMs: 60_000,
    onOutput: () => resolve(),
  });
  await ready;
  relay.input?.end();
  expect(await relay.ended).toMatchObject({ how: 'ended', code: 0 });
});
