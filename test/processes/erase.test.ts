import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkErase } from '../../scripts/trials/erase-check.ts';
import { eraseTree } from '../../src/trust/erase.ts';

it('a tree goes, what a link in it leads to stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-erase-'));
  mkdirSync(join(folder, 'device', 'keys'), { recursive: true });
  writeFileSync(join(folder, 'device', 'keys', 'a'), 'key');
  writeFileSync(join(folder, 'kept'), 'of somebody else');
  symlinkSync(join(folder, 'kept'), join(folder, 'device', 'link'));
  expect(await eraseTree(join(folder, 'device'))).toBe(2);
  expect(readdirSync(folder)).toEqual(['kept']);
  expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('of somebody else');
  rmSync(folder, { recursive: true });
});

it("approvers and settings that lie elsewhere go with an agent, and so does what was not taken of another agent's", () => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-erase-'));
  for (const name of ['agent', 'office']) mkdirSync(join(folder, name));
  const [staffFile, settingsFile] = [join(folder, 'office/staff.json'), join(folder, 'office/settings.yaml')];
  writeFileSync(join(folder, 'agent/agent.yaml'), `staffFile: ${staffFile}\nsettingsFile: ${settingsFile}\n`);
  const files = [staffFile, `${staffFile}.not-taken`, settingsFile, `${settingsFile}.not-taken`];
  for (const file of files) writeFileSync(file, '[]');
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const agent = ['--agent-dir', join(folder, 'agent')];
  const { stdout } = spawnSync(process.execPath, [main, 'erase', ...agent], { encoding: 'utf8', timeout: 60_000 });
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(files));
  rmSync(folder, { recursive: true });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('skipped: the scan of an erased image needs root (mount)');
it.skipIf(!isRoot)(
  'the raw image of an erased clinic holds no key and nothing of a patient; the same search finds all before',
  async () => {
    const figures = await checkErase();
    expect(figures.foundBefore).toBe(figures.canaries);
    expect(figures.canaries).toBeGreaterThan(10);
    expect(figures.hits).toBe(0);
  },
);
