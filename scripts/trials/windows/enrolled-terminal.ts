import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import { askForEnrolment } from '../../../src/agent/provisioning/enrolment.ts';
import { enrolmentCodeSchema } from '../../../src/agent/provisioning/enrolment-code.ts';
import { searchClinics } from '../../../src/agent/provisioning/enrolment-letters.ts';
import { makeDeviceKeys } from '../../../src/agent/provisioning/make-device-keys.ts';
import { enrolmentPort } from '../../../src/cli/provision-places.ts';
import { topicOf } from '../../../src/wire/topics.ts';

/*
 * A terminal before a clinic on Windows, in its network: `node enrolled-terminal.ts CODE-FILE DIRECTORY`. Looks for the
 * clinic, enrols by the code and says its state to the broker; prints one JSON line: the time from the answer to there.
 * Called once more with the same directory it comes with the keys that it has.
 */
const [file = '', directory = ''] = process.argv.slice(2);
const limitMs = 15_000;
const code = enrolmentCodeSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
const kept = `${directory}/answer.json`;
const enrol = async () => {
  const found = await searchClinics(enrolmentPort, '127.0.0.1');
  await makeDeviceKeys(directory);
  const { tlsCertificate, facilityCa } = await askForEnrolment(code, await makeDeviceKeys(directory));
  writeFileSync(kept, JSON.stringify({ tlsCertificate, facilityCa }));
  return { found, tlsCertificate, facilityCa };
};
const { found, tlsCertificate, facilityCa } = existsSync(kept)
  ? { found: [], ...(JSON.parse(readFileSync(kept, 'utf8')) as { tlsCertificate: string; facilityCa: string }) }
  : await enrol();
const beganMs = performance.now();
const bus = createMqttMessageBus({
  host: code.host,
  port: code.brokerPort,
  tls: { key: readFileSync(`${directory}/link/tls-key.pem`, 'utf8'), certificate: tlsCertificate, ca: facilityCa },
  clientId: code.device,
  protocolVersion: code.brokerProtocol ?? 5,
});
const isConnected = await new Promise<boolean>((resolve) => {
  const late = setTimeout(() => resolve(false), limitMs);
  bus.subscribeConnection((connected) => {
    if (!connected) return;
    clearTimeout(late);
    resolve(true);
  });
});
const sent = isConnected && (await bus.publish(topicOf(code.facility, code.device, 'state'), Buffer.from('{}'))).ok;
process.stdout.write(`${JSON.stringify({ found: found.length, sent, ms: Math.round(performance.now() - beganMs) })}\n`);
process.exit(0);
