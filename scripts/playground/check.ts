import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { askReport } from '../../drivers/host/health-socket.ts';
import { healthReportSchema } from '../../src/terminal/doctor/health.ts';
import { firstTimeouts } from '../../src/wire/facility-settings.ts';
import { startClinicDemo } from '../demonstration/clinic-demo.ts';
import { ScriptedPatient } from '../demonstration/scripted-patient.ts';
import { chromiumEnvironment, chromiumFlags, chromiumPath } from '../screens/screens-browser.ts';
import { type AnyClinic, type ComparedVisit, comparedVisits } from './compared-visits.ts';
import { clinicOfPage } from './page-clinic.ts';

type Side = {
  readonly clinic: AnyClinic;
  readonly patient: ScriptedPatient;
  /** Of the visit that is played now; emptied before each */
  readonly states: string[];
  close(): Promise<void>;
};

type Trouble = (what: string) => void;

/**
 * Models and camera run in real time: on a busy machine the first visit came before they were loaded, and a painted head
 * that is asked to turn was seen too seldom. So they are waited for, nobody is asked to turn, and a match has the longest
 * time that a clinic may give it: what is compared here are the terminal's rules, not how quick this machine is.
 */
const unhurried = { padStrength: 'off', timeouts: { ...firstTimeouts, faceMs: 120_000 } } as const;
const faceReadyMs = 120_000;

const faceIsReady = async (directory: string): Promise<void> => {
  for (const begunMs = performance.now(); performance.now() - begunMs < faceReadyMs; await setTimeout(100)) {
    const report = await askReport(healthReportSchema, join(directory, 'health.sock'), 2_000);
    if (report?.face.present === true) return;
  }
  throw new Error('the face process is not ready');
};

/** The demo's real processes: terminal, link, face, agent and a broker over TLS. */
const realSide = async (): Promise<Side> => {
  const states: string[] = [];
  const demo = await startClinicDemo({
    ...{ screenPort: 0, staffPort: 0, answerDelayMs: 300, cameraDevice: null, changes: unhurried },
    onLog: (source, line) => {
      if (source === 'terminal' && line.event === 'session.transition') states.push(String(line.to));
    },
  });
  await faceIsReady(demo.directory);
  const patient = await ScriptedPatient.before(demo.screenPort);
  return {
    ...{ clinic: demo, patient, states },
    close: async () => {
      patient.leave();
      await demo.close();
    },
  };
};

/** Whether the page's own policy bites: a script in the page, code from a string, a request to anywhere. */
export const policyBites = (page: Page): Promise<boolean> =>
  page.evaluate(async () => {
    const inPage = globalThis as unknown as {
      document: { createElement(tag: string): { textContent: string }; head: { append(one: unknown): void } };
      planted?: true;
      Function: new (code: string) => () => boolean;
      setTimeout(work: () => void): void;
    };
    const script = inPage.document.createElement('script');
    script.textContent = 'globalThis.planted = true';
    inPage.document.head.append(script);
    const asked = await fetch('http://127.0.0.1:9/').then(
      () => true,
      () => false,
    );
    // In a task of the page's own: a debugger's may run what the policy forbids.
    const ran = await new Promise<boolean>((resolve) =>
      inPage.setTimeout(() => {
        try {
          resolve(new inPage.Function('return true')());
        } catch {
          resolve(false);
        }
      }),
    );
    return inPage.planted === undefined && !asked && !ran;
  });

/** Real Chromium on the built folder, from a file; `hash` as a link has it. */
export const openBuiltPage = async (folder: string, hash: string, trouble: Trouble) => {
  const profile = mkdtempSync(join(tmpdir(), 'uketsuke-playground-'));
  const context = await chromium.launchPersistentContext(profile, {
    ...{ executablePath: chromiumPath, args: chromiumFlags, env: chromiumEnvironment, reducedMotion: 'reduce' },
    viewport: { width: 1600, height: 1200 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const refusals: string[] = [];
  page.on('pageerror', (error) => trouble(`page: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    if (message.text().includes('Content Security Policy')) refusals.push(message.text());
    else trouble(`page: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!/^(file|data|blob|about):/.test(request.url())) trouble(`the page asked ${request.url()}`);
  });
  await page.goto(`${pathToFileURL(join(folder, 'index.html'))}${hash}`);
  const said = page.locator('#trouble:not(:empty)');
  await Promise.race([
    page.frameLocator('#screen').locator('.screen').waitFor(),
    said.waitFor().then(async () => {
      throw new Error(`the page says: ${await said.textContent()}`);
    }),
  ]);
  await page.frameLocator('#staff').locator('main').waitFor();
  const states: string[] = [];
  const { clinic, patient } = await clinicOfPage(
    page,
    (state) => void states.push(state),
    (what) => trouble(`not clicked: ${what}`),
  );
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { clinic, patient, states, close, page, refusals };
};

/** Every state that was entered, each once in a row; what the side was doing before is not of this visit. */
const statesOf = async (
  { clinic, patient, states }: Side,
  visit: ComparedVisit,
  trouble: Trouble,
): Promise<readonly string[]> => {
  states.length = 0;
  await visit.play(clinic, patient).catch((error: Error) => {
    trouble(`${visit.name}: ${error.message}`);
    clinic.order({ type: 'pull' });
  });
  // The log's last line may come a moment after what the screen shows.
  for (let looks = 0; looks < 100 && states.at(-1) !== 'idle'; looks += 1) await setTimeout(20);
  const entered = states.slice(states.indexOf('readingCard'));
  return entered.filter((state, at) => state !== entered[at - 1]);
};

type Compared = { readonly visits: number; readonly same: number; readonly csp: boolean };

const bothWays = async (real: Side, page: Side, visit: ComparedVisit, trouble: Trouble) => {
  const [there, here] = await Promise.all([
    statesOf(real, visit, (what) => trouble(`terminal: ${what}`)),
    statesOf(page, visit, (what) => trouble(`page: ${what}`)),
  ]);
  return { there, here, isSame: there.length > 0 && there.join() === here.join() };
};

/** Plays every visit at both at once; a visit that differs is told with both of its ways. */
export const comparePlayground = async (
  folder: string,
  only: string,
  say: (line: string) => void,
  trouble: Trouble,
): Promise<Compared> => {
  const [real, page] = await Promise.all([realSide(), openBuiltPage(folder, '', trouble)]);
  const visits = comparedVisits.filter(({ name }) => name.includes(only));
  let same = 0;
  try {
    for (const visit of visits) {
      const ways = await bothWays(real, page, visit, trouble);
      same += ways.isSame ? 1 : 0;
      say(`${ways.isSame ? 'same' : 'DIFFERENT'}  ${visit.name}: ${ways.here.join(' → ')}`);
      if (!ways.isSame) say(`           terminal: ${ways.there.join(' → ')}`);
    }
    const before = page.refusals.length;
    const bites = await policyBites(page.page);
    for (const refusal of page.refusals.slice(0, before)) trouble(refusal);
    const shown = await page.page.locator('#trouble').textContent();
    if (shown !== '') trouble(`page: ${shown}`);
    return { visits: visits.length, same, csp: bites && before === 0 };
  } finally {
    await Promise.all([real.close(), page.close()]);
  }
};
