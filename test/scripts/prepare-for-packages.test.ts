import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { preparedFiles, prepareForPackages } from '../../scripts/image/kept-debian.ts';

it('what an image borrows of the machine that makes it is known by name, and taken away again', () => {
  const root = mkdtempSync(join(tmpdir(), 'uketsuke-prepare-'));
  try {
    for (const folder of ['etc/apt/apt.conf.d', 'usr/sbin']) mkdirSync(join(root, folder), { recursive: true });
    prepareForPackages(root);
    const files = (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
      statSync(join(root, path)).isFile(),
    );
    expect(files.sort()).toEqual([...preparedFiles].sort());
  } finally {
    rmSync(root, { recursive: true });
  }
});
