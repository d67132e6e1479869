import 'reflect-metadata';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { z } from 'zod';
import { makeFolder } from '../../storage/make-folder.ts';
import { giveToOwner } from '../../storage/rename-durably.ts';
import { keyFiles } from '../../trust/key-files.ts';
import { writeFileAtomically } from '../../trust/write-file.ts';
import { type BrokerUsers, rabbitDefinitions } from '../../wire/broker-access-rules.ts';
import type { readBrokerFiles } from './facility-authority.ts';
import { fillTemplate } from './fill-template.ts';

/** `nodes`: Erlang's names of the cluster's members (`rabbit@node-1`); `directory`, absolute, is the same at each */
export const rabbitPlaceSchema = z.object({
  kind: z.literal('rabbitmq'),
  address: z.string(),
  port: z.number().int(),
  directory: z.string(),
  nodes: z.array(z.string().regex(/^[a-z][\w-]*@[a-z0-9][a-z0-9.-]*$/i)).min(1),
});
export type RabbitPlace = Readonly<z.infer<typeof rabbitPlaceSchema>>;

const templates = new URL('../../../systemd/rabbitmq/', import.meta.url);
const templateNames = ['rabbitmq.conf', 'advanced.config', 'inter-node-tls.config', 'rabbitmq-env.conf'] as const;
/** What RabbitMQ reads as ~rabbitmq/.erlang.cookie */
const cookieFile = 'erlang.cookie';
type TemplateName = (typeof templateNames)[number];

/** Throws when a template asks for something that is not known, or a value would begin a line or a word of its own. */
export const renderRabbit = (name: TemplateName, { address, port, directory, nodes }: RabbitPlace): Promise<string> =>
  fillTemplate(
    new URL(`${name}.template`, templates),
    /^[\w./:+-]+$/,
    { address, port: String(port), directory },
    { nodes: nodes.map((node, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${node}`).join('\n') },
  );

/** DER of a tag with contents shorter than 256 bytes: names of ours are below 100. */
const der = (tag: number, ...contents: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(contents);
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Uint8Array.of(tag, ...length), content]);
};
const commonNameOid = Uint8Array.of(6, 3, 0x55, 4, 3);

/**
 * OpenSSL's `-hash` of an issuer of ours, whose name is a CN alone: of the name in lower case without its outer frame, the
 * first four bytes of SHA-1, the last one first.
 */
export const issuerHash = (commonName: string): string => {
  const plain = commonName.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  const name = der(0x31, der(0x30, commonNameOid, der(0x0c, Buffer.from(plain))));
  return createHash('sha1').update(name).digest().readUInt32LE(0).toString(16).padStart(8, '0');
};

/** Under the names by which Erlang looks for them: the issuer's hash, then a number. */
const revocationFiles = (pem: string): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  for (const list of pem.match(/-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----/g) ?? []) {
    const [commonName = ''] = new x509.X509Crl(list).issuerName.getField('CN');
    const hash = issuerHash(commonName);
    const number = [...files.keys()].filter((name) => name.startsWith(hash)).length;
    files.set(`${hash}.r${number}`, `${list}\n`);
  }
  return files;
};

/**
 * Everything that each node reads, written to `place.directory`; answers the path of rabbitmq.conf. The cookie by which nodes
 * know each other is made once. A running node takes new revocation lists by itself; users when the definitions are imported.
 */
export const writeRabbitFiles = async (
  files: Awaited<ReturnType<typeof readBrokerFiles>>,
  users: BrokerUsers,
  place: RabbitPlace,
): Promise<string> => {
  const { directory } = place;
  const revoked = join(directory, 'revoked');
  await makeFolder(revoked, 0o700);
  giveToOwner(revoked);
  const write = (name: string, text: string): Promise<void> => writeFileAtomically(join(directory, name), text);
  await write(keyFiles.tlsKey, files.key);
  await write(keyFiles.tlsCertificate, files.certificate);
  await write(keyFiles.facilityCa, files.ca);
  const lists = revocationFiles(files.revoked);
  for (const [name, text] of lists) await write(join('revoked', name), text);
  for (const name of await readdir(revoked)) if (!lists.has(name)) await rm(join(revoked, name));
  await write('definitions.json', `${JSON.stringify(rabbitDefinitions(users), null, 2)}\n`);
  await write('enabled_plugins', '[rabbitmq_mqtt].\n');
  for (const name of templateNames) await write(name, await renderRabbit(name, place));
  const isJoined = (await readdir(directory)).includes(cookieFile);
  if (!isJoined) await write(cookieFile, randomBytes(24).toString('hex'));
  return join(directory, 'rabbitmq.conf');
};
