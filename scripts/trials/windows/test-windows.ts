import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WineRoom } from '../../beds/wine-room.ts';
import type { ClinicDemo } from '../../demonstration/clinic-demo.ts';
import { scriptedVisits } from '../../demonstration/visits.ts';
import { makeWindowsFolder } from '../../package/windows.ts';
import { wrongFiles } from './files-of-visits.ts';
import { eventually, type JournalRow, program, startWindowsClinic, type WindowsClinic } from './windows-clinic.ts';

/*
 * scripts/test-windows: see there. `lost`: a visit without an accepted row and an answer, or whose file for the レセコン
 * never came. `filesWrong`: files of face/ and res/ that a strict reader refuses, that miss their end, or that nobody asked for.
 */
const { values } = parseArgs({
  options: { root: { type: 'string' }, json: { type: 'boolean' } },
});
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** The visits that need nothing of the demo but a terminal. */
const played = [
  'pin',
  'refuse-every-consent',
  'wrong-pin-then-right',
  'first-registration',
  'card-pulled-while-consenting',
  'face',
];

const isWhole = ({ verdict, outcome }: JournalRow): boolean =>
  verdict === 'accepted' && outcome !== null && outcome !== 'failed';

// Ordered to go, it takes its processes with it.
process.once('SIGTERM', () => process.exit(143));

let visits = 0;
let lost = 0;
const kills = 0;

/** One visit of the script; what went wrong, or null. `meanwhile` runs beside it. */
const playVisit = async (clinic: WindowsClinic, name: string, meanwhile?: () => Promise<void>): Promise<void> => {
  const visit = scriptedVisits.find((each) => each.name === name);
  if (visit === undefined) throw new Error(`no visit ${name}`);
  visits += 1;
  const known = new Set(clinic.rows().map(({ id }) => id));
  const besides = meanwhile?.();
  try {
    await visit.play(clinic as unknown as ClinicDemo, clinic.patient);
    await besides;
    await eventually('the row of the journal', () => {
      const fresh = clinic.rows().filter(({ id }) => !known.has(id));
      const wanted = visit.expects.registration ? 2 : 1;
      return fresh.length === wanted && fresh.every(isWhole) ? true : undefined;
    });
    say(`  ${name}: accepted and answered`);
  } catch (error) {
    lost += 1;
    clinic.order({ type: 'pull' });
    await besides?.catch(() => {});
    const fresh = clinic.rows().filter(({ id }) => !known.has(id));
    say(
      `  ${name}: LOST: ${(error as Error).message} ${JSON.stringify(fresh)}\n${[...clinic.agent.said().split('\n').slice(-8), ...clinic.terminalSaid.slice(-12)].join('\n')}`,
    );
  }
};

const directory = mkdtempSync(join(tmpdir(), 'uketsuke-windows-'));
const room = await WineRoom.open(values.root ?? '', directory);
try {
  const wine = room.version;
  rmSync(room.path(program), { recursive: true, force: true });
  const folder = makeWindowsFolder(room.path(program));
  say(`Wine ${wine}; the folder has ${folder.modules} modules and ${folder.packages} packages`);
  const clinic = await startWindowsClinic(room, directory, () => {});
  let files = 0;
  let filesWrong = 0;
  try {
    for (const name of played) await playVisit(clinic, name);
    const judged = await wrongFiles(clinic);
    files += judged.files;
    filesWrong += judged.wrong.length;
    for (const each of judged.wrong) say(`  WRONG ${each}`);
  } finally {
    await clinic.close();
  }
  const report = { visits, lost, files, filesWrong, kills, wine, profile: 'demo' };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = visits > 0 && lost === 0 && files > 0 && filesWrong === 0 ? 0 : 1;
} finally {
  room.close();
  rmSync(directory, { recursive: true, force: true });
}
