import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pcscdMissing } from '../../scripts/beds/pcscd-bed.ts';
import { foreignExamples, foreignMissing, isAsPromised, prepareForeign } from '../../scripts/kit/foreign-examples.ts';
import { whatIsMissing } from '../../src/cli/kit-card.ts';

const root = join(import.meta.dirname, '../..');

test('whoever lacks a package is told the command that brings it, and whoever is not root that they must be', () => {
  expect(whatIsMissing(() => true, true)).toBeNull();
  expect(whatIsMissing(() => true, false)).toContain('root');
  expect(whatIsMissing(() => false, true)).toMatch(
    / apt-get install -y --no-install-recommends pcscd vsmartcard-vpcd iproute2$/,
  );
  expect(whatIsMissing((path) => path.startsWith('/usr/'), false)).toMatch(/: sudo apt-get .* vsmartcard-vpcd$/);
});

describe.each(foreignExamples.filter(({ kit }) => kit === 'card'))('a client: $name', (example) => {
  const reason = foreignMissing(example);
  if (reason !== null) console.warn(`skipped: a card client, ${example.name}: ${reason}`);

  test.skipIf(reason !== null)('reads the card in one command, and is judged', { timeout: 240_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-kit-'));
    try {
      const kit = [join(root, 'src/main.ts'), ...prepareForeign(example, folder)];
      const run = spawnSync(process.execPath, kit, { cwd: folder, encoding: 'utf8', timeout: 110_000 });
      expect(run.stdout).toMatch(example.prints);
      expect(isAsPromised(example, run.stdout)).toBe(true);
      expect(run.status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const noPcscd = pcscdMissing();
if (noPcscd !== null) console.warn(`skipped: what a kit that cannot begin leaves behind: ${noPcscd}`);

test.skipIf(noPcscd !== null)('a kit that cannot begin leaves neither pcscd nor its folder behind', () => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-kit-'));
  const kit = ['src/main.ts', 'kit', 'card', '--faults', join(place, 'none.json'), '--', 'true'];
  const env = { ...process.env, TMPDIR: place };
  expect(spawnSync(process.execPath, kit, { env, timeout: 80_000 }).status).toBe(2);
  expect(readdirSync(place)).toEqual([]);
  rmSync(place, { recursive: true });
});
