import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { chromiumPath } from '../../scripts/screens/screens-browser.ts';

const root = join(import.meta.dirname, '..', '..');
const ready = existsSync(chromiumPath) && existsSync(join(root, 'dist', 'screens', 'index.html'));

/** Parts stand in files of their own: files run at once on all processors. */
export const parts = 2;

/** One part of the walk over every screen. What it takes to draw and to answer is not measured here (docs/figures.md). */
export const walk = (part: number): void => {
  if (!ready)
    console.warn(`skipped: part ${part} of the walk over every screen (chromium, dist/screens: scripts/test)`);

  it.skipIf(!ready)(
    `finds nothing to stumble over on any screen, part ${part} of ${parts}`,
    { timeout: 600_000 },
    async () => {
      const out = mkdtempSync(join(tmpdir(), 'uketsuke-sheets-'));
      const script = join(root, 'scripts', 'screens', 'screens.ts');
      const args = [script, '--json', '--chosen', '--part', `${part}/${parts}`, '--out', out];
      const walking = spawn(process.execPath, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 500_000,
        killSignal: 'SIGKILL',
      });
      let [stdout, stderr] = ['', ''];
      walking.stdout.on('data', (piece: Buffer) => {
        stdout += piece.toString();
      });
      walking.stderr.on('data', (piece: Buffer) => {
        stderr += piece.toString();
      });
      await new Promise((resolve) => walking.once('close', resolve));
      rmSync(out, { recursive: true, force: true });
      const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
      const findings = stderr.split('\n').filter((line) => !/sheet-| of \d+$/.test(line) && line !== '');
      expect(findings).toEqual([]);
      const seen = { axe: 0, overflow: 0, clipped: 0, lowContrast: 0 };
      const counted = { ...seen, smallTargets: 0, smallLettersMm: 0, subjectsHidden: 0, deadTools: 0 };
      expect(report).toMatchObject({ ...counted, withoutSpeech: 0, textOutsideCatalogue: 0 });
      expect(report.shots).toBeGreaterThan(50);
    },
  );
};
