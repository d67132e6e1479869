import { randomInt } from 'node:crypto';
import { access, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { naming, needFolder } from '../../storage/read-given.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';

/*
 * The key of a facility's CA signs new terminals and revocations, nothing else: no process needs it from day to day, and
 * whoever has it can make terminals of his own. So it lies beside the registry only under a passphrase, or not at all:
 * on a stick in the safe.
 */

/** Written last of a facility, and nowhere else. */
export const facilityFile = 'facility.json';

const clearFile = 'facility-ca-key.pem';
const lockedFile = 'facility-ca-key.jwe';
export const authorityKeyFiles: readonly string[] = [clearFile, lockedFile];

/** How the key is reached for one piece of work. `file`: the key itself, where it was taken away to. */
export type AuthorityKeyAccess = { readonly passphrase?: string; readonly file?: string };

/** `clear`: whoever reads the disk has it. `away`: on no disk of this machine that we know of. */
type AuthorityKeyState = 'locked' | 'clear' | 'away';

/** Turns of PBKDF2-HMAC-SHA512 (OWASP's figure for 2023 is 210,000). */
const passphraseTurns = 250_000;
const keyManagement = 'PBES2-HS512+A256KW';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Throws on a directory that is no facility's: of a mistyped one nobody shall be told that its key is away. */
export const authorityKeyState = async (directory: string): Promise<AuthorityKeyState> => {
  if (await exists(join(directory, clearFile))) return 'clear';
  if (await exists(join(directory, lockedFile))) return 'locked';
  if (await exists(join(directory, facilityFile))) return 'away';
  throw new Error(
    `${directory}: no facility's directory (${facilityFile} is missing); \`uketsuke provision\` makes one`,
  );
};

/** 125 bits in 25 letters that nobody mistakes for each other, in groups of five: to be written down. */
export const newPassphrase = (): string => {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
  const group = (): string => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
  return Array.from({ length: 5 }, group).join('-');
};

const lock = async (pem: string, passphrase: string): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(pem))
    .setProtectedHeader({ alg: keyManagement, enc: 'A256GCM', typ: 'uketsuke-facility-ca-key' })
    .setKeyManagementParameters({ p2c: passphraseTurns })
    .encrypt(new TextEncoder().encode(passphrase));

const unlock = async (jwe: string, passphrase: string): Promise<string> => {
  const opened = await compactDecrypt(jwe.trim(), new TextEncoder().encode(passphrase.trim()), {
    keyManagementAlgorithms: [keyManagement],
    contentEncryptionAlgorithms: ['A256GCM'],
    maxPBES2Count: passphraseTurns,
  }).catch(() => {
    throw new Error("the passphrase of the facility's CA key is wrong");
  });
  return new TextDecoder().decode(opened.plaintext);
};

/** PEM. Throws what is missing: a passphrase, or the file that was taken away. */
export const readAuthorityKey = async (directory: string, given: AuthorityKeyAccess): Promise<string> => {
  if (given.file !== undefined) return readFile(given.file, 'utf8').catch(naming(given.file));
  const state = await authorityKeyState(directory);
  if (state === 'clear') return readFile(join(directory, clearFile), 'utf8');
  if (state === 'away') throw new Error("the facility's CA key was taken away: --ca-key names the file on its stick");
  if (given.passphrase === undefined)
    throw new Error("the facility's CA key is locked: --ca-passphrase-file names the file with its passphrase");
  return unlock(await readFile(join(directory, lockedFile), 'utf8'), given.passphrase);
};

/** `passphrase` undefined: in clear, for a facility that lives as long as a test. */
export const writeAuthorityKey = async (directory: string, pem: string, passphrase?: string): Promise<void> => {
  if (passphrase === undefined) return writeFileAtomically(join(directory, clearFile), pem);
  await writeFileAtomically(join(directory, lockedFile), await lock(pem, passphrase));
};

/** What a file system overwrites in place is gone; a flash disk keeps old blocks: its own encryption is for those. */
const shred = async (path: string): Promise<void> => {
  const file = await open(path, 'r+');
  try {
    await file.write(Buffer.alloc((await stat(path)).size), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await unlink(path);
};

const dropFrom = async (directory: string): Promise<void> => {
  for (const name of [clearFile, lockedFile])
    if (await exists(join(directory, name))) await shred(join(directory, name));
};

/** From now on under this passphrase. */
export const lockAuthorityKey = async (
  directory: string,
  given: AuthorityKeyAccess,
  passphrase: string,
): Promise<void> => {
  await writeAuthorityKey(directory, await readAuthorityKey(directory, given), passphrase);
  if (await exists(join(directory, clearFile))) await shred(join(directory, clearFile));
};

/** Throws when the key cannot be taken to this file: it exists, or no folder is there for it. */
export const refuseTakenPlace = async (target: string): Promise<void> => {
  if (await exists(target)) throw new Error(`${target} exists`);
  needFolder(dirname(resolve(target)));
};

/** To a file on a stick, read back from there, then gone from here. Throws when that file exists, or its folder does not. */
export const takeAuthorityKeyAway = async (
  directory: string,
  given: AuthorityKeyAccess,
  target: string,
): Promise<void> => {
  const pem = await readAuthorityKey(directory, given);
  await refuseTakenPlace(target);
  await writeFileAtomically(target, pem);
  if ((await readFile(target, 'utf8')) !== pem) throw new Error(`${target} does not hold what was written to it`);
  await dropFrom(directory);
};
