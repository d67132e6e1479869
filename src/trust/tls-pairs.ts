import { createPrivateKey } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { orMissing } from '../storage/or-missing.ts';
import type { TlsFiles } from './key-files.ts';
import { certificatesOf } from './server-chain.ts';
import { writeFileAtomically } from './write-file.ts';

/*
 * Keys and certificates that came after provisioning. Key and chain stand in one file: they change together, or not at all
 * when the power goes in between.
 *   tls-renewed.pem    in force            tls-former.pem   before it: tried when the broker refuses the newer one
 *   tls-next-key.pem   of a request that is on its way: written before it is sent, and used again after a restart
 */
const files = { renewed: 'tls-renewed.pem', former: 'tls-former.pem', nextKey: 'tls-next-key.pem' } as const;

const readText = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(orMissing);

const keyPattern = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/;

/** null: no whole pair whose key is the certificate's. */
const pairOf = (text: string | null, ca: string): TlsFiles | null => {
  const key = keyPattern.exec(text ?? '')?.[0];
  if (key === undefined || text === null) return null;
  try {
    const [leaf] = certificatesOf(text);
    if (leaf === undefined || !leaf.checkPrivateKey(createPrivateKey(key))) return null;
    return { key, certificate: text.replace(keyPattern, '').trim(), ca };
  } catch {
    return null;
  }
};

/** What may be shown to the broker, newest first: renewed ones in `directory`, last the one of provisioning. */
export const readTlsPairs = async (directory: string, provisioned: TlsFiles): Promise<[TlsFiles, ...TlsFiles[]]> => {
  const read = async (name: string) => pairOf(await readText(join(directory, name)), provisioned.ca);
  const [renewed, former] = await Promise.all([read(files.renewed), read(files.former)]);
  const older: [TlsFiles, ...TlsFiles[]] = former === null ? [provisioned] : [former, provisioned];
  return renewed === null ? older : [renewed, ...older];
};

/** To the disk before it is used. The one that was in force stays beside it; the key's own file goes. */
export const keepRenewed = async (directory: string, { key, certificate }: TlsFiles): Promise<void> => {
  const before = await readText(join(directory, files.renewed));
  if (before !== null) await writeFileAtomically(join(directory, files.former), before);
  await writeFileAtomically(join(directory, files.renewed), `${key.trim()}\n${certificate.trim()}\n`);
  await rm(join(directory, files.nextKey), { force: true });
};

/** The key of the request that is on its way, PEM; `make` where there is none, or it is already in force. */
export const nextKey = async (directory: string, inForce: TlsFiles, make: () => Promise<string>): Promise<string> => {
  const path = join(directory, files.nextKey);
  const found = await readText(path);
  if (found !== null && keyPattern.test(found) && found.trim() !== inForce.key.trim()) return found;
  const made = await make();
  await writeFileAtomically(path, made);
  return made;
};
