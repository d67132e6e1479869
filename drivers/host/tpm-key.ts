import { createPublicKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/**
 * A signing key that was made inside a TPM 2.0 and never leaves it, by the programs of tpm2-tools. What lies on the disk
 * is wrapped by this TPM's own seed: in another machine it is of no use. Nothing is kept inside the TPM, so there is
 * nothing to run out of; the parent is made again from the seed each time.
 */

/** The kernel's resource manager, which keeps users of the TPM apart. */
export const tpmDevice = '/dev/tpmrm0';
/** How tpm2-tools call it */
export const defaultTpm = `device:${tpmDevice}`;

/** Both as tpm2-tools write them: TPM2B_PUBLIC and TPM2B_PRIVATE. About 90 and 130 bytes */
type WrappedKey = { readonly public: Uint8Array; readonly private: Uint8Array };

/** A TPM of some years ago takes about a second for a P-256 key. ms */
const limitMs = 20_000;
const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign';

/** One program of tpm2-tools after the other, in `folder`. Throws with what the first that failed said. */
const runAll = async (folder: string, tpm: string, steps: readonly (readonly string[])[]): Promise<void> => {
  const environment = { PATH: process.env.PATH, TPM2TOOLS_TCTI: tpm };
  // Without a resource manager whatever was loaded would stay until nothing fits any more.
  const flush = ['tpm2_flushcontext', '-t'];
  for (const [program = '', ...args] of steps.flatMap((step) => [step, flush])) {
    const { how, code, words } = await runProgram(program, args, { folder, limitMs, environment }).ended;
    if (how === 'not-started') throw new Error(`${program} is not there: the package tpm2-tools is missing`);
    if (code !== 0) throw new Error(`the TPM (${tpm}) did not do what ${program} asked: ${words || how}`);
  }
};

/** Mode 0700 */
const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'uketsuke-tpm-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const parent = ['tpm2_createprimary', '-Q', '-C', 'o', '-g', 'sha256', '-G', 'ecc256:aes128cfb', '-c', 'parent'];
const load = ['tpm2_load', '-Q', '-C', 'parent', '-u', 'public', '-r', 'private', '-c', 'key'];

/** A new ECDSA P-256 key; `x` and `y` of its public half as a JWK has them. Throws with what the TPM said. */
export const makeTpmKey = (
  tpm: string,
): Promise<{ readonly wrapped: WrappedKey; readonly x: string; readonly y: string }> =>
  inFolder(async (folder) => {
    const create = ['tpm2_create', '-Q', '-C', 'parent', '-g', 'sha256', '-G', 'ecc256:ecdsa-sha256'];
    await runAll(folder, tpm, [
      parent,
      [...create, '-a', attributes, '-u', 'public', '-r', 'private'],
      load,
      ['tpm2_readpublic', '-Q', '-c', 'key', '-f', 'pem', '-o', 'key.pem'],
    ]);
    const read = (name: string): Promise<Buffer> => readFile(join(folder, name));
    const { x = '', y = '' } = createPublicKey(await read('key.pem')).export({ format: 'jwk' });
    return { wrapped: { public: await read('public'), private: await read('private') }, x, y };
  });

/** r and s of a DER-coded ECDSA P-256 signature, side by side, 32 bytes each. null: not such a signature */
export const rawSignature = (der: Uint8Array): Uint8Array | null => {
  const raw = new Uint8Array(64);
  let at = 2;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0;
    const number = der.subarray(at + 2, at + 2 + length);
    const digits = number[0] === 0 ? number.subarray(1) : number;
    if (der[at] !== 0x02 || number.length !== length || digits.length === 0 || digits.length > 32) return null;
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? raw : null;
};

/** ECDSA over a SHA-256 hash: r and s side by side. Throws with what the TPM said. */
export const signByTpm = (tpm: string, wrapped: WrappedKey, sha256: Uint8Array): Promise<Uint8Array> =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'public'), wrapped.public);
    await writeFile(join(folder, 'private'), wrapped.private);
    await writeFile(join(folder, 'digest'), sha256);
    const sign = ['tpm2_sign', '-Q', '-c', 'key', '-g', 'sha256', '-s', 'ecdsa', '-f', 'plain', '-d'];
    await runAll(folder, tpm, [parent, load, [...sign, '-o', 'signature', 'digest']]);
    const raw = rawSignature(await readFile(join(folder, 'signature')));
    if (raw === null) throw new Error('tpm2_sign wrote no ECDSA signature');
    return raw;
  });
