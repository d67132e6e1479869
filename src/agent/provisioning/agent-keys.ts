import { join } from 'node:path';
import { z } from 'zod';
import type { AttestationKey } from '../../trust/attestation.ts';
import {
  importSealingPrivateKey,
  importSealingPublicKey,
  importSigningKey,
  importVerificationKey,
  keyFiles,
  privateJwkSchema,
  readJsonFile,
  readTlsFiles,
  type TlsFiles,
} from '../../trust/key-files.ts';
import type { SealingPrivateKey, SealingPublicKey, SigningKey, VerificationKey } from '../../trust/seal.ts';
import { identifier, type PublicJwk, publicJwkSchema } from '../../wire/messages.ts';

/**
 * Files of a provisioned agent, beside the same TLS files and `signing-key.jwk.json` as a terminal has:
 *   facility-keys.json   what devices seal to: current, next (announced ahead), retired (until the last outbox row is gone)
 *   devices.json         the device registry: public keys by device
 *   agents.json          public keys of all agents of the facility (staff approvals)
 */
export const agentFiles = {
  facilityKeys: 'facility-keys.json',
  devices: 'devices.json',
  agents: 'agents.json',
  /** Where the journal's audit chain last ended (journal-witness.ts) */
  journalSeen: 'journal-seen.json',
  /** The key of a journal in a database: never in it, and the same at every agent (drivers/journal/journal-key.ts) */
  journalKey: 'journal-key.json',
  /** What was seen of a chain's orders (src/agent/rollout) */
  rolloutHeld: 'rollout-held.json',
  /** Wrong staffCodes, counted beside the journal, too (guesses-beside.ts) */
  codeGuesses: 'code-guesses.json',
} as const;

export const facilityKeysSchema = z.strictObject({
  facility: identifier,
  current: privateJwkSchema,
  next: privateJwkSchema.optional(),
  retired: z.array(privateJwkSchema),
});
export type FacilityKeys = z.infer<typeof facilityKeysSchema>;

const registeredDeviceSchema = z.strictObject({
  device: identifier,
  lane: z.number().int().min(1).max(99),
  signingKey: publicJwkSchema,
  sealingKey: publicJwkSchema,
  /** In the device's TPM; without one its signing key attests */
  attestationKey: publicJwkSchema.optional(),
  certificateSerial: z.string(),
  addedAt: z.number().int(),
  revokedAt: z.number().int().optional(),
});
export type RegisteredDevice = z.infer<typeof registeredDeviceSchema>;
export const devicesFileSchema = z.array(registeredDeviceSchema);
export const agentsFileSchema = z.array(z.strictObject({ agent: identifier, signingKey: publicJwkSchema }));

export type DeviceEntry = {
  readonly device: string;
  readonly lane: number;
  readonly revoked: boolean;
  /** Of the certificate that it was provisioned with */
  readonly certificateSerial: string;
  /** ms since 1970 */
  readonly addedAt?: number;
  readonly signing: VerificationKey;
  readonly sealing: SealingPublicKey;
  readonly attestation: AttestationKey;
};

export type AgentKeys = {
  readonly facility: string;
  readonly agent: string;
  readonly tls: TlsFiles;
  readonly signing: SigningKey;
  /** current, next and retired: whatever an outbox row may still be sealed to */
  readonly sealing: readonly SealingPrivateKey[];
  /** For the settings message */
  readonly facilityKeys: { readonly current: PublicJwk; readonly next?: PublicJwk };
  readonly agents: readonly VerificationKey[];
};

export const publicPart = ({ kty, crv, x, y, kid }: PublicJwk): PublicJwk => ({ kty, crv, x, y, kid });

/** Read again whenever the file changes: a device may be added or revoked while the agent runs. */
export const readDeviceRegistry = async (directory: string): Promise<ReadonlyMap<string, DeviceEntry>> => {
  const devices = await readJsonFile(devicesFileSchema, join(directory, agentFiles.devices));
  const entries = devices.map(async (entry): Promise<DeviceEntry> => {
    const { device, lane, signingKey, sealingKey, attestationKey, certificateSerial, addedAt, revokedAt } = entry;
    const signing = await importVerificationKey(device, signingKey);
    return {
      device,
      lane,
      certificateSerial,
      addedAt,
      revoked: revokedAt !== undefined,
      signing,
      sealing: await importSealingPublicKey(sealingKey),
      attestation:
        attestationKey === undefined
          ? { ...signing, kept: 'file' }
          : { ...(await importVerificationKey(device, attestationKey)), kept: 'tpm' },
    };
  });
  return new Map((await Promise.all(entries)).map((entry) => [entry.device, entry]));
};

/** Throws with the file's name when a file is missing or wrong. */
export const readAgentKeys = async (directory: string): Promise<AgentKeys> => {
  const facilityKeys = await readJsonFile(facilityKeysSchema, join(directory, agentFiles.facilityKeys));
  const signing = await readJsonFile(privateJwkSchema, join(directory, keyFiles.signingKey));
  const agents = await readJsonFile(agentsFileSchema, join(directory, agentFiles.agents));
  const self = agents.find(({ signingKey }) => signingKey.kid === signing.kid);
  if (self === undefined) throw new Error(`${join(directory, agentFiles.agents)}: this agent's own key is not listed`);
  const { current, next, retired } = facilityKeys;
  return {
    facility: facilityKeys.facility,
    agent: self.agent,
    tls: await readTlsFiles(directory),
    signing: await importSigningKey(signing),
    sealing: await Promise.all([current, ...(next ? [next] : []), ...retired].map(importSealingPrivateKey)),
    facilityKeys: { current: publicPart(current), ...(next ? { next: publicPart(next) } : {}) },
    agents: await Promise.all(agents.map(({ agent, signingKey }) => importVerificationKey(agent, signingKey))),
  };
};
