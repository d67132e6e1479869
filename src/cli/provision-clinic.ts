import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { access, chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { makeOqsFolders } from '../agent/oqs-folder/write-oqs-file.ts';
import { newPassphrase } from '../agent/provisioning/authority-key.ts';
import { renewMosquittoFiles, writeMosquittoFiles } from '../agent/provisioning/broker-configuration.ts';
import { cardTrustFiles, parseCardTrust } from '../agent/provisioning/card-trust.ts';
import { type EnrolmentCode, listenForEnrolments, offerEnrolment } from '../agent/provisioning/enrolment.ts';
import { addAgent, createFacility, listDevices, readFacility } from '../agent/provisioning/facility-authority.ts';
import { knowAddress } from '../agent/provisioning/known-addresses.ts';
import { isTestCardTrust, makeTestCardTrust } from '../agent/provisioning/test-card-trust.ts';
import { addStaffMember, readStaff } from '../agent/staff-page/staff-codes.ts';
import { firstFacilitySettings } from '../catalogue/first-settings.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { printYaml } from '../config-file/plain-yaml.ts';
import { printProblems, readSettings } from '../config-file/read-settings.ts';
import type { Manifest } from '../face/models/manifest.ts';
import { keyFiles } from '../trust/key-files.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import { facilityKinds, facilitySettingsSchema } from '../wire/facility-settings.ts';

/** Where things lie on the clinic's PC: the units name the same. */
const places = {
  facility: '/var/lib/uketsuke-facility',
  agent: '/var/lib/uketsuke-agent',
  broker: '/etc/mosquitto/uketsuke',
  oqs: '/srv/oqs',
} as const;
const agentId = 'agent-1';
const brokerPort = 8883;

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
export const readAnswers = async (path: string): Promise<Answers> => {
  const read = readSettings(answersSchema, await readFile(path));
  if (!read.ok) throw new Error(printProblems(path, read.failure).trimEnd());
  return read.value;
};

type ClinicOptions = {
  readonly answers: string;
  readonly cardTrust?: string;
  readonly test?: true;
  readonly codesTo?: string;
  readonly caPassphraseFile: string;
  readonly host?: string;
  readonly enrolmentPort: string;
  readonly waitMinutes: string;
};

const tell = (line: string): boolean => process.stderr.write(`${line}\n`);
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const run = (program: string, ...args: string[]): void =>
  void execFileSync(program, args, { stdio: ['ignore', 'ignore', 2], timeout: 90_000 });

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);

/** A directory and what is in it, for one user. */
const giveTo = (user: string, directory: string): void => run('chown', '-R', `${user}:${user}`, directory);

const modelsPlace = new URL('../../models/manifest.json', import.meta.url);
const unverifiedModels = async (): Promise<EnrolmentCode['acceptedModels']> =>
  (JSON.parse(await readFile(modelsPlace, 'utf8')) as Manifest).models
    .filter(({ licenceStatus }) => licenceStatus === 'unverified')
    .map(({ id, sha256 }) => ({ id, sha256 }));

const aboutModels = `顔照合について: 顔を比べるモデルの一部は、利用条件（ライセンス）が公に確認できていません
（models/README.md）。このまま使うかどうかは施設が決めます。使う場合は、決めた方の名前を設定ファイルの
faceModelsAcceptedBy に書いてください。書かなければ顔照合は動かず、暗証番号と目視確認だけになります。`;

const acceptanceFile = 'face-model-acceptance.json';

/** Who accepted which files, when: told once, kept. Another file of a model must be accepted anew. */
const acceptModels = async ({ faceModelsAcceptedBy: by }: Answers): Promise<EnrolmentCode['acceptedModels']> => {
  if (by === undefined) {
    tell(aboutModels);
    return [];
  }
  const models = await unverifiedModels();
  const path = join(places.facility, acceptanceFile);
  const records: readonly { by: string; models: EnrolmentCode['acceptedModels'] }[] = (await exists(path))
    ? JSON.parse(await readFile(path, 'utf8'))
    : [];
  const isKept = records.some((record) => record.by === by && JSON.stringify(record.models) === JSON.stringify(models));
  if (!isKept) {
    tell(aboutModels);
    const record = { by, at: new Date().toISOString(), models };
    await writeFileAtomically(path, `${JSON.stringify([...records, record], null, 2)}\n`);
  }
  return models;
};

/** The texts of the card chains. Throws when there is none, or a test's where none was asked for. */
const readChains = async (options: ClinicOptions) => {
  const { cardTrust, test } = options;
  if (cardTrust === undefined) {
    if (!test)
      throw new Error(
        '--card-trust DIR is missing: card-ca.pem and cv-issuers.json, which the facility has from J-LIS. For a trial with test cards: --test',
      );
    return makeTestCardTrust();
  }
  const certificateIssuersPem = await readFile(join(cardTrust, cardTrustFiles.certificateIssuers), 'utf8');
  const cvIssuersJson = await readFile(join(cardTrust, cardTrustFiles.visualIssuers), 'utf8');
  parseCardTrust(certificateIssuersPem, cvIssuersJson);
  if (isTestCardTrust(certificateIssuersPem) && !test)
    throw new Error(`${cardTrust}: a chain of test cards, which anybody can make; a facility at work has J-LIS's`);
  return { certificateIssuersPem, cvIssuersJson };
};

/** Facility, agent and their files: what is there stays. Answers the CA's passphrase. */
const makeFacility = async (answers: Answers, names: readonly string[], passphraseFile: string): Promise<string> => {
  if (!(await exists(passphraseFile))) await writeFileAtomically(passphraseFile, `${newPassphrase()}\n`);
  const passphrase = (await readFile(passphraseFile, 'utf8')).trim();
  if (!(await exists(join(places.facility, 'facility.json'))))
    await createFacility(places.facility, {
      facility: answers.facility,
      brokerNames: names,
      caPassphrase: passphrase,
    });
  const { facility, agents } = await readFacility(places.facility);
  if (facility !== answers.facility)
    throw new Error(`${places.facility} holds the facility ${facility}, not ${answers.facility}`);
  // The agent's own place is where it is handed over: a terminal that is added or revoked is known there at once.
  await mkdir(join(places.facility, 'agents'), { recursive: true, mode: 0o700 });
  const link = join(places.facility, 'agents', agentId);
  if (!(await exists(link))) await symlink(places.agent, link);
  if (agents.length === 0) await addAgent(places.facility, agentId, { passphrase });
  return passphrase;
};

const makeAgent = async (answers: Answers, options: ClinicOptions): Promise<string | null> => {
  const chains = await readChains(options);
  const trust = join(places.agent, 'card-trust');
  if (!(await exists(join(trust, cardTrustFiles.certificateIssuers))) || options.cardTrust !== undefined) {
    await writeFileAtomically(join(trust, cardTrustFiles.certificateIssuers), chains.certificateIssuersPem);
    await writeFileAtomically(join(trust, cardTrustFiles.visualIssuers), chains.cvIssuersJson);
  }
  const settings = join(places.agent, 'facility-settings.yaml');
  if (!(await exists(settings))) {
    // Patients and staff read the name on every screen.
    const name = options.test ? `【テスト】${answers.name}` : answers.name;
    const { consents } = catalogueAt(Date.now());
    await writeFileAtomically(
      settings,
      printYaml(firstFacilitySettings(consents, answers.kind, name, answers.institutionCode)),
    );
  }
  const staff = join(places.agent, 'staff.json');
  let staffCode: string | null = null;
  if ((await readStaff(staff)).length === 0) {
    staffCode = String(randomInt(100_000_000)).padStart(8, '0');
    await addStaffMember(staff, { approver: 'reception', label: '受付' }, staffCode);
  }
  giveTo('uketsuke-agent', places.agent);
  await makeOqsFolders(places.oqs);
  giveTo('uketsuke-agent', places.oqs);
  return staffCode;
};

const makeBroker = async (): Promise<void> => {
  await mkdir(places.broker, { recursive: true, mode: 0o700 });
  giveTo('mosquitto', places.broker);
  const place = { address: '0.0.0.0', port: brokerPort, directory: places.broker };
  await writeMosquittoFiles(places.facility, place);
};

const terminalId = (lane: number): string => `terminal-${String(lane).padStart(2, '0')}`;

type Shared = Omit<EnrolmentCode, 'device' | 'lane' | 'secret'>;

/** A code for every lane without a terminal; answers their files by device. */
const writeCodes = async (lanes: number, codesTo: string, shared: Shared): Promise<ReadonlyMap<string, string>> => {
  const known = new Set(
    (await listDevices(places.facility)).filter(({ revokedAt }) => revokedAt === undefined).map(({ lane }) => lane),
  );
  const taken = new Set((await listDevices(places.facility)).map(({ device }) => device));
  const files = new Map<string, string>();
  await mkdir(codesTo, { recursive: true, mode: 0o700 });
  for (let lane = 1; lane <= lanes; lane += 1) {
    if (known.has(lane)) continue;
    // A terminal that replaces a revoked one has a name of its own.
    let device = terminalId(lane);
    for (let turn = 2; taken.has(device); turn += 1) device = `${terminalId(lane)}-${turn}`;
    const secret = await offerEnrolment(places.facility, { device, lane, until: shared.until });
    const file = join(codesTo, `uketsuke-${device}.json`);
    const code: EnrolmentCode = { ...shared, device, lane, secret };
    await writeFile(file, `${JSON.stringify(code)}\n`, { mode: 0o600 });
    files.set(device, file);
  }
  return files;
};

/** At the broker's port. Without the limits there is nothing that would keep the terminal out for its address. */
const keepPlace = async (device: string, address: string): Promise<void> => {
  try {
    await knowAddress(address, (args) =>
      execFileSync('nft', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 }),
    );
  } catch (error) {
    tell(`${device}: 接続数の制限に登録できませんでした（${error instanceof Error ? error.message : String(error)}）`);
  }
};

/** Until every code has been used or the time is over. */
const waitForTerminals = async (
  codes: ReadonlyMap<string, string>,
  passphrase: string,
  port: number,
  until: number,
): Promise<readonly string[]> => {
  const missing = new Set(codes.keys());
  const enrolled: string[] = [];
  let done = (): void => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const listener = await listenForEnrolments(
    places.facility,
    { passphrase },
    { host: '0.0.0.0', port },
    async (device, address) => {
      await renewMosquittoFiles(places.facility);
      await keepPlace(device, address);
      run('systemctl', 'reload', 'uketsuke-broker.service');
      tell(`登録しました: ${device}`);
      if (missing.delete(device)) enrolled.push(device);
      if (missing.size === 0) setTimeout(done, 1_000);
    },
  );
  const timer = setTimeout(done, until - Date.now());
  await all;
  clearTimeout(timer);
  listener.close();
  return enrolled;
};

const provisionClinic = async (options: ClinicOptions): Promise<void> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Error('as root, on Debian; on Windows scripts of its own install the agent');
  if (!(await exists(places.agent)) || !(await exists('/usr/lib/uketsuke')))
    throw new Error('the package uketsuke-agent is not installed here');
  const answers = await readAnswers(options.answers);
  const addresses = ownAddresses();
  const host = options.host ?? addresses[0] ?? '127.0.0.1';
  const names = [...new Set([host, hostname(), ...addresses, 'localhost', '127.0.0.1'])];
  await readChains(options); // before anything is made
  const passphrase = await makeFacility(answers, names, options.caPassphraseFile);
  const staffCode = await makeAgent(answers, options);
  const acceptedModels = await acceptModels(answers);
  await makeBroker();
  run('systemctl', 'enable', '--now', 'uketsuke-broker.service', 'uketsuke-broker-reload.path');
  run('systemctl', 'reload', 'uketsuke-broker.service');
  run('systemctl', 'enable', '--now', 'uketsuke-agent.service');
  const until = Date.now() + Number(options.waitMinutes) * 60_000;
  const codes = await writeCodes(answers.lanes, options.codesTo ?? join(places.facility, 'codes'), {
    facility: answers.facility,
    host,
    enrolmentPort: Number(options.enrolmentPort),
    brokerPort,
    facilityCa: await readFile(join(places.facility, keyFiles.facilityCa), 'utf8'),
    until,
    test: options.test === true,
    acceptedModels,
  });
  if (options.test) tell('テスト用の発行者です: 本物のカードは受け付けません。施設名に【テスト】が付きます。');
  if (staffCode !== null) tell(`職員コード（受付、一度だけ表示）: ${staffCode}`);
  tell(`CAの合言葉: ${options.caPassphraseFile}（USBメモリーに移して金庫へ）`);
  for (const [device, file] of codes) tell(`登録コード ${device}: ${file}`);
  if (codes.size > 0) tell(`端末の登録を待っています（${options.waitMinutes} 分まで）…`);
  const enrolled =
    codes.size === 0 ? [] : await waitForTerminals(codes, passphrase, Number(options.enrolmentPort), until);
  await chmod(options.caPassphraseFile, 0o600);
  const missing = [...codes.keys()].filter((device) => !enrolled.includes(device));
  process.stdout.write(
    `${JSON.stringify({ facility: answers.facility, test: options.test === true, enrolled, missing })}\n`,
  );
  if (missing.length > 0) process.exitCode = 3;
};

/** `uketsuke provision clinic`: may be run again at any time; what is there stays, what is missing is made. */
export const addClinicCommand = (
  provision: Command,
  orExplain: <A extends unknown[]>(work: (...args: A) => Promise<void>) => (...args: A) => Promise<void>,
): void => {
  provision
    .command('clinic')
    .description("the clinic's PC, whole: CA, broker, agent, folders, services; then waits for the terminals")
    .requiredOption('--answers <file>', 'YAML: facility, name, institutionCode, kind, lanes, faceModelsAcceptedBy')
    .option('--card-trust <dir>', 'card-ca.pem and cv-issuers.json, which the facility has from J-LIS')
    .option('--test', 'test cards only; the name on every screen says so')
    .option('--codes-to <dir>', 'where the enrolment codes go, a stick (default: beside the facility)')
    .option(
      '--ca-passphrase-file <file>',
      "the CA's passphrase; made when missing",
      join(places.facility, 'ca-passphrase'),
    )
    .option('--host <address>', 'how terminals reach this machine (default: its first address)')
    .option('--enrolment-port <port>', 'open only while this command runs', '8884')
    .option('--wait-minutes <minutes>', 'how long the codes count', '30')
    .action(orExplain(provisionClinic));
};
