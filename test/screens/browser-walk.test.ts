import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { chromiumPath } from '../../scripts/screens/screens-browser.ts';

const root = join(import.meta.dirname, '..', '..');
const ready = existsSync(chromiumPath) && existsSync(join(root, 'dist', 'screens', 'index.html'));
if (!ready)
  process.stderr.write('skipped: the walk over every screen (needs chromium, and dist/screens by scripts/setup)\n');

it.skipIf(!ready)('finds nothing to stumble over on any screen', { timeout: 600_000 }, async () => {
  const out = mkdtempSync(join(tmpdir(), 'uketsuke-sheets-'));
  const args = [join(root, 'scripts', 'screens', 'screens.ts'), '--json', '--out', out];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { maxBuffer: 10_000_000 }).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  rmSync(out, { recursive: true, force: true });
  const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
  const findings = stderr.split('\n').filter((line) => !/sheet-| of \d+$/.test(line) && line !== '');
  expect(findings).toEqual([]);
  expect(report).toMatchObject({
    screens: 31,
    axe: 0,
    overflow: 0,
    clipped: 0,
    smallTargets: 0,
    lowContrast: 0,
    withoutSpeech: 0,
    textOutsideCatalogue: 0,
  });
  expect(report.shots).toBeGreaterThan(150);
});
