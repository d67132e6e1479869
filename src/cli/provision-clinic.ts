import { randomInt } from 'node:crypto';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { makeOqsFolders } from '../agent/oqs-folder/write-oqs-file.ts';
import { newPassphrase } from '../agent/provisioning/authority-key.ts';
import { writeCardTrust } from '../agent/provisioning/card-trust.ts';
import { hasOffers, offerEnrolment } from '../agent/provisioning/enrolment.ts';
import type { EnrolmentCode } from '../agent/provisioning/enrolment-code.ts';
import { offerLetters, qrText, shownLetters } from '../agent/provisioning/enrolment-letters.ts';
import {
  addAgent,
  createFacility,
  listDevices,
  readFacility,
  revokeDevice,
} from '../agent/provisioning/facility-authority.ts';
import { addStaffMember, readStaff } from '../agent/staff-page/staff-codes.ts';
import { firstFacilitySettings } from '../catalogue/first-settings.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { printYaml } from '../config-file/plain-yaml.ts';
import { printProblems, readSettings } from '../config-file/read-settings.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { needFolder, readGiven } from '../storage/read-given.ts';
import { keyFiles } from '../trust/key-files.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import { facilityKinds, facilitySettingsSchema } from '../wire/facility-settings.ts';
import { markedAsTest, testMark } from '../wire/profile.ts';
import { type ChosenChains, cardTrustPlace, chooseChains } from './clinic-card-trust.ts';
import { agentLiesInFacility, clinicSystem } from './clinic-system.ts';
import { modelsFolder, readManifest } from './models-folder.ts';
import { refuseHalfRestored } from './move-windows.ts';
import { agentId, brokerPort, clinicPlaces, enrolmentPort, exists, passphraseFile } from './provision-places.ts';
import { inWords, tell } from './say.ts';

/** What somebody must know; read from a file, so that a second run asks nothing. */
const answersSchema = z.strictObject({
  facility: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'small letters, digits and hyphens, a letter first'),
  name: facilitySettingsSchema.shape.facilityName,
  institutionCode: z.string().regex(/^\d{10}$/, '10 digits, in quotes'),
  kind: z.enum(facilityKinds),
  /** One terminal a lane */
  lanes: z.int().min(1).max(99).default(1),
  /** Who read what is said about the face models' licence and accepts it; absent: no face matching */
  faceModelsAcceptedBy: z.string().min(1).max(60).optional(),
});
type Answers = z.infer<typeof answersSchema>;

/** Throws with the place of each mistake. */
export const readAnswers = async (path: string): Promise<Answers> => checkedAnswers(path, readGiven(path));
const checkedAnswers = (path: string, text: string | Uint8Array): Answers => {
  const read = readSettings(answersSchema, text);
  if (!read.ok) throw new Error(printProblems(path, read.failure).trimEnd());
  return read.value;
};

type ClinicOptions = {
  readonly answers?: string;
  readonly cardTrust?: string;
  readonly test?: true;
  readonly codesTo?: string;
  readonly caPassphraseFile: string;
  readonly host?: string;
  readonly waitMinutes: string;
  readonly replace?: string;
};

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);

const unverifiedModels = async (): Promise<EnrolmentCode['acceptedModels']> =>
  (await readManifest(modelsFolder)).models
    .filter(({ licenceStatus }) => licenceStatus === 'unverified')
    .map(({ id, sha256 }) => ({ id, sha256 }));

const aboutModels = [
  'About matching faces: nobody says which pictures some of the models learnt from, and their licence is not publicly confirmed',
  '(models/README.md).',
  'The facility decides whether to use it: whoever decides is named in the answers as faceModelsAcceptedBy. Without it faces',
  'are not matched; PIN and staff check remain.',
].join('\n');

let isToldOfModels = false;
/** Once a run: whoever was asked has read it. */
const tellOfModels = (): void => {
  if (!isToldOfModels) tell(aboutModels);
  isToldOfModels = true;
};

const acceptanceFile = 'face-model-acceptance.json';

/** Who accepted which files, when: told once, kept. Another file of a model must be accepted anew. */
export const acceptModels = async (
  { faceModelsAcceptedBy: by }: Pick<Answers, 'faceModelsAcceptedBy'>,
  folder: string = clinicPlaces.facility,
): Promise<EnrolmentCode['acceptedModels']> => {
  if (by === undefined) {
    tellOfModels();
    return [];
  }
  const models = await unverifiedModels();
  const path = join(folder, acceptanceFile);
  const records: readonly { by: string; models: EnrolmentCode['acceptedModels'] }[] = (await exists(path))
    ? JSON.parse(await readFile(path, 'utf8'))
    : [];
  const isKept = records.some((record) => record.by === by && JSON.stringify(record.models) === JSON.stringify(models));
  if (!isKept) {
    tellOfModels();
    const record = { by, at: new Date().toISOString(), models };
    await writeFileAtomically(path, `${JSON.stringify([...records, record], null, 2)}\n`);
  }
  return models;
};

const facilityFile = join(clinicPlaces.facility, 'facility.json');

/** null: it was taken away into the safe, and nothing is to be signed now. Made with the facility, never for one that has its own. */
const findPassphrase = async (file: string): Promise<string | null> => {
  if (await exists(file)) return (await readFile(file, 'utf8')).trim();
  if (await exists(facilityFile)) return null;
  const passphrase = newPassphrase();
  await writeFileAtomically(file, `${passphrase}\n`);
  await clinicSystem.closeToAgent(file);
  return passphrase;
};

/** Facility, agent and their files: what is there stays. */
const makeFacility = async (answers: Answers, names: readonly string[], passphrase: string | null): Promise<void> => {
  if (passphrase !== null && !(await exists(facilityFile)))
    await createFacility(clinicPlaces.facility, {
      facility: answers.facility,
      brokerNames: names,
      caPassphrase: passphrase,
    });
  const { facility, agents } = await readFacility(clinicPlaces.facility);
  if (facility !== answers.facility)
    throw new Error(`${clinicPlaces.facility} holds the facility ${facility}, not ${answers.facility}`);
  // The agent's own place is where it is handed over: a terminal that is added or revoked is known there at once.
  await makeFolder(join(clinicPlaces.facility, 'agents'), 0o700);
  const link = join(clinicPlaces.facility, 'agents', agentId);
  if (!agentLiesInFacility && !(await exists(link))) await symlink(clinicPlaces.agent, link);
  if (agents.length === 0) await addAgent(clinicPlaces.facility, agentId, passphrase === null ? {} : { passphrase });
};

/** After a trial the mark goes, before one it comes; the rest of the file stays as somebody wrote it. */
const keepNameTrue = async (file: string, isTest: boolean): Promise<void> => {
  const document = parseDocument(await readFile(file, 'utf8'));
  const name = String(document.get('facilityName') ?? '');
  const wanted = isTest ? markedAsTest(name) : name.replace(testMark, '');
  if (name === wanted) return;
  document.set('facilityName', wanted);
  await writeFileAtomically(file, document.toString());
};

/** For the next run. */
const keptAnswers = join(clinicPlaces.facility, 'answers.yaml');

/** From the file that was named, else as they were given before, else asked of whoever sits here. */
const findAnswers = async (named: string | undefined): Promise<Answers> => {
  const file = named ?? ((await exists(keptAnswers)) ? keptAnswers : undefined);
  return file === undefined ? checkedAnswers('answers', printYaml(await askAnswers())) : await readAnswers(file);
};

/** One answer that fits: another is asked for again at once, not with all the others when everything has been typed. */
export const askUntilItFits = async <T>(
  ask: () => Promise<string>,
  schema: z.ZodType<T>,
  read: (typed: string) => unknown = (typed) => typed,
): Promise<T> => {
  for (;;) {
    const fits = schema.safeParse(read(await ask()));
    if (fits.success) return fits.data;
    tell('this does not fit; once more, please');
  }
};

/** Each answer by `ask`, which is told what to ask for. */
export const answersBy = async (ask: (english: string) => Promise<string>): Promise<z.input<typeof answersSchema>> => {
  const { shape } = answersSchema;
  const facility = await askUntilItFits(
    () => ask('id of the facility, as clinic-0001 (never changes)'),
    shape.facility,
  );
  const name = await askUntilItFits(() => ask('its name, as patients know it'), shape.name);
  const institutionCode = await askUntilItFits(() => ask('its 医療機関等コード, 10 digits'), shape.institutionCode);
  const kind = await askUntilItFits(
    () => ask('its kind: 1 medical, 2 dental, 3 pharmacy, 4 visiting nurse'),
    shape.kind,
    (typed) => facilityKinds[Number(typed) - 1] ?? typed,
  );
  const lanes = await askUntilItFits(() => ask('how many terminals'), shape.lanes, Number);
  tellOfModels();
  const faceModelsAcceptedBy = await ask('who accepts the face models (nothing: no matching of faces)');
  return {
    ...{ facility, name, institutionCode, kind, lanes },
    ...(faceModelsAcceptedBy !== '' && { faceModelsAcceptedBy }),
  };
};

const askAnswers = async (): Promise<z.input<typeof answersSchema>> => {
  if (!process.stdin.isTTY) throw new Error('--answers FILE is missing, and nobody sits here who could be asked');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await answersBy(async (english) => (await lines.question(`${inWords(english)}: `)).trim());
  } finally {
    lines.close();
  }
};

const makeAgent = async (answers: Answers, { texts, isTest }: ChosenChains): Promise<string | null> => {
  if (texts !== null) await writeCardTrust(cardTrustPlace, texts);
  const settings = join(clinicPlaces.agent, 'facility-settings.yaml');
  if (!(await exists(settings))) {
    // Patients and staff read the name on every screen.
    const name = isTest ? markedAsTest(answers.name) : answers.name;
    const { consents } = catalogueAt(Date.now());
    await writeFileAtomically(
      settings,
      printYaml(firstFacilitySettings(consents, answers.kind, name, answers.institutionCode)),
    );
  } else await keepNameTrue(settings, isTest);
  const config = join(clinicPlaces.agent, 'agent.yaml');
  if (!(await exists(config)))
    await writeFileAtomically(config, printYaml({ triesNewTerminals: true, oqsFolder: clinicPlaces.oqs }));
  const staff = join(clinicPlaces.agent, 'staff.json');
  let staffCode: string | null = null;
  if ((await readStaff(staff)).length === 0) {
    staffCode = String(randomInt(100_000_000)).padStart(8, '0');
    await addStaffMember(staff, { approver: 'reception', label: '受付' }, staffCode);
  }
  await makeOqsFolders(clinicPlaces.oqs);
  await clinicSystem.giveToAgent();
  return staffCode;
};

/** Of the first terminal of a lane */
export const terminalId = (lane: number): string => `terminal-${String(lane).padStart(2, '0')}`;

type Shared = Omit<EnrolmentCode, 'device' | 'lane' | 'secret'>;
type Waiting = { readonly device: string; readonly letters: string; readonly file?: string };

type Lane = { readonly lane: number; readonly device: string };

/** Those without a terminal, each with the name of its next one. */
const openLanes = async (lanes: number): Promise<readonly Lane[]> => {
  const devices = await listDevices(clinicPlaces.facility);
  const known = new Set(devices.filter(({ revokedAt }) => revokedAt === undefined).map(({ lane }) => lane));
  const taken = new Set(devices.map(({ device }) => device));
  const nameFor = (lane: number): string => {
    // A terminal that replaces a revoked one has a name of its own.
    let device = terminalId(lane);
    for (let turn = 2; taken.has(device); turn += 1) device = `${terminalId(lane)}-${turn}`;
    return device;
  };
  return Array.from({ length: lanes }, (_, index) => index + 1)
    .filter((lane) => !known.has(lane))
    .map((lane) => ({ lane, device: nameFor(lane) }));
};

/** A code for each: letters to type or to show, and a file where a stick is named. */
const offerCodes = async (
  lanes: readonly Lane[],
  codesTo: string | undefined,
  shared: Shared,
): Promise<readonly Waiting[]> => {
  const waiting: Waiting[] = [];
  for (const { lane, device } of lanes) {
    const secret = await offerEnrolment(clinicPlaces.facility, { device, lane, until: shared.until });
    const code: EnrolmentCode = { ...shared, device, lane, secret };
    const letters = await offerLetters(clinicPlaces.facility, code);
    if (codesTo === undefined) {
      waiting.push({ device, letters });
      continue;
    }
    const file = join(codesTo, `uketsuke-${device}.json`);
    await writeFile(file, `${JSON.stringify(code)}\n`, { mode: 0o600 });
    waiting.push({ device, letters, file });
  }
  return waiting;
};

const tellWaiting = ({ device, letters, file }: Waiting, host: string): void => {
  tell('code of {device}: {letters}', { device, letters: shownLetters(letters) });
  if (file !== undefined) tell('  as a file: {file}', { file });
  tell("  or show this to the terminal's camera:");
  process.stderr.write(`${renderUnicodeCompact(qrText({ host, port: enrolmentPort, letters }), { border: 2 })}\n`);
};

const missingPassphrase = (file: string): string =>
  `${file}: the CA's passphrase is not here, and terminals are missing: bring it from the safe, or name it with --ca-passphrase-file`;

const provisionClinic = async (options: ClinicOptions): Promise<void> => {
  await clinicSystem.check();
  const minutes = Number(options.waitMinutes);
  if (!(minutes >= 1 && minutes <= 1440)) throw new Error('--wait-minutes: 1 to 1440');
  if (options.codesTo !== undefined) needFolder(options.codesTo);
  const answers = await findAnswers(options.answers);
  const addresses = ownAddresses();
  const host = options.host ?? addresses[0] ?? '127.0.0.1';
  const names = [...new Set([host, hostname(), ...addresses, 'localhost', '127.0.0.1'])];
  const chains = await chooseChains(options);
  await refuseHalfRestored(clinicPlaces);
  await clinicSystem.closePlaces();
  const passphrase = await findPassphrase(options.caPassphraseFile);
  await makeFacility(answers, names, passphrase);
  if (options.replace !== undefined) {
    if (passphrase === null) throw new Error(missingPassphrase(options.caPassphraseFile));
    await revokeDevice(clinicPlaces.facility, options.replace, { passphrase });
  }
  // What was found wrong with them does not come back with the next run.
  await writeFileAtomically(keptAnswers, printYaml(answers));
  const staffCode = await makeAgent(answers, chains);
  const acceptedModels = await acceptModels(answers);
  await clinicSystem.makeBroker();
  // It reads its trust anchors when it starts.
  await clinicSystem.startServices(chains.texts !== null);
  const lanes = await openLanes(answers.lanes);
  if (lanes.length > 0 && passphrase === null) throw new Error(missingPassphrase(options.caPassphraseFile));
  const waiting = await offerCodes(lanes, options.codesTo, {
    facility: answers.facility,
    host,
    enrolmentPort,
    brokerPort,
    ...(clinicSystem.brokerProtocol !== undefined && { brokerProtocol: clinicSystem.brokerProtocol }),
    facilityCa: await readFile(join(clinicPlaces.facility, keyFiles.facilityCa), 'utf8'),
    until: Date.now() + minutes * 60_000,
    test: chains.isTest,
    acceptedModels,
  });
  if (chains.isTest) tell('Test cards: real ones are refused here. The name on every screen begins with 【テスト】.');
  if (staffCode !== null) tell('staff code of the reception, told this once: {staffCode}', { staffCode });
  if (passphrase !== null && options.caPassphraseFile === passphraseFile)
    tell("the CA's passphrase: {file} (move it onto a stick, into the safe)", { file: options.caPassphraseFile });
  // One that lost its power before it had its answer asks again, though its code has been used.
  if (passphrase !== null && (await hasOffers(clinicPlaces.facility)))
    await clinicSystem.openEnrolment(options.caPassphraseFile, minutes);
  if (waiting.length > 0) {
    for (const each of waiting) tellWaiting(each, host);
    tell('The codes count for {minutes} minutes, for one terminal each. Go to the terminal now.', { minutes });
  }
  process.stdout.write(
    `${JSON.stringify({ facility: answers.facility, test: chains.isTest, waiting: waiting.map(({ device }) => device) })}\n`,
  );
};

/** `uketsuke provision clinic`: may be run again at any time; what is there stays, what is missing is made. */
export const addClinicCommand = (
  provision: Command,
  orExplain: <A extends unknown[]>(work: (...args: A) => Promise<void>) => (...args: A) => Promise<void>,
): void => {
  provision
    .command('clinic')
    .description("the clinic's PC, whole: CA, broker, agent, folders, services; tells a code for each terminal")
    .option(
      '--answers <file>',
      'YAML, else they are asked: facility, name, institutionCode, kind, lanes, faceModelsAcceptedBy',
    )
    .option('--card-trust <dir>', 'card-ca.pem and cv-issuers.json, which the facility has from J-LIS')
    .option('--test', 'test cards only; the name on every screen says so')
    .option('--codes-to <dir>', 'where the codes go as files, too: a stick')
    .option('--ca-passphrase-file <file>', "the CA's passphrase; made when missing", passphraseFile)
    .option('--host <address>', 'how terminals reach this machine (default: its first address)')
    .option('--replace <device>', 'a terminal whose keys are lost or given up: revoked, and a code for the next one')
    .option('--wait-minutes <minutes>', 'how long the codes count', '30')
    .action(orExplain(provisionClinic));
};
