/**
 * The staff page in Chromium on a screen of 1366 × 768, in the states of its lanes and all its pages: axe (WCAG 2.2 AA),
 * nothing beyond the edge, every control reached and used by the keyboard alone, with a focus that is seen; and that a
 * lane which needs somebody is told by sound, title and icon. `npm run screens -- --staff --json`.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { addStaffMember, readStaff } from '../../src/agent/staff-page/staff-codes.ts';
import { staffPagePaths } from '../../src/agent/staff-page/start-staff-page.ts';
import type { StateMessage } from '../../src/wire/messages.ts';
import { topicOf } from '../../src/wire/topics.ts';
import { simulatedStartMs } from '../beds/simulated-clock.ts';
import { openStaffPage } from '../beds/staff-page-bed.ts';
import { facility } from '../beds/test-facility.ts';
import { openVisitBed } from '../beds/visit-bed.ts';
import { chromiumEnvironment, chromiumFlags, chromiumPath } from './screens-browser.ts';

type AxeResults = {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { html: string }[] }[];
};
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const states: Readonly<Record<string, Partial<StateMessage>>> = {
  idle: { status: 'idle', phase: 'idle' },
  check: { status: 'busy', phase: 'awaitingStaffCheck', session: crypto.randomUUID(), language: 'vi' },
  help: { status: 'idle', phase: 'idle', helpCalledAt: simulatedStartMs },
  fault: { status: 'out-of-service', phase: 'outOfService', code: 'reader.lost' },
  offline: { status: 'offline' },
};

/** Presses Tab through the whole page: how many controls got a focus that is seen, and which never did. */
const byKeyboard = async (tab: Page): Promise<{ readonly reached: number; readonly missed: readonly string[] }> => {
  await tab.evaluate(
    "document.activeElement?.blur(); document.querySelectorAll('details').forEach((each) => (each.open = true))",
  );
  const wanted = (await tab.evaluate(
    `(() => { const all = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,summary')]
      .filter((each) => each.checkVisibility() && !each.disabled); all.forEach((each, at) => each.dataset.at = at); return all.length; })()`,
  )) as number;
  const seen = new Set<string>();
  // A field for a month is several stops: year, month and its calendar.
  for (let presses = 0; presses < 2 * wanted + 3; presses += 1) {
    await tab.keyboard.press('Tab');
    const at = (await tab.evaluate(
      `(() => { const one = document.activeElement; const style = getComputedStyle(one);
        return one.dataset?.at !== undefined && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 ? one.dataset.at : ''; })()`,
    )) as string;
    if (at !== '') seen.add(at);
  }
  const missed = (await tab.evaluate(
    `[...document.querySelectorAll('[data-at]')].filter((each) => !${JSON.stringify([...seen])}.includes(each.dataset.at)).map((each) => each.outerHTML.slice(0, 90))`,
  )) as string[];
  return { reached: seen.size, missed };
};

/** A staff page of an agent that has everything but a real broker, with a lane that says what it is told to. */
const openWalkedDesk = async () => {
  const visits = await openVisitBed();
  const bed = visits.agent;
  const staffFile = join(bed.testFacility.directory, 'staff.json');
  await addStaffMember(staffFile, { approver: 'nurse-1', label: '看護師 A' }, '1234');
  const staff = await readStaff(staffFile);
  const page = await openStaffPage(bed, staff);
  const show = (more: Partial<StateMessage>): void => {
    const state = { device: 'front-2', lane: 2, version: '0.1.0', profile: 'demo', ...more };
    const whole = { ...state, catalogueVersion: bed.catalogueVersion, since: bed.clock.now().wallMs };
    bed.broker.deliver(topicOf(facility, 'front-2', 'state'), new TextEncoder().encode(JSON.stringify(whole)), true);
  };
  const close = async (): Promise<void> => {
    await page.close();
    await visits.close();
  };
  return { address: page.address, show, close };
};
type StaffPage = Awaited<ReturnType<typeof openWalkedDesk>>;

/** A browser at a desk: its tones are counted instead of heard. */
const openDesk = async (): Promise<{ readonly tab: Page; readonly close: () => Promise<void> }> => {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [...chromiumFlags, '--lang=ja', '--autoplay-policy=no-user-gesture-required'],
    env: chromiumEnvironment,
  });
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'ja-JP' });
  await context.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  await context.addInitScript(
    'window.rings = 0; const start = OscillatorNode.prototype.start; OscillatorNode.prototype.start = function (...at) { window.rings += 1; return start.apply(this, at); };',
  );
  return { tab: await context.newPage(), close: () => browser.close() };
};

/** Told while the page lies behind another window: nothing is loaded anew by hand. */
const isTold = async (tab: Page, { address, show }: StaffPage, found: string[]): Promise<boolean> => {
  const until = async (condition: string): Promise<void> => {
    for (let looks = 0; looks < 200; looks += 1) {
      if ((await tab.evaluate(condition)) === true) return;
      await tab.waitForTimeout(50);
    }
    found.push(`sound: never ${condition}`);
  };
  show({ status: 'idle', phase: 'idle' });
  await tab.goto(address);
  await tab.evaluate('window.rings = 0');
  show({ ...states.help, helpCalledAt: simulatedStartMs });
  await until("document.title.startsWith('● 2番')");
  const icon = await tab.getAttribute('#icon', 'href');
  const rings = (await tab.evaluate('window.rings')) as number;
  if (rings !== 2) found.push(`sound: ${rings} tones instead of one chime of two`);
  await tab.click('#bell');
  await tab.evaluate('window.rings = 0');
  show({ ...states.check, session: crypto.randomUUID() });
  await until("document.querySelector('[data-attention*=check]') !== null");
  if (((await tab.evaluate('window.rings')) as number) !== 0) found.push('sound: heard though muted for the day');
  return icon?.includes('called') === true;
};

export const walkStaffPage = async (): Promise<Record<string, unknown> & { readonly isGood: boolean }> => {
  const page = await openWalkedDesk();
  const { show } = page;
  const { tab, close } = await openDesk();
  const found: string[] = [];
  tab.on('pageerror', (error) => found.push(`page: ${error.message}`));
  let shots = 0;
  let reached = 0;
  const look = async (name: string): Promise<void> => {
    shots += 1;
    const wide = (await tab.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
    if (wide > 0) found.push(`overflow: ${name}: ${wide} px`);
    const axe = (await tab.evaluate(
      `axe.run(document, { runOnly: ${JSON.stringify(axeTags)}, resultTypes: ['violations'] })`,
    )) as AxeResults;
    for (const { id, nodes } of axe.violations)
      for (const { html } of nodes) found.push(`axe: ${name}: ${id} ${html.slice(0, 120)}`);
    const keys = await byKeyboard(tab);
    reached += keys.reached;
    for (const missed of keys.missed) found.push(`keyboard: ${name}: ${missed}`);
  };
  show({ status: 'idle', phase: 'idle' });
  for (const path of staffPagePaths) {
    await tab.goto(new URL(path, page.address).href);
    await look(path);
  }
  const fonts = (await tab.evaluate(
    'document.fonts.check(\'18px "Noto Sans JP"\') && [...document.fonts].length',
  )) as number;
  for (const [name, state] of Object.entries(states)) {
    show(state);
    await tab.goto(page.address);
    await look(`/ ${name}`);
  }
  const iconCalls = await isTold(tab, page, found);
  await close();
  await page.close();
  for (const one of found) process.stderr.write(`staff: ${one}\n`);
  const count = (kind: string): number => found.filter((one) => one.startsWith(kind)).length;
  return {
    shots,
    viewport: '1366x768',
    axe: count('axe'),
    overflow: count('overflow'),
    keyboardReached: reached,
    keyboardMissed: count('keyboard'),
    soundFaults: count('sound'),
    ownFonts: fonts,
    iconCalls,
    isGood: found.length === 0 && fonts > 0,
  };
};
