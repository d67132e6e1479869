import { getServers } from 'node:dns';
import { constants, existsSync } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { dirname } from 'node:path';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { provenReaderDriver } from '../../drivers/card-reader/reader-driver-proof.ts';
import { runProgram } from '../../drivers/host/run-program.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { hasSoundCard } from '../../drivers/speaker/sound-card.ts';
import { bootLoaderBuiltMs } from '../../drivers/update-board/board-boot-loader.ts';
import { refusesWrites } from '../agent/disk-watch.ts';
import { readDeviceRegistry } from '../agent/provisioning/agent-keys.ts';
import { type Failure, failure } from '../core/failure.ts';
import { compatibleHere } from '../processes/compatible.ts';
import type { Config } from '../processes/terminal-config.ts';
import type { Machine, UnitState } from '../terminal/doctor/examination.ts';
import { readLinkKeys } from '../trust/key-files.ts';
import { readTlsPairs } from '../trust/tls-pairs.ts';
import { damagedFiles } from './damaged-files.ts';
import { leftMs } from './doctor-budget.ts';

/* What only a driver can tell while no daemon runs: null = it works. Each answers within 2 s. */

const probeMs = 2_000;

/** The first word of `begin`'s listener, or `silent` after a while. */
const firstAnswer = (
  begin: (answer: (trouble: Failure | null) => void) => void,
  silent: () => Failure,
): Promise<Failure | null> =>
  new Promise((resolve) => {
    let last: Failure | null = null;
    const timer = setTimeout(() => resolve(last ?? silent()), probeMs);
    begin((trouble) => {
      last = trouble;
      // A failure may be the state before the first try: waited for until the end.
      if (trouble !== null) return;
      clearTimeout(timer);
      resolve(null);
    });
  });

export const probeReader = async (
  config: Pick<Config, 'cardReader'>,
): Promise<{ readonly trouble: Failure | null; readonly slots: readonly string[] }> => {
  const unproven = await provenReaderDriver();
  if (unproven !== null) return { trouble: failure('reader.driver-missing', unproven), slots: [] };
  const reader = createPcscCardReader({ reader: config.cardReader.name });
  const trouble = await firstAnswer(
    (answer) =>
      reader.subscribe((event) => {
        if (event.type === 'reader-found') answer(null);
        if (event.type === 'reader-lost') answer(event.failure);
      }),
    () => failure('reader.lost'),
  );
  const slots = reader.slots?.() ?? [];
  await reader.close();
  return { trouble, slots };
};

/** Only when no link process answers: brokers admit a terminal under its own id alone, and the newer connection wins. */
export const probeBroker = async ({
  broker,
  device,
  paths,
}: Pick<Config, 'broker' | 'device'> & {
  readonly paths: Pick<Config['paths'], 'provisioning' | 'store'>;
}): Promise<Failure | null> => {
  const bus = createMqttMessageBus({
    host: broker.host,
    port: broker.port,
    ...(broker.serverName === '' ? {} : { serverName: broker.serverName }),
    tls: (await readTlsPairs(dirname(paths.store), await readLinkKeys(paths.provisioning)))[0],
    clientId: device,
    protocolVersion: broker.protocolVersion,
  });
  const trouble = await firstAnswer(
    (answer) =>
      bus.subscribeConnection((connected, cause) => answer(connected ? null : (cause ?? failure('delivery.offline')))),
    () => failure('delivery.offline'),
  );
  await bus.close();
  return trouble;
};

/** What a program prints; null where it is missing, fails or does not end in time. */
const said = async (program: string, ...args: string[]): Promise<string | null> => {
  const pieces: Buffer[] = [];
  const { how, code } = await runProgram(program, args, {
    limitMs: leftMs(),
    onOutput: (piece) => void pieces.push(piece),
    environment: { ...process.env, LC_ALL: 'C' },
  }).ended;
  // `dpkg --verify` ends with 1 where it found something.
  return how === 'ended' && (code === 0 || pieces.length > 0) ? Buffer.concat(pieces).toString('utf8') : null;
};

/** A name server of the clinic answers within milliseconds; one that is away is asked for ten seconds by the system. ms */
const nameMs = 1_500;

/**
 * By the system's own way, in a process that can be ended: this one does not end, whatever it calls, before a look-up that it
 * has begun has an answer.
 */
export const addressOf = async (host: string, limitMs = nameMs): ReturnType<Machine['addressOf']> => {
  if (isIP(host) !== 0) return { value: host };
  const pieces: Buffer[] = [];
  const { how } = await runProgram('getent', ['ahosts', host], {
    limitMs,
    onOutput: (piece) => void pieces.push(piece),
  }).ended;
  if (how === 'over-time') return 'silent';
  const [value = ''] = Buffer.concat(pieces).toString('utf8').split(/\s/, 1);
  return isIP(value) === 0 ? 'unknown' : { value };
};

/** What systemd says of every end, after the line that tells why. */
const saysNothing =
  /: Failed with result |: Failed to kill control group |^Failed to start |^Dependency failed for |^Emitted 'error' event/;
/** The one event that tells of an end: what the program stumbled over, and where. */
const crash = /^\{.*"event":"process\.error".*?"error":"([^"]*)"(?:.*?"place":"([^"]*)")?/;
/** A process's own word, or one of systemd or of another program; no line of the log of events, none of a stack. */
const saysWhy = (line: string): boolean =>
  /^uketsuke [a-z-]+: |^\S+\.yaml:|^\s*Error: /.test(line) ||
  (/^(?![\s{]).*(error|failed|cannot|unable)/i.test(line) && !saysNothing.test(line));

/** Of the log lines of one unit the last that says why it ended; else how, by systemd; '' where nothing says so. */
export const lastWordsOf = (log: string): string => {
  const lines = log.split('\n');
  const [, error, place] = crash.exec(lines.findLast((line) => crash.test(line)) ?? '') ?? [];
  const stumbled = error === undefined ? undefined : `${error} ${place ?? ''}`;
  const ended = lines.findLast((line) => line.includes(': Failed with result '));
  return (lines.findLast(saysWhy) ?? stumbled ?? ended ?? '').trim().slice(0, 300);
};

/** A unit file, or a file beside it, that systemd cannot take: nothing begins before somebody mends that. */
const isRefused = (loadState = ''): boolean => ['bad-setting', 'error'].includes(loadState);
const refusal =
  'systemd refuses the unit or a file in its .d folder: systemd-analyze verify names the line, then systemctl daemon-reload';

/** What `systemctl show` says of a unit; null: there is none. Its words are asked for where it is `failing`. */
export const unitStateOf = (told: string): UnitState | null => {
  const {
    LoadState,
    ActiveState,
    UnitFileState,
    NRestarts,
    StatusText = '',
  } = Object.fromEntries(told.split('\n').map((line) => line.split('=', 2) as [string, string]));
  if (LoadState === 'masked') return { state: 'stopped', isWanted: true, lastWords: 'masked' };
  if (LoadState !== 'loaded' && !isRefused(LoadState)) return null;
  const of = (state: UnitState['state'], lastWords = ''): UnitState => ({
    state,
    isWanted: UnitFileState !== 'disabled',
    lastWords,
  });
  if (ActiveState === 'active' || ActiveState === 'reloading') return of('running', StatusText);
  if (isRefused(LoadState)) return of('failing', refusal);
  if (ActiveState === 'inactive' || ActiveState === 'deactivating') return of('stopped');
  // One that begins is on its way; one that begins again after it ended is not.
  return of(ActiveState === 'activating' && NRestarts === '0' ? 'beginning' : 'failing');
};

/** Those that are asked for in one go: each start of a program takes a busy machine its time. */
const ourUnits = ['uketsuke', 'uketsuke-link', 'uketsuke-face', 'uketsuke-agent', 'uketsuke-broker', 'polkit'].map(
  (name) => `${name}.service`,
);
const agentDirectory = '/var/lib/uketsuke-agent';
/** Of a unit that is not enabled: somebody set it up here, and somebody disabled it. */
const setUpBy: Readonly<Record<string, string>> = {
  'uketsuke-agent.service': `${agentDirectory}/agent.yaml`,
  'uketsuke-broker.service': '/etc/mosquitto/uketsuke/mosquitto.conf',
  'uketsuke.service': '/etc/uketsuke/provisioning',
};
const shown = 'LoadState,ActiveState,UnitFileState,NRestarts,InvocationID,StatusText';
let ours: Promise<readonly string[] | null> | null = null;

/** What `systemctl show` says of one unit; null: it does not answer, or there is no systemd. */
const toldOf = async (name: string): Promise<string | null> => {
  if (!ourUnits.includes(name)) return said('systemctl', 'show', '-p', shown, name);
  // A doctor looks once: its whole run is one instant.
  ours ??= said('systemctl', 'show', '-p', shown, ...ourUnits).then((told) => told?.trim().split('\n\n') ?? null);
  return (await ours)?.[ourUnits.indexOf(name)] ?? null;
};

const unit = async (name: string): Promise<UnitState | null> => {
  const told = await toldOf(name);
  const seen = told === null ? null : unitStateOf(told);
  const state = seen && { ...seen, isWanted: seen.isWanted || existsSync(setUpBy[name] ?? '') };
  // Its log tells of starts before somebody changed the file.
  if (state?.state !== 'failing' || state.lastWords === refusal) return state;
  const logOf = async (...which: string[]): Promise<string> =>
    lastWordsOf((await said('journalctl', ...which, '-n', '60', '-o', 'cat', '--no-pager')) ?? '');
  const run = /^InvocationID=(\w+)$/m.exec(told ?? '')?.[1];
  // Its own lines and systemd's of it. What has only just begun again has said nothing yet: then those before it.
  const [last, before] = await Promise.all([
    run === undefined ? '' : logOf(`_SYSTEMD_INVOCATION_ID=${run}`, '+', `INVOCATION_ID=${run}`),
    logOf('-u', name),
  ]);
  return { ...state, lastWords: last || before };
};

/** Whether the registry there has the terminal, and has not revoked it; null: it cannot be read. */
export const agentKnows = (device: string, directory: string = agentDirectory): Promise<boolean | null> =>
  readDeviceRegistry(directory).then(
    (devices) => devices.get(device)?.revoked === false,
    () => null,
  );

const userId = async (name: string): Promise<number | null> => {
  const found = new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  return found === null ? null : Number(found[1]);
};

/** Addresses that this machine asks for names, without the port or interface that may stand beside one */
export const nameServersHere = (servers: readonly string[] = getServers()): readonly string[] =>
  servers
    .map((server) =>
      server
        .replace(/^\[(.*)\](:\d+)?$/, '$1')
        .replace(/^([\d.]+):\d+$/, '$1')
        .replace(/%.*$/, ''),
    )
    .filter((address) => isIP(address) !== 0);

/** What the link's unit allows; a unit that denies nothing allows all. */
const mayReach = async (address: string): Promise<boolean | null> => {
  const told = await said('systemctl', 'show', '-p', 'IPAddressAllow,IPAddressDeny', 'uketsuke-link.service');
  const [allow, deny] = ['Allow', 'Deny'].map(
    (what) => new RegExp(`^IPAddress${what}=(.*)$`, 'm').exec(told ?? '')?.[1],
  );
  if (!allow || !deny?.trim()) return null;
  const family = (each: string): 'ipv4' | 'ipv6' => (isIP(each) === 6 ? 'ipv6' : 'ipv4');
  const allowed = new BlockList();
  for (const [, net = '', bits] of allow.matchAll(/([0-9a-f.:]+)\/(\d+)/g))
    allowed.addSubnet(net, Number(bits), family(net));
  return allowed.check(address, family(address));
};

/** Its file system refuses writes (also root's), or it alone is mounted read-only. */
const isReadOnly = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') return true;
  }
  return refusesWrites(path);
};

/** Of a board whose loader chooses between two slots; of any other its age is no matter. */
export const slotLoaderBuiltMs = (rauc?: string, tree?: string): number | null =>
  compatibleHere(rauc) === null ? null : bootLoaderBuiltMs(tree);

export const thisMachine: Machine = {
  agentKnows: (device) => agentKnows(device),
  addressOf: (host) => addressOf(host),
  nameServers: () => nameServersHere(),
  ...{ unit, userId, mayReach, isReadOnly, damagedFiles, hasSoundCard },
  bootLoaderBuiltMs: () => slotLoaderBuiltMs(),
};
