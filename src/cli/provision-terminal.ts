import { lookup } from 'node:dns/promises';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { defaultTpm } from '../../drivers/host/tpm-key.ts';
import { hasSoundCard } from '../../drivers/speaker/sound-card.ts';
import { askForEnrolment } from '../agent/provisioning/enrolment.ts';
import type { EnrolmentCode } from '../agent/provisioning/enrolment-code.ts';
import { makeDeviceKeys } from '../agent/provisioning/make-device-keys.ts';
import { printProblems } from '../config-file/read-settings.ts';
import { cameraSettingsOf, missingForCamera, openCamera } from '../processes/cameras.ts';
import { configSchema, defaultConfigPath, loadConfig } from '../processes/terminal-config.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { cvIssuersFile } from '../trust/cv-trust.ts';
import { keyFiles, keyFolders } from '../trust/key-files.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import type { PublicJwk } from '../wire/messages.ts';
import { hasTpm, keptTpmKey } from './attestation-key.ts';
import { awaitEnrolment } from './await-enrolment.ts';
import { keepGoodConfig } from './config.ts';
import { nameServersHere } from './doctor-probes.ts';
import { findEnrolment } from './find-enrolment.ts';
import { enrolKept, keptEnrolment } from './kept-enrolment.ts';
import { modelsFolder, readManifest } from './models-folder.ts';
import { exists, needRootOnDebian } from './provision-places.ts';
import { run, succeeds } from './run-commands.ts';
import { tell } from './say.ts';
import { type Identity, type Parts, writeTerminalConfig } from './write-terminal-config.ts';

const provisioning = '/etc/uketsuke/provisioning';
const brokerDropIn = '/etc/systemd/system/uketsuke-link.service.d/broker.conf';
const keptCode = '/etc/uketsuke/enrolment-code.json';
const console = '/dev/tty1';
/** Begins on a device with two slots alone. */
const updates = 'uketsuke-update.service';
const services = ['uketsuke-link.service', 'uketsuke-face.service', 'uketsuke.service'];
const units = ['uketsuke-screen.socket', 'uketsuke-link.socket', 'uketsuke-face.socket', ...services];
const kiosk = 'uketsuke-kiosk.service';

const defaults = configSchema.parse({ facility: 'x', device: 'x', broker: { host: 'x' } });

/** What can be found without asking: the links that the udev rules make, and a sound card. */
const findParts = async (): Promise<Parts> => ({
  faceCamera: await exists(defaults.camera.device),
  cardCamera: await exists(defaults.cardFrontReader.device),
  keypad: await exists(defaults.keypad.device),
  statusLight: await exists(defaults.statusLight.device),
  loudspeaker: await hasSoundCard(),
});

/** Of the models that the facility accepted, those whose files are the very ones that this terminal has. */
const acceptedHere = async (code: EnrolmentCode): Promise<string[]> => {
  const { models } = await readManifest(modelsFolder);
  return code.acceptedModels
    .filter(({ id, sha256 }) => models.some((model) => model.id === id && model.sha256 === sha256))
    .map(({ id }) => id);
};

const identityFromCode = async (code: EnrolmentCode): Promise<Identity> => ({
  ...code,
  acceptedModels: await acceptedHere(code),
});

/** null: nobody has set this terminal up yet. */
const identityHere = async (): Promise<Identity | null> => {
  const isThere =
    (await exists(defaultConfigPath)) && (await exists(join(provisioning, keyFolders.link, keyFiles.tlsCertificate)));
  if (!isThere) return null;
  const read = loadConfig(await readFile(defaultConfigPath, 'utf8'));
  if (!read.ok) throw new Error(printProblems(defaultConfigPath, read.failure));
  const { facility, device, lane, broker, face, profile } = read.value;
  return {
    ...{ facility, device, lane, host: broker.host, brokerPort: broker.port, test: profile === 'test' },
    ...(broker.protocolVersion === 4 && { brokerProtocol: 4 as const }),
    acceptedModels: face.acceptUnverifiedModels,
  };
};

type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

/**
 * The link's only way out: to every address that the broker's name has, and to the name servers, without which it could not
 * ask for the name. A broker that is named by its address needs none.
 */
export const wayToBroker = async (
  host: string,
  find: Lookup = (name) => lookup(name, { all: true }),
  nameServers: readonly string[] = nameServersHere(),
): Promise<string> => {
  const addresses = isIP(host) === 0 ? [...(await find(host)).map(({ address }) => address), ...nameServers] : [host];
  return ['[Service]', ...[...new Set(addresses)].map((address) => `IPAddressAllow=${address}`), ''].join('\n');
};

const allowBroker = async (host: string): Promise<void> => {
  const text = await wayToBroker(host);
  await makeFolder(dirname(brokerDropIn));
  await writeFile(brokerDropIn, text);
};

/** null: no TPM here, or none that can be used, which is told. */
const findTpmKey = async (tpm: string): Promise<PublicJwk | null> => {
  if (!(await hasTpm(tpm))) return null;
  try {
    return await keptTpmKey(provisioning, tpm);
  } catch (error) {
    tell('× TPM: cannot be used ({reason})', { reason: error instanceof Error ? error.message : String(error) });
    return null;
  }
};

/** Answers whether the attestation key is in the TPM. */
const enrol = async (code: EnrolmentCode, tpm: string): Promise<boolean> => {
  const attestationKey = await findTpmKey(tpm);
  const keys = { ...(await makeDeviceKeys(provisioning)), ...(attestationKey !== null && { attestationKey }) };
  const answer = await askForEnrolment(code, keys);
  const [link, terminal] = [join(provisioning, keyFolders.link), join(provisioning, keyFolders.terminal)];
  await writeFileAtomically(join(link, keyFiles.facilityCa), answer.facilityCa);
  await writeFileAtomically(join(link, keyFiles.tlsCertificate), answer.tlsCertificate);
  if (answer.cvIssuers !== null) await writeFileAtomically(join(terminal, cvIssuersFile), answer.cvIssuers);
  await writeFileAtomically(join(terminal, keyFiles.trust), answer.trust);
  await run('chown', '-R', 'uketsuke-link:uketsuke-link', link);
  await run('chown', '-R', 'uketsuke:uketsuke', terminal);
  // Root reaches both; each process its own.
  await chmod(provisioning, 0o755);
  return attestationKey !== null;
};

const partNames: Readonly<Record<keyof Parts, readonly [here: string, absent: string]>> = {
  faceCamera: ['camera for the face', 'not found: no matching of faces; PIN and staff check remain'],
  cardCamera: ['camera above the card', 'not found: no matching of faces; PIN and staff check remain'],
  keypad: ['keypad', 'not found: the one on the screen serves'],
  statusLight: ['status light', 'not found'],
  loudspeaker: ['loudspeaker', 'not found: the screen speaks'],
};

const tellParts = (parts: Parts, code: Identity): void => {
  for (const [part, isThere] of Object.entries(parts)) {
    const [name, absent] = partNames[part as keyof Parts];
    if (isThere) tell(`○ ${name}`);
    else tell(`× ${name}: ${absent}`);
  }
  if (code.acceptedModels.length === 0) tell('× matching of faces: the facility has not accepted the models');
  if (code.test) tell('Test cards: real ones are refused here. The name on every screen begins with 【テスト】.');
};

type Options = { readonly tpm: string; readonly parts?: true; readonly host?: string; readonly wait?: true };

/** Answers once the terminal has its certificate. */
const enrolBy = async (code: EnrolmentCode, tpm: string): Promise<EnrolmentCode> => {
  await enrolKept(keptCode, code, async () => {
    const inTpm = await enrol(code, tpm);
    tell(
      inTpm ? '○ key of attestation: in the TPM' : '△ key of attestation: a file (no TPM, or none that can be used)',
    );
  });
  return code;
};

const enrolSomehow = async (given: string | undefined, { host, wait, tpm }: Options): Promise<EnrolmentCode> => {
  const kept = given === undefined ? await keptEnrolment(keptCode) : null;
  if (kept?.isServed) return kept.code;
  if (!wait) return enrolBy(kept?.code ?? (await findEnrolment(given, host)), tpm);
  // A few pictures a second are enough for a code that somebody holds still.
  const settings = { ...defaults.camera, framesPerSecond: 5 };
  const camera = missingForCamera(settings) === null ? await openCamera(cameraSettingsOf(settings), 'release') : null;
  return awaitEnrolment({ camera, console, kept: kept?.code ?? null }, (code) => enrolBy(code, tpm));
};

const provisionTerminal = async (given: string | undefined, options: Options): Promise<void> => {
  needRootOnDebian();
  if (!(await exists('/usr/lib/systemd/system/uketsuke.service')))
    throw new Error('the package uketsuke-terminal is not installed here');
  const here = given === undefined && !options.wait && !(await exists(keptCode)) ? await identityHere() : null;
  const code = here === null ? await enrolSomehow(given, options) : null;
  const identity = here ?? (await identityFromCode(code as EnrolmentCode));
  const parts = await findParts();
  if (code !== null || options.parts)
    await writeTerminalConfig(defaultConfigPath, identity, parts, options.parts === true);
  else tell('{file} stays as it is (--parts looks for the parts again)', { file: defaultConfigPath });
  await allowBroker(identity.host);
  await run('systemctl', 'daemon-reload');
  const wanted = (await exists(`/usr/lib/systemd/system/${kiosk}`)) ? [...units, kiosk] : units;
  await run('systemctl', 'enable', '--quiet', ...wanted, updates);
  await keepGoodConfig(defaultConfigPath);
  // From here on each start of this machine does the rest by itself: a unit that does not start is no reason to begin again.
  await rm(keptCode, { force: true });
  // Keys may be new to what already runs. The sockets stay: of several that systemd opens anew at once, one may meet its own
  // former self, which a process that systemd forked for another has not closed yet (EADDRINUSE), and no terminal begins.
  await run('systemctl', 'stop', ...services);
  await run('systemctl', 'start', ...units);
  await succeeds('systemctl', 'restart', '--no-block', updates);
  // A screen that does not start is the terminal's to tell; the counter's way to the clinic is open without it.
  if (wanted.length > units.length) await succeeds('systemctl', 'restart', '--no-block', kiosk);
  tellParts(parts, identity);
  tell('Ready. The clinic tries it out by itself (テスト受付); what came of it stands on the staff page.');
  const { facility, device, lane, test } = identity;
  process.stdout.write(`${JSON.stringify({ facility, device, lane, test, parts })}\n`);
};

/** `uketsuke provision terminal`: may be run again, with the same code until it is too old. */
export const addTerminalCommand = (
  provision: Command,
  orExplain: <A extends unknown[]>(work: (...args: A) => Promise<void>) => (...args: A) => Promise<void>,
): void => {
  provision
    .command('terminal [code]')
    .description("this terminal, whole: keys made here, enrolled at the clinic's PC, parts found, services started")
    .option('--tpm <name>', 'the TPM, as tpm2-tools call it', defaultTpm)
    .option('--parts', 'look for the parts again and write terminal.yaml anew')
    .option('--host <address>', "the clinic's PC, where letters are typed and it is not found by itself")
    .option('--wait', 'wait for a stick, a QR code or letters: what a terminal that nobody has set up does by itself')
    .action(orExplain(provisionTerminal));
};
