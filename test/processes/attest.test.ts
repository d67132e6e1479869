import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDemoFacility, writeTerminalConfig } from '../../scripts/demonstration/facility.ts';
import { chromiumFlags, chromiumPath } from '../../scripts/screens/screens-browser.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
let folder: string;
let facility: Awaited<ReturnType<typeof createDemoFacility>>;
let config: string;
let tree: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-attest-'));
  facility = await createDemoFacility(join(folder, 'facility'), { answerDelayMs: 0, staffPort: 0 });
  config = writeTerminalConfig(facility, { brokerPort: 8883, screenPort: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  tree = mkdtempSync(join(folder, 'tree-'));
  mkdirSync(join(tree, 'src'));
  writeFileSync(join(tree, 'src', 'main.ts'), 'export const main = 1;\n');
  writeFileSync(join(tree, 'package.json'), '{}');
  symlinkSync('main.ts', join(tree, 'src', 'link.ts'));
});

const attest = (...args: string[]) => {
  const done = spawnSync(process.execPath, [main, 'attest', '--tree', tree, '--config', config, ...args], {
    encoding: 'utf8',
  });
  return { status: done.status, out: done.stdout, error: done.stderr };
};
const said = (): string => join(tree, '..', 'said.txt');
const say = (): string => {
  const { signed } = JSON.parse(attest('--json').out) as { signed: string };
  writeFileSync(said(), signed);
  return signed;
};
const verify = () => attest('--verify', said(), '--devices', facility.agentDirectory);

describe('what runs on a device', () => {
  it('is signed as a QR code, and verified against the same files', () => {
    expect(attest().error).toContain('release-files.json');
    attest('--seal');
    expect(attest()).toMatchObject({ status: 0, out: expect.stringMatching(/[█▀▄]/) });
    say();
    expect(verify()).toMatchObject({ status: 0, out: expect.stringContaining('"genuine":true') });
  });

  it.each([
    ['a byte of a file', () => writeFileSync(join(tree, 'src', 'main.ts'), 'export const main = 2;\n')],
    ['a file that was added', () => writeFileSync(join(tree, 'src', 'other.ts'), '')],
    ['a file that is gone', () => rmSync(join(tree, 'package.json'))],
    [
      'a link that leads elsewhere',
      () => {
        rmSync(join(tree, 'src', 'link.ts'));
        symlinkSync('/etc/passwd', join(tree, 'src', 'link.ts'));
      },
    ],
  ])('%s: not signed, and an earlier word is refused for such a tree', (_what, alter) => {
    attest('--seal');
    say();
    alter();
    expect(attest()).toMatchObject({ status: 1, error: expect.stringContaining('not signed: altered') });
    expect(verify()).toMatchObject({ status: 1, error: expect.stringContaining('is not what lies in') });
  });

  it('an altered file with an altered list of files: signed, and refused by whoever has the release', () => {
    attest('--seal');
    const release = `${tree}-release`;
    spawnSync('cp', ['-a', tree, release]);
    writeFileSync(join(tree, 'src', 'main.ts'), 'evil');
    attest('--seal');
    say();
    tree = release;
    expect(verify()).toMatchObject({ status: 1, error: expect.stringContaining('is not what lies in') });
  });

  it('a changed word, or the word of a stranger, is no word', () => {
    attest('--seal');
    const signed = say();
    writeFileSync(
      said(),
      signed.replace(/\.(.)/, (_, first: string) => `.${first === 'A' ? 'B' : 'A'}`),
    );
    expect(verify()).toMatchObject({ status: 1, error: expect.stringContaining('message.') });
  });
});

if (!existsSync(chromiumPath)) console.warn('skipped: the offline page needs Chromium (Debian package chromium)');
it.skipIf(!existsSync(chromiumPath))('the offline page judges the same', async () => {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  const released = JSON.parse(attest('--seal').out) as { tree: string };
  const signed = say();
  const page = await browser.newPage();
  await page.goto(pathToFileURL(new URL('../../docs/verify-attestation.html', import.meta.url).pathname).href);
  const judged = async (text: string, expected: string): Promise<string | null> => {
    await page.fill('#said', text);
    await page.fill('#devices', readFileSync(join(facility.agentDirectory, 'devices.json'), 'utf8'));
    await page.fill('#expected', expected);
    await page.textContent('#verdict');
    await page.evaluate("document.getElementById('verdict').textContent = ''");
    await page.click('#check');
    await page.waitForFunction("document.getElementById('verdict').textContent !== ''");
    return page.textContent('#verdict');
  };
  expect(await judged(signed, released.tree)).toContain('GENUINE: terminal-01');
  expect(await judged(signed, 'x'.repeat(43))).toContain('ALTERED');
  expect(await judged(`${signed.slice(0, -2)}AA`, released.tree)).toContain('NOT GENUINE');
  await browser.close();
});
