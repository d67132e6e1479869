import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { type RunningProgram, runProgram } from '../../drivers/host/run-program.ts';
import { expectLaterJournal } from '../agent/journal/journal-witness.ts';
import { agentFiles } from '../agent/provisioning/agent-keys.ts';
import { renameDurably } from '../storage/rename-durably.ts';
import {
  clinicPlaces,
  clinicUnits,
  enrolmentUnits,
  exists,
  limitsUnit,
  madePlaces,
  needRootOnDebian,
} from './provision-places.ts';
import { run, succeeds } from './run-commands.ts';
import { tell } from './say.ts';

/*
 * The clinic's end moves to another PC as one encrypted file: facility, agent (keys, settings, staff codes, journal) and the
 * broker's files. And the way back from `provision`: a machine of which nothing is left but the packages.
 */

/** UKETSUKE-BACKUP-1, salt 16, iv 12, AES-256-GCM of a tar, tag 16 */
const magic = Buffer.from('UKETSUKE-BACKUP-1\n');
const [saltBytes, ivBytes, tagBytes] = [16, 12, 16];
const headBytes = magic.length + saltBytes + ivBytes;
const movedPlaces = [clinicPlaces.facility, clinicPlaces.agent, clinicPlaces.broker];

const keyOf = (passphrase: string, salt: Uint8Array): Buffer =>
  scryptSync(passphrase, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 256 << 20 });
const readPassphrase = async (file: string): Promise<string> => {
  const passphrase = (await readFile(file, 'utf8')).trim();
  if (passphrase.length < 12) throw new Error(`${file}: a passphrase of at least 12 characters`);
  return passphrase;
};

/** A stick that takes or gives nothing for so long is failing. ms */
const stallMs = 60_000;
/** The whole of five years is 50 MB; the slowest stick writes it in a minute. ms */
const copyMs = 30 * 60_000;

const endOf = async (tar: RunningProgram, what: string): Promise<void> => {
  const { how, code, words } = await tar.ended;
  if (how !== 'ended' || code !== 0)
    throw new Error(`${what}: tar ${how === 'ended' ? `ended with ${code}` : how} ${words}`);
};

/** Whole and on the disk, or not there: a backup that is half written must not look like one. */
export const writeBackup = async (
  file: string,
  passphrase: string,
  places: readonly string[],
  interrupted?: AbortSignal,
): Promise<void> => {
  const [salt, iv] = [randomBytes(saltBytes), randomBytes(ivBytes)];
  const aside = `${file}.part`;
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), iv);
  const head = Buffer.concat([magic, salt, iv]);
  cipher.setAAD(head);
  const archive = new PassThrough();
  const tar = runProgram('tar', ['-c', '--numeric-owner', '-P', ...places], {
    limitMs: stallMs,
    onOutput: (piece) => {
      tar.allow(stallMs);
      archive.write(piece);
    },
  });
  void tar.ended.then(() => archive.end());
  const out = createWriteStream(aside, { mode: 0o600 });
  out.write(head);
  const signal = AbortSignal.any([AbortSignal.timeout(copyMs), ...(interrupted === undefined ? [] : [interrupted])]);
  await pipeline(archive, cipher, out, { signal });
  await endOf(tar, `${file} is not written`);
  const handle = await open(aside, 'a');
  await handle.write(cipher.getAuthTag());
  await handle.sync();
  await handle.close();
  renameDurably(aside, file);
};

const decipherOf = async (file: string, passphrase: string) => {
  const { size } = await stat(file);
  const handle = await open(file, 'r');
  const head = Buffer.alloc(headBytes);
  const tag = Buffer.alloc(tagBytes);
  await handle.read(head, 0, headBytes, 0);
  await handle.read(tag, 0, tagBytes, Math.max(0, size - tagBytes));
  await handle.close();
  if (size < headBytes + tagBytes || !head.subarray(0, magic.length).equals(magic))
    throw new Error(`${file}: no backup of \`uketsuke provision backup\``);
  const salt = head.subarray(magic.length, magic.length + saltBytes);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(passphrase, salt), head.subarray(magic.length + saltBytes));
  decipher.setAAD(head);
  decipher.setAuthTag(tag);
  return { decipher, from: createReadStream(file, { start: headBytes, end: size - tagBytes - 1 }) };
};

/** Nothing is unpacked before the whole file has been proven. `root`: where the places begin */
export const readBackup = async (file: string, passphrase: string, root: string): Promise<void> => {
  const { decipher: proof, from: whole } = await decipherOf(file, passphrase);
  try {
    await pipeline(whole, proof, async (parts) => {
      for await (const _part of parts);
    });
  } catch {
    throw new Error(`${file}: another passphrase, or the file is damaged; nothing was restored`);
  }
  const { decipher, from } = await decipherOf(file, passphrase);
  const tar = runProgram('tar', ['-x', '-p', '--numeric-owner', '-C', root], { limitMs: copyMs, takesInput: true });
  if (tar.input !== null) await pipeline(from, decipher, tar.input, { signal: AbortSignal.timeout(copyMs) });
  await endOf(tar, 'restore it again');
};

/** When the journal was last written to, as the backup has it. */
const journalOf = async (agent: string): Promise<Date> => {
  const times = await Promise.all(
    ['journal.sqlite', 'journal.sqlite-wal'].map((name) =>
      stat(join(agent, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return new Date(Math.max(...times));
};

/**
 * A copy of before: what came after it is not in it. The agent notes so in its audit chain, on the staff page, and goes
 * beyond every number that it had given out (`storage.rolled-back`). Answers how far the copy reaches.
 */
export const settleRestored = async (agent: string): Promise<Date> => {
  const until = await journalOf(agent);
  await expectLaterJournal(join(agent, agentFiles.journalSeen));
  return until;
};

type FileOptions = { readonly passphraseFile: string };

const agentUnit = 'uketsuke-agent.service';
const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The journal is copied while nobody writes; terminals keep what they have meanwhile. An agent that ran before runs again
 * afterwards, also when somebody has pressed Ctrl-C or gone away: nothing else would begin it before the next start.
 */
export const withAgentStopped = async (work: (interrupted: AbortSignal) => Promise<void>): Promise<void> => {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  const isRunning = await succeeds('systemctl', 'is-active', '--quiet', agentUnit);
  for (const signal of interruptions) process.on(signal, interrupt);
  try {
    if (isRunning) await run('systemctl', 'stop', agentUnit);
    await work(interruption.signal);
  } finally {
    if (isRunning) await run('systemctl', 'start', agentUnit);
    for (const signal of interruptions) process.off(signal, interrupt);
  }
};

const backup = async (file: string, { passphraseFile }: FileOptions): Promise<void> => {
  needRootOnDebian();
  const passphrase = await readPassphrase(passphraseFile);
  await withAgentStopped((interrupted) => writeBackup(file, passphrase, movedPlaces, interrupted));
  tell(
    '{file} holds everything of the clinic’s end, encrypted. On the new PC, under the same address: uketsuke provision restore',
    { file },
  );
};

const restore = async (file: string, { passphraseFile }: FileOptions): Promise<void> => {
  needRootOnDebian();
  if (await exists(join(clinicPlaces.facility, 'facility.json')))
    throw new Error(`${clinicPlaces.facility} holds a facility already: \`uketsuke provision undo --yes\` first`);
  await readBackup(file, await readPassphrase(passphraseFile), '/');
  const until = await settleRestored(clinicPlaces.agent);
  // Users may have other numbers here.
  await run('chown', '-R', 'uketsuke-agent:uketsuke-agent', clinicPlaces.agent);
  await run('chown', '-R', 'mosquitto:mosquitto', clinicPlaces.broker);
  for (const folder of ['face', 'req', 'res'])
    await run('install', '-d', '-o', 'uketsuke-agent', '-g', 'uketsuke-agent', join(clinicPlaces.oqs, folder));
  await run('systemctl', 'enable', '--quiet', '--now', ...clinicUnits);
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
