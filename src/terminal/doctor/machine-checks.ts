import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FaultName } from '../../catalogue/faults.ts';
import { isFailureCode } from '../../core/failure.ts';
import { dayOfBootLoader, isBootLoaderTooOld } from '../../core/update/boot-loader.ts';
import { keyFiles, keyFolders } from '../../trust/key-files.ts';
import type { DoctorCheck, Examined, Finding, Machine, UnitState } from './examination.ts';

/*
 * What a doctor learns from the machine itself, whether or not our processes answer: the state of their units and their last
 * words, whose the files are, whether the program is whole.
 */

type Unit = {
  readonly unit: string;
  readonly faults: Readonly<Record<Exclude<UnitState['state'], 'beginning'>, FaultName>>;
};

/** Where the agent keeps its journal, as the package installs it */
const journal = '/var/lib/uketsuke-agent/journal.sqlite';

/** An agent without its journal runs on, answers no terminal, and tells systemd why. */
const journalTrouble = ({ state, lastWords }: UnitState): Finding | null =>
  state === 'running' && isFailureCode(lastWords)
    ? {
        ...{ state: 'found', fault: lastWords, detail: journal },
        where: { path: journal, folder: dirname(journal), units: 'uketsuke-agent' },
      }
    : null;

const findingOf = ({ faults }: Unit, { state, lastWords }: UnitState): Finding =>
  state === 'beginning'
    ? { state: 'skipped', detail: 'it is starting' }
    : { state: 'found', fault: faults[state], detail: lastWords };

/** Why a process does not answer, by its unit; without systemd `otherwise` is all that is known. */
export const findingOfUnit = async (machine: Machine, unit: Unit, otherwise: FaultName): Promise<Finding> => {
  const seen = await machine.unit(unit.unit);
  return seen === null ? { state: 'found', fault: otherwise, detail: '' } : findingOf(unit, seen);
};

/** The same of a process that may live on another machine: null = it is not here, or it runs and has what it needs. */
export const troubleOfUnit = async (machine: Machine, unit: Unit): Promise<Finding | null> => {
  const seen = await machine.unit(unit.unit);
  if (seen === null || !seen.isWanted) return null;
  return seen.state === 'running' ? journalTrouble(seen) : findingOf(unit, seen);
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
/** Of an agent on this machine: it answers no terminal that its registry lacks, for want of a key to judge it by. */
export const isUnknownHere = async (machine: Machine, device: string): Promise<boolean> =>
  (await machine.unit(agentUnit.unit))?.state === 'running' && (await machine.agentKnows(device)) === false;

export const brokerUnit: Unit = {
  unit: 'uketsuke-broker.service',
  faults: { running: 'broker.hung', stopped: 'broker.stopped', failing: 'broker.cannot-start' },
};

/** `holds`: a file in it that nobody else writes; systemd sees to the folder alone. */
type OwnedPlace = { readonly path: string; readonly holds?: string; readonly user: string; readonly unit: string };

/** Whose a place must be. The agent's and the broker's are here only where the clinic's end is. */
const ownedPlaces = ({ paths }: Examined): readonly OwnedPlace[] => [
  { path: join(paths.provisioning, keyFolders.terminal), user: 'uketsuke', unit: 'uketsuke' },
  { path: join(paths.provisioning, keyFolders.link), user: 'uketsuke-link', unit: 'uketsuke-link' },
  // A folder that is not ours alone must not change hands with all that is in it.
  ...(basename(dirname(paths.store)).startsWith('uketsuke')
    ? [{ path: dirname(paths.store), holds: paths.store, user: 'uketsuke-link', unit: 'uketsuke-link' }]
    : []),
  { path: '/var/lib/uketsuke', user: 'uketsuke', unit: 'uketsuke' },
  {
    ...{ path: dirname(journal), holds: journal },
    ...{ user: 'uketsuke-agent', unit: 'uketsuke-agent' },
  },
  { path: '/etc/mosquitto/uketsuke', user: 'mosquitto', unit: 'uketsuke-broker' },
];

/**
 * The first on the way down from a place that none of our users may read (the place itself, `bits` 4) or pass (1); null: the
 * way is open. `top`: looked at no more. A group may be the technician's choice; nobody of ours is in root's.
 */
export const shutOnTheWay = async (place: string, bits: 4 | 1, top = '/'): Promise<string | null> => {
  if (place === top || place === dirname(place)) return null;
  const shut = await shutOnTheWay(dirname(place), 1, top);
  const is = shut === null ? await stat(place).catch(() => null) : null;
  if (is === null) return shut;
  const byGroup = is.gid === 0 ? 0 : is.mode >> 3;
  return ((is.mode | byGroup) & bits) === 0 ? place : null;
};

const owners: DoctorCheck = async ({ config, machine }) => {
  for (const { path, holds, user, unit } of ownedPlaces(config)) {
    const wanted = await machine.userId(user);
    // SQLite's own files beside it: one that is another's keeps it shut as well.
    for (const place of holds === undefined ? [path] : [path, holds, `${holds}-wal`, `${holds}-shm`]) {
      const is = await stat(place).catch(() => null);
      if (wanted !== null && is !== null && (place === path || is.isFile()) && is.uid !== wanted)
        return {
          state: 'found',
          fault: 'files.owner-wrong',
          detail: `${place}: not ${user}'s`,
          where: { path, user, unit },
        };
    }
  }
  const shut = (await machine.userId('uketsuke')) === null ? null : await shutOnTheWay(config.paths.provisioning, 1);
  if (shut !== null) return { state: 'found', fault: 'keys.shut', detail: shut, where: { path: shut } };
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
    if (is?.isFile() && (is.mode & 0o077) !== 0)
      return { state: 'found', fault: 'keys.exposed', detail: path, where: { path } };
  }
  return { state: 'ok', detail: '' };
};

/** Those of our units that somebody set up here; one that never was must not begin by a remedy. */
const unitsInUse = async (machine: Machine): Promise<readonly string[]> => {
  const names = ['uketsuke-link', 'uketsuke-face', 'uketsuke', 'uketsuke-agent'];
  const seen = await Promise.all(names.map((name) => machine.unit(`${name}.service`)));
  return names.filter((_, index) => seen[index]?.isWanted);
};

const program: DoctorCheck = async ({ machine }) => {
  const [damaged, units] = await Promise.all([machine.damagedFiles(), unitsInUse(machine)]);
  if (damaged === null) return { state: 'skipped', detail: 'not installed as a package, or not compared in time' };
  const [first] = damaged;
  if (first === undefined) return { state: 'ok', detail: 'as installed' };
  return {
    state: 'found',
    fault: 'program.damaged',
    detail: damaged.length > 1 ? `${first.path} and ${damaged.length - 1} more` : first.path,
    where: {
      packages: [...new Set(damaged.map((each) => each.package))].join(' '),
      units: (units.length > 0 ? units : ['uketsuke-link', 'uketsuke']).join(' '),
    },
  };
};

const speaker: DoctorCheck = async ({ config: { speaker: of }, machine, tryParts }) => {
  if (of.driver !== 'alsa') return { state: 'skipped', detail: 'no sound card by the configuration' };
  if (!(await machine.hasSoundCard())) return { state: 'found', fault: 'speaker.missing', detail: of.device };
  const tried = (await tryParts())?.speaker;
  if (tried?.outcome === 'failed')
    return { state: 'found', fault: 'speaker.refuses', detail: `${of.device}: ${tried.detail}` };
  if (tried?.outcome === 'late')
    return { state: 'found', fault: 'speaker.refuses', detail: `${of.device}: it took a note and does not end it` };
  return { state: 'ok', detail: `${of.device}${tried?.outcome === 'good' ? ': it took a note' : ''}` };
};

/** A place that takes no writes, whatever the process that writes there says of it. */
const writable: DoctorCheck = async ({ config, machine }) => {
  const path = dirname(config.paths.store);
  const is = await lstat(path).catch(() => null);
  if (is === null || !(await machine.isReadOnly(path))) return { state: 'ok', detail: '' };
  return { state: 'found', fault: 'disk.read-only', detail: path, where: { path } };
};

/** Where a file is set aside that was found damaged, the newest first; somebody must hear of it for as long as it lies there. */
const setAside: DoctorCheck = async ({ config: { paths } }) => {
  const kept = [
    { path: paths.store, units: 'uketsuke-link uketsuke' },
    { path: journal, units: 'uketsuke-agent' },
  ];
  for (const { path, units } of kept) {
    const names = await readdir(dirname(path)).catch(() => []);
    const damaged = names.filter((name) => name.startsWith(`${basename(path)}.damaged-`)).sort();
    const newest = damaged.at(-1);
    if (newest !== undefined)
      return {
        state: 'found',
        fault: 'storage.damaged',
        detail: join(dirname(path), newest),
        where: { path, folder: dirname(path), units },
      };
  }
  return { state: 'ok', detail: '' };
};

/** Of a device whose boot loader chooses between two slots. */
const bootLoader: DoctorCheck = async ({ machine }) => {
  const builtMs = machine.bootLoaderBuiltMs();
  if (builtMs === null) return { state: 'skipped', detail: 'no board that tells of its boot loader' };
  const detail = `EEPROM of ${dayOfBootLoader(builtMs)}`;
  return isBootLoaderTooOld(builtMs) ? { state: 'found', fault: 'boot-loader.old', detail } : { state: 'ok', detail };
};

/** Without polkit the card service refuses the terminal's user, and no order restarts anything. It is begun when asked for. */
const rights: DoctorCheck = async ({ machine }) => {
  const [terminal, polkit] = await Promise.all([machine.unit(terminalUnit.unit), machine.unit('polkit.service')]);
  if (terminal === null) return { state: 'skipped', detail: 'no systemd, or not installed as a package' };
  const isAway = polkit === null || polkit.state === 'failing' || polkit.lastWords === 'masked';
  return isAway
    ? { state: 'found', fault: 'machine.no-polkit', detail: polkit?.lastWords || 'not installed' }
    : { state: 'ok', detail: '' };
};

export const machineChecks = { owners, secrecy, program, speaker, writable, setAside, rights, bootLoader };

/** A unit of the clinic's end, on the clinic's own PC */
const unitHere =
  (unit: Unit): DoctorCheck =>
  async ({ machine }) => {
    const seen = await machine.unit(unit.unit);
    if (seen === null || !seen.isWanted) return { state: 'skipped', detail: 'nobody set it up here' };
    if (seen.state !== 'running') return findingOf(unit, seen);
    return journalTrouble(seen) ?? { state: 'ok', detail: 'it runs' };
  };

/** Of a clinic's PC that is no terminal: nothing of a reader, a screen or a terminal's configuration. */
export const clinicChecks = {
  agent: unitHere(agentUnit),
  broker: unitHere(brokerUnit),
  owners,
  program,
  setAside,
} satisfies Readonly<Record<string, DoctorCheck>>;

/** Whether this machine is the clinic's end and no terminal. Without systemd nobody knows: then it is taken for a terminal. */
export const isClinicAlone = async (machine: Machine): Promise<boolean> => {
  const [terminal, agent] = await Promise.all([terminalUnit, agentUnit].map(({ unit }) => machine.unit(unit)));
  return terminal === null && agent !== null;
};
