import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { z } from 'zod';
import type { FaultName } from '../../catalogue/faults.ts';
import { catalogueAt } from '../../catalogue/load-catalogue.ts';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { type FailureCode, isFailureCode } from '../../core/failure.ts';
import { judgeWay, wireSettlesMs } from '../../core/way-to-broker.ts';
import { keyFiles, keyFolders } from '../../trust/key-files.ts';
import type { PartsTried } from '../visit/try-parts.ts';
import type { DoctorCheck, Examination, Finding } from './examination.ts';
import type { HealthReport } from './health.ts';
import { certificates, keys, readCertificates } from './key-checks.ts';
import {
  agentUnit,
  brokerUnit,
  findingOfUnit,
  isUnknownHere,
  linkUnit,
  machineChecks,
  terminalUnit,
  troubleOfUnit,
} from './machine-checks.ts';
import { undrawableLanguages } from './page-fonts.ts';
import { slotText } from './slot-counts.ts';

/** A day's outbox and event log need some 10 MB. */
const leastFreeBytes = 200_000_000;
/** Twice in a row the page, which tells every 6 s, did not say that it painted. ms */
const frozenAfterMs = 14_000;
/** Its process begins with the terminal's first question and loads models. ms */
const faceStartMs = 10_000;
/** A broker of the clinic answers within milliseconds; whoever waits for the doctor is a person. ms */
const networkMs = 1_500;

const fine = (detail = ''): Finding => ({ state: 'ok', detail });
const found = (fault: FaultName, detail = '', where?: Readonly<Record<string, string>>): Finding => ({
  state: 'found',
  fault,
  detail,
  ...(where && { where }),
});
/** What a process says of itself, by its own code; another release may say one that is unknown here. */
export const codeOf = (code: string | null, otherwise: FailureCode): FailureCode =>
  isFailureCode(code) ? code : otherwise;
/** For a part of which nothing is known but what the terminal says of it. */
const notTried = (tried: PartsTried | null): string =>
  tried === null ? 'not tried' : tried.busy ? 'not tried: a patient or a test has the parts' : '';
const skipped = (detail: string): Finding => ({ state: 'skipped', detail });
const systemCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable';

/** Something else lies where a socket must be, and no process of ours deletes that. */
const placeTaken = async (...sockets: readonly string[]): Promise<Finding | null> => {
  for (const path of sockets) {
    const lying = await lstat(path).catch(() => null);
    if (lying !== null && !lying.isSocket()) return found('socket.place-taken', path, { path });
  }
  return null;
};

const daemon = async ({ config, report, machine }: Examination): Promise<Finding> => {
  if (report === null)
    return (
      (await placeTaken(config.health.socket)) ?? (await findingOfUnit(machine, terminalUnit, 'daemon.not-running'))
    );
  if (report.silentParts.length > 0) return found('daemon.part-silent', report.silentParts.join(', '));
  return fine(`${report.version}, up ${Math.round(report.upMs / 1000)} s, ${report.state}`);
};

const link = async ({ config, report, linkReport, machine }: Examination): Promise<Finding> => {
  if (linkReport === null)
    return (
      (await placeTaken(config.link.socket, config.link.health)) ??
      (await findingOfUnit(machine, linkUnit, 'delivery.link-lost'))
    );
  if (report !== null && !linkReport.terminalConnected) return found('link.without-terminal');
  return fine(`${linkReport.version}, up ${Math.round(linkReport.upMs / 1000)} s`);
};

/** By the agent's time; null: nothing is wrong by it, or it has told none. */
export const clockByAgent = ({ wallMs, report }: Pick<Examination, 'wallMs' | 'report'>): Finding | null => {
  if (!report?.time?.fault) return null;
  const { certainty, fault, machineAheadMs } = report.time;
  const detail = `${new Date(wallMs).toISOString()}, ${fault} by ${Math.round(Math.abs(machineAheadMs) / 60_000)} min`;
  return found(certainty === 'doubted' ? 'clock.wrong' : 'clock.corrected', detail);
};

const clock = async ({ config, wallMs, report }: Examination): Promise<Finding> => {
  const byAgent = clockByAgent({ wallMs, report });
  if (byAgent !== null) return byAgent;
  const now = new Date(wallMs).toISOString();
  try {
    const [terminal] = await readCertificates(config);
    if (wallMs < terminal.validFromDate.getTime()) return found('clock.wrong', now);
    return fine(now);
  } catch {
    return skipped('nothing to compare it with');
  }
};

/** `freeBytes`: where the store is */
export const roomOnDisk = async (freeBytes: () => Promise<number>): Promise<Finding> => {
  try {
    const free = await freeBytes();
    const detail = `${Math.round(free / 1e6)} MB free`;
    return free < leastFreeBytes ? found('disk.nearly-full', detail) : fine(detail);
  } catch (error) {
    return found('disk.store-missing', systemCode(error));
  }
};

const disk = ({ config, freeBytes }: Examination): Promise<Finding> =>
  roomOnDisk(() => freeBytes(dirname(config.paths.store)));

/** What the doctor needs of it; the rest is the face process's (src/face/models/manifest.ts). */
const manifestSchema = z.object({ models: z.array(z.object({ file: z.string(), sha256: z.string() })) });

const models = async ({ config }: Examination): Promise<Finding> => {
  let entries: z.infer<typeof manifestSchema>['models'];
  try {
    const manifest = await readFile(join(config.paths.models, 'manifest.json'), 'utf8');
    entries = manifestSchema.parse(JSON.parse(manifest)).models;
  } catch (error) {
    return found('face.models-missing', `manifest.json: ${systemCode(error)}`);
  }
  for (const { file, sha256 } of entries) {
    try {
      const hash = createHash('sha256').update(await readFile(join(config.paths.models, file)));
      if (hash.digest('hex') !== sha256) return found('face.model-unverified', file);
    } catch (error) {
      return found('face.models-missing', `${file}: ${systemCode(error)}`);
    }
  }
  return fine(`${entries.length} models, hashes as in the manifest`);
};

const pcscd = async ({ config, report, askPcscd, machine }: Examination): Promise<Finding> => {
  if (config.cardReader.driver !== 'pcsc') return skipped('the reader is not on PC/SC');
  const state = await askPcscd();
  if (state === 'away') return found('reader.service-down');
  // One that is only being begun by our question says nothing for a while, too.
  const isUp = report !== null || (await machine.unit('pcscd.service'))?.state === 'running';
  return state === 'hung' && isUp ? found('reader.service-hung') : fine();
};

const reader = async ({ config, report, probeReader, askPcscd }: Examination): Promise<Finding> => {
  if (report === null && config.cardReader.driver !== 'pcsc') return skipped('the daemon is not running');
  const { trouble, slots } =
    report === null ? await probeReader() : { ...report.cardReader, slots: report.slots ?? [] };
  if (trouble === null && config.cardReader.name === '' && slots.length > 1)
    return found('reader.several-unnamed', slots.join(', '));
  if (trouble === null) return fine(report?.slot === undefined ? '' : slotText(report.slot));
  // One fault, named once: without the service nothing is known of the reader, and its driver has been loaded.
  if (trouble.code === 'reader.service-down' && (await askPcscd()) === 'away') return skipped('see pcscd');
  return found(codeOf(trouble.code, 'reader.lost'), trouble.detail);
};

const camera = async ({ config, missingForCamera, report, tryParts }: Examination): Promise<Finding> => {
  if (config.cardFrontReader.driver === 'none') return skipped('there is no face path by the configuration');
  const missing = missingForCamera();
  if (missing !== null) return found('camera.lost', missing);
  const trouble = report?.face.trouble;
  if (trouble?.code.startsWith('camera.')) return found(codeOf(trouble.code, 'camera.lost'), trouble.detail);
  // Its pictures come through the face process, which has trouble of its own.
  if (trouble) return skipped('see the face process');
  const tried = await tryParts();
  if (tried?.camera?.outcome === 'late') return found('check.unfinished', 'the camera: no picture in time');
  const { outcome, code = '', detail, ms } = tried?.camera ?? { outcome: null };
  if (outcome === 'failed' && code.startsWith('camera.')) return found(codeOf(code, 'camera.lost'), detail);
  if (outcome === 'good') return fine(`it sees (tried for ${ms} ms)`);
  return fine(notTried(tried));
};

const face = async ({ report }: Examination): Promise<Finding> => {
  if (report === null) return skipped('the daemon is not running');
  const { trouble } = report.face;
  if (trouble === null) return fine();
  if (trouble.code.startsWith('camera.')) return skipped('see the camera');
  // It loads its models when the terminal that asks for it has begun.
  if (trouble.code === 'face.process-lost' && report.upMs < faceStartMs) return skipped('it is starting');
  return found(codeOf(trouble.code, 'face.process-lost'), trouble.detail);
};

/** null = a certificate that the terminal trusts, over TLS 1.3; else OpenSSL's word. */
const serverCertificateError = async ({ config }: Examination, address: string): Promise<string | null> => {
  const { host, port, serverName } = config.broker;
  const ca = await readFile(join(config.paths.provisioning, keyFolders.link, keyFiles.facilityCa));
  return new Promise((resolve) => {
    const name = serverName === '' ? host : serverName;
    const socket = connectTls({
      host: address,
      port,
      ca,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      minVersion: 'TLSv1.3',
      timeout: networkMs,
    });
    const end = (error: string | null): void => {
      socket.destroy();
      resolve(error);
    };
    socket.on('secureConnect', () => end(null));
    socket.on('timeout', () => end('ETIMEDOUT'));
    socket.on('error', (error) => end(systemCode(error)));
  });
};

/** All is well with the broker but for the link, which may ask none of the name servers for its name: one of them, else null. */
const nameServerShut = async ({ config, linkReport, machine }: Examination): Promise<string | null> => {
  if (linkReport?.brokerTrouble !== 'delivery.offline' || isIP(config.broker.host) !== 0) return null;
  const servers = machine.nameServers();
  const may = await Promise.all(servers.map((server) => machine.mayReach(server)));
  return may.every((each) => each === false) ? (servers[0] ?? null) : null;
};

/** Step by step, so that the first step that fails is the one that is named. */
const broker = async (examination: Examination): Promise<Finding> => {
  const { config, linkReport, machine, probeBroker, seeWay } = examination;
  const { host, port } = config.broker;
  if (linkReport !== null && linkReport.brokerTrouble === null) return fine('connected');
  const here = await troubleOfUnit(machine, brokerUnit);
  if (here !== null) return here;
  const address = await machine.addressOf(host);
  if (address === 'silent') return found('broker.name-unknown', `${host}: the name server does not answer`);
  if (address === 'unknown') return found('broker.name-unknown', `${host}: nobody knows this name`);
  if ((await machine.mayReach(address.value)) === false) return found('link.broker-not-allowed', address.value);
  const seen = await seeWay(address.value, port);
  if (seen.port !== 'open') {
    // Whoever asks the doctor has looked at the screen before: what the wire says has settled.
    const settled = { ended: 'unknown', wasOpen: false, wasAway: false, quietMs: wireSettlesMs } as const;
    const judged = seen.port === 'refused' ? 'broker.port-closed' : judgeWay(seen, settled);
    // The link has looked for longer, and hears what a router says only now and then.
    const fault = judged === 'delivery.offline' ? codeOf(linkReport?.brokerTrouble ?? null, judged) : judged;
    return found(fault, `${host}:${port}: ${seen.port}`);
  }
  const ours = [keyFiles.facilityCa, keyFiles.tlsKey, keyFiles.tlsCertificate];
  const link = join(config.paths.provisioning, keyFolders.link);
  if (!ours.every((file) => existsSync(join(link, file)))) return skipped('the keys cannot be read');
  const untrusted = await serverCertificateError(examination, address.value);
  // It takes connections and says nothing: no question of trust.
  if (untrusted === 'ETIMEDOUT') return found('broker.hung', `${host}:${port}`);
  if (untrusted !== null) return found('delivery.broker-untrusted', untrusted);
  const shut = await nameServerShut(examination);
  if (shut !== null) return found('link.broker-not-allowed', `name server ${shut}`);
  const trouble = linkReport === null ? await probeBroker() : { code: linkReport.brokerTrouble, detail: '' };
  if (trouble === null) return fine('MQTT over mutual TLS');
  return found(codeOf(trouble.code, 'delivery.offline'), trouble.detail, { device: config.device });
};

const agent = async ({ config, report, machine, tryParts }: Examination): Promise<Finding> => {
  const isSaidWell = report?.agentAnswers === true && !report.agentTrouble;
  const tried = isSaidWell ? await tryParts() : null;
  const { outcome, ms, detail } = tried?.agent ?? { outcome: null };
  if (outcome === 'good') return fine(`it answers within ${ms} ms; its time: ${detail}`);
  if (isSaidWell && outcome !== 'late') return fine(notTried(tried));
  const here = await troubleOfUnit(machine, agentUnit);
  if (here !== null) return here;
  if (report === null) return skipped('the daemon is not running');
  if (!report.broker.present) return skipped('the broker is not reached');
  const { agentTrouble } = report;
  if (!agentTrouble && report.agentAnswers && outcome !== 'late') return fine();
  const { device } = config;
  const fault = codeOf(agentTrouble?.code ?? null, 'agent.silent');
  if (fault === 'agent.silent' && (await isUnknownHere(machine, device)))
    return found('delivery.access-refused', `${device}: not in the agent's registry`, { device });
  return found(fault, agentTrouble?.detail, { device });
};

const settings = async ({ report }: Examination): Promise<Finding> => {
  if (report === null) return skipped('the daemon is not running');
  return report.settings ? fine() : found('settings.missing');
};

const store = async ({ config, report, linkReport }: Examination): Promise<Finding> => {
  const where = { path: config.paths.store, folder: dirname(config.paths.store), units: 'uketsuke-link uketsuke' };
  const lying = await lstat(config.paths.store).catch(() => null);
  if (lying !== null && !lying.isFile()) return found('storage.not-ours', `${config.paths.store}: no file`, where);
  if (linkReport === null) return skipped('the link process is not running');
  const trouble = report?.store.trouble ?? linkReport.storeDamage;
  if (trouble === null) return fine();
  return found(codeOf(trouble.code, 'storage.unwritable'), trouble.detail, where);
};

const screen = async ({ config, report }: Examination): Promise<Finding> => {
  if (!existsSync(join(config.paths.screens, 'index.html'))) return found('screen.not-built', config.paths.screens);
  if (report === null) return skipped('the daemon is not running');
  const { connected, paintedAgoMs } = report.screen;
  if (!connected) return found('screen.no-page', `http://127.0.0.1:${config.screen.port}`);
  if (paintedAgoMs === null || paintedAgoMs <= frozenAfterMs) return fine();
  return found('screen.frozen', `painted ${Math.round(paintedAgoMs / 1000)} s ago`);
};

const catalogueOf = (wallMs: number): Catalogue | null => {
  try {
    return catalogueAt(wallMs);
  } catch {
    return null;
  }
};

const fonts = async ({ config, wallMs }: Examination): Promise<Finding> => {
  if (!existsSync(join(config.paths.screens, 'index.html'))) return skipped('the page is not built');
  const catalogue = catalogueOf(wallMs);
  if (catalogue === null) return skipped('no catalogue holds at the time that the clock tells');
  const undrawable = await undrawableLanguages(config.paths.screens, catalogue);
  if (undrawable.size === 0) return fine();
  const detail = [...undrawable].map(([language, why]) => `${language}: ${why}`).join('; ');
  return found(undrawable.has('ja') ? 'screen.font-missing' : 'screen.language-not-drawn', detail);
};

const device = async (
  { driver, device: path }: { readonly driver: string; readonly device: string },
  part: HealthReport['keypad'] | undefined,
  fault: FaultName,
): Promise<Finding> => {
  if (driver === 'none') return skipped('there is none by the configuration');
  if (driver !== 'virtual' && !existsSync(path)) return found(fault, path);
  if (part?.trouble) return found(fault, part.trouble.detail ?? path);
  return fine();
};

/** What is checked, by name, in the order in which a technician would look. */
export const doctorChecks = {
  terminal: daemon,
  link,
  keys,
  certificates,
  clock,
  disk,
  store,
  models,
  pcscd,
  reader,
  camera,
  face,
  broker,
  agent,
  settings,
  screen,
  fonts,
  cardCamera: ({ config }: Examination) => device(config.cardFrontReader, undefined, 'card-camera.missing'),
  keypad: ({ config, report }: Examination) => device(config.keypad, report?.keypad, 'keypad.lost'),
  light: ({ config, report }: Examination) => device(config.statusLight, report?.statusLight, 'light.lost'),
  ...machineChecks,
} satisfies Readonly<Record<string, DoctorCheck>>;
