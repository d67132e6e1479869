import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';

let bed: AgentBed;
let face: string;
beforeEach(async () => {
  bed = await makeAgentBed();
  face = join(bed.oqsFolder, 'face');
});
afterEach(() => bed.close());

test('a folder that would take no file is told before a result waits for it', async () => {
  const { handOver } = bed.desk;
  rmdirSync(face);
  await handOver.lookAtFolder();
  expect(handOver.folderFault).toMatchObject({ code: 'files.folder-missing', waiting: 0 });
  writeFileSync(face, 'a file in its place');
  await handOver.lookAtFolder();
  expect(handOver.folderFault).toMatchObject({ code: 'files.folder-missing' });
});

test('one look at a time: of a share that hangs nobody is asked again meanwhile', async () => {
  const { handOver } = bed.desk;
  rmdirSync(face);
  const first = handOver.lookAtFolder();
  let isOver = false;
  void handOver.lookAtFolder().then(() => {
    isOver = true;
  });
  // No look at a disk ends within the turns of promises alone.
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  expect(isOver).toBe(true);
  await first;
  expect(handOver.folderFault).toMatchObject({ code: 'files.folder-missing' });
  mkdirSync(face);
  await handOver.lookAtFolder();
  expect(handOver.folderFault).toBeNull();
});
