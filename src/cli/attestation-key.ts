import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { defaultTpm, makeTpmKey, signByTpm, tpmDevice } from '../../drivers/host/tpm-key.ts';
import { type AttestationSigner, fileSigner } from '../trust/attestation.ts';
import { keyFiles, keyFolders, readJsonFile } from '../trust/key-files.ts';
import type { SigningKey } from '../trust/seal.ts';
import { writeFileAtomically } from '../trust/write-file.ts';
import { type PublicJwk, publicJwkSchema } from '../wire/messages.ts';

/** Of a TPM's key: its public half, and what this TPM alone can load, base64. */
const keyFileSchema = z.strictObject({ jwk: publicJwkSchema, public: z.base64(), private: z.base64() });

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const fileBelow = (deviceDirectory: string): string =>
  join(deviceDirectory, keyFolders.terminal, keyFiles.attestationKey);

/** Whether there is one. `tpm`: as tpm2-tools call it; any but the kernel's is believed to be there. */
export const hasTpm = (tpm: string): Promise<boolean> =>
  tpm === defaultTpm ? exists(tpmDevice) : Promise.resolve(true);

/** The public half of the device's attestation key in the TPM, made there unless it was before. Throws with what the TPM said. */
export const keptTpmKey = async (deviceDirectory: string, tpm: string): Promise<PublicJwk> => {
  const path = fileBelow(deviceDirectory);
  if (await exists(path)) return (await readJsonFile(keyFileSchema, path)).jwk;
  const { wrapped, x, y } = await makeTpmKey(tpm);
  const plain = { kty: 'EC', crv: 'P-256', x, y } as const;
  const jwk = { ...plain, kid: await calculateJwkThumbprint(plain) };
  const [open, closed] = [wrapped.public, wrapped.private].map((part) => Buffer.from(part).toString('base64'));
  await writeFileAtomically(path, `${JSON.stringify({ jwk, public: open, private: closed }, null, 2)}\n`);
  return jwk;
};

/** The device's key in the TPM where it was enrolled with one, never another instead of it; else the file that signs. */
export const attestationSigner = async (
  deviceDirectory: string,
  tpm: string,
  signing: SigningKey,
): Promise<AttestationSigner> => {
  const path = fileBelow(deviceDirectory);
  if (!(await exists(path))) return fileSigner(signing);
  const key = await readJsonFile(keyFileSchema, path);
  const wrapped = { public: Buffer.from(key.public, 'base64'), private: Buffer.from(key.private, 'base64') };
  return {
    kept: 'tpm',
    kid: key.jwk.kid,
    sign: (input) => signByTpm(tpm, wrapped, createHash('sha256').update(input).digest()),
  };
};
