import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SoftwareTpm, softwareTpmMissing } from '../../scripts/beds/software-tpm.ts';
import { typed } from '../../scripts/beds/typed-command.ts';
import { createDemoFacility, writeTerminalConfig } from '../../scripts/demonstration/facility.ts';
import { chromiumFlags, chromiumPath } from '../../scripts/screens/screens-browser.ts';
import { deviceDirectory, enrolDevice } from '../../src/agent/provisioning/facility-authority.ts';
import { makeDeviceKeys } from '../../src/agent/provisioning/make-device-keys.ts';
import { keptTpmKey } from '../../src/cli/attestation-key.ts';
import { keyFiles } from '../../src/trust/key-files.ts';

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

const attest = (...args: string[]) => typed(['attest', '--tree', tree, '--config', config, ...args]);
const said = (): string => join(tree, '..', 'said.txt');
const say = async (): Promise<string> => {
  const { signed } = JSON.parse((await attest('--json')).out) as { signed: string };
  writeFileSync(said(), signed);
  return signed;
};
const verify = () => attest('--verify', said(), '--devices', facility.agentDirectory);

describe('what runs on a device', () => {
  it('is signed as a QR code, and verified against the same files', async () => {
    expect((await attest()).error).toContain('release-files.json');
    await attest('--seal');
    expect(await attest()).toMatchObject({ status: 0, out: expect.stringMatching(/[█▀▄]/) });
    await say();
    expect(await verify()).toMatchObject({ status: 0, out: expect.stringContaining('"genuine":true') });
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
  ])('%s: not signed, and an earlier word is refused for such a tree', async (_what, alter) => {
    await attest('--seal');
    await say();
    alter();
    expect(await attest()).toMatchObject({ status: 1, error: expect.stringContaining('not signed: altered') });
    expect(await verify()).toMatchObject({ status: 1, error: expect.stringContaining('is not what lies in') });
  });

  it('an altered file with an altered list of files: signed, and refused by whoever has the release', async () => {
    await attest('--seal');
    const release = `${tree}-release`;
    spawnSync('cp', ['-a', tree, release]);
    writeFileSync(join(tree, 'src', 'main.ts'), 'evil');
    await attest('--seal');
    await say();
    tree = release;
    expect(await verify()).toMatchObject({ status: 1, error: expect.stringContaining('is not what lies in') });
  });

  it('a changed word, or the word of a stranger, is no word', async () => {
    await attest('--seal');
    const signed = await say();
    writeFileSync(
      said(),
      signed.replace(/\.(.)/, (_, first: string) => `.${first === 'A' ? 'B' : 'A'}`),
    );
    expect(await verify()).toMatchObject({ status: 1, error: expect.stringContaining('message.') });
  });
});

const tpm = new SoftwareTpm();
afterAll(() => tpm.remove());
let inTpm: readonly string[];
/** The word of the TPM's device, signed with its file key */
let saidByFile: string;
const noTpm = softwareTpmMissing();
if (noTpm !== null) console.warn(`skipped: attestation by a TPM: ${noTpm}`);
describe.skipIf(noTpm !== null)('a device with a TPM', () => {
  let device: string;
  beforeAll(async () => {
    await tpm.start();
    device = join(folder, 'with-tpm');
    const attestationKey = await keptTpmKey(device, tpm.name);
    const keys = { ...(await makeDeviceKeys(device)), attestationKey };
    const { directory } = facility;
    await enrolDevice(directory, 'terminal-02', 2, keys);
    const { trust } = keyFiles;
    cpSync(join(deviceDirectory(directory, 'terminal-02'), 'terminal', trust), join(device, 'terminal', trust));
    const text = readFileSync(config, 'utf8');
    const other = join(folder, 'with-tpm.yaml');
    writeFileSync(other, text.replaceAll(deviceDirectory(directory, 'terminal-01'), device));
    inTpm = ['--config', other, '--tpm', tpm.name];
  });
  afterAll(() => tpm.stop());

  const sayInTpm = () => attest(...inTpm, '--json');
  const write = (out: string): string => {
    const { signed } = JSON.parse(out) as { signed: string };
    writeFileSync(said(), signed);
    return signed;
  };

  it('signs with the key in it, says so, and is verified', async () => {
    await attest('--seal');
    const done = await sayInTpm();
    expect(JSON.parse(done.out)).toMatchObject({ device: 'terminal-02', key: 'tpm' });
    write(done.out);
    expect(await verify()).toMatchObject({ status: 0, out: expect.stringContaining('"key":"tpm"') });
    expect((await attest(...inTpm)).out).toContain("key in this device's TPM");
    expect((await attest()).out).toContain('key in a file');
    writeFileSync(join(tree, 'src', 'main.ts'), 'evil');
    expect(await sayInTpm()).toMatchObject({ status: 1, out: '' });
  });

  it('is not believed by its file key: a copy of its disk says nothing', async () => {
    await attest('--seal');
    const key = join(device, 'terminal', keyFiles.attestationKey);
    renameSync(key, `${key}.aside`);
    const done = await sayInTpm();
    renameSync(`${key}.aside`, key);
    expect(JSON.parse(done.out)).toMatchObject({ key: 'file' });
    saidByFile = write(done.out);
    expect(await verify()).toMatchObject({ status: 1, error: expect.stringContaining('message.forged') });
  });

  it('with another TPM, or none that answers, says nothing: no other key takes its place', async () => {
    await attest('--seal');
    const other = new SoftwareTpm();
    await other.start();
    const elsewhere = await attest(...inTpm, '--tpm', other.name);
    await other.remove();
    expect(elsewhere).toMatchObject({ status: 2, out: '', error: expect.stringContaining('tpm2_load') });
    await tpm.stop();
    const silent = await sayInTpm();
    await tpm.start();
    expect(silent).toMatchObject({ status: 2, out: '', error: expect.stringContaining('the TPM') });
    expect((await sayInTpm()).status).toBe(0);
  });
});

if (!existsSync(chromiumPath)) console.warn('skipped: the offline page needs Chromium (Debian package chromium)');
it.skipIf(!existsSync(chromiumPath))('the offline page judges the same', async () => {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  const released = JSON.parse((await attest('--seal')).out) as { tree: string };
  const signed = await say();
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
  expect(await judged(signed, released.tree)).toContain('in a file of the device, not in a TPM');
  expect(await judged(`${signed.slice(0, -2)}AA`, released.tree)).toContain('NOT GENUINE');
  if (noTpm === null) {
    // Of the test before: a file key and a TPM's key of the same device.
    await attest('--seal');
    await tpm.start();
    const inItsTpm = JSON.parse((await attest(...inTpm, '--json')).out).signed as string;
    await tpm.stop();
    expect(await judged(inItsTpm, released.tree)).toContain("signed with a key in the device's TPM");
    expect(await judged(saidByFile, released.tree)).toContain('NOT GENUINE: no device');
  }
  await browser.close();
});
