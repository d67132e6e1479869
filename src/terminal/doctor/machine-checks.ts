import { lstat, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FaultName } from '../../catalogue/faults.ts';
import { keyFiles, keyFolders } from '../../trust/key-files.ts';
import type { DoctorCheck, Examined, Finding, Machine, UnitState } from './examination.ts';

/*
 * What a doctor learns from the machine itself, whether or not our processes answer: the state of their units and their last
 * words, whose the files are, whether the program is whole.
 */

type Unit = { readonly unit: string; readonly faults: Readonly<Record<UnitState['state'], FaultName>> };

/** Why a process does not answer, by its unit; without systemd `otherwise` is all that is known. */
export const findingOfUnit = async (
  machine: Machine,
  { unit, faults }: Unit,
  otherwise: FaultName,
): Promise<Finding> => {
  const seen = await machine.unit(unit);
  if (seen === null) return { state: 'found', fault: otherwise, detail: '' };
  return { state: 'found', fault: faults[seen.state], detail: seen.lastWords };
};

/** The same of a process that may live on another machine: null = it is not here, or it runs. */
export const troubleOfUnit = async (machine: Machine, { unit, faults }: Unit): Promise<Finding | null> => {
  const seen = await machine.unit(unit);
  if (seen === null || seen.state === 'running' || !seen.isWanted) return null;
  return { state: 'found', fault: faults[seen.state], detail: seen.lastWords };
};

export const terminalUnit: Unit = {
  unit: 'uketsuke.service',
  faults: { running: 'daemon.hung', stopped: 'daemon.stopped', failing: 'daemon.cannot-start' },
};
export const linkUnit: Unit = {
  unit: 'uketsuke-link.service',
  faults: { running: 'delivery.link-lost', stopped: 'delivery.link-lost', failing: 'delivery.link-lost' },
};
export const agentUnit: Unit = {
  unit: 'uketsuke-agent.service',
  faults: { running: 'agent.silent', stopped: 'agent.stopped', failing: 'agent.cannot-start' },
};
export const brokerUnit: Unit = {
  unit: 'uketsuke-broker.service',
  faults: { running: 'broker.hung', stopped: 'broker.stopped', failing: 'broker.cannot-start' },
};

/** Whose a place must be. The agent's and the broker's are here only where the clinic's end is. */
const ownedPlaces = ({ paths }: Examined): readonly { path: string; user: string; unit: string }[] => [
  { path: join(paths.provisioning, keyFolders.terminal), user: 'uketsuke', unit: 'uketsuke' },
  { path: join(paths.provisioning, keyFolders.link), user: 'uketsuke-link', unit: 'uketsuke-link' },
  // A folder that is not ours alone must not change hands with all that is in it.
  ...(basename(dirname(paths.store)).startsWith('uketsuke')
    ? [{ path: dirname(paths.store), user: 'uketsuke-link', unit: 'uketsuke-link' }]
    : []),
  { path: '/var/lib/uketsuke', user: 'uketsuke', unit: 'uketsuke' },
  { path: '/var/lib/uketsuke-agent', user: 'uketsuke-agent', unit: 'uketsuke-agent' },
  { path: '/etc/mosquitto/uketsuke', user: 'mosquitto', unit: 'uketsuke-broker' },
];

const owners: DoctorCheck = async ({ config, machine }) => {
  for (const { path, user, unit } of ownedPlaces(config)) {
    const [wanted, is] = await Promise.all([machine.userId(user), stat(path).catch(() => null)]);
    if (wanted !== null && is !== null && is.uid !== wanted)
      return {
        state: 'found',
        fault: 'files.owner-wrong',
        detail: `${path}: not ${user}'s`,
        where: { path, user, unit },
      };
  }
  const above = await stat(config.paths.provisioning).catch(() => null);
  if (above !== null && (await machine.userId('uketsuke')) !== null && (above.mode & 0o001) === 0)
    return {
      state: 'found',
      fault: 'keys.shut',
      detail: config.paths.provisioning,
      where: { path: config.paths.provisioning },
    };
  return { state: 'ok', detail: '' };
};

/** A key that others on this machine may read is no secret any more. */
const secrecy: DoctorCheck = async ({ config: { paths } }) => {
  const { terminal, link } = keyFolders;
  const secrets = [
    join(terminal, keyFiles.signingKey),
    join(terminal, keyFiles.sealingKey),
    join(link, keyFiles.tlsKey),
  ].map((name) => join(paths.provisioning, name));
  for (const path of secrets) {
    const is = await stat(path).catch(() => null);
    if (is !== null && (is.mode & 0o077) !== 0)
      return { state: 'found', fault: 'keys.exposed', detail: path, where: { path } };
  }
  return { state: 'ok', detail: '' };
};

const program: DoctorCheck = async ({ machine }) => {
  const damaged = await machine.damagedFiles();
  if (damaged === null) return { state: 'skipped', detail: 'not installed as a package, or not compared in time' };
  if (damaged.length === 0) return { state: 'ok', detail: 'as installed' };
  const [first] = damaged;
  return {
    state: 'found',
    fault: 'program.damaged',
    detail: `${first}${damaged.length > 1 ? ` and ${damaged.length - 1} more` : ''}`,
  };
};

const speaker: DoctorCheck = async ({ config, machine }) => {
  if (config.speaker.driver !== 'alsa') return { state: 'skipped', detail: 'no sound card by the configuration' };
  return (await machine.hasSoundCard())
    ? { state: 'ok', detail: config.speaker.device }
    : { state: 'found', fault: 'speaker.missing', detail: config.speaker.device };
};

/** A place that takes no writes, whatever the process that writes there says of it. */
const writable: DoctorCheck = async ({ config, machine }) => {
  const path = dirname(config.paths.store);
  const is = await lstat(path).catch(() => null);
  if (is === null || !(await machine.isReadOnly(path))) return { state: 'ok', detail: '' };
  return { state: 'found', fault: 'disk.read-only', detail: path, where: { path } };
};

export const machineChecks = { owners, secrecy, program, speaker, writable };
