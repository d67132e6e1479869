import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { ConsentTextsInForce } from '../agent/intake/consent-texts.ts';
import { type AgentKeys, readAgentKeys, readDeviceRegistry } from '../agent/provisioning/agent-keys.ts';
import { readCardTrust } from '../agent/provisioning/card-trust.ts';
import { agentDirectory, deviceDirectory, readBrokerFiles } from '../agent/provisioning/facility-authority.ts';
import { catalogueAt, catalogueOfVersion } from '../catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../catalogue/released-texts.ts';
import { BusJudge } from '../kit/bus/bus-judge.ts';
import { busRules } from '../kit/bus/bus-rules.ts';
import { printFindings } from '../kit/finding.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import { naming } from '../storage/read-given.ts';
import { readTerminalKeys } from '../trust/key-files.ts';
import { type SigningKey, sign } from '../trust/seal.ts';
import { topicOf } from '../wire/topics.ts';
import { makeKitFacility } from './kit-facility.ts';
import { inWords, speaksJapanese, tell } from './say.ts';

export type BusOptions = {
  readonly facilityDir: string;
  readonly agent: string;
  readonly port: number;
  readonly seconds: number;
  readonly device?: string;
  readonly probe?: string;
};

/** A probe is answered, or not, within this. ms */
const answeredMs = 3_000;

/**
 * Three commands that a terminal must not carry out a second time, too late, or unsigned by its agent: answering a call for
 * help, which does nothing where nobody called.
 */
const probe = async (
  bus: MessageBus,
  judge: BusJudge,
  keys: { facility: string; signing: SigningKey },
  device: string,
): Promise<void> => {
  const { facility, signing } = keys;
  const send = async (
    expiresInMs: number,
    change: (bytes: Uint8Array) => Uint8Array,
    id: string,
  ): Promise<Uint8Array> => {
    const now = Date.now();
    const command = { name: 'answer-help' } as const;
    const message = {
      facility,
      device,
      commandId: id,
      nonce: randomBytes(32).toString('base64url'),
      issuedAt: now,
      expiresAt: now + expiresInMs,
      command,
    };
    const bytes = change(await sign('command', message, signing));
    await bus.publish(topicOf(facility, device, 'command'), bytes);
    await pause(answeredMs);
    return bytes;
  };
  const same = (bytes: Uint8Array): Uint8Array => bytes;
  const once = await send(30_000, same, randomUUID());
  await bus.publish(topicOf(facility, device, 'command'), once);
  await pause(answeredMs);
  await send(-60_000, same, randomUUID());
  const forged = randomUUID();
  judge.forgedCommands.add(forged);
  await send(30_000, (bytes) => bytes.with(-1, bytes.at(-1) === 0x41 ? 0x42 : 0x41), forged);
};

/** The kit as the agent whose keys it was given; nobody else may be connected under that name. */
const asAgent = ({ tls, agent }: AgentKeys, port: number): MessageBus =>
  createMqttMessageBus({
    ...{ host: '127.0.0.1', serverName: 'localhost', port, tls, clientId: agent },
    protocolVersion: 4,
  });

/** Throws on a folder that is there and is no facility's. */
const readyFacility = async (facilityDir: string, agentId: string, port: number): Promise<void> => {
  if (!existsSync(facilityDir)) {
    await makeKitFacility(facilityDir, agentId).catch(async (error: Error) => {
      // Half of one would be in the way of the next try; the system names no file where a disk is full.
      await rm(facilityDir, { recursive: true, force: true });
      naming(facilityDir)(error);
    });
    tell(
      'made a test facility in {folder}: agents/{agent} and devices/terminal-01 are for your programs; our own agent: uketsuke agent --dir {folder}/agents/{agent} --broker localhost:{port} --mqtt 4 --make-folders',
      {
        folder: facilityDir,
        agent: agentId,
        port,
      },
    );
  } else if (!existsSync(join(facilityDir, 'facility-keys.json')))
    throw new Error(
      inWords('{folder} is no facility: name a new folder, and a test facility is made in it', { folder: facilityDir }),
    );
};

const requireTerminals = (
  named: readonly (string | undefined)[],
  devices: ReadonlyMap<string, unknown>,
  facilityDir: string,
): void => {
  for (const each of named)
    if (each !== undefined && !devices.has(each))
      throw new Error(
        inWords('no terminal {device} in {folder}; there are: {devices}', {
          device: each,
          folder: facilityDir,
          devices: [...devices.keys()].join(', '),
        }),
      );
};

/**
 * A broker of its own for a foreign terminal and a foreign agent, or for one of them with ours: no broker of a clinic lets
 * one client hear everybody. A folder that is not there yet becomes a facility to try with. Exit status: 1 where somebody
 * broke a rule, or nobody said anything. Throws on a directory that is no facility's.
 */
export const judgeBus = async ({
  facilityDir,
  agent: agentId,
  port,
  seconds,
  device,
  probe: probed,
}: BusOptions): Promise<number> => {
  await readyFacility(facilityDir, agentId, port);
  const dir = agentDirectory(facilityDir, agentId);
  const [agent, devices] = await Promise.all([readAgentKeys(dir), readDeviceRegistry(dir)]);
  requireTerminals([device, probed], devices, facilityDir);
  const terminal = device === undefined ? null : await readTerminalKeys(deviceDirectory(facilityDir, device));
  const trust = await readCardTrust(join(dir, 'card-trust'));
  const clock = createSystemClock();
  const catalogues = { at: catalogueAt, ofVersion: catalogueOfVersion, released: readReleasedTexts() };
  const texts = new ConsentTextsInForce({ clock, catalogues });
  const judge = new BusJudge({
    agent,
    devices,
    trust,
    consentTexts: () => texts.now(),
    ...(terminal && device !== undefined && { deviceSealing: { device, key: terminal.sealing } }),
    now: () => Date.now(),
  });
  const broker = await startEmbeddedBroker({
    ...{ tls: await readBrokerFiles(facilityDir), port },
    users: { facility: agent.facility, agents: agent.agents.map(({ owner }) => owner), devices: [...devices.keys()] },
    onlooker: (topic, payload, sent) => void judge.see(topic, payload, sent),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(inWords('port {port} is taken by another program: --port 0 takes any that is free', { port }));
  });
  process.stdout.write(`${JSON.stringify({ ready: true, brokerPort: broker.port })}\n`);
  tell('a broker for this facility listens on port {port} (MQTT 3.1.1); the report comes after {seconds} s or Ctrl-C', {
    port: broker.port,
    seconds,
  });
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  if (probed !== undefined) {
    const bus = asAgent(agent, broker.port);
    await pause(answeredMs).then(() => probe(bus, judge, agent, probed));
    await bus.close();
  }
  const limit = new AbortController();
  await Promise.race([stopped, pause(seconds * 1_000, undefined, { signal: limit.signal }).catch(() => undefined)]);
  limit.abort();
  await broker.close();
  await judge.settled();
  if (judge.messages === 0)
    tell('nobody said anything: does your program speak MQTT 3.1.1 and trust {folder}/facility-ca.pem?', {
      folder: facilityDir,
    });
  else process.stdout.write(printFindings(judge.findings, busRules, speaksJapanese() ? 'ja' : 'en'));
  process.stdout.write(`${JSON.stringify({ messages: judge.messages, findings: judge.findings })}\n`);
  return judge.findings.length === 0 && judge.messages > 0 ? 0 : 1;
};
