import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { readAgentKeys, readDeviceRegistry } from '../agent/provisioning/agent-keys.ts';
import { readCardTrust } from '../agent/provisioning/card-trust.ts';
import { BusJudge } from '../kit/bus/bus-judge.ts';
import { busRules } from '../kit/bus/bus-rules.ts';
import { printFindings } from '../kit/finding.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import { readTerminalKeys } from '../trust/key-files.ts';
import { type SigningKey, sign } from '../trust/seal.ts';
import { topicOf } from '../wire/topics.ts';
import { speaksJapanese, tell } from './say.ts';

type Options = {
  readonly dir: string;
  readonly broker: string;
  readonly mqtt: string;
  readonly seconds: number;
  readonly deviceDir?: string;
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

/** Exit status: 1 where somebody on the bus broke a rule, or nobody said anything. Throws on a directory that is no agent's. */
export const judgeBus = async ({ dir, broker, mqtt, seconds, deviceDir, probe: probed }: Options): Promise<number> => {
  const agent = await readAgentKeys(dir);
  const devices = await readDeviceRegistry(dir);
  const device = deviceDir === undefined ? null : await readTerminalKeys(deviceDir);
  const trust = await readCardTrust(join(dir, 'card-trust'));
  const judge = new BusJudge({
    agent,
    devices,
    trust,
    ...(device && { deviceSealing: device.sealing }),
    now: () => Date.now(),
  });
  const [host = '', port = ''] = broker.split(':');
  const bus = createMqttMessageBus({
    ...{ host, port: Number(port), tls: agent.tls, clientId: agent.agent },
    protocolVersion: mqtt === '4' ? 4 : 5,
  });
  bus.subscribe(`uketsuke/v1/${agent.facility}/+/+`, ({ topic, payload }) => void judge.see(topic, payload));
  tell('listening on the bus; the report comes after {seconds} s or Ctrl-C', { seconds });
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  if (probed !== undefined) await pause(answeredMs).then(() => probe(bus, judge, agent, probed));
  const limit = new AbortController();
  await Promise.race([stopped, pause(seconds * 1_000, undefined, { signal: limit.signal })]);
  limit.abort();
  await bus.close();
  process.stdout.write(printFindings(judge.findings, busRules, speaksJapanese() ? 'ja' : 'en'));
  process.stdout.write(`${JSON.stringify({ messages: judge.messages, findings: judge.findings })}\n`);
  return judge.findings.length === 0 && judge.messages > 0 ? 0 : 1;
};
