import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { renameDurably } from '../storage/rename-durably.ts';

/** What lies in it: a tar with owners (Debian), or folders and files alone (Windows, folder-archive.ts) */
type BackupKind = 'debian' | 'windows';

/** Its kind, salt 16, iv 12, AES-256-GCM of the content, tag 16. The marks have one length. */
const marks = { debian: Buffer.from('UKETSUKE-BACKUP-1\n'), windows: Buffer.from('UKETSUKE-BACKUP-W\n') };
const markBytes = marks.debian.length;
const [saltBytes, ivBytes, tagBytes] = [16, 12, 16];
const headBytes = markBytes + saltBytes + ivBytes;

/** The whole of five years is 50 MB; the slowest stick writes it in a minute. ms */
export const copyMs = 30 * 60_000;

const keyOf = (passphrase: string, salt: Uint8Array): Buffer =>
  scryptSync(passphrase, salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 256 << 20 });

/**
 * Whole and on the disk, or not there: a backup that is half written must not look like one. `check`: throws when what
 * `content` gave was not all of it.
 */
export const sealBackup = async (
  file: string,
  passphrase: string,
  kind: BackupKind,
  content: AsyncIterable<Uint8Array>,
  { interrupted, check }: { readonly interrupted?: AbortSignal | undefined; readonly check?: () => Promise<void> } = {},
): Promise<void> => {
  const [salt, iv] = [randomBytes(saltBytes), randomBytes(ivBytes)];
  const aside = `${file}.part`;
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, salt), iv);
  const head = Buffer.concat([marks[kind], salt, iv]);
  cipher.setAAD(head);
  const out = createWriteStream(aside, { mode: 0o600 });
  out.write(head);
  const signal = AbortSignal.any([AbortSignal.timeout(copyMs), ...(interrupted === undefined ? [] : [interrupted])]);
  await pipeline(content, cipher, out, { signal });
  await check?.();
  const handle = await open(aside, 'a');
  await handle.write(cipher.getAuthTag());
  await handle.sync();
  await handle.close();
  renameDurably(aside, file);
};

const decipherOf = async (file: string, passphrase: string, kind: BackupKind) => {
  const { size } = await stat(file);
  const handle = await open(file, 'r');
  const head = Buffer.alloc(headBytes);
  const tag = Buffer.alloc(tagBytes);
  await handle.read(head, 0, headBytes, 0);
  await handle.read(tag, 0, tagBytes, Math.max(0, size - tagBytes));
  await handle.close();
  const mark = head.subarray(0, markBytes);
  const other = kind === 'debian' ? marks.windows : marks.debian;
  if (mark.equals(other))
    throw new Error(`${file}: a backup of the other system: Debian's goes back to Debian, Windows' to Windows`);
  if (size < headBytes + tagBytes || !mark.equals(marks[kind]))
    throw new Error(`${file}: no backup of \`uketsuke provision backup\``);
  const salt = head.subarray(markBytes, markBytes + saltBytes);
  const decipher = createDecipheriv('aes-256-gcm', keyOf(passphrase, salt), head.subarray(markBytes + saltBytes));
  decipher.setAAD(head);
  decipher.setAuthTag(tag);
  return { decipher, from: createReadStream(file, { start: headBytes, end: size - tagBytes - 1 }) };
};

/** Nothing of it is given out by `openBackup` before this has seen the whole. Throws when it is not what was written. */
export const proveBackup = async (file: string, passphrase: string, kind: BackupKind): Promise<void> => {
  const { decipher, from } = await decipherOf(file, passphrase, kind);
  try {
    await pipeline(from, decipher, async (parts) => {
      for await (const _part of parts);
    });
  } catch {
    throw new Error(`${file}: another passphrase, or the file is damaged; nothing was restored`);
  }
};

/** Of a file that was proven. */
export const openBackup = async (
  file: string,
  passphrase: string,
  kind: BackupKind,
  take: (parts: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> => {
  const { decipher, from } = await decipherOf(file, passphrase, kind);
  await pipeline(from, decipher, take, { signal: AbortSignal.timeout(copyMs) });
};
