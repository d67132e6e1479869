import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EnrolmentCode } from '../../src/agent/provisioning/enrolment-code.ts';
import { EnrolmentRefused } from '../../src/agent/provisioning/enrolment-letters.ts';
import { enrolKept, keptEnrolment } from '../../src/cli/kept-enrolment.ts';

const code: EnrolmentCode = {
  ...{ facility: 'clinic-0001', device: 'terminal-01', lane: 1, host: '127.0.0.1', enrolmentPort: 1, brokerPort: 8883 },
  ...{ facilityCa: '', secret: 'A'.repeat(22), until: 1_000, test: true, acceptedModels: [] },
};
const other = { ...code, secret: 'B'.repeat(22) };

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'uketsuke-kept-')), 'enrolment-code.json');
});
afterEach(() => rmSync(join(file, '..'), { recursive: true, force: true }));

const unreached = () => Promise.reject(new Error('nobody listens there'));
const refused = () => Promise.reject(new EnrolmentRefused('too old'));

test('power lost while the clinic is asked: asked again; lost after its answer: not asked any more', async () => {
  await enrolKept(file, code, async () => {
    expect(await keptEnrolment(file)).toEqual({ code, isServed: false });
  });
  expect(await keptEnrolment(file)).toEqual({ code, isServed: true });
});

test('a clinic that was not reached is asked again with the same code; one that refuses it is not', async () => {
  await expect(enrolKept(file, code, unreached)).rejects.toThrow('nobody listens there');
  expect(await keptEnrolment(file)).toEqual({ code, isServed: false });
  await expect(enrolKept(file, code, refused)).rejects.toThrow('too old');
  expect(existsSync(file)).toBe(false);
});

test('another code that is refused leaves the one with which the clinic may have answered', async () => {
  await enrolKept(file, code, async () => {});
  await expect(enrolKept(file, other, refused)).rejects.toThrow('too old');
  expect(await keptEnrolment(file)).toEqual({ code, isServed: true });
});

test('what cannot be read serves nobody', async () => {
  expect(await keptEnrolment(file)).toBeNull();
  for (const text of ['', '{"facility":', JSON.stringify({ ...code, isServed: false })]) {
    writeFileSync(file, text);
    expect(await keptEnrolment(file)).toBeNull();
  }
});
