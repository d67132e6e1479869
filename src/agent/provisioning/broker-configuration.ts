import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../../storage/make-folder.ts';
import { keyFiles, readJsonFile } from '../../trust/key-files.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { type BrokerUsers, renderAclFile } from '../../wire/broker-access-rules.ts';
import { readBrokerFiles, readFacility } from './facility-authority.ts';
import { fillTemplate } from './fill-template.ts';
import { type RabbitPlace, rabbitPlaceSchema, writeRabbitFiles } from './rabbitmq-configuration.ts';

/** `directory`, absolute, holds TLS files and ACL. A file of before may name a folder for a database, too: there is none now. */
const mosquittoPlaceSchema = z.object({
  address: z.string(),
  port: z.number().int(),
  directory: z.string(),
});
type MosquittoPlace = Readonly<z.infer<typeof mosquittoPlaceSchema>>;

/** In the facility's directory: where its broker's files were written last. */
const placeFile = 'broker-place.json';

const template = new URL('../../../systemd/mosquitto/mosquitto.conf.template', import.meta.url);

/** Throws when the template asks for something that is not known, or a value would begin a line of its own. */
export const renderMosquittoConfiguration = (place: MosquittoPlace): Promise<string> =>
  fillTemplate(template, /^[^\r\n]*$/, { ...place, port: String(place.port) });

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
 * Everything mosquitto reads, written to `place.directory` for the owner of that directory; answers the path of
 * mosquitto.conf. mosquitto reads access list and revocation list again at SIGHUP.
 */
export const writeMosquittoFiles = async (facilityDirectory: string, place: MosquittoPlace): Promise<string> => {
  const files = await readBrokerFiles(facilityDirectory);
  await makeFolder(place.directory, 0o700);
  // mosquitto gives up being root before it reads a list again: they are the directory's owner's.
  const write = (name: string, text: string): Promise<void> => writeFileAtomically(join(place.directory, name), text);
  await write(keyFiles.tlsKey, files.key);
  await write(keyFiles.tlsCertificate, files.certificate);
  await write(keyFiles.facilityCa, files.ca);
  await write('revoked.pem', files.revoked);
  await write('acl', renderAclFile(await brokerUsers(facilityDirectory)));
  await write('mosquitto.conf', await renderMosquittoConfiguration(place));
  await writeFileAtomically(join(facilityDirectory, placeFile), `${JSON.stringify(place)}\n`);
  return join(place.directory, 'mosquitto.conf');
};

/** The same for a cluster of RabbitMQ; answers the path of rabbitmq.conf. */
export const writeRabbitmqFiles = async (facilityDirectory: string, place: RabbitPlace): Promise<string> => {
  const users = await brokerUsers(facilityDirectory);
  const written = await writeRabbitFiles(await readBrokerFiles(facilityDirectory), users, place);
  await writeFileAtomically(join(facilityDirectory, placeFile), `${JSON.stringify(place)}\n`);
  return written;
};

/** After a change of the registry: the same files again. null: `uketsuke broker` was never run for this facility. */
export const renewBrokerFiles = async (
  facilityDirectory: string,
): Promise<{ readonly kind: 'mosquitto' | 'rabbitmq'; readonly path: string } | null> => {
  const known = join(facilityDirectory, placeFile);
  const isKnown = await access(known).then(
    () => true,
    () => false,
  );
  if (!isKnown) return null;
  const place = await readJsonFile(z.union([rabbitPlaceSchema, mosquittoPlaceSchema]), known);
  return 'kind' in place
    ? { kind: place.kind, path: await writeRabbitmqFiles(facilityDirectory, place) }
    : { kind: 'mosquitto', path: await writeMosquittoFiles(facilityDirectory, place) };
};
