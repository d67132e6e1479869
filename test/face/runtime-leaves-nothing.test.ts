import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { modelsMissing } from '../../scripts/beds/built-models.ts';

const beds = new URL('../../scripts/beds/built-models.ts', import.meta.url).href;

test.skipIf(modelsMissing('what the runtime of the models leaves'))(
  'the runtime of the models writes nothing: no number of the machine, no log for its maker',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-runtime-'));
    try {
      const source = `const { loadModels } = await import('${beds}'); await loadModels();`;
      const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source];
      const { status, stderr } = spawnSync(process.execPath, args, {
        env: { PATH: process.env.PATH, TMPDIR: folder, HOME: folder },
      });
      expect(String(stderr)).toBe('');
      expect(status).toBe(0);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
