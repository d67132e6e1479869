import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAgentKeys, readDeviceRegistry } from '../../src/agent/provisioning/agent-keys.ts';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { firstFacilitySettings, withEveryQuestion } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { askedTopics } from '../../src/core/catalogue/consent.ts';
import { consentTextOf } from '../../src/core/screen/draw-screen-consent.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import type { EligibilityRequest } from '../../src/wire/messages.ts';
import { readDeviceKeys } from './device-keys.ts';
import { simulatedStartMs } from './simulated-clock.ts';

export const facility = 'test-clinic';

/** The terminals were added when the simulated time began: the hour of this machine is of no other day. */
const registryOf = async (agentDirectory: string) =>
  new Map(
    [...(await readDeviceRegistry(agentDirectory))].map(([id, entry]) => [id, { ...entry, addedAt: simulatedStartMs }]),
  );

/** A folder as it stood: folders before what lies in them. `content`: null for a folder */
type Folder = readonly { readonly path: string; readonly mode: number; readonly content: Uint8Array | null }[];

const folderOf = (directory: string): Folder =>
  (readdirSync(directory, { recursive: true }) as string[]).toSorted().map((path) => {
    const stats = statSync(join(directory, path));
    return { path, mode: stats.mode, content: stats.isDirectory() ? null : readFileSync(join(directory, path)) };
  });
const lay = (directory: string, folder: Folder): void => {
  for (const { path, mode, content } of folder)
    if (content === null) mkdirSync(join(directory, path), { mode });
    else writeFileSync(join(directory, path), content, { mode });
};

/** One agent, two devices; its keys and certificates cost a tenth of a second of a processor. */
const setUp = async (directory: string, brokerNames: readonly string[]): Promise<void> => {
  await createFacility(directory, { facility, brokerNames });
  await addAgent(directory, 'agent-1');
  await addDevice(directory, 'front-1', 1);
  await addDevice(directory, 'front-2', 2);
};

/** Set up before and free again, by the names of their broker: of two that are there at once each has keys of its own. */
const free = new Map<string, Folder[]>();

/** A facility of its own in a temporary directory: one agent, two devices, as they were set up. */
export const makeTestFacility = async (brokerNames: readonly string[] = ['localhost', '127.0.0.1']) => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-facility-'));
  const freeOnes = free.get(brokerNames.join()) ?? [];
  free.set(brokerNames.join(), freeOnes);
  let folder = freeOnes.pop();
  if (folder === undefined) {
    await setUp(directory, brokerNames);
    folder = folderOf(directory);
  } else lay(directory, folder);
  const [agentDirectory, deviceDirectory] = [join(directory, 'agents/agent-1'), join(directory, 'devices/front-1')];
  const asSetUp = folder;
  return {
    directory,
    agentDirectory,
    deviceDirectory,
    device: await readDeviceKeys(deviceDirectory),
    other: await readDeviceKeys(join(directory, 'devices/front-2')),
    agent: await readAgentKeys(agentDirectory),
    registry: await registryOf(agentDirectory),
    remove: (): void => {
      rmSync(directory, { recursive: true, force: true });
      if (!freeOnes.includes(asSetUp)) freeOnes.push(asSetUp);
    },
  };
};
export type TestFacility = Awaited<ReturnType<typeof makeTestFacility>>;

/** What the facility was set up with, and never touched since. */
const firstConsents = catalogueAt(simulatedStartMs).consents;
export const testSettings: FacilitySettings = {
  ...withEveryQuestion(firstConsents, firstFacilitySettings(firstConsents, 'medical', 'テスト医院', '1312345678')),
  padStrength: 'off',
};

/** The hash of what the screen of this terminal says when it asks for 特定健診情報 in Japanese. */
const checkupTextHash = (catalogue: Catalogue): string => {
  const topic = askedTopics(catalogue.consents, testSettings).find(({ codes }) => codes.includes('TKK'));
  if (topic === undefined) throw new Error('no question about TKK');
  const text = consentTextOf(catalogue, 'ja', { kind: 'consent-item', topic }, testSettings.institutionType);
  return createHash('sha256').update(text).digest('base64url');
};

/** A request that is right in every field, by the catalogue of its moment; tests change the field they are about. */
export const testRequest = (more: Partial<EligibilityRequest> & { readonly issuedAt: number }): EligibilityRequest => {
  const catalogue = catalogueAt(more.issuedAt);
  return {
    facility,
    device: 'front-1',
    kind: 'eligibility',
    requestId: crypto.randomUUID(),
    lane: 1,
    session: crypto.randomUUID(),
    agent: 'agent-1',
    challenge: `${'c'.repeat(42)}A`,
    verificationMethod: 'pin',
    verificationOutcome: 'verified',
    certificateState: 'valid',
    consents: [
      {
        code: 'TKK',
        given: true,
        at: more.issuedAt,
        catalogueVersion: catalogue.version,
        textHash: checkupTextHash(catalogue),
        language: 'ja',
      },
    ],
    limitApplicationBasis: 'notice-2024-10-07',
    catalogueVersion: catalogue.version,
    expiresAt: more.issuedAt + 600_000,
    ...more,
  };
};
