import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { access, chmod, glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { defaultTpm } from '../../drivers/host/tpm-key.ts';
import { askForEnrolment, type EnrolmentCode, enrolmentCodeSchema } from '../agent/provisioning/enrolment.ts';
import { makeDeviceKeys } from '../agent/provisioning/make-device-keys.ts';
import { printYaml } from '../config-file/plain-yaml.ts';
import { printProblems } from '../config-file/read-settings.ts';
import type { Manifest } from '../face/models/manifest.ts';
import { configSchema, defaultConfigPath, loadConfig } from '../processes/terminal-config.ts';
import { cvIssuersFile } from '../trust/cv-trust.ts';
import { keyFiles, keyFolders } from '../trust/key-files.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import type { PublicJwk } from '../wire/messages.ts';
import { hasTpm, keptTpmKey } from './attestation-key.ts';

const provisioning = '/etc/uketsuke/provisioning';
const brokerDropIn = '/etc/systemd/system/uketsuke-link.service.d/broker.conf';
const sticks = '/media/**/uketsuke-*.json';
const units = [
  'uketsuke-screen.socket',
  'uketsuke-link.socket',
  'uketsuke-face.socket',
  'uketsuke-link.service',
  'uketsuke-face.service',
  'uketsuke.service',
];
const kiosk = 'uketsuke-kiosk.service';

const tell = (line: string): boolean => process.stderr.write(`${line}\n`);
const run = (program: string, ...args: string[]): void =>
  void execFileSync(program, args, { stdio: ['ignore', 'ignore', 2], timeout: 120_000 });
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const findAll = async (pattern: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const path of glob(pattern)) found.push(path);
  return found;
};

/** The file that was named, or the one on a stick that is in. Throws when there is none, or more than one. */
const readCode = async (named: string | undefined): Promise<EnrolmentCode> => {
  const found = named === undefined ? await findAll(sticks) : [named];
  const [file] = found;
  if (file === undefined) throw new Error(`no enrolment code: put in the stick (${sticks}), or name the file`);
  if (found.length > 1) throw new Error(`more than one enrolment code: name one of ${found.join(', ')}`);
  const code = enrolmentCodeSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!code.success) throw new Error(`${file} is no enrolment code`);
  return code.data;
};

const defaults = configSchema.parse({ facility: 'x', device: 'x', broker: { host: 'x' } });

/** What can be found without asking: the links that the udev rules make, and a sound card. */
const findParts = async () => ({
  faceCamera: await exists(defaults.camera.device),
  cardCamera: await exists(defaults.cardFrontReader.device),
  keypad: await exists(defaults.keypad.device),
  statusLight: await exists(defaults.statusLight.device),
  loudspeaker: !/no soundcards/.test(await readFile('/proc/asound/cards', 'utf8').catch(() => 'no soundcards')),
});
type Parts = Awaited<ReturnType<typeof findParts>>;

/** Of the models that the facility accepted, those whose files are the very ones that this terminal has. */
const acceptedHere = async (code: EnrolmentCode): Promise<string[]> => {
  const manifest = new URL('../../models/manifest.json', import.meta.url);
  const { models } = JSON.parse(await readFile(manifest, 'utf8')) as Manifest;
  return code.acceptedModels
    .filter(({ id, sha256 }) => models.some((model) => model.id === id && model.sha256 === sha256))
    .map(({ id }) => id);
};

const configuration = async (code: EnrolmentCode, parts: Parts) => ({
  facility: code.facility,
  device: code.device,
  lane: code.lane,
  broker: { host: code.host, port: code.brokerPort },
  face: { acceptUnverifiedModels: await acceptedHere(code) },
  ...(parts.cardCamera && { cardFrontReader: { driver: 'tesseract' } }),
  ...(parts.keypad && { keypad: { driver: 'hid' } }),
  ...(parts.statusLight && { statusLight: { driver: 'serial' } }),
  // A machine without a sound card may have one in its screen: the browser plays the recordings.
  speaker: { driver: parts.loudspeaker ? 'alsa' : 'page' },
});

const writeConfiguration = async (code: EnrolmentCode, parts: Parts, again: boolean): Promise<void> => {
  if ((await exists(defaultConfigPath)) && !again) {
    tell(`${defaultConfigPath} は残します（部品を探し直すときは --parts）`);
    return;
  }
  const text = printYaml(await configuration(code, parts));
  const checked = loadConfig(text);
  if (!checked.ok) throw new Error(printProblems(defaultConfigPath, checked.failure));
  await writeFile(defaultConfigPath, text, { mode: 0o644 });
  await chmod(defaultConfigPath, 0o644);
};

/** The link's only way out. */
const allowBroker = async (host: string): Promise<void> => {
  const address = isIP(host) === 0 ? (await lookup(host)).address : host;
  await mkdir('/etc/systemd/system/uketsuke-link.service.d', { recursive: true });
  await writeFile(brokerDropIn, `[Service]\nIPAddressAllow=${address}\n`);
};

/** null: no TPM here, or none that can be used, which is told. */
const findTpmKey = async (tpm: string): Promise<PublicJwk | null> => {
  if (!(await hasTpm(tpm))) return null;
  try {
    return await keptTpmKey(provisioning, tpm);
  } catch (error) {
    tell(`× TPM — 使えません（${error instanceof Error ? error.message : String(error)}）`);
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
  run('chown', '-R', 'uketsuke-link:uketsuke-link', link);
  run('chown', '-R', 'uketsuke:uketsuke', terminal);
  // Root reaches both; each process its own.
  await chmod(provisioning, 0o755);
  return attestationKey !== null;
};

const partNames: Readonly<Record<keyof Parts, string>> = {
  faceCamera: '顔を見るカメラ',
  cardCamera: 'カード券面のカメラ（なければ顔照合は使えません）',
  keypad: 'テンキー（画面のテンキーはいつも使えます）',
  statusLight: '状態ランプ',
  loudspeaker: 'スピーカー（音声は画面の側で鳴らします）',
};

const provisionTerminal = async (
  named: string | undefined,
  { parts: again, tpm }: { parts?: true; tpm: string },
): Promise<void> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('as root, on Debian');
  if (!(await exists('/usr/lib/systemd/system/uketsuke.service')))
    throw new Error('the package uketsuke-terminal is not installed here');
  const code = await readCode(named);
  const inTpm = await enrol(code, tpm);
  const parts = await findParts();
  await writeConfiguration(code, parts, again === true);
  await allowBroker(code.host);
  run('systemctl', 'daemon-reload');
  const wanted = (await exists(`/usr/lib/systemd/system/${kiosk}`)) ? [...units, kiosk] : units;
  run('systemctl', 'enable', ...wanted);
  // Keys may be new to what already runs.
  run('systemctl', 'restart', ...wanted);
  for (const [part, isThere] of Object.entries(parts))
    tell(`${isThere ? '○' : '×'} ${partNames[part as keyof Parts]}${isThere ? '' : ' — 見つかりません'}`);
  tell(inTpm ? '○ 証明用の鍵 — TPM の中' : '△ 証明用の鍵 — ファイル（TPM がないか、使えません）');
  if (code.acceptedModels.length === 0) tell('× 顔照合 — 施設がモデルの利用条件をまだ承認していません');
  if (code.test) tell('テスト用の発行者です: 本物のカードは受け付けません。');
  tell('このあと: スタッフ画面の「テスト受付」を押すと、受付の通り道を確かめられます。');
  process.stdout.write(
    `${JSON.stringify({ facility: code.facility, device: code.device, lane: code.lane, test: code.test, parts, attestationKey: inTpm ? 'tpm' : 'file' })}\n`,
  );
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
    .action(orExplain(provisionTerminal));
};
