/**
 * npm run bench [-- --visits 25 --json] [--svg docs/pictures/visit-timeline.svg] [--no-idle]
 *
 * Visits by face and by PIN through the real processes (terminal, link, face process, agent; mosquitto with mutual TLS,
 * SQLite with its fsyncs, the models), with a card and wire that take their time: 424 kbps, one signature 60 or 185 ms.
 * `--visits`: of each method and chip, so four times as many; 3.3 s each, most of it the looks of a person before each
 * touch, which the terminal asks for: 600 take 35 minutes, 1,000 of each method almost two hours. A visit is cut where a
 * person's part ends and the machine's begins. Beside each part stands the least that it could take in this same run: wire
 * and chip, the models' own runs for the card's photo (frames come while it is read), one fsync at either end, one way there
 * and back through the broker, each measured between the visits.
 * `ratio`: of the sums of a visit. `softwareMs`: their difference. `rssMb`: PSS of terminal and face process. `startMs`:
 * from the terminal's start to ready, code compiled before, as on a device. `idleCpuPercent`: of the process that takes
 * most while nobody is there, the page in Chromium among them.
 * Exit code 1 when a figure is above its budget (scripts/bench/limit/budget.json).
 *
 * Not shown: a real card, camera, display and board; the camera's frames are painted before somebody is looked at, by a process
 * of its own, and cost as little then as a camera's that sends pictures as they are.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { personaById } from '../../../drivers/virtual/personas.ts';
import { mosquittoPath } from '../../beds/mosquitto.ts';
import { type ClinicDemo, startClinicDemo } from '../../demonstration/clinic-demo.ts';
import { chromiumPath, openBrowser } from '../../screens/screens-browser.ts';
import { bareTopics } from '../../trials/bare-topics.ts';
import { openLeast } from './least.ts';
import { chromiumOf, idleCpuPercent, pssMb } from './processes.ts';
import { type Apdu, type Method, personas, TimedPatient, type Visit } from './stages.ts';
import { timelineSvg } from './timeline-svg.ts';
import { figuresOf, quantile, stageFigures } from './visit-figures.ts';

const { values: options } = parseArgs({
  options: {
    visits: { type: 'string', default: '25' },
    json: { type: 'boolean', default: false },
    svg: { type: 'string' },
    'no-idle': { type: 'boolean', default: false },
  },
});
const visitsOfEach = Number(options.visits);
const framesPerSecond = 30;
const chips = [60, 185] as const;
/** So long nobody is there. ms */
const idleMs = 30_000;
/** Code that is compiled and pools that fill are not a visit's; a terminal runs for months. */
const warmUps = 2;
/** Visits that are none of the machine alone are told, and made again: on a busy machine the face is seen in too few frames. */
const mostAstray = 2 * visitsOfEach + 5;

const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);
if (mosquittoPath === null || !existsSync(chromiumPath)) {
  say('needs the Debian packages mosquitto and chromium');
  process.exit(1);
}
const compiled = mkdtempSync(join(tmpdir(), 'uketsuke-compiled-'));
const apdus: Apdu[] = [];

const openClinic = (signatureMs: number): Promise<ClinicDemo> =>
  startClinicDemo({
    ...{ screenPort: 0, staffPort: 0, answerDelayMs: 300, cameraDevice: null, questions: 'ordinary' },
    ...{ framesPerSecond, paintedApart: true },
    mosquitto: { alsoAllows: [bareTopics.request] },
    card: {
      timing: { kbps: 424, signatureMs, commandMs: 0 },
      onApdu: (deviceMs, atMs) => apdus.push({ deviceMs, atMs }),
    },
    environment: { ...process.env, NODE_COMPILE_CACHE: compiled },
    onLog: () => {},
  });

const astray = { prompted: 0, 'fell-to-pin': 0 };

const visitsWith = async (demo: ClinicDemo, signatureMs: number): Promise<readonly Visit[]> => {
  const least = await openLeast(demo.directory, demo.broker.port);
  const patient = await TimedPatient.before(demo.screenPort);
  const visits: Visit[] = [];
  // Stands there all the time: whoever comes with a PIN is not looked at.
  demo.setFace(personaById(personas.face).face);
  const one = async (method: Method): Promise<Visit> => {
    for (;;) {
      const visit = await patient.visit(demo, method, apdus, await least.measure(), signatureMs);
      if (typeof visit !== 'string') return visit;
      astray[visit] += 1;
      if (astray.prompted + astray['fell-to-pin'] > mostAstray)
        throw new Error(`too many visits: ${JSON.stringify(astray)}`);
    }
  };
  try {
    for (let round = -warmUps; round < visitsOfEach; round += 1)
      for (const method of ['face', 'pin'] as const) {
        const visit = await one(method);
        if (round >= 0) visits.push(visit);
      }
  } finally {
    demo.setFace(null);
    patient.leave();
    least.close();
  }
  return visits;
};

const measureIdle = async (demo: ClinicDemo): Promise<number> => {
  const { page, close } = await openBrowser(demo.screenPort);
  try {
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await page.waitForSelector('[data-screen="idle"]', { timeout: 30_000 });
    // All that belongs to a page's coming has come, and a morning's 始業前点検, which begins as soon as nobody is served.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const percent = await idleCpuPercent({ ...demo.processes(), page: chromiumOf(process.pid) }, idleMs);
    for (const [name, share] of Object.entries(percent)) say(`idle, ${name}: ${share} % of a processor`);
    return Math.max(...Object.values(percent));
  } finally {
    await close();
  }
};

const run = async () => {
  // Once to compile, as the package's installation does on a device.
  await (await openClinic(60)).close();
  const visits: Visit[] = [];
  const startMs: number[] = [];
  let rss = 0;
  let idle: number | undefined;
  for (const signatureMs of chips) {
    const demo = await openClinic(signatureMs);
    try {
      startMs.push(demo.startMs);
      visits.push(...(await visitsWith(demo, signatureMs)));
      const { terminal, face } = demo.processes();
      rss = Math.max(rss, pssMb(terminal) + pssMb(face));
      say(`chip of ${signatureMs} ms: ${visits.length} visits, ${JSON.stringify(figuresOf(visits))}`);
      if (!options['no-idle'] && idle === undefined) idle = await measureIdle(demo);
    } finally {
      await demo.close();
    }
  }
  return { visits, startMs: Math.round(quantile(startMs, 0.5)), rssMb: Math.round(rss), idle };
};

const { visits, startMs, rssMb, idle } = await run().finally(() => rmSync(compiled, { recursive: true, force: true }));
const stages = stageFigures(visits);
for (const { method, stage, p50Ms, leastMs, deviceMs, software } of stages)
  say(
    `${method}, ${stage}: ${p50Ms} ms, least ${leastMs} (of it card and wire ${deviceMs}); beyond it ${software.p50} (p99 ${software.p99})`,
  );
const load = loadavg()[1]?.toFixed(1);
if (options.svg !== undefined) {
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(
    options.svg,
    timelineSvg(stages, `npm run bench, ${visits.length} visits, 424 kbps, ${day}, load ${load}`),
  );
}
const figures = {
  ...figuresOf(visits),
  ...{ rssMb, startMs },
  ...(idle === undefined ? {} : { idleCpuPercent: idle }),
};
const budget = JSON.parse(readFileSync(join(import.meta.dirname, 'budget.json'), 'utf8')) as Budget;
type Budget = { readonly [Name in keyof typeof figures]?: number | Readonly<Record<string, number>> };
const over = Object.entries(budget).flatMap(([name, most]) => {
  const seen = figures[name as keyof typeof figures] as number | Readonly<Record<string, number>> | undefined;
  if (typeof most === 'number') return typeof seen === 'number' && seen > most ? [`${name} ${seen} > ${most}`] : [];
  return Object.entries(most ?? {}).flatMap(([share, limit]) => {
    const value = typeof seen === 'object' ? seen[share] : undefined;
    return value === undefined || value > limit ? [`${name}.${share} ${value} > ${limit}`] : [];
  });
});
for (const each of over) say(`over its budget: ${each}`);
say(`${visits.length} visits, made again ${JSON.stringify(astray)}, load ${load}`);
process.stdout.write(`${JSON.stringify({ ...figures, visits: visits.length, madeAgain: astray, profile: 'demo' })}\n`);
process.exitCode = over.length === 0 ? 0 : 1;
