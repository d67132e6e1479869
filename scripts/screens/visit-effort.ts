/**
 * What a visit costs its visitor: whole visits through the demonstration's real processes, by a finger on the real page in
 * Chromium, and by ear and keypad with the lengths of the real sound files.
 *
 *   npm run visit-effort -- --json
 *
 * A touch is one pointer-down. `machineMs`: card in → receipt screen, less the time in which the product waits for the
 * person: until the finger comes down, and 0.7 s from the words to the movement, and back, where the head is to be turned
 * or the eyes shut; the simulated national service answers after 0.3 s. The ordinary visit is made five times, once with the
 * models cold, and its median is given. `questions`: screens that ask or must be acknowledged, the
 * way to be identified not among them. `blind`: a visitor who hears each heading and what can be chosen, then chooses.
 */
import type { Page } from 'playwright-core';
import { faceIds } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { spokenLengths } from '../beds/timed-ear.ts';
import { startClinicDemo } from '../demonstration/clinic-demo.ts';
import { reactionMs } from '../demonstration/painted-head.ts';
import { blindVisitSeconds } from './listen-to-visits.ts';
import { openBrowser } from './screens-browser.ts';

const persona = 'hanako';
const answerDelayMs = 300;
const ordinaryVisits = 5;
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
  if (window.look !== undefined) return window.look();
  const look = window.look = () => {
    const screen = document.querySelector('.screen');
    const word = screen === null ? '' : screen.dataset.screen + ' ' + document.querySelector('h1')?.textContent;
    if (window.story.at(-1)?.word !== word) window.story.push({ word, atMs: performance.timeOrigin + performance.now() });
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  addEventListener('pointerdown', () => window.story.push({ word: 'finger', atMs: performance.timeOrigin + performance.now() }), { capture: true });
  look();
})()`;

/** What asks for a movement of the head or the eyes. */
const movements = (['turn-left', 'turn-right', 'blink'] as const).map(
  (hint) => catalogueAt(Date.now()).languages.ja?.texts[`face.hint.${hint}`] ?? '',
);
/** The page breaks lines where a phrase ends. */
const asDrawn = (word: string): string => word.replaceAll('\u200b', '');

/** Visits by face that ended at the PIN: told, and made again a few times. */
let fellToPin = 0;
const mostFallen = 5;

const visits = async (questions: 'ordinary' | 'every', count: number): Promise<Effort[]> => {
  const demo = await startClinicDemo({
    ...{ screenPort: 0, staffPort: 0, answerDelayMs, cameraDevice: null, onLog: () => {} },
    questions,
  });
  const { page, close } = await openBrowser(demo.screenPort);
  try {
    await page.waitForSelector('[data-screen="idle"]', { timeout: 60_000 });
    demo.setFace(faceIds.find((id) => id === personas.get(persona)?.face) ?? null);
    const efforts: Effort[] = [];
    while (efforts.length < count) {
      await page.waitForSelector('[data-screen="idle"]', { timeout: 60_000 });
      await page.evaluate(watchPage);
      const cardInMs = performance.timeOrigin + performance.now();
      demo.order({ type: 'insert', persona });
      const effort = await follow(page, cardInMs);
      if (effort === null) fellToPin += 1;
      else efforts.push(effort);
      if (fellToPin > mostFallen) throw new Error(`${fellToPin} visits by face were sent to the PIN`);
      demo.order({ type: 'pull' });
    }
    return efforts;
  } finally {
    await close();
    await demo.close();
  }
};

/**
 * Presses what each screen offers, after a look, until the receipt; null: the face check ended at the PIN, so that this is no
 * visit by face (on a busy machine the painted head's turn is seen in too few frames and taken for a recording's).
 */
const follow = async (page: Page, cardInMs: number): Promise<Effort | null> => {
  const deadlineMs = performance.now() + 90_000;
  let answered = '';
  let asked = 0;
  for (;;) {
    if (performance.now() > deadlineMs) {
      const shown = (await page.evaluate('window.story')) as readonly {
        readonly word: string;
        readonly atMs: number;
      }[];
      for (const { word, atMs } of shown)
        process.stderr.write(`visit-effort: ${Math.round(atMs - cardInMs)} ms after the card: ${word}\n`);
      throw new Error(`the visit did not end, at ${answered}`);
    }
    const [screen = '', heading = ''] = (await page.evaluate(
      "[document.querySelector('.screen')?.dataset.screen, document.querySelector('h1')?.textContent]",
    )) as (string | undefined)[];
    if (screen === 'accepted') break;
    if (screen === 'pin') return null;
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
  const end = story.findLast(({ word }) => word.startsWith('accepted'));
  let waitedMs = 0;
  for (const [index, { word, atMs }] of story.entries())
    process.stderr.write(`visit-effort: ${Math.round(atMs - (story[index - 1]?.atMs ?? atMs))} ms later: ${word}\n`);
  for (const [index, { word, atMs }] of story.entries()) {
    const nextMs = story[index + 1]?.atMs ?? atMs;
    if (presses[word.split(' ')[0] ?? ''] !== undefined) waitedMs += nextMs - atMs;
    // Until the head has turned, and then until it has turned back.
    const before = story[index - 1]?.word ?? '';
    if ([word, before].some((each) => movements.some((movement) => asDrawn(each).endsWith(movement))))
      waitedMs += Math.min(nextMs - atMs, reactionMs);
  }
  return {
    touches: story.filter(({ word }) => word === 'finger').length,
    questions: asked,
    machineMs: Math.round((end?.atMs ?? 0) - cardInMs - waitedMs),
  };
};

const middle = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const ordinaries = await visits('ordinary', ordinaryVisits);
const ordinary = {
  touches: Math.max(...ordinaries.map(({ touches }) => touches)),
  questions: Math.max(...ordinaries.map(({ questions }) => questions)),
  machineMs: middle(ordinaries.map(({ machineMs }) => machineMs)),
  machineMsOfEach: ordinaries.map(({ machineMs }) => machineMs),
};
const [every] = await visits('every', 1);
if (every === undefined) throw new Error('no visit with every question');
const blind = await blindVisitSeconds(spokenLengths());
const isGood =
  ordinary.touches <= targets.touches &&
  ordinary.machineMs <= targets.machineMs &&
  every.touches <= every.questions + 1 &&
  blind.ordinary <= targets.blindSeconds;
process.stdout.write(
  `${JSON.stringify({
    profile: 'demo',
    ordinary,
    everyQuestion: { questions: every.questions, touches: every.touches, machineMs: every.machineMs },
    blind: { seconds: blind.ordinary, everyQuestionSeconds: blind.every },
    fellToPin,
  })}\n`,
);
process.exitCode = isGood ? 0 : 1;
