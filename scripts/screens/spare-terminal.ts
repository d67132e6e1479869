/**
 * A receptionist puts the spare terminal into service: `npm run spare-terminal -- --json`. Her hands are this script, the
 * screens are the real ones (patient's page and staff page in Chromium, processes of the demo). Every step of the sheet
 * (`spareSteps`) is done as it is written, and counted; a step that the screens do not let her do fails. What only hands do
 * (carrying, plugging) and what only a board does (its boot) is an allowance, named; everything else is measured.
 */

import { chromium, type Page } from 'playwright-core';
import { spareSteps } from '../../src/agent/staff-page/spare-view.ts';
import { startClinicDemo } from '../demonstration/clinic-demo.ts';
import { chromiumEnvironment, chromiumFlags, chromiumPath, openBrowser } from './screens-browser.ts';

const mostSteps = 8;
const mostSeconds = 300;
/** Walking, unplugging and plugging without haste, by step; the rest is measured. s */
const handSeconds: Readonly<Record<number, number>> = { 1: 30, 2: 20, 3: 15, 4: 5, 6: 10, 7: 25, 8: 10 };
/** A board's own boot, before any program of ours: the allowance of the aim, not measured here. s */
const bootSeconds = 60;
const waitMs = 60_000;
const keys = [0x08, 0x0d, ...Array.from({ length: 10 }, (_, digit) => 0x30 + digit)];

let begun = 0;
/** One step of the sheet, by its number: what she does, and how long it took. */
const step = async (work: () => Promise<unknown> | unknown): Promise<void> => {
  begun += 1;
  const text = spareSteps[begun - 1];
  if (text === undefined) throw new Error(`step ${begun} does not stand on the sheet`);
  const began = performance.now();
  await work();
  const ms = Math.round(performance.now() - began);
  process.stderr.write(`${begun}. ${text}（機械 ${(ms / 1_000).toFixed(1)} 秒、手 ${handSeconds[begun] ?? 0} 秒）\n`);
};

const openDesk = async (address: string): Promise<{ readonly desk: Page; readonly close: () => Promise<void> }> => {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: chromiumFlags,
    env: chromiumEnvironment,
  });
  const desk = await browser.newPage();
  await desk.goto(address);
  return { desk, close: () => browser.close() };
};

const walk = async () => {
  const beganMs = performance.now();
  await step(() => undefined);
  await step(() => undefined);
  await step(() => undefined);
  const closers: (() => Promise<void>)[] = [];
  try {
    // Power on: all processes of the terminal, and here those of the clinic's PC besides.
    const started = { demo: null as Awaited<ReturnType<typeof startClinicDemo>> | null };
    await step(async () => {
      started.demo = await startClinicDemo({
        ...{ screenPort: 0, staffPort: 0, answerDelayMs: 300, cameraDevice: null, onLog: () => {} },
        questions: 'ordinary',
      });
    });
    const { demo } = started;
    if (demo === null) throw new Error('nothing began');
    closers.push(() => demo.close());
    const screen = await openBrowser(demo.screenPort);
    closers.push(screen.close);
    const { desk, close } = await openDesk(demo.agent.staffPage);
    closers.push(close);
    await step(async () => {
      await screen.page.waitForSelector('[data-screen="idle"]', { timeout: waitMs });
      await screen.page.getByRole('heading', { name: 'マイナンバーカードを' }).waitFor({ timeout: waitMs });
      await desk.getByText('受付できます').first().waitFor({ timeout: waitMs });
    });
    await step(async () => {
      await desk.getByRole('link', { name: '始業前点検' }).first().click();
      await desk.getByRole('button', { name: /点検する/ }).click();
      await desk.getByText('点検を始めました').waitFor({ timeout: waitMs });
    });
    await step(async () => {
      for (const key of keys) demo.order({ type: 'keypad', key });
      await desk.getByText('表示灯の色が変わりましたか').waitFor({ timeout: waitMs });
    });
    await step(async () => {
      for (;;) {
        const yes = desk.getByRole('button', { name: 'はい' });
        if ((await yes.count()) === 0) break;
        await yes.first().click();
        await desk.getByText('記録しました').waitFor({ timeout: waitMs });
      }
      await desk
        .locator('.pill', { hasText: /^(異常|結果)/ })
        .first()
        .waitFor({ timeout: waitMs });
    });
    const verdict = (await desk.locator('h2 .pill').first().textContent()) ?? '';
    const rows = await desk.locator('tbody tr').allTextContents();
    return {
      machineMs: performance.now() - beganMs,
      verdict: verdict.trim(),
      rows: rows.map((row) => row.replaceAll(/\s+/g, ' ').trim()),
    };
  } finally {
    for (const close of closers.reverse()) await close().catch(() => {});
  }
};

const { machineMs, verdict, rows } = await walk();
const hands = Object.values(handSeconds).reduce((sum, seconds) => sum + seconds, 0);
const seconds = Math.round(machineMs / 1_000 + hands + bootSeconds);
for (const row of rows) process.stderr.write(`   ${row}\n`);
const isGood = verdict === '異常なし' && begun <= mostSteps && begun === spareSteps.length && seconds <= mostSeconds;
process.stdout.write(
  `${JSON.stringify({ steps: begun, keyboard: 0, seconds, machineSeconds: Math.round(machineMs / 1_000), handSeconds: hands, bootSeconds, verdict })}\n`,
);
process.exit(isGood ? 0 : 1);
