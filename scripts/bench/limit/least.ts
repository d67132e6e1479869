/** The least that each part of a visit could take on this machine now: measured between the visits, with nothing around it. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { loadFaceGrey } from '../../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { addDevice } from '../../../src/agent/provisioning/facility-authority.ts';
import { embedReference } from '../../../src/face/attempt/embed-reference.ts';
import { examineFrame, examineLiveness, sessionsOf } from '../../../src/face/attempt/face-pipeline.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';
import type { RgbImage } from '../../../src/face/picture/sample-image.ts';
import { readDeviceKeys } from '../../beds/device-keys.ts';
import { loadFaceModels, loadPadModels } from '../../evaluate/load-face-models.ts';
import { bareTopics } from '../../trials/bare-topics.ts';
import { paintFrames } from '../paint-frames.ts';

/** ms */
export type Least = {
  /** Runs of the models, and nothing else, for one card photo and for one frame that decides */
  readonly referenceMs: number;
  readonly frameMs: number;
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

/** ms that the models themselves ran */
const modelRuns = async () => {
  const [models, pad] = [await loadFaceModels('fr_feature'), await loadPadModels()];
  const sessions = sessionsOf(models, pad);
  const decoded = await decodeReference(await encodeGreyJp2(await loadFaceGrey('sample3-a')));
  const [frame] = await paintFrames(1);
  if (!decoded.ok || frame === undefined) throw new Error('no picture');
  const ran = async (work: () => Promise<unknown>): Promise<number> => {
    const before = sessions.reduce((sum, { runMs }) => sum + runMs, 0);
    await work();
    return sessions.reduce((sum, { runMs }) => sum + runMs, 0) - before;
  };
  const decide = async (picture: RgbImage): Promise<void> => {
    const finding = await examineFrame(models, picture, { mirrored: false });
    if (finding.embedding === undefined) throw new Error(`the frame is not good: ${finding.hint}`);
    await examineLiveness(pad, picture, finding.mesh);
  };
  return {
    reference: () => ran(() => embedReference(models, decoded.value)),
    frame: () => ran(() => decide(frame)),
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
  const models = await modelRuns();
  const other = await echo(place, brokerPort);
  const file = openSync(join(place, 'bare.rows'), 'a');
  const page = Buffer.alloc(4_096, 7);
  const once = async (): Promise<Least> => ({
    referenceMs: await models.reference(),
    frameMs: await models.frame(),
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
