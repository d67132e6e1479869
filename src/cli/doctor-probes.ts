import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { dirname } from 'node:path';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { provenReaderDriver } from '../../drivers/card-reader/reader-driver-proof.ts';
import { runProgram } from '../../drivers/host/run-program.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { type Failure, failure } from '../core/failure.ts';
import type { Config } from '../processes/terminal-config.ts';
import type { Machine, UnitState } from '../terminal/doctor/examination.ts';
import { readLinkKeys } from '../trust/key-files.ts';
import { readTlsPairs } from '../trust/tls-pairs.ts';
import { hasSoundCard } from './sound-card.ts';

/* What only a driver can tell while no daemon runs: null = it works. Each answers within 3 s. */

const probeMs = 3_000;

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

export const probeReader = async (config: Pick<Config, 'cardReader'>): Promise<Failure | null> => {
  const unproven = await provenReaderDriver();
  if (unproven !== null) return failure('reader.driver-missing', unproven);
  const reader = createPcscCardReader({ reader: config.cardReader.name });
  const trouble = await firstAnswer(
    (answer) =>
      reader.subscribe((event) => {
        if (event.type === 'reader-found') answer(null);
        if (event.type === 'reader-lost') answer(event.failure);
      }),
    () => failure('reader.lost'),
  );
  await reader.close();
  return trouble;
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

/** What a program prints; null where it is missing, fails or takes longer than 3.5 s. */
const said = async (program: string, ...args: string[]): Promise<string | null> => {
  const pieces: Buffer[] = [];
  const { how, code } = await runProgram(program, args, {
    limitMs: 3_500,
    onOutput: (piece) => void pieces.push(piece),
    environment: { ...process.env, LC_ALL: 'C' },
  }).ended;
  // `dpkg --verify` ends with 1 where it found something.
  return how === 'ended' && (code === 0 || pieces.length > 0) ? Buffer.concat(pieces).toString('utf8') : null;
};

/** Of the log lines of one unit the last that says why it ended: a process's own line, else systemd's. */
const lastWordsOf = (log: string): string => {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const own = lines.findLast((line) => /^uketsuke [a-z-]+: |^\S+\.yaml:|^Error: |^\s*Error: |^Error:/.test(line));
  const word = own ?? lines.findLast((line) => /error|failed|cannot|unable/i.test(line) && !line.startsWith('{'));
  return (word ?? '').trim().slice(0, 300);
};

const unit = async (name: string): Promise<UnitState | null> => {
  const told = await said('systemctl', 'show', '-p', 'LoadState,ActiveState,UnitFileState,NRestarts', name);
  if (told === null) return null;
  const { LoadState, ActiveState, UnitFileState, NRestarts } = Object.fromEntries(
    told.split('\n').map((line) => line.split('=', 2) as [string, string]),
  );
  if (LoadState === 'masked') return { state: 'stopped', isWanted: true, lastWords: 'masked' };
  if (LoadState !== 'loaded') return null;
  const isWanted = UnitFileState !== 'disabled';
  // One that begins is on its way; one that begins again after it ended is not.
  const isBeginning = ActiveState === 'activating' && NRestarts === '0';
  if (ActiveState === 'active' || ActiveState === 'reloading' || isBeginning)
    return { state: 'running', isWanted, lastWords: '' };
  if (ActiveState === 'inactive' || ActiveState === 'deactivating')
    return { state: 'stopped', isWanted, lastWords: '' };
  const log = await said('journalctl', '-u', name, '-n', '60', '-o', 'cat', '--no-pager');
  return { state: 'failing', isWanted, lastWords: lastWordsOf(log ?? '') };
};

const userId = async (name: string): Promise<number | null> => {
  const found = new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  return found === null ? null : Number(found[1]);
};

/** What the link's unit allows; a unit that denies nothing allows all. */
const mayReach = async (address: string): Promise<boolean | null> => {
  const [allow, deny] = await Promise.all(
    ['IPAddressAllow', 'IPAddressDeny'].map((name) =>
      said('systemctl', 'show', '-p', name, '--value', 'uketsuke-link.service'),
    ),
  );
  if (!allow || !deny?.trim()) return null;
  const family = (each: string): 'ipv4' | 'ipv6' => (isIP(each) === 6 ? 'ipv6' : 'ipv4');
  const allowed = new BlockList();
  for (const [, net = '', bits] of allow.matchAll(/([0-9a-f.:]+)\/(\d+)/g))
    allowed.addSubnet(net, Number(bits), family(net));
  return allowed.check(address, family(address));
};

/** By the mount with the longest path above it. */
const isReadOnly = async (path: string): Promise<boolean> => {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.split(' '));
  const [nearest] = mounts
    .filter(([, , , , at = '?']) => path === at || path.startsWith(at === '/' ? '/' : `${at}/`))
    .toSorted(([, , , , one = ''], [, , , , other = '']) => other.length - one.length);
  // Last mounted on one place is what is seen there.
  const last = mounts.findLast(([, , , , at]) => at === nearest?.[4]);
  return last?.[5]?.split(',').includes('ro') ?? false;
};

const packages = ['uketsuke', 'uketsuke-terminal', 'uketsuke-agent', 'uketsuke-kiosk'];

const damagedFiles = async (): Promise<readonly string[] | null> => {
  // dpkg's own placeholders
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for dpkg-query
  const installed = await said('dpkg-query', '-W', '-f', '${db:Status-Status} ${Package}\n', ...packages);
  const names = (installed ?? '').split('\n').flatMap((line) => /^installed (\S+)$/.exec(line)?.[1] ?? []);
  if (names.length === 0) return null;
  const told = await said('dpkg', '--verify', ...names);
  // Models may be others than those of the package (`uketsuke models add`): their own check knows them.
  return (
    told
      ?.split('\n')
      .filter((line) => line !== '' && !/^\S+ +c /.test(line) && !line.includes('/uketsuke/models/'))
      .map((line) => line.replace(/^\S+ +/, '')) ?? null
  );
};

export const thisMachine: Machine = { unit, userId, mayReach, isReadOnly, damagedFiles, hasSoundCard };
