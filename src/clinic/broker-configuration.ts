import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyFiles } from '../app/device-keys.ts';
import { type BrokerUsers, renderAclFile } from '../protocol/access-rules.ts';
import { readBrokerFiles, readFacility, writeFileAtomically } from './facility-authority.ts';

/** `directory` holds TLS files and ACL, `state` is mosquitto's own; both absolute. */
export type MosquittoPlace = {
  readonly address: string;
  readonly port: number;
  readonly directory: string;
  readonly state: string;
};

const template = new URL('../../systemd/mosquitto/mosquitto.conf.template', import.meta.url);

/** Throws when the template asks for something that is not known, or a value would begin a line of its own. */
export const renderMosquittoConfiguration = async (place: MosquittoPlace): Promise<string> => {
  const values: Record<string, string> = { ...place, port: String(place.port) };
  return (await readFile(template, 'utf8')).replaceAll(/\{\{(\w+)\}\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined || /[\r\n]/.test(value)) throw new Error(`mosquitto.conf: no usable value for ${name}`);
    return value;
  });
};

/** Who may speak to the facility's broker now: revoked devices are left out. */
export const brokerUsers = async (facilityDirectory: string): Promise<BrokerUsers> => {
  const { facility, agents, devices } = await readFacility(facilityDirectory);
  return {
    facility,
    agents: agents.map(({ agent }) => agent),
    devices: devices.filter(({ revokedAt }) => revokedAt === undefined).map(({ device }) => device),
  };
};

/**
 * Everything mosquitto reads, written to `place.directory`; answers the path of mosquitto.conf. After a change of the
 * registry: write again and send SIGHUP (ACL); the revocation list is read at its next start.
 */
export const writeMosquittoFiles = async (facilityDirectory: string, place: MosquittoPlace): Promise<string> => {
  const files = await readBrokerFiles(facilityDirectory);
  await mkdir(place.state, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => writeFileAtomically(join(place.directory, name), text);
  await write(keyFiles.tlsKey, files.key);
  await write(keyFiles.tlsCertificate, files.certificate);
  await write(keyFiles.facilityCa, files.ca);
  await write('revoked.pem', files.revoked);
  await write('acl', renderAclFile(await brokerUsers(facilityDirectory)));
  await write('mosquitto.conf', await renderMosquittoConfiguration(place));
  return join(place.directory, 'mosquitto.conf');
};
