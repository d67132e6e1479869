import { X509Certificate } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cvIssuersFile } from '../../trust/cv-trust.ts';
import { keyFiles, keyFolders, readJsonFile, type TlsFiles, type Trust } from '../../trust/key-files.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { identifier } from '../../wire/messages.ts';
import {
  agentFiles,
  agentsFileSchema,
  devicesFileSchema,
  type FacilityKeys,
  facilityKeysSchema,
  publicPart,
  type RegisteredDevice,
} from './agent-keys.ts';
import { type AuthorityKeyAccess, facilityFile, readAuthorityKey, writeAuthorityKey } from './authority-key.ts';
import {
  allowingIssuers,
  certify,
  createAuthority,
  issueCertificate,
  issueRevocationList,
  validFor,
} from './certificate-authority.ts';
import { giveIssuingAuthority, issuingFiles, writeIssuerRevocations } from './issuing-authority.ts';
import { type DevicePublicKeys, makeDeviceKeys, newKey } from './make-device-keys.ts';

/**
 * A facility's directory: its CA, registry and facility keys, and below it what is handed over by files:
 *   facility.json  facility-ca-key.jwe  facility-ca.pem  revoked.pem  facility-keys.json  agents.json  devices.json
 *   broker/         TLS files of the broker
 *   agents/<id>/    everything an agent needs        devices/<id>/   everything a terminal needs
 * The CA's key lies under its passphrase, or on a stick (authority-key.ts). Files 0600, directories 0700, written aside and renamed.
 */
const facilityFileSchema = z.strictObject({ facility: identifier, createdAt: z.number().int() });
const files = { facility: facilityFile, revoked: 'revoked.pem' } as const;
const caYears = 20;
const leafYears = 5;
/** Renewed with the facility's key alone: it outlives five years in which nobody brings that. */
const brokerYears = 6;

const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`);

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const readAuthority = async (directory: string, caKey: AuthorityKeyAccess) => ({
  key: await readAuthorityKey(directory, caKey),
  certificate: await readFile(join(directory, keyFiles.facilityCa), 'utf8'),
});

const writeTls = async (target: string, key: string, certificate: string, ca: string): Promise<void> => {
  await writeFileAtomically(join(target, keyFiles.tlsKey), key);
  await writeFileAtomically(join(target, keyFiles.tlsCertificate), certificate);
  await writeFileAtomically(join(target, keyFiles.facilityCa), ca);
};

type FacilityOptions = {
  readonly facility: string;
  /** DNS names and IP addresses under which terminals reach the broker */
  readonly brokerNames: readonly string[];
  /** Of the CA's key; without one it lies in clear, for a facility that lives as long as a test */
  readonly caPassphrase?: string;
};

/** Throws when the directory already holds a facility: a CA is never overwritten. */
export const createFacility = async (
  directory: string,
  { facility, brokerNames, caPassphrase }: FacilityOptions,
): Promise<void> => {
  identifier.parse(facility);
  if (await exists(join(directory, files.facility))) throw new Error(`${directory} already holds a facility`);
  const now = Date.now();
  const ca = await createAuthority(`Uketsuke facility ${facility}`, validFor(now, caYears));
  await writeAuthorityKey(directory, ca.key, caPassphrase);
  await writeFileAtomically(join(directory, keyFiles.facilityCa), ca.certificate);
  await writeFileAtomically(join(directory, files.revoked), await issueRevocationList(ca, [], validFor(now, caYears)));
  const broker = await issueCertificate(ca, {
    commonName: 'broker',
    names: brokerNames,
    ...validFor(now, brokerYears),
  });
  await writeTls(join(directory, 'broker'), broker.key, broker.certificate, ca.certificate);
  await writeJson(join(directory, agentFiles.facilityKeys), {
    facility,
    current: await newKey('ECDH-ES'),
    retired: [],
  });
  await writeJson(join(directory, agentFiles.agents), []);
  await writeJson(join(directory, agentFiles.devices), []);
  await writeJson(join(directory, files.facility), { facility, createdAt: now });
};

export const readFacility = async (directory: string) => ({
  ...(await readJsonFile(facilityFileSchema, join(directory, files.facility))),
  agents: await readJsonFile(agentsFileSchema, join(directory, agentFiles.agents)),
  devices: await readJsonFile(devicesFileSchema, join(directory, agentFiles.devices)),
  keys: await readJsonFile(facilityKeysSchema, join(directory, agentFiles.facilityKeys)),
});

export const listDevices = async (directory: string): Promise<readonly RegisteredDevice[]> =>
  (await readFacility(directory)).devices;

/** One of each authority whose clients the broker admits: OpenSSL refuses a client whose issuer has none. PEM */
const revocationLists = async (directory: string): Promise<string> => {
  const { agents } = await readFacility(directory);
  const paths = agents.map(({ agent }) => join(agentDirectory(directory, agent), issuingFiles.revoked));
  const known = await Promise.all(paths.map(exists));
  const lists = [join(directory, files.revoked), ...paths.filter((_, index) => known[index])];
  return (await Promise.all(lists.map((path) => readFile(path, 'utf8')))).map((text) => `${text.trim()}\n`).join('');
};

/** The broker's TLS files and the revocation lists, PEM. */
export const readBrokerFiles = async (directory: string): Promise<TlsFiles & { readonly revoked: string }> => ({
  key: await readFile(join(directory, 'broker', keyFiles.tlsKey), 'utf8'),
  certificate: await readFile(join(directory, 'broker', keyFiles.tlsCertificate), 'utf8'),
  ca: await readFile(join(directory, keyFiles.facilityCa), 'utf8'),
  revoked: await revocationLists(directory),
});

export const agentDirectory = (directory: string, agent: string): string => join(directory, 'agents', agent);
export const deviceDirectory = (directory: string, device: string): string => join(directory, 'devices', device);

/** Trust anchors of the 券面 as the first agent that has some was given them; a terminal needs the same. */
const visualTrust = async (directory: string, agents: readonly { readonly agent: string }[]) => {
  for (const { agent } of agents) {
    const path = join(agentDirectory(directory, agent), 'card-trust', cvIssuersFile);
    if (await exists(path)) return readFile(path, 'utf8');
  }
  return null;
};

/** What every agent and terminal knows of the others, written again into each hand-over directory. */
export const distribute = async (directory: string): Promise<void> => {
  const { facility, agents, devices, keys } = await readFacility(directory);
  for (const { agent } of agents) {
    const target = agentDirectory(directory, agent);
    await writeJson(join(target, agentFiles.devices), devices);
    await writeJson(join(target, agentFiles.agents), agents);
    await writeJson(join(target, agentFiles.facilityKeys), keys);
  }
  if (agents.length === 0) return;
  const cvIssuers = await visualTrust(directory, agents);
  for (const { device, lane, revokedAt } of devices) {
    if (revokedAt !== undefined) continue;
    const facilityKeys = [keys.current, ...(keys.next ? [keys.next] : [])].map(publicPart);
    const trust: Trust = { facility, device, lane, agents, facilityKeys };
    const target = join(deviceDirectory(directory, device), keyFolders.terminal);
    await writeJson(join(target, keyFiles.trust), trust);
    if (cvIssuers !== null) await writeFileAtomically(join(target, cvIssuersFile), cvIssuers);
  }
};

const refuseTaken = async (directory: string, id: string): Promise<void> => {
  identifier.parse(id);
  const { agents, devices } = await readFacility(directory);
  if (agents.some(({ agent }) => agent === id) || devices.some(({ device }) => device === id)) {
    throw new Error(`the id ${id} is taken: agents and devices share one name space, their certificates' CN`);
  }
};

/** In the lists of the agents' issuing authorities, as far as those have been at work in this directory. */
const listRevoked = async (directory: string, nowMs: number): Promise<void> => {
  const { agents, devices } = await readFacility(directory);
  const revoked = new Set(devices.flatMap(({ device, revokedAt }) => (revokedAt === undefined ? [] : [device])));
  for (const { agent } of agents)
    await writeIssuerRevocations(agentDirectory(directory, agent), (name) => revoked.has(name), nowMs);
};

/** Under the names that it has. */
const renewBroker = async (directory: string, ca: { readonly key: string; readonly certificate: string }) => {
  const target = join(directory, 'broker');
  const held = new X509Certificate(await readFile(join(target, keyFiles.tlsCertificate), 'utf8'));
  const names = (held.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));
  const leaf = { commonName: 'broker', names, ...validFor(Date.now(), brokerYears) };
  const made = await issueCertificate(ca, leaf);
  await writeTls(target, made.key, made.certificate, ca.certificate);
};

const issuerName = (agent: string): string => `Uketsuke issuer at ${agent}`;

/**
 * The issuing authority of each agent and the broker's certificate for another term, while the facility's key is at hand: before the old one ends, or for a facility
 * that was set up before agents had one. The facility's certificate of those allows none below it and is made anew, for the
 * same name and key: whatever it has signed stays good. Answers whether that was so: agents and broker elsewhere need it.
 */
export const renewIssuers = async (directory: string, caKey: AuthorityKeyAccess = {}): Promise<boolean> => {
  const { agents } = await readFacility(directory);
  const before = await readAuthority(directory, caKey);
  const certificate = await allowingIssuers(before);
  const isNew = certificate !== before.certificate;
  if (isNew)
    for (const target of [directory, ...agents.map(({ agent }) => agentDirectory(directory, agent))])
      await writeFileAtomically(join(target, keyFiles.facilityCa), certificate);
  for (const { agent } of agents)
    await giveIssuingAuthority(
      agentDirectory(directory, agent),
      { ...before, certificate },
      issuerName(agent),
      Date.now(),
    );
  await renewBroker(directory, { ...before, certificate });
  await listRevoked(directory, Date.now());
  return isNew;
};

/** Answers the agent's directory. Devices made earlier must be handed their new `trust.json`. */
export const addAgent = async (directory: string, agent: string, caKey: AuthorityKeyAccess = {}): Promise<string> => {
  await refuseTaken(directory, agent);
  const { agents } = await readFacility(directory);
  const ca = await readAuthority(directory, caKey);
  const target = agentDirectory(directory, agent);
  const tls = await issueCertificate(ca, { commonName: agent, ...validFor(Date.now(), leafYears) });
  await writeTls(target, tls.key, tls.certificate, ca.certificate);
  await giveIssuingAuthority(target, ca, issuerName(agent), Date.now());
  const signing = await newKey('ES256');
  await writeJson(join(target, keyFiles.signingKey), signing);
  await writeJson(join(directory, agentFiles.agents), [...agents, { agent, signingKey: publicPart(signing) }]);
  await distribute(directory);
  return target;
};

/** A terminal that made its keys itself: what it is told stands in its directory. */
export const enrolDevice = async (
  directory: string,
  device: string,
  lane: number,
  keys: DevicePublicKeys,
  caKey: AuthorityKeyAccess = {},
): Promise<void> => {
  await refuseTaken(directory, device);
  const { devices } = await readFacility(directory);
  const ca = await readAuthority(directory, caKey);
  const now = Date.now();
  const link = join(deviceDirectory(directory, device), keyFolders.link);
  const leaf = { commonName: device, publicKey: keys.tlsKey, ...validFor(now, leafYears) };
  const { certificate, serial } = await certify(ca, leaf);
  await writeFileAtomically(join(link, keyFiles.tlsCertificate), certificate);
  await writeFileAtomically(join(link, keyFiles.facilityCa), ca.certificate);
  const entry: RegisteredDevice = {
    device,
    lane,
    signingKey: publicPart(keys.signingKey),
    sealingKey: publicPart(keys.sealingKey),
    ...(keys.attestationKey !== undefined && { attestationKey: publicPart(keys.attestationKey) }),
    certificateSerial: serial,
    addedAt: now,
  };
  await writeJson(join(directory, agentFiles.devices), devicesFileSchema.parse([...devices, entry]));
  await distribute(directory);
};

/** Answers the terminal's directory, complete when the facility has an agent: keys made here, to be handed over. */
export const addDevice = async (
  directory: string,
  device: string,
  lane: number,
  caKey: AuthorityKeyAccess = {},
): Promise<string> => {
  await refuseTaken(directory, device);
  const target = deviceDirectory(directory, device);
  await enrolDevice(directory, device, lane, await makeDeviceKeys(target), caKey);
  return target;
};

/** Agents that read this directory refuse the device within a second; the broker once its files are written again (`renewBrokerFiles`) and reloaded. */
export const revokeDevice = async (
  directory: string,
  device: string,
  caKey: AuthorityKeyAccess = {},
): Promise<void> => {
  const { devices } = await readFacility(directory);
  if (!devices.some((entry) => entry.device === device)) throw new Error(`no device ${device}`);
  const now = Date.now();
  const after = devices.map((entry) =>
    entry.device === device && entry.revokedAt === undefined ? { ...entry, revokedAt: now } : entry,
  );
  const serials = after
    .filter(({ revokedAt }) => revokedAt !== undefined)
    .map(({ certificateSerial }) => certificateSerial);
  await writeJson(join(directory, agentFiles.devices), after);
  const list = await issueRevocationList(await readAuthority(directory, caKey), serials, validFor(now, caYears));
  await writeFileAtomically(join(directory, files.revoked), list);
  await listRevoked(directory, now);
  await distribute(directory);
};

/** First call announces a next key, the second makes it the current one and retires the old, which still opens. */
export const rollFacilityKey = async (directory: string): Promise<'announced' | 'promoted'> => {
  const { keys } = await readFacility(directory);
  const { facility, current, next, retired } = keys;
  const after: FacilityKeys = next
    ? { facility, current: next, retired: [...retired, current] }
    : { ...keys, next: await newKey('ECDH-ES') };
  await writeJson(join(directory, agentFiles.facilityKeys), after);
  await distribute(directory);
  return next ? 'promoted' : 'announced';
};
