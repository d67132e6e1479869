/** The least that each part of a visit could take on this machine now: measured between the visits, with nothing around it. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { loadFaceGrey } from '../../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { addDevice } from '../../../src/agent/provisioning/facility-authority.ts';
import { embedReference } from '../../../src/face/attempt/embed-reference.ts';
import { sessionsOf } from '../../../src/face/attempt/face-pipeline.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';
import { readDeviceKeys } from '../../beds/device-keys.ts';
import { loadFaceModels } from '../../evaluate/load-face-models.ts';
import { bareTopics } from '../../trials/bare-topics.ts';

/** ms */
export type Least = {
  /** Runs of the models, and nothing else, for one card photo */
  readonly referenceMs: number;
  /** A page made durable */
  readonly fsyncMs: number;
  /** There and back through the broker: four ways over TLS */
  readonly roundTripMs: number;
};

const timed = async (work: () => unknown): Promise<number> => {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
};

/** How long the models themselves run for a card's photo. ms */
const referenceRun = async (): Promise<() => Promise<number>> => {
  const models = await loadFaceModels('fr_feature');
  const sessions = sessionsOf(models, null);
  const decoded = await decodeReference(await encodeGreyJp2(await loadFaceGrey('sample3-a')));
  if (!decoded.ok) throw new Error('no picture');
  const ran = (): number => sessions.reduce((sum, { runMs }) => sum + runMs, 0);
  return async () => {
    const before = ran();
    await embedReference(models, decoded.value);
    return ran() - before;
  };
};

const echo = async (facilityDirectory: string, port: number) => {
  const { tls, device } = await readDeviceKeys(await addDevice(facilityDirectory, 'bench-echo', 9));
  const client: MqttClient = connect({
    ...{ host: 'localhost', port, protocol: 'mqtts', protocolVersion: 5, clientId: device },
    ...{ ca: tls.ca, cert: tls.certificate, key: tls.key },
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
  });
  (client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
  await client.subscribeAsync(bareTopics.request, { qos: 1 });
  const document = Buffer.alloc(6_000, 1);
  return {
    /** To the broker and back, twice: as request and receipt go. */
    roundTrip: async (): Promise<void> => {
      for (let way = 0; way < 2; way += 1) {
        const heard = new Promise<void>((resolve) => client.once('message', () => resolve()));
        client.publish(bareTopics.request, document, { qos: 1 });
        await heard;
      }
    },
    close: () => client.end(true),
  };
};

/** `place`: a folder on the disk of the stores, with the facility's keys. */
export const openLeast = async (place: string, brokerPort: number) => {
  const reference = await referenceRun();
  const other = await echo(place, brokerPort);
  const file = openSync(join(place, 'bare.rows'), 'a');
  const page = Buffer.alloc(4_096, 7);
  const once = async (): Promise<Least> => ({
    referenceMs: await reference(),
    fsyncMs: await timed(() => {
      writeSync(file, page);
      fsyncSync(file);
    }),
    roundTripMs: await timed(other.roundTrip),
  });
  // Pools and compiled code of this process, too, are there before it counts.
  for (let round = 0; round < 5; round += 1) await once();
  return {
    measure: once,
    close: (): void => {
      closeSync(file);
      other.close();
    },
  };
};
