import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { JournalVisit } from '../../../src/agent/journal/journal.ts';
import { WineRoom } from '../../beds/wine-room.ts';
import { parseLogLine } from '../../demonstration/child.ts';
import type { ClinicDemo } from '../../demonstration/clinic-demo.ts';
import { faultsOfVisit, reportOf } from '../../demonstration/judge-visit.ts';
import { Timeline } from '../../demonstration/timeline.ts';
import { scriptedVisits } from '../../demonstration/visits.ts';
import { makeWindowsFolder } from '../../package/windows.ts';
import { wrongFiles } from './files-of-visits.ts';
import { fillDisk } from './full-disk.ts';
import { holdFilesOpen, ReceiptComputer } from './held-files.ts';
import { tryService } from './installed-service.ts';
import { moveBetweenVisits } from './moved-clinic.ts';
import { eventually, program, startWindowsClinic, type WindowsClinic } from './windows-clinic.ts';

/*
 * scripts/test-windows: see there. `lost`: a visit without an accepted row and an answer, or whose file for the レセコン
 * never came. `wrong`: one that nobody disturbed and that ended otherwise than it must. `filesWrong`: files of face/ and res/ that a strict reader refuses, that miss their end, or that nobody asked for.
 */
const { values } = parseArgs({
  options: { root: { type: 'string' }, json: { type: 'boolean' }, only: { type: 'string' } },
});
/** Alone, each takes a minute on a quiet machine; what was left out is no success of the whole. */
const parts = ['visits', 'face', 'kills', 'held', 'disk', 'moved', 'service'] as const;
const plays = (part: (typeof parts)[number]): boolean => values.only?.split(',').includes(part) ?? true;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** The visits that need nothing of the demo but a terminal. */
const played = [
  'pin',
  'refuse-every-consent',
  'wrong-pin-then-right',
  'first-registration',
  'card-pulled-while-consenting',
];

const isWhole = ({ verdict, outcome }: JournalVisit): boolean =>
  verdict === 'accepted' && outcome !== null && outcome !== 'failed';

// Ordered to go, it takes its processes with it.
process.once('SIGTERM', () => process.exit(143));

let visits = 0;
let lost = 0;
let kills = 0;
let unsigned = 0;
let wrong = 0;

/** The screen stands at the beginning again, whatever became of the last visit. */
const goHome = async (clinic: WindowsClinic): Promise<void> => {
  clinic.order({ type: 'pull' });
  await eventually('the idle screen', () => (clinic.patient.screen === 'idle' ? true : undefined));
};

/**
 * One visit of the script. Lost: a request that was signed has no row, or no answer. It must end as the script expects; a
 * patient whom an agent that was killed meanwhile (`kill` runs beside it) sends to the desk before anything is signed has
 * lost nothing, and such visits are counted apart.
 */
const playVisit = async (
  clinic: WindowsClinic,
  name: string,
  { kill, mayEndByPin = false }: { readonly kill?: () => Promise<void>; readonly mayEndByPin?: boolean } = {},
): Promise<string | null> => {
  const visit = scriptedVisits.find((each) => each.name === name);
  if (visit === undefined) throw new Error(`no visit ${name}`);
  const known = new Set(clinic.rows().map(({ requestId }) => requestId));
  const fresh = (): JournalVisit[] => clinic.rows().filter(({ requestId }) => !known.has(requestId));
  const before = clinic.terminalSaid.length;
  const timeline = new Timeline();
  const besides = kill?.();
  const trouble = await visit.play(clinic as unknown as ClinicDemo, clinic.patient).then(
    () => null,
    (error: Error) => error.message,
  );
  try {
    await besides;
    await goHome(clinic);
    const lines = clinic.terminalSaid.slice(before).flatMap((line) => parseLogLine(line) ?? []);
    for (const line of lines) timeline.add('terminal', line);
    const signed = lines.filter(({ event }) => event === 'request.signed').length;
    await eventually('the rows of the journal', () => {
      const rows = fresh();
      return rows.length >= signed && rows.every(isWhole) ? true : undefined;
    });
    if (signed > 0) visits += 1;
    else unsigned += 1;
    const rows = fresh();
    const report = reportOf(name, rows, timeline.times());
    const disturbed = kill !== undefined;
    const method = mayEndByPin && report.method === 'pin' ? 'pin' : visit.expects.method;
    const expected = { ...visit.expects, method };
    const faults = faultsOfVisit(report, rows, timeline, expected, { trouble, disturbed });
    if (faults.length > 0) wrong += 1;
    const late = trouble === null ? '' : ` (the screen: ${trouble})`;
    say(`  ${name}: ${signed === 0 ? 'ended before anything was signed' : 'accepted and answered'}${late}`);
    for (const fault of faults) say(`  ${name}: WRONG: ${fault}`);
    if (faults.length > 0) say(clinic.terminalSaid.slice(before).slice(-25).join('\n'));
    return report.method;
  } catch (error) {
    visits += 1;
    lost += 1;
    say(
      `  ${name}: LOST: ${(error as Error).message} ${trouble} ${JSON.stringify(fresh())}\n${[...clinic.agent.said().split('\n').slice(-8), ...clinic.terminalSaid.slice(-12)].join('\n')}`,
    );
    return null;
  }
};

/**
 * By face. The face process looks at a person beside everything that Wine does here, and on a busy machine it may see too
 * little before the screen goes on to the PIN: then the visit ends by PIN, counted as any, and the person comes again. The
 * last of so many must end by face.
 */
const faceTriesAtMost = 3;
let faceTries = 0;
const playFace = async (clinic: WindowsClinic): Promise<void> => {
  for (let method: string | null = 'pin'; method === 'pin' && faceTries < faceTriesAtMost; ) {
    faceTries += 1;
    method = await playVisit(clinic, 'face', { mayEndByPin: faceTries < faceTriesAtMost });
  }
};

/** From the moment the card lies on the reader. ms */
const killMoments = [200, 900, 1_800, 2_700, 3_600, 4_500];

/** The agent's process is ended in the middle of a visit, as a power cut would, and begun again. */
const killAt = async (clinic: WindowsClinic, moment: number): Promise<void> => {
  await eventually('the card', () => (clinic.patient.screen === 'idle' ? undefined : true));
  await new Promise((resolve) => setTimeout(resolve, moment));
  await clinic.agent.kill();
  kills += 1;
  const { screen } = clinic.patient;
  await clinic.agent.start(clinic.brokerPort);
  say(`  killed ${moment} ms after the card, at ${screen}`);
};

/** What the official software's PC is set up with: saved by Notepad, with its mark of UTF-8 and its line ends. */
const asNotepadSaves = (agentDirectory: string): void => {
  for (const name of ['agent.yaml', 'facility-settings.yaml']) {
    const path = join(agentDirectory, name);
    writeFileSync(path, `\ufeff${readFileSync(path, 'utf8').replaceAll('\n', '\r\n')}`);
  }
};

let failed = 0;
const trial = async (name: string, play: () => Promise<void>): Promise<void> => {
  try {
    await play();
    say(`  ${name}: as it should be`);
  } catch (error) {
    failed += 1;
    say(`  ${name}: FAILED: ${(error as Error).message}`);
  }
};

const directory = mkdtempSync(join(tmpdir(), 'uketsuke-windows-'));
const root = values.root ?? '';
const room = await WineRoom.open(root, directory);
try {
  const wine = room.version;
  rmSync(room.path(program), { recursive: true, force: true });
  const folder = makeWindowsFolder(room.path(program));
  say(`Wine ${wine}; the folder has ${folder.modules} modules and ${folder.packages} packages`);
  const judged = { files: 0, wrong: [] as string[] };
  if (parts.some((part) => part !== 'service' && plays(part))) {
    const clinic = await startWindowsClinic(room, directory, asNotepadSaves);
    try {
      if (plays('visits')) for (const name of played) await playVisit(clinic, name);
      if (plays('face')) await playFace(clinic);
      if (plays('kills'))
        for (const moment of killMoments) await playVisit(clinic, 'pin', { kill: () => killAt(clinic, moment) });
      const computer = new ReceiptComputer(room, clinic);
      const pin = async (): Promise<void> => void (await playVisit(clinic, 'pin'));
      if (plays('held')) await trial('files held open', () => holdFilesOpen(computer, pin));
      if (plays('disk')) await trial('a full disk', () => fillDisk(room, clinic, pin));
      if (plays('moved')) await trial('a move by the backup', () => moveBetweenVisits(room, clinic, pin));
      Object.assign(judged, await wrongFiles(clinic));
      for (const each of judged.wrong) say(`  WRONG ${each}`);
    } finally {
      await clinic.close();
    }
  }
  room.close();
  const service = { recoverMs: 0 };
  if (plays('service'))
    await trial('the service', async () => void Object.assign(service, await tryService(root, directory, say)));
  const { files } = judged;
  const filesWrong = judged.wrong.length;
  const report = {
    visits,
    lost,
    files,
    filesWrong,
    kills,
    wine,
    unsigned,
    faceTries,
    wrong,
    failed,
    serviceRecoverMs: service.recoverMs,
    profile: 'demo',
    ...(values.only !== undefined && { only: values.only }),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const hasSeenAll = values.only !== undefined || (visits > 0 && files > 0 && kills > 0);
  process.exitCode = hasSeenAll && lost + wrong + filesWrong + failed === 0 ? 0 : 1;
} finally {
  room.close();
  rmSync(directory, { recursive: true, force: true });
}
