import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTestFacility, type TestFacility } from '../../../scripts/beds/test-facility.ts';
import {
  renewBrokerFiles,
  writeMosquittoFiles,
  writeRabbitmqFiles,
} from '../../../src/agent/provisioning/broker-configuration.ts';
import { addDevice, revokeDevice } from '../../../src/agent/provisioning/facility-authority.ts';
import { issuerHash, renderRabbit } from '../../../src/agent/provisioning/rabbitmq-configuration.ts';

let bed: TestFacility;
beforeAll(async () => {
  bed = await makeTestFacility();
});
afterAll(() => bed.remove());

const nodes = ['rabbit@node-1', 'rabbit@node-2', 'rabbit@node-3'];
const place = (directory: string) => ({ kind: 'rabbitmq' as const, address: '0.0.0.0', port: 8883, directory, nodes });
const settingsOf = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('rabbitmq.conf: MQTT over TLS alone, nobody anonymous, the nodes in their order, a minority gives up', async () => {
  const settings = settingsOf(await renderRabbit('rabbitmq.conf', place('/etc/rabbitmq/uketsuke')));
  expect(settings.filter((line) => line.includes('listeners'))).toEqual([
    'listeners.tcp = none',
    'mqtt.listeners.tcp = none',
    'mqtt.listeners.ssl.default = 0.0.0.0:8883',
  ]);
  expect(settings).toContain('mqtt.allow_anonymous = false');
  expect(settings).toContain('load_definitions = /etc/rabbitmq/uketsuke/definitions.json');
  expect(settings).toContain('cluster_partition_handling = pause_minority');
  expect(settings.filter((line) => line.includes('classic_config.nodes'))).toEqual(
    nodes.map((node, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${node}`),
  );
  expect(settings.filter((line) => /guest|default_user|\{\{/.test(line))).toEqual([]);
  expect(settings.every((line) => /^[a-z][\w.]* = \S+$/.test(line))).toBe(true);
});

test('advanced.config: TLS 1.3, a certificate of the facility that is not revoked, the client id its name', async () => {
  const text = await renderRabbit('advanced.config', place('/etc/rabbitmq/uketsuke'));
  for (const part of [
    "{versions, ['tlsv1.3']}",
    '{verify, verify_peer}',
    '{fail_if_no_peer_cert, true}',
    '{crl_check, true}',
    '{ssl_cert_client_id_from, common_name}',
  ])
    expect(text).toContain(part);
  const opened = [...text.replaceAll(/%.*/g, '')].filter((sign) => '[{('.includes(sign)).length;
  expect([...text.replaceAll(/%.*/g, '')].filter((sign) => ']})'.includes(sign))).toHaveLength(opened);
});

test.each([
  { address: '0.0.0.0\nmqtt.allow_anonymous = true' },
  { directory: '/etc/rabbitmq"}, {verify, verify_none}' },
  { directory: '/etc/rabbitmq $(id)' },
])('takes no value that would begin a line or a word of its own: %j', async (wrong) => {
  await expect(renderRabbit('rabbitmq.conf', { ...place('/etc/x'), ...wrong })).rejects.toThrow('no usable value');
});

test("a list of revoked certificates lies under OpenSSL's hash of its issuer", () => {
  // openssl crl -hash -noout
  expect(issuerHash('Uketsuke facility test-clinic')).toBe('6a9a6ddf');
  expect(issuerHash(' Uketsuke  FACILITY Test-Clinic ')).toBe(issuerHash('uketsuke facility test-clinic'));
});

test('a device that comes and goes is in the files again, the cookie of the nodes stays, mosquitto is told of its own', async () => {
  const directory = join(bed.directory, 'rabbitmq');
  await writeRabbitmqFiles(bed.directory, place(directory));
  const cookie = readFileSync(join(directory, 'erlang.cookie'), 'utf8');
  const users = (): string[] =>
    JSON.parse(readFileSync(join(directory, 'definitions.json'), 'utf8')).users.map(
      ({ name }: { name: string }) => name,
    );
  expect(cookie).toMatch(/^[0-9a-f]{48}$/);
  expect(statSync(join(directory, 'erlang.cookie')).mode & 0o077).toBe(0);
  await addDevice(bed.directory, 'front-9', 9);
  expect(await renewBrokerFiles(bed.directory)).toEqual({ kind: 'rabbitmq', path: join(directory, 'rabbitmq.conf') });
  expect(users()).toContain('front-9');
  const lists = (): string =>
    readdirSync(join(directory, 'revoked'))
      .map((name) => readFileSync(join(directory, 'revoked', name), 'utf8'))
      .join();
  const before = lists();
  await revokeDevice(bed.directory, 'front-9');
  await renewBrokerFiles(bed.directory);
  expect(users()).not.toContain('front-9');
  expect(lists()).not.toBe(before);
  expect(readFileSync(join(directory, 'erlang.cookie'), 'utf8')).toBe(cookie);
  const mosquitto = join(bed.directory, 'mosquitto');
  await writeMosquittoFiles(bed.directory, { address: '127.0.0.1', port: 8883, directory: mosquitto });
  expect(await renewBrokerFiles(bed.directory)).toMatchObject({ kind: 'mosquitto' });
});
