import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { z } from 'zod';
import { defaultTpm } from '../../drivers/host/tpm-key.ts';
import { readDeviceRegistry } from '../agent/provisioning/agent-keys.ts';
import { version } from '../processes/release.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { orMissing } from '../storage/or-missing.ts';
import { readGiven } from '../storage/read-given.ts';
import { openAttestation, signAttestation } from '../trust/attestation.ts';
import { differences, type InstalledFile, installedFiles, manifestName, treeHash } from '../trust/installed-tree.ts';
import { readTerminalKeys } from '../trust/key-files.ts';
import { attestationSigner } from './attestation-key.ts';
import { readConfigOrExit } from './config.ts';
import { inWordsOf, refuse } from './say.ts';

type AttestOptions = {
  readonly config: string;
  readonly tree: string;
  readonly tpm: string;
  readonly seal?: true;
  readonly verify?: string;
  readonly devices?: string;
  readonly json?: true;
};

const manifestSchema = z.strictObject({
  release: z.string(),
  tree: z.string(),
  files: z.array(z.strictObject({ path: z.string(), sha256: z.string() })),
});

const readManifest = async (tree: string): Promise<readonly InstalledFile[] | null> => {
  const text = await readFile(join(tree, manifestName), 'utf8').catch(orMissing);
  return text === null ? null : manifestSchema.parse(JSON.parse(text)).files;
};

const fail = (reason: unknown, status: number): never => refuse('attest', reason, status);

const keptWords = {
  tpm: "Signed with the key in this device's TPM.",
  file: 'Signed with a key in a file: this device has no TPM, or was enrolled without it.',
} as const;

/** At the end of packaging: which files belong to the release. */
const seal = async (tree: string): Promise<void> => {
  const files = await installedFiles(tree);
  await writeFile(
    join(tree, manifestName),
    `${JSON.stringify({ release: version, tree: treeHash(files), files }, null, 1)}\n`,
  );
  process.stdout.write(`${JSON.stringify({ release: version, tree: treeHash(files), files: files.length })}\n`);
};

const attest = async ({ config: file, tree, tpm, json }: AttestOptions): Promise<void> => {
  const expected = await readManifest(tree);
  if (expected === null) return fail(`${join(tree, manifestName)} is missing: nothing tells what was released`, 2);
  const found = await installedFiles(tree);
  const altered = differences(expected, found);
  if (altered.length > 0) return fail(`not signed: altered since the release: ${altered.join(', ')}`, 1);
  const config = readConfigOrExit(file);
  const keys = await readTerminalKeys(config.paths.provisioning);
  const { facility, device, signing } = keys;
  const signer = await attestationSigner(config.paths.provisioning, tpm, signing);
  const attestation = {
    ...{ facility, device, release: version, tree: treeHash(found), files: found.length },
    ...{ node: process.version, at: Date.now() },
  };
  const signed = await signAttestation(attestation, signer);
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...attestation, key: signer.kept, signed })}\n`
      : `${renderUnicodeCompact(signed, { border: 2 })}\n${signed}\n${inWordsOf(keptWords[signer.kept])}\n`,
  );
};

/** Whether the word is a device's of this facility, and whether what it runs is what lies in `tree`. */
const verify = async ({ verify: file = '', devices: directory, tree }: AttestOptions): Promise<void> => {
  if (directory === undefined) return fail("--devices: the agent's directory, whose devices.json names the keys", 2);
  const devices = [...(await readDeviceRegistry(directory)).values()].filter(({ revoked }) => !revoked);
  const text = readGiven(file).toString('utf8').trim();
  const opened = await openAttestation(
    text,
    devices.map(({ attestation }) => attestation),
  );
  if (!opened.ok) return fail(`${opened.failure.code}: ${opened.failure.detail}`, 1);
  const found = await installedFiles(tree);
  const same = treeHash(found) === opened.value.tree;
  const expected = await readManifest(tree);
  const altered = expected === null ? [] : differences(expected, found);
  process.stdout.write(`${JSON.stringify({ genuine: same && altered.length === 0, ...opened.value, altered })}\n`);
  const { device } = opened.value;
  if (altered.length > 0)
    fail(`what ${device} runs is not what lies in ${tree}, which was altered: ${altered.join(', ')}`, 1);
  if (!same) fail(`what ${device} runs is not what lies in ${tree}`, 1);
};

/** `uketsuke attest`: exit code 1 when something was altered or forged. */
export const register = (program: Command): void => {
  program
    .command('attest')
    .description('release, hash of all that is installed and time, signed by the device, as a QR code; or checks one')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--tree <dir>', 'what is installed', fileURLToPath(new URL('../..', import.meta.url)))
    .option('--tpm <name>', 'the TPM, as tpm2-tools call it', defaultTpm)
    .option('--seal', `at the end of packaging: writes ${manifestName}`)
    .option('--verify <file>', 'checks what a device said against the files of --tree')
    .option('--devices <dir>', "with --verify: the agent's directory")
    .option('--json', 'one JSON object instead of a QR code')
    .action(async (given: AttestOptions) => {
      const options = { ...given, tree: resolve(given.tree) };
      const work = options.seal ? seal(options.tree) : options.verify === undefined ? attest(options) : verify(options);
      await work.catch((error: unknown) => fail(error, 2));
    });
};
