import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bootLoaderBuiltMs } from '../../drivers/update-board/board-boot-loader.ts';
import { statusOf, updateStatusSchema, wordsOfStatus } from '../../src/catalogue/update-status.ts';
import { isBootLoaderTooOld } from '../../src/core/update/boot-loader.ts';
import { initialUpdate } from '../../src/core/update/update-machine.ts';

/** As a Raspberry Pi's kernel shows what its boot loader has left in the device tree. */
let tree: string;
const built = (cell: Buffer): void => writeFileSync(join(tree, 'build-timestamp'), cell);
const cellOf = (day: string): Buffer => {
  const cell = Buffer.alloc(4);
  cell.writeUInt32BE(Date.parse(`${day}T12:00:00Z`) / 1_000);
  return cell;
};
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'uketsuke-device-tree-'));
});
afterEach(() => rmSync(tree, { recursive: true, force: true }));

test.each([
  ['2021-04-29', true],
  ['2023-01-10', true],
  ['2023-01-11', false],
  ['2025-05-08', false],
])('an EEPROM of %s: too old %s', (day, isTooOld) => {
  built(cellOf(day));
  expect(isBootLoaderTooOld(bootLoaderBuiltMs(tree))).toBe(isTooOld);
});

test('a board without such a loader, or one that tells nothing, stands in the way of nothing', () => {
  expect(bootLoaderBuiltMs(tree)).toBeNull();
  for (const cell of [Buffer.alloc(0), Buffer.alloc(2), Buffer.alloc(4)]) {
    built(cell);
    expect(bootLoaderBuiltMs(tree)).toBeNull();
  }
  expect(isBootLoaderTooOld(null)).toBe(false);
});

test('the status of updates tells its day', () => {
  built(cellOf('2024-09-23'));
  const status = updateStatusSchema.parse(statusOf(initialUpdate, bootLoaderBuiltMs(tree)));
  expect(wordsOfStatus(status, 'en')).toContain('boot loader (EEPROM): 2024-09-23');
  expect(wordsOfStatus(status, 'ja', 'short').join()).not.toContain('2024');
  expect(statusOf(initialUpdate)).not.toHaveProperty('bootLoader');
});
