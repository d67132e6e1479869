/**
 * In the container, which begins with the packages of an earlier release: set up by that release's own guide, a patient, the
 * update by apt, a patient, the way back by apt and by docs/updating.md, a patient, the update once more, a patient.
 * Nobody's visit may be gone after any of it that was there before.
 */
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { guideAnswers, guideCommands, wayBackSection } from './guide.ts';
import { allActive, servePatient, services, setUpByStick } from './serve.ts';
import { figures, network, sh, step } from './steps.ts';

const journal = '/var/lib/uketsuke-agent/journal.sqlite';
const install = 'DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends';

const read = <T>(sql: string): T[] => {
  const database = new DatabaseSync(journal, { readOnly: true });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
};
const visits = (): readonly string[] =>
  read<{ request_id: string }>(`SELECT request_id FROM request WHERE kind = 'eligibility'`).map(
    (row) => row.request_id,
  );
const form = (): number => read<{ user_version: number }>('PRAGMA user_version')[0]?.user_version ?? 0;
const version = (): string => sh("dpkg-query --status uketsuke | sed -n 's/^Version: //p'");

const earlier = version();

/** What must still be there. */
let kept: readonly string[] = [];

const patient = async (): Promise<void> => {
  await servePatient();
  const now = visits();
  const lost = kept.filter((id) => !now.includes(id));
  if (lost.length > 0) throw new Error(`visits are gone from the journal: ${lost.join(', ')}`);
  if (now.length <= kept.length) throw new Error('the visit is not in the journal');
  kept = now;
};

const setUp = async (): Promise<void> => {
  writeFileSync('clinic.yaml', guideAnswers('/usr/lib/uketsuke/docs/technician-guide.md'));
  sh(
    'uketsuke provision clinic --test --answers clinic.yaml --card-trust /trial/cache/test-authority --codes-to /media/usb',
  );
  await setUpByStick();
};

let formBefore = 0;

const update = async (): Promise<void> => {
  formBefore = form();
  const before = version();
  sh(`${install} /trial/debs/*.deb`, 300);
  if (version() === before) throw new Error(`apt left ${before} in place`);
  await allActive(90);
};

const wayBackCommands = guideCommands('/project/docs/technician-guide.md', wayBackSection).map((each) =>
  each.replace(/^sudo /, ''),
);
const isInstall = (command: string): boolean => command.startsWith('apt-get install ');

/** By the guide's commands in their order; those of PC and terminal that install are one: this machine is both. */
const wayBack = async (): Promise<void> => {
  const newer = form();
  const packages = wayBackCommands.filter(isInstall).flatMap((each) => each.replace('apt-get install ', '').split(' '));
  for (const command of wayBackCommands.filter(
    (each, index, all) => !isInstall(each) || all.findIndex(isInstall) === index,
  ))
    if (isInstall(command)) sh(`cd /trial/former && ${install} ${[...new Set(packages)].join(' ')}`, 300);
    else sh(command);
  if (version() !== earlier) throw new Error(`apt left ${version()} in place`);
  await allActive(90);
  figures.journalForm = newer;
  figures.journalFormBefore = formBefore;
  if (form() !== formBefore) throw new Error(`form ${form()} of the journal was to be ${formBefore}`);
  // What was accepted by the newer release is not in the copy: the guide says so.
  const now = visits();
  figures.visitsOnlyInTheNewer = kept.filter((id) => !now.includes(id)).length;
  if (newer === formBefore && figures.visitsOnlyInTheNewer > 0) throw new Error('visits are gone from the journal');
  kept = now;
};

process.chdir('/root');
network();
sh('mkdir -p /media/usb');
const steps: readonly (readonly [string, () => Promise<void>])[] = [
  ['set up by its own guide', setUp],
  ['a patient with a PIN', patient],
  ['the update by apt', update],
  ['after the update a patient with a PIN', patient],
  ['the way back by apt', wayBack],
  ['after the way back a patient with a PIN', patient],
  ['the update by apt once more', update],
  ['after that a patient with a PIN', patient],
];
for (const [name, work] of steps) await step(`${earlier}: ${name}`, work);
figures.formerVisits = kept.length;
await step(`${earlier}: nothing has been left failed`, () => {
  const failed = sh('systemctl --failed --no-legend --plain');
  if (services.some((unit) => failed.includes(unit))) throw new Error(failed);
});
sh('journalctl --no-pager -b > /trial/journal.txt');
