import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { err } from '../../../src/core/result.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

test('a disk that fills once the file is there: the レセコン gets it once, and the journal hears of it when it can', async () => {
  const handOver = vi.spyOn(bed.journal, 'handOver').mockImplementation(() => {
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
  });
  const signed = await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''));
  await bed.request(signed.sealed, 'receipted');
  await until('the end that is refused', () => handOver.mock.calls.length > 0);
  const files = bed.files();
  expect(files).toHaveLength(1);
  for (const name of files) rmSync(join(bed.oqsFolder, 'face', name));
  for (let rounds = 0; rounds < 3; rounds += 1) {
    const refused = handOver.mock.calls.length;
    for (let tries = 0; tries < 100 && handOver.mock.calls.length === refused; tries += 1) {
      await bed.clock.advance(10_000);
      bed.desk.handOver.resume(2_000);
    }
  }
  expect(handOver.mock.calls.length).toBeGreaterThan(3);
  expect(bed.files()).toEqual([]);
  expect(bed.asked.filter((name) => name === 'check')).toHaveLength(1);
  expect(await bed.results()).toHaveLength(1);
  handOver.mockRestore();
  for (let tries = 0; tries < 100 && bed.journal.visits()[0]?.handedOverAt === null; tries += 1)
    await bed.clock.advance(10_000);
  expect(bed.journal.visits()).toMatchObject([{ file: files[0], outcome: 'eligible' }]);
  expect(bed.journal.unfinished()).toEqual([]);
  expect(bed.files()).toEqual([]);
});

test('a file that waited over a restart, of whom the service says no more: given up, and staff are told', async () => {
  rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
  await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'eligible', handedOverAt: null }]);
  bed.restart();
  mkdirSync(join(bed.oqsFolder, 'face'));
  bed.context.service.check = async () => err(failure('card.certificate-revoked'));
  bed.desk.handOver.resume();
  await until('the end', () => bed.journal.unfinished().length === 0);
  expect(bed.journal.visits()).toMatchObject([{ outcome: 'eligible', file: null, handedOverAt: null }]);
  expect(bed.journal.visits()[0]?.givenUpAt).toBe(bed.clock.now().wallMs);
  expect([...bed.journal.todayNotes().values()]).toMatchObject([{ notices: ['file-given-up'] }]);
});

test('two requests of one visit, and the folder away over a restart: the レセコン gets its one file', async () => {
  rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
  const session = crypto.randomUUID();
  const card = await bed.pin(personas.get('hanako')?.serial ?? '');
  await bed.request((await bed.sign(card, { session })).sealed);
  await bed.request((await bed.sign(card, { session })).sealed);
  await until('the end of the second', () => bed.journal.unfinished().length === 1);
  bed.restart();
  mkdirSync(join(bed.oqsFolder, 'face'));
  bed.desk.handOver.resume();
  await until('the end', () => bed.journal.unfinished().length === 0);
  expect(bed.files()).toHaveLength(1);
});

test('two requests of one visit that a crash left without their end have one file', async () => {
  const handOver = vi.spyOn(bed.journal, 'handOver').mockImplementation(() => {
    throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
  });
  const session = crypto.randomUUID();
  const card = await bed.pin(personas.get('hanako')?.serial ?? '');
  await bed.request((await bed.sign(card, { session })).sealed, 'receipted');
  await bed.request((await bed.sign(card, { session })).sealed, 'receipted');
  await until('both ends that are refused', () => handOver.mock.calls.length > 1);
  handOver.mockRestore();
  for (const name of bed.files()) rmSync(join(bed.oqsFolder, 'face', name));
  bed.restart();
  bed.desk.handOver.resume();
  await until('the end', () => bed.journal.unfinished().length === 0);
  expect(bed.files()).toHaveLength(1);
});
