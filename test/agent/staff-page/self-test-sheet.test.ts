import { type Browser, chromium } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createVirtualSpeaker } from '../../../drivers/virtual/virtual-speaker.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { openStaffPage } from '../../../scripts/beds/staff-page-bed.ts';
import { openVisitBed, type VisitBed } from '../../../scripts/beds/visit-bed.ts';
import { chromiumEnvironment, chromiumFlags, chromiumPath } from '../../../scripts/screens/screens-browser.ts';
import type { Inspection } from '../../../src/terminal/visit/session-parts.ts';

/** The sheet of the test before opening, as a browser shows and prints it. */
let bed: VisitBed;
let page: Awaited<ReturnType<typeof openStaffPage>>;
let browser: Browser;
const found: Inspection = { disk: 'disk.nearly-full', reader: 'reader.lost', certificates: 'certificate.expired' };
beforeEach(async () => {
  bed = await openVisitBed({ speaker: createVirtualSpeaker(), inspect: async () => found });
  page = await openStaffPage(bed.agent, []);
  await until('the lane', () => bed.agent.desk.lanes.wireOf('front-1') > 1);
  browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumFlags, env: chromiumEnvironment });
});
afterEach(async () => {
  await browser.close();
  await page.close();
  await bed.close();
});

test('button, answers and print: one page of paper with date, every part, its fault and no button', async () => {
  const sheet = await browser.newPage();
  await sheet.goto(page.address);
  await sheet.getByRole('link', { name: '始業前点検' }).first().click();
  await sheet.getByRole('button', { name: '1番を点検する（窓口で）' }).click();
  await sheet.getByText('点検を始めました').waitFor();
  await until('the camera is asked', () => bed.face.asked);
  bed.face.say({ type: 'preview', jpeg: new Uint8Array([1]) });
  for (const key of [0x08, 0x0d, ...Array.from({ length: 10 }, (_, digit) => 0x30 + digit)]) bed.keypad.press(key);
  await bed.pass(70_000);
  await bed.agent.quiet();
  // The page draws itself anew.
  await sheet.getByText('音は聞こえましたか').waitFor();
  await sheet
    .getByRole('row', { name: /スピーカー/ })
    .getByRole('button', { name: 'はい' })
    .click();
  await sheet.getByText('記録しました').waitFor();

  await sheet.emulateMedia({ media: 'print' });
  // As it is laid out for paper: what is not shown there is not read.
  // biome-ignore lint/performance/useDomNodeTextContent: the layout is what is tested
  const text = await sheet.locator('main').innerText();
  for (const word of [
    'スピーカー',
    'キーパッド',
    '表示灯',
    'カメラ',
    'カードリーダー',
    '通信',
    '電子証明書',
    '時計',
    '保存先',
  ])
    expect(text).toContain(word);
  expect(text).toMatch(/\d{4}年\d+月\d+日 \d\d:\d\d に点検/);
  expect(text).toMatch(/【システム担当者】.*disk\.nearly-full/);
  expect(text).toMatch(/【受付で対応】.*reader\.lost/);
  expect(text).toMatch(/provision clinic --replace front-1`.*certificate\.expired/);
  expect(text).toContain('確認した人');
  expect(await sheet.getByRole('button').count()).toBe(0);
  expect(text).not.toContain('記録しました');
  // Letters that are still on their way would leave the paper blank.
  await sheet.evaluate('document.fonts.ready.then(() => true)');
  const pdf = await sheet.pdf({ preferCSSPageSize: true, ...(process.env.KEEP_PDF && { path: process.env.KEEP_PDF }) });
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g)).toHaveLength(1);
});
