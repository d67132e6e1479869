import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pcscdMissing } from '../../scripts/beds/pcscd-bed.ts';
import { whatIsMissing } from '../../src/cli/kit-card.ts';

test('whoever lacks a package is told the command that brings it, and whoever is not root that they must be', () => {
  expect(whatIsMissing(() => true, true)).toBeNull();
  expect(whatIsMissing(() => true, false)).toContain('root');
  expect(whatIsMissing(() => false, true)).toMatch(
    / apt-get install -y --no-install-recommends pcscd vsmartcard-vpcd iproute2$/,
  );
  expect(whatIsMissing((path) => path.startsWith('/usr/'), false)).toMatch(/: sudo apt-get .* vsmartcard-vpcd$/);
});

const clients = [
  ['Python', ['/usr/bin/python3', 'docs/examples/read-card.py'], ['/usr/bin/python3', '-c', 'import smartcard']],
  ['Perl', ['perl', 'docs/examples/read-card.pl'], ['perl', '-MChipcard::PCSC', '-e', '1']],
] as const;

describe.each(clients)('a client in %s', (language, client, [program, ...probe]) => {
  const reason =
    pcscdMissing() ??
    (spawnSync(program, probe).status === 0
      ? null
      : `its PC/SC library is not installed (scripts/debian-packages.txt)`);
  if (reason !== null) console.warn(`skipped: a card client in ${language}: ${reason}`);

  test.skipIf(reason !== null)('reads the card in one command, and is judged', { timeout: 120_000 }, () => {
    const kit = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'kit', 'card', '--persona', 'hanako', '--'];
    const { stdout, status } = spawnSync(process.execPath, [...kit, ...client], { encoding: 'utf8', timeout: 110_000 });
    expect(stdout).toContain('JPKIAPICCTOKEN2: 3 tries left');
    expect(stdout.trim().split('\n').at(-1)).toBe('{"apdus":5,"findings":[]}');
    expect(status).toBe(0);
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
