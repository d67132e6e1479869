import { createPublicKey, generateKeyPair as generateNodeKeyPair } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { renameDurably } from '../../storage/rename-durably.ts';
import {
  importSealingPublicKey,
  importVerificationKey,
  keyFiles,
  keyFolders,
  type PrivateJwk,
  privateJwkSchema,
  readJsonFile,
} from '../../trust/key-files.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import type { PublicJwk } from '../../wire/messages.ts';
import { publicPart } from './agent-keys.ts';

/** The public halves of a terminal's keys, wherever they were made. `tlsKey`: SPKI, DER, base64 */
export type DevicePublicKeys = {
  readonly tlsKey: string;
  readonly signingKey: PublicJwk;
  readonly sealingKey: PublicJwk;
  /** In the terminal's TPM, where there is one */
  readonly attestationKey?: PublicJwk | undefined;
};

export const newKey = async (algorithm: 'ES256' | 'ECDH-ES'): Promise<PrivateJwk> => {
  const { privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    ...(algorithm === 'ECDH-ES' ? { crv: 'P-256' } : {}),
  });
  const { kty, crv, x, y, d } = await exportJWK(privateKey);
  return privateJwkSchema.parse({
    kty,
    crv,
    x,
    y,
    d,
    kid: await calculateJwkThumbprint({ kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '' }),
  });
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A file that was cut or holds something else is no key any more: it would keep the terminal from ever being enrolled. */
const setAsideUnless = async (path: string, isKey: (path: string) => Promise<unknown>): Promise<void> => {
  if (!(await exists(path))) return;
  try {
    await isKey(path);
  } catch (error) {
    // Which rights and disks refuse is whole.
    if (error instanceof Error && 'code' in error && 'syscall' in error && error.code !== 'EISDIR') throw error;
    renameDurably(path, `${path}.unreadable`);
  }
};

const keptKey = async (path: string, algorithm: 'ES256' | 'ECDH-ES'): Promise<PrivateJwk> => {
  await setAsideUnless(path, (kept) => readJsonFile(privateJwkSchema, kept));
  if (!(await exists(path))) await writeFileAtomically(path, `${JSON.stringify(await newKey(algorithm), null, 2)}\n`);
  return readJsonFile(privateJwkSchema, path);
};

/**
 * A terminal's three keys below its directory, where they are made and stay; answers their public halves. Keys that are
 * there already are the terminal's: a run that was cut off goes on with them. What is no key is set aside (`.unreadable`).
 */
export const makeDeviceKeys = async (directory: string): Promise<DevicePublicKeys> => {
  const tlsPath = join(directory, keyFolders.link, keyFiles.tlsKey);
  await setAsideUnless(tlsPath, async (kept) => createPublicKey(await readFile(kept, 'utf8')));
  if (!(await exists(tlsPath))) {
    const { privateKey } = await promisify(generateNodeKeyPair)('ec', { namedCurve: 'P-256' });
    await writeFileAtomically(tlsPath, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  const terminal = join(directory, keyFolders.terminal);
  return {
    tlsKey: createPublicKey(await readFile(tlsPath, 'utf8'))
      .export({ type: 'spki', format: 'der' })
      .toString('base64'),
    signingKey: publicPart(await keptKey(join(terminal, keyFiles.signingKey), 'ES256')),
    sealingKey: publicPart(await keptKey(join(terminal, keyFiles.sealingKey), 'ECDH-ES')),
  };
};

/** Whether each is a key of its kind under its own name: one that is none would keep the whole registry from being read. */
export const areDeviceKeys = async ({
  tlsKey,
  signingKey,
  sealingKey,
  attestationKey,
}: DevicePublicKeys): Promise<boolean> => {
  try {
    const tls = createPublicKey({ key: Buffer.from(tlsKey, 'base64'), format: 'der', type: 'spki' });
    if (tls.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
    for (const key of [signingKey, ...(attestationKey === undefined ? [] : [attestationKey])])
      await importVerificationKey('', key);
    await importSealingPublicKey(sealingKey);
    const named = [signingKey, sealingKey, ...(attestationKey === undefined ? [] : [attestationKey])];
    const names = await Promise.all(named.map(({ kty, crv, x, y }) => calculateJwkThumbprint({ kty, crv, x, y })));
    return named.every(({ kid }, index) => kid === names[index]);
  } catch {
    return false;
  }
};
