import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { type RunningProgram, runProgram } from '../../drivers/host/run-program.ts';
import { readGiven } from '../storage/read-given.ts';
import { copyMs, openBackup, proveBackup, sealBackup } from './backup-file.ts';
import { clinicSystem } from './clinic-system.ts';
import { restoreFolder, writeFolderBackup } from './move-windows.ts';
import {
  clinicPlaces,
  clinicUnits,
  enrolmentUnits,
  exists,
  limitsUnit,
  madePlaces,
  needRootOnDebian,
  passphraseName,
} from './provision-places.ts';
import { settleRestored } from './restored-journal.ts';
import { run, succeeds } from './run-commands.ts';
import { tell } from './say.ts';

/*
 * The clinic's end moves to another PC as one encrypted file: facility, agent (keys, settings, staff codes, journal) and the
 * broker's files. And the way back from `provision`: a machine of which nothing is left but the packages.
 */

const movedPlaces = [clinicPlaces.facility, clinicPlaces.agent, clinicPlaces.broker];

const readPassphrase = async (file: string): Promise<string> => {
  const passphrase = readGiven(file).toString('utf8').trim();
  if (passphrase.length < 12) throw new Error(`${file}: a passphrase of at least 12 characters`);
  return passphrase;
};

/** A stick that takes or gives nothing for so long is failing. ms */
const stallMs = 60_000;

const endOf = async (tar: RunningProgram, what: string): Promise<void> => {
  const { how, code, words } = await tar.ended;
  if (how !== 'ended' || code !== 0)
    throw new Error(`${what}: tar ${how === 'ended' ? `ended with ${code}` : how} ${words}`);
};

/** Debian's, with owners. */
export const writeBackup = async (
  file: string,
  passphrase: string,
  places: readonly string[],
  interrupted?: AbortSignal,
): Promise<void> => {
  const archive = new PassThrough();
  const tar = runProgram('tar', ['-c', '--numeric-owner', '-P', ...places], {
    limitMs: stallMs,
    onOutput: (piece) => {
      tar.allow(stallMs);
      archive.write(piece);
    },
  });
  void tar.ended.then(() => archive.end());
  const check = (): Promise<void> => endOf(tar, `${file} is not written`);
  await sealBackup(file, passphrase, 'debian', archive, { interrupted, check });
};

/** Nothing is unpacked before the whole file has been proven. `root`: where the places begin */
export const readBackup = async (file: string, passphrase: string, root: string): Promise<void> => {
  await proveBackup(file, passphrase, 'debian');
  const tar = runProgram('tar', ['-x', '-p', '--numeric-owner', '-C', root], { limitMs: copyMs, takesInput: true });
  const { input } = tar;
  if (input !== null) await openBackup(file, passphrase, 'debian', (parts) => pipeline(parts, input));
  await endOf(tar, 'restore it again');
};

type FileOptions = { readonly passphraseFile: string };

/** SIGHUP, SIGBREAK: on Windows when the window is closed, or Ctrl+Break */
const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;

/**
 * The journal is copied while nobody writes; terminals keep what they have meanwhile. An agent that ran before runs again
 * afterwards, also when somebody has pressed Ctrl-C or gone away: nothing else would begin it before the next start.
 */
export const withAgentStopped = async (work: (interrupted: AbortSignal) => Promise<void>): Promise<void> => {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  const { agentService } = clinicSystem;
  const isRunning = await agentService.isRunning();
  for (const signal of interruptions) process.on(signal, interrupt);
  try {
    if (isRunning) await agentService.stop();
    await work(interruption.signal);
  } finally {
    if (isRunning) await agentService.start();
    for (const signal of interruptions) process.off(signal, interrupt);
  }
};

const onWindows = process.platform === 'win32';

const backup = async (file: string, { passphraseFile }: FileOptions): Promise<void> => {
  if (onWindows) await clinicSystem.check();
  else needRootOnDebian();
  const passphrase = await readPassphrase(passphraseFile);
  await withAgentStopped((interrupted) =>
    onWindows
      ? writeFolderBackup(file, passphrase, clinicPlaces, interrupted)
      : writeBackup(file, passphrase, movedPlaces, interrupted),
  );
  tell(
    '{file} holds everything of the clinic’s end, encrypted. On the new PC, under the same address: uketsuke provision restore',
    { file },
  );
};

const restoreOnDebian = async (file: string, passphrase: string): Promise<Date> => {
  if (await exists(join(clinicPlaces.facility, 'facility.json')))
    throw new Error(`${clinicPlaces.facility} holds a facility already: \`uketsuke provision undo --yes\` first`);
  await readBackup(file, passphrase, '/');
  const until = await settleRestored(clinicPlaces.agent);
  // Users may have other numbers here.
  await run('chown', '-R', 'uketsuke-agent:uketsuke-agent', clinicPlaces.agent);
  await run('chown', '-R', 'mosquitto:mosquitto', clinicPlaces.broker);
  for (const folder of ['face', 'req', 'res'])
    await run('install', '-d', '-o', 'uketsuke-agent', '-g', 'uketsuke-agent', join(clinicPlaces.oqs, folder));
  await run('systemctl', 'enable', '--quiet', '--now', ...clinicUnits);
  return until;
};

const restoreOnWindows = async (file: string, passphrase: string): Promise<Date> => {
  const until = await restoreFolder(file, passphrase, clinicPlaces, clinicSystem, [passphraseName]);
  await clinicSystem.startServices(false);
  return until;
};

const restore = async (file: string, { passphraseFile }: FileOptions): Promise<void> => {
  if (onWindows) await clinicSystem.check();
  else needRootOnDebian();
  const passphrase = await readPassphrase(passphraseFile);
  const until = await (onWindows ? restoreOnWindows : restoreOnDebian)(file, passphrase);
  tell('restored. Take the old PC out of the network before this one answers: two with the same keys must not run');
  tell(
    'The journal ends at {until}. Visits after that are not in it (the staff page says so until a technician has seen to it); a terminal that was added after it must be enrolled again, one that was revoked after it must be revoked again.',
    { until: until.toISOString() },
  );
};

const terminalUnits = [
  'uketsuke-kiosk.service',
  'uketsuke.service',
  'uketsuke-face.service',
  'uketsuke-link.service',
  'uketsuke-screen.socket',
  'uketsuke-face.socket',
  'uketsuke-link.socket',
];

/** Keys and data go, packages stay: the machine waits for its first steps again. */
const undo = async ({ yes, terminal, clinic }: { yes?: true; terminal?: true; clinic?: true }): Promise<void> => {
  needRootOnDebian();
  const both = terminal !== true && clinic !== true;
  const goes = [...(both || terminal ? madePlaces.terminal : []), ...(both || clinic ? madePlaces.clinic : [])];
  if (yes !== true) {
    for (const place of goes) if (await exists(place)) process.stdout.write(`${place}\n`);
    throw new Error(
      'these would go, keys and records with them; --yes does it (a copy first: uketsuke provision backup)',
    );
  }
  const stopped = [
    ...(both || terminal ? terminalUnits : []),
    ...(both || clinic ? [enrolmentUnits, ...clinicUnits, limitsUnit] : []),
  ];
  for (const unit of stopped) {
    await succeeds('systemctl', 'stop', unit);
    await succeeds('systemctl', 'disable', '--quiet', unit);
  }
  for (const place of goes) await rm(place, { recursive: true, force: true });
  await run('systemd-tmpfiles', '--create', 'uketsuke.conf');
  await run('systemctl', 'daemon-reload');
  if (both || terminal) await succeeds('systemctl', 'start', '--no-block', 'uketsuke-welcome.service');
  tell('undone: {count} places are gone', { count: goes.length });
};

type Explain = <A extends unknown[]>(work: (...args: A) => Promise<void>) => (...args: A) => Promise<void>;

export const addMoveCommands = (provision: Command, orExplain: Explain): void => {
  const passphrase = [
    '--passphrase-file <file>',
    'at least 12 characters; without it nobody reads the backup',
  ] as const;
  provision
    .command('backup <file>')
    .description("the clinic's end as one encrypted file, for another PC or for the safe")
    .requiredOption(...passphrase)
    .action(orExplain(backup));
  provision
    .command('restore <file>')
    .description("the clinic's end of a backup, on a PC that has none; terminals need nothing if its address stays")
    .requiredOption(...passphrase)
    .action(orExplain(restore));
  provision
    .command('undo')
    .description('what `provision clinic` and `provision terminal` made, gone; packages stay')
    .option('--clinic', "the clinic's end alone")
    .option('--terminal', 'the terminal alone')
    .option('--yes', 'do it; without it, it is told what would go')
    .action(orExplain(undo));
};
