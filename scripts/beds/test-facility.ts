import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
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

/** A facility of its own in a temporary directory: one agent, two devices. */
export const makeTestFacility = async (brokerNames: readonly string[] = ['localhost', '127.0.0.1']) => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-facility-'));
  await createFacility(directory, { facility, brokerNames });
  const agentDirectory = await addAgent(directory, 'agent-1');
  const deviceDirectory = await addDevice(directory, 'front-1', 1);
  const otherDirectory = await addDevice(directory, 'front-2', 2);
  return {
    directory,
    agentDirectory,
    deviceDirectory,
    device: await readDeviceKeys(deviceDirectory),
    other: await readDeviceKeys(otherDirectory),
    agent: await readAgentKeys(agentDirectory),
    registry: await registryOf(agentDirectory),
    remove: () => rmSync(directory, { recursive: true, force: true }),
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
