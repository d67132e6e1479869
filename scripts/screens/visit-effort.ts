/**
 * What a visit costs its visitor: whole visits through the demonstration's real processes, by a finger on the real page in
 * Chromium, and by ear and keypad with the lengths of the real sound files.
 *
 *   npm run visit-effort -- --json
 *
 * A touch is one pointer-down. `machineMs`: card in → receipt screen, less the time in which the product waits for the
 * person; the simulated national service answers after 0.3 s. `questions`: screens that ask or must be acknowledged, the
 * way to be identified not among them. `blind`: a visitor who hears each heading and what can be chosen, then chooses.
 */
import type { Page } from 'playwright-core';
import { faceIds } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';
import { spokenLengths } from '../beds/timed-ear.ts';
import { startClinicDemo } from '../demonstration/clinic-demo.ts';
import { blindVisitSeconds } from './listen-to-visits.ts';
import { openBrowser } from './screens-browser.ts';

const persona = 'hanako';
const answerDelayMs = 300;
const targets = { touches: 2, machineMs: 2_500, blindSeconds: 90 };

/** What a visitor who wants everything presses, by screen. */
const presses: Readonly<Record<string, string>> = {
  'choose-method': 'use-face',
  'consent-bundle': 'agree',
  'consent-item': 'decline',
  'specific-disease': 'agree',
  'medical-subsidy': 'use',
  'prescription-form': 'electronic',
  'referral-documents': 'next',
  'certificate-notice': 'next',
  summary: 'confirm',
};

type Effort = { readonly touches: number; readonly questions: number; readonly machineMs: number };

/** Writes down, inside the page, when which screen came and when the finger came down. */
const watchPage = `(() => {
  window.story = [];
  const look = () => {
    const screen = document.querySelector('.screen');
    const word = screen === null ? '' : screen.dataset.screen + ' ' + document.querySelector('h1')?.textContent;
    if (window.story.at(-1)?.word !== word) window.story.push({ word, atMs: performance.now() });
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  addEventListener('pointerdown', () => window.story.push({ word: 'finger', atMs: performance.now() }), { capture: true });
  look();
})()`;

const visit = async (questions: 'ordinary' | 'every'): Promise<Effort> => {
  const demo = await startClinicDemo({
    ...{ screenPort: 0, staffPort: 0, answerDelayMs, cameraDevice: null, onLog: () => {} },
    questions,
  });
  const { page, close } = await openBrowser(demo.screenPort);
  try {
    await page.waitForSelector('[data-screen="idle"]', { timeout: 60_000 });
    await page.evaluate(watchPage);
    demo.setFace(faceIds.find((id) => id === personas.get(persona)?.face) ?? null);
    demo.order({ type: 'insert', persona });
    return await follow(page);
  } finally {
    await close();
    await demo.close();
  }
};

/** Presses what each screen offers, after a look, until the receipt. */
const follow = async (page: Page): Promise<Effort> => {
  const deadlineMs = performance.now() + 90_000;
  let answered = '';
  let asked = 0;
  for (;;) {
    if (performance.now() > deadlineMs) throw new Error(`the visit did not end, at ${answered}`);
    const [screen = '', heading = ''] = (await page.evaluate(
      "[document.querySelector('.screen')?.dataset.screen, document.querySelector('h1')?.textContent]",
    )) as (string | undefined)[];
    if (screen === 'accepted') break;
    const control = presses[screen];
    const word = `${screen} ${heading}`;
    if (control === undefined || word === answered) {
      await page.waitForTimeout(20);
      continue;
    }
    // A finger is not meant for what has only just come.
    await page.waitForTimeout(1_000);
    const button = page.locator(`[data-control="${control}"]`).first();
    const spot = await button.boundingBox();
    if (spot === null) continue;
    const waits = (await button.getAttribute('aria-disabled')) === 'true';
    await page.mouse.click(spot.x + spot.width / 2, spot.y + spot.height / 2);
    if (waits) {
      await page.waitForTimeout(700);
      continue;
    }
    answered = word;
    if (screen !== 'choose-method') asked += 1;
  }
  const story = (await page.evaluate('window.story')) as { readonly word: string; readonly atMs: number }[];
  const begin = story.find(({ word }) => word.startsWith('reading')) ?? story[0];
  const end = story.findLast(({ word }) => word.startsWith('accepted'));
  let waitedMs = 0;
  for (const [index, { word, atMs }] of story.entries())
    process.stderr.write(`visit-effort: ${Math.round(atMs - (story[index - 1]?.atMs ?? atMs))} ms later: ${word}\n`);
  for (const [index, { word, atMs }] of story.entries()) {
    if (presses[word.split(' ')[0] ?? ''] === undefined) continue;
    const next = story[index + 1];
    if (next !== undefined) waitedMs += next.atMs - atMs;
  }
  return {
    touches: story.filter(({ word }) => word === 'finger').length,
    questions: asked,
    machineMs: Math.round((end?.atMs ?? 0) - (begin?.atMs ?? 0) - waitedMs),
  };
};

const ordinary = await visit('ordinary');
const every = await visit('every');
const blind = await blindVisitSeconds(spokenLengths());
const isGood =
  ordinary.touches <= targets.touches &&
  ordinary.machineMs <= targets.machineMs &&
  every.touches <= every.questions + 1 &&
  blind.ordinary <= targets.blindSeconds;
process.stdout.write(
  `${JSON.stringify({
    profile: 'demo',
    ordinary: { touches: ordinary.touches, questions: ordinary.questions, machineMs: ordinary.machineMs },
    everyQuestion: { questions: every.questions, touches: every.touches, machineMs: every.machineMs },
    blind: { seconds: blind.ordinary, everyQuestionSeconds: blind.every },
  })}\n`,
);
process.exitCode = isGood ? 0 : 1;
