import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectBundle } from '../../drivers/update-board/rauc-bundle.ts';
import { makeBundle, makeSigner } from '../../scripts/trials/update-vm/releases.ts';

const missing = ['rauc', 'mksquashfs', 'openssl'].filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);
if (missing.length > 0) console.warn(`skipped: bundles need ${missing.join(', ')}`);
const folder = mkdtempSync(join(tmpdir(), 'uketsuke-bundle-'));
const rauc = join(folder, 'rauc');
const at = (name: string): string => join(folder, 'bundles', `${name}.raucb`);
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  if (missing.length > 0) return;
  const release = { system: join(folder, 'system'), boot: join(folder, 'boot'), version: '0.2.0' };
  for (const image of [release.system, release.boot]) writeFileSync(image, Buffer.alloc(8_192, image));
  const signer = makeSigner(folder, 'release');
  // As on a device: one configuration, one trust file.
  const config = `[system]\ncompatible=uketsuke-terminal-amd64\nbootloader=noop\n\n[keyring]\npath=${signer.authority}\ncheck-purpose=codesign\n`;
  writeFileSync(join(folder, 'system.conf'), config);
  writeFileSync(rauc, `#!/bin/sh\nexec rauc -c ${join(folder, 'system.conf')} "$@"\n`, { mode: 0o755 });
  mkdirSync(join(folder, 'bundles'));
  makeBundle(folder, 'good', release, signer);
  makeBundle(folder, 'foreign', release, makeSigner(folder, 'stranger'));
  // The signature lies at the end, its length in the last eight bytes.
  const bytes = readFileSync(at('good'));
  const broken = Buffer.from(bytes);
  const place = broken.length - 40;
  broken[place] = (broken[place] ?? 0) ^ 0xff;
  writeFileSync(at('broken'), broken);
  const unsigned = Buffer.from(bytes);
  unsigned.fill(0, unsigned.length - 8);
  writeFileSync(at('unsigned'), unsigned);
  copyFileSync(at('good'), at('short'));
  truncateSync(at('short'), 5_000);
  writeFileSync(at('nonsense'), 'no bundle at all');
});

describe.skipIf(missing.length > 0)('a bundle as RAUC sees it', () => {
  it('that is signed tells what it is', async () => {
    const seen = await inspectBundle(at('good'), rauc);
    expect(seen).toMatchObject({ signature: 'trusted', version: '0.2.0', compatible: 'uketsuke-terminal-amd64' });
    expect(seen?.id).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(['foreign', 'broken', 'unsigned', 'short', 'nonsense'])('that is %s is not trusted', async (name) => {
    const seen = await inspectBundle(at(name), rauc);
    expect(seen?.signature).not.toBe('trusted');
    if (name === 'foreign') expect(seen?.signature).toBe('foreign');
  });

  it('that is not there, or a RAUC that is not there, is none', async () => {
    expect(await inspectBundle(at('away'), rauc)).toBeNull();
    expect((await inspectBundle(at('good'), join(folder, 'no-rauc')))?.signature).not.toBe('trusted');
  });
});
