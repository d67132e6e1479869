/**
 * npm run soak [-- --visits 3000 --json]
 *
 * Visits back to back through the real processes (terminal, link, face process, agent, mosquitto) with the real page in
 * Chromium, started as the kiosk starts it, whose own buttons are pressed: nine by PIN, then one by face. Nobody takes time to read: a button is pressed
 * 0.1 s after it came (the terminal, which takes no finger in the first 0.8 s of a question, is told 0.05 s here), and the
 * next patient does not wait for the closing screen to go. Every 50 visits the memory that each process has made itself (PSS
 * without the pages of programs, which it shares with whatever else this machine runs), at the beginning and at the end what
 * keeps it alive, each time after 20 s of rest; all the time how late its event loop is. For whoever looks for what grows:
 * UKETSUKE_PROBE_RETAINED=folder (probe.ts).
 * `rssGrowthPercent`: of the process that grows most, in 1,000 visits, after the first 500 (left out with fewer than 700).
 * `handlesLeft`: handles and timers of all four that came and stayed. `eventLoopDelayMs`: p99 of the worst.
 * Exit code 1 at 1 % and more, a handle, 20 ms and more, or a visit that did not end as it should.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { personaById } from '../../../drivers/virtual/personas.ts';
import type { LogLine } from '../../demonstration/child.ts';
import { type ClinicDemo, startClinicDemo } from '../../demonstration/clinic-demo.ts';
import { familyOf, ownMb } from '../limit/processes.ts';
import { growthPercent, handlesLeft, type Sample } from './growth.ts';
import { openOwnPage } from './own-page.ts';

const { values: options } = parseArgs({
  options: { visits: { type: 'string', default: '3000' }, json: { type: 'boolean', default: false } },
});
const visits = Number(options.visits);
const persona = 'hanako';
const { face, pins } = personaById(persona);
const sampleEvery = 50;
/** What waits for a visit's own ends has had them by then. ms */
const restMs = 20_000;
/** So many are made before the first look at handles: connections and timers of a lifetime are there by then. */
const beforeFirstLook = Math.min(20, Math.max(1, Math.floor(visits / 3)));
const limits = { growthPercent: 1, handles: 0, lateMs: 20 };

const say = (text: string): void => void process.stderr.write(`soak: ${text}\n`);
const probes = mkdtempSync(join(tmpdir(), 'uketsuke-soak-'));

type Look = {
  readonly lateMs: number;
  readonly resources: Readonly<Record<string, number>>;
  /** bytes; `compilersMost`: the most that V8's compilers and collectors have held outside of the heap at once */
  readonly memory: NodeJS.MemoryUsage & { readonly compiled: number; readonly compilersMost: number };
};

/** What each process says of itself, since it was asked first. */
const askProcesses = async (demo: ClinicDemo): Promise<Readonly<Record<string, Look>>> => {
  const pids = Object.entries(demo.processes());
  for (const [, pid] of pids) {
    rmSync(join(probes, `${pid}.json`), { force: true });
    process.kill(pid, 'SIGUSR2');
  }
  const looks: Record<string, Look> = {};
  for (const [name, pid] of pids) {
    const deadlineMs = performance.now() + 60_000;
    while (looks[name] === undefined) {
      if (performance.now() > deadlineMs) throw new Error(`${name} says nothing of itself`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      try {
        looks[name] = JSON.parse(readFileSync(join(probes, `${pid}.json`), 'utf8')) as Look;
      } catch {
        // Not there yet, or not whole.
      }
    }
  }
  return looks;
};

const askAtRest = async (demo: ClinicDemo) => {
  await new Promise((resolve) => setTimeout(resolve, restMs));
  return askProcesses(demo);
};

const memoryOf = (demo: ClinicDemo, browser: number): Readonly<Record<string, number>> => {
  const own = Object.fromEntries(Object.entries(demo.processes()).map(([name, pid]) => [name, ownMb(pid)]));
  return { ...own, page: familyOf(browser).reduce((sum, pid) => sum + ownMb(pid), 0) };
};

/** So long after one patient took the card away the next lays one there. ms */
const nextPatientMs = 100;
/** The patient presses so long after a question has come, and the terminal takes it half as long after. ms */
const lookMs = 100;

/** The terminal's state, and whoever waits for it to change. */
let state = '';
let onState = (): void => {};
const hear = (_source: string, line: LogLine): void => {
  if (line.event !== 'session.transition') return;
  state = String(line.to);
  onState();
};

/** true: the patient has seen the result. @throws Error where the visit does not end */
const makeVisit = async (demo: ClinicDemo): Promise<boolean> => {
  const ended = new Promise<boolean>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the visit does not end: ${state}`)), 120_000);
    onState = () => {
      if (state !== 'showingResult' && state !== 'interrupted') return;
      clearTimeout(late);
      resolve(state === 'showingResult');
    };
  });
  demo.order({ type: 'insert', persona });
  const isGood = await ended;
  demo.order({ type: 'pull' });
  await new Promise((resolve) => setTimeout(resolve, nextPatientMs));
  return isGood;
};

/** What V8 holds of its heap, what is outside of it for its objects, compiled code, the most that compilers held; MB */
const heapWords = (look: Look | undefined): string => {
  if (look === undefined) return '';
  const { heapUsed, heapTotal, external, compiled, compilersMost } = look.memory;
  const [used, total, outside, code, compilers] = [heapUsed, heapTotal, external, compiled, compilersMost].map(
    (bytes) => (bytes / 2 ** 20).toFixed(1),
  );
  return ` (heap ${used} of ${total}, outside ${outside}, code ${code}, compilers at most ${compilers})`;
};

const run = async (demo: ClinicDemo) => {
  const patient = readFileSync(join(import.meta.dirname, 'page-patient.js'), 'utf8').replace(/;\s*$/, '');
  const page = await openOwnPage(
    demo.screenPort,
    `(${patient})(${JSON.stringify({ pin: pins.auth?.secret ?? '', lookMs })})`,
  );
  demo.setFace(face);
  const memory: Record<string, Sample[]> = {};
  let bad = 0;
  try {
    let before: Readonly<Record<string, Look>> = {};
    let tookMs = 0;
    for (let made = 0; made < visits; made += 1) {
      if (made === beforeFirstLook) before = await askAtRest(demo);
      const beganMs = performance.now();
      if (!(await makeVisit(demo))) bad += 1;
      tookMs += performance.now() - beganMs;
      if ((made + 1) % sampleEvery !== 0) continue;
      const now = memoryOf(demo, page.pid);
      for (const [name, mb] of Object.entries(now)) memory[name] = [...(memory[name] ?? []), { visits: made + 1, mb }];
      const looks = await askProcesses(demo);
      const each = Object.entries(now).map(([name, mb]) => `${name} ${mb.toFixed(1)}${heapWords(looks[name])}`);
      say(
        `${made + 1} of ${visits} visits, ${bad} bad, ${(tookMs / (made + 1) / 1_000).toFixed(2)} s each, MB: ${each.join(', ')}`,
      );
    }
    return { before, after: await askAtRest(demo), memory, bad };
  } finally {
    await page.close();
  }
};

const demo = await startClinicDemo({
  ...{ screenPort: 0, staffPort: 0, answerDelayMs: 100, cameraDevice: null, questions: 'ordinary', onLog: hear },
  otherButtonsMs: lookMs / 2,
  mosquitto: { alsoAllows: [] },
  environment: {
    ...process.env,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'probe.ts')}`,
    UKETSUKE_PROBE_FOLDER: probes,
  },
});
// Who breaks it off leaves nothing running.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void demo.close().finally(() => process.exit(1)));
try {
  const { before, after, memory, bad } = await run(demo);
  let left = 0;
  for (const [name, look] of Object.entries(after)) {
    const more = handlesLeft(before[name]?.resources ?? {}, look.resources);
    left += more;
    say(
      `${name}: event loop late by ${look.lateMs.toFixed(1)} ms (p99), handles left ${more} ${JSON.stringify(look.resources)}`,
    );
  }
  const growth = Object.entries(memory).flatMap(([name, samples]) => {
    const percent = growthPercent(samples);
    if (percent === undefined) return [];
    say(`${name}: ${percent} % in 1,000 visits`);
    return [percent];
  });
  const lateMs = Math.round(Math.max(...Object.values(after).map((look) => look.lateMs)) * 10) / 10;
  const figures = {
    visits,
    ...(growth.length === 0 ? {} : { rssGrowthPercent: Math.max(...growth) }),
    handlesLeft: left,
    eventLoopDelayMs: { p99: lateMs },
    badVisits: bad,
    profile: 'demo',
  };
  say(`load ${loadavg()[1]?.toFixed(1)}`);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  const isGood =
    bad === 0 &&
    left <= limits.handles &&
    lateMs < limits.lateMs &&
    (growth.length > 0 ? Math.max(...growth) < limits.growthPercent : visits < 700);
  process.exitCode = isGood ? 0 : 1;
} finally {
  await demo.close();
  rmSync(probes, { recursive: true, force: true });
}
