import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { breathe, until } from '../../../scripts/beds/simulated-clock.ts';
import { openStaffPage } from '../../../scripts/beds/staff-page-bed.ts';
import { chromiumFlags, chromiumPath } from '../../../scripts/screens/screens-browser.ts';
import { oneTimeCode, stepAt } from '../../../src/agent/staff-page/one-time-code.ts';
import { readStaff, StaffCodes } from '../../../src/agent/staff-page/staff-codes.ts';

/** As a facility turns it on: codes of eight characters and an authenticator app, made by the command, typed into the page. */
if (!existsSync(chromiumPath)) console.warn('skipped: the second factor needs Chromium (Debian package chromium)');
const main = new URL('../../../src/main.ts', import.meta.url).pathname;
const session = '0190a5b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b';
const code = 'long-code-of-the-nurse';
let bed: AgentBed;
let staffPage: Awaited<ReturnType<typeof openStaffPage>>;
let browser: Browser;
let page: Page;
let secret: string;

const add = (directory: string, staffCode: string) =>
  spawnSync(process.execPath, [main, 'agent', 'staff', 'add', 'nurse-1', '--dir', directory, '--label', '看護師'], {
    input: `${staffCode}\n`,
    encoding: 'utf8',
  });

beforeEach(async () => {
  if (!existsSync(chromiumPath)) return;
  bed = await makeAgentBed();
  const directory = join(bed.testFacility.directory, 'second');
  mkdirSync(directory);
  // What a mistyped directory has not.
  writeFileSync(join(directory, 'facility-keys.json'), '{}');
  writeFileSync(join(directory, 'agent.yaml'), stringify({ staffCodes: { minimumLength: 8, secondFactor: true } }));
  expect(add(directory, '2580')).toMatchObject({ status: 2, stderr: expect.stringContaining('8 to 64') });
  const added = add(directory, code);
  expect(added.status, added.stderr).toBe(0);
  const base32 = /otpauth:\/\/\S*secret=([A-Z2-7]+)/.exec(added.stdout + added.stderr)?.[1] ?? '';
  secret = Buffer.from(bytesOfBase32(base32)).toString('base64url');
  const staff = await readStaff(join(directory, 'staff.json'));
  staffPage = await openStaffPage(bed, staff, {
    staffCodes: new StaffCodes(() => staff, bed.journal.guesses, { minimumLength: 8, secondFactor: true }),
  });
  const state = {
    ...{ device: 'front-1', lane: 1, version: '0.1.0', profile: 'demo', status: 'busy', phase: 'awaitingStaffCheck' },
    ...{ session, catalogueVersion: bed.catalogueVersion, since: bed.clock.now().wallMs },
  };
  await bed.send('state', new TextEncoder().encode(JSON.stringify(state)));
  browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  page = await browser.newPage();
});
afterEach(async () => {
  if (!existsSync(chromiumPath)) return;
  await browser.close();
  await staffPage.close();
  bed.close();
});

/** RFC 4648, section 6, as authenticator apps read it. */
const bytesOfBase32 = (text: string): Uint8Array => {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Uint8Array.from(bits.join('').match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
};

const fill = async (staffCode: string, oneTime: string): Promise<void> => {
  await page.goto(staffPage.address);
  await page.selectOption('select[name=approver]', 'nurse-1');
  await page.fill('input[name=staffCode]', staffCode);
  await page.fill('input[name=oneTimeCode]', oneTime);
  await page.click('form[action="/approve"] button');
};
/** What the page says to it. */
const approve = async (staffCode: string, oneTime: string): Promise<string> => {
  await fill(staffCode, oneTime);
  await page
    .getByText(/違います|返事がありません|伝えました/)
    .first()
    .waitFor();
  return (await page.textContent('body')) ?? '';
};

test.skipIf(!existsSync(chromiumPath))(
  'a code of eight characters and a one-time code approve; neither does alone, nor the same one-time code again',
  async () => {
    const sent = (): number => bed.broker.passedOn('command').length;
    const now = (): string => oneTimeCode(secret, stepAt(bed.clock.now().wallMs));
    const wrong = now() === '000000' ? '111111' : '000000';
    expect(await approve(code, wrong)).toContain('職員コードが違います');
    expect(await approve('2580-2580', now())).toContain('職員コードが違います');
    // Without one the form itself goes nowhere.
    await fill(code, '');
    expect(await page.locator('input[name=oneTimeCode]:invalid').count()).toBe(1);
    expect(await page.inputValue('input[name=staffCode]')).toBe(code);
    expect(sent()).toBe(0);
    // A one-time code that was shown once is used up, though the other code was wrong.
    expect(await approve(code, now())).toContain('職員コードが違います');
    await bed.clock.advance(30_000);
    const used = now();
    const waiting = approve(code, used);
    await until('the command', () => sent() === 1);
    // Its answer is waited for from the moment the broker has it.
    await breathe();
    await bed.clock.advance(20_000);
    expect(await waiting).toContain('返事がありません');
    expect(await approve(code, used)).toContain('職員コードが違います');
    expect(sent()).toBe(1);
  },
);
