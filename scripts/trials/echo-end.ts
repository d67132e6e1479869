import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { compactDecrypt, flattenedVerify, importJWK } from 'jose';
import { connect } from 'mqtt';
import { readAgentKeys, readDeviceRegistry } from '../../src/agent/provisioning/agent-keys.ts';
import { readTlsFiles } from '../../src/trust/key-files.ts';
import { sign } from '../../src/trust/seal.ts';
import { bareTopics } from './bare-topics.ts';

/**
 * The bare other end of bench:deliver: mqtt.js on the same broker, the same `jose` calls on the same document (open,
 * verify device and card, sign an answer), one fsync, and nothing of what makes it an agent.
 */
const [directory = '', port = '', cardJwk = '', file = ''] = process.argv.slice(2);
const keys = await readAgentKeys(directory);
const device = (await readDeviceRegistry(directory)).get('front-2');
const [sealing] = keys.sealing;
if (device === undefined || sealing === undefined) throw new Error('no keys');
const cardKey = JSON.parse(readFileSync(cardJwk, 'utf8'));
const tls = await readTlsFiles(directory);
const journal = openSync(file, 'a');
const client = connect({
  host: '127.0.0.1',
  port: Number(port),
  protocol: 'mqtts',
  protocolVersion: 5,
  clientId: keys.agent,
  ca: tls.ca,
  cert: tls.certificate,
  key: tls.key,
});
client.on('connect', () => {
  (client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
  client.subscribe(bareTopics.request, { qos: 1 }, () => process.stdout.write('ready\n'));
});
client.on('message', async (_topic, payload) => {
  const { plaintext } = await compactDecrypt(payload.toString(), sealing.key);
  const { payload: claims, signatures } = JSON.parse(Buffer.from(plaintext).toString());
  await flattenedVerify({ payload: claims, ...signatures[1] }, device.signing.key);
  // Each patient's key is another one.
  await flattenedVerify({ payload: claims, ...signatures[0] }, await importJWK(cardKey, 'RS256'));
  writeSync(journal, plaintext);
  fsyncSync(journal);
  const receipt = await sign(
    'receipt',
    { facility: keys.facility, device: 'front-2', receivedAt: Date.now() },
    keys.signing,
  );
  client.publish(bareTopics.receipt, Buffer.from(receipt), { qos: 1 });
});
process.once('SIGTERM', () => {
  closeSync(journal);
  client.end(true);
  process.exit(0);
});
