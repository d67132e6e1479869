import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import { AgentProcess, furnishAgent } from '../../../scripts/beds/delivery-bed.ts';
import { type DeviceKeys, readDeviceKeys } from '../../../scripts/beds/device-keys.ts';
import { Mosquitto, mosquittoPath } from '../../../scripts/beds/mosquitto.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { facility, makeTestFacility, type TestFacility } from '../../../scripts/beds/test-facility.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { sign } from '../../../src/trust/seal.ts';
import { topicOf } from '../../../src/wire/topics.ts';

/** A terminal is revoked while real agent and real mosquitto run: what it still can do, and from when on nothing. */
if (mosquittoPath === null)
  console.warn('skipped: revocation at the broker needs mosquitto (Debian package mosquitto)');
const main = new URL('../../../src/main.ts', import.meta.url).pathname;

class Terminal {
  readonly #keys: DeviceKeys;
  readonly #bus: ReturnType<typeof createMqttMessageBus>;
  connected = false;
  cause: Failure | undefined;
  /** Answers with a challenge in them */
  answers = 0;
  /** Answers without one: it does not wait for an agent that it takes to be silent */
  refusals = 0;
  /** The agent tells every terminal its settings as soon as it is connected and listens. */
  settings = 0;

  constructor(keys: DeviceKeys, port: number) {
    this.#keys = keys;
    this.#bus = createMqttMessageBus({
      host: '127.0.0.1',
      port,
      tls: keys.tls,
      clientId: keys.device,
      protocolVersion: 5,
    });
    this.#bus.subscribe(topicOf(facility, keys.device, 'challenge'), ({ payload }) => {
      const [, signed = ''] = Buffer.from(payload).toString().split('.');
      const message = JSON.parse(Buffer.from(signed, 'base64url').toString()) as { challenges: unknown[] };
      if (message.challenges.length > 0) this.answers += 1;
      else this.refusals += 1;
    });
    this.#bus.subscribe(topicOf(facility, keys.device, 'settings'), () => {
      this.settings += 1;
    });
    this.#bus.subscribeConnection((connected, cause) => {
      this.connected = connected;
      this.cause = cause;
    });
  }

  /** A question that any agent answers to a terminal that it knows. */
  async ask() {
    const message = {
      ...{ facility, device: this.#keys.device, challengeRequestId: crypto.randomUUID() },
      ...{ requestedAt: Date.now(), wanted: 1 },
    };
    const bytes = await sign('challenge-request', message, this.#keys.signing);
    return this.#bus.publish(topicOf(facility, this.#keys.device, 'challenge-request'), bytes);
  }

  close = () => this.#bus.close();
}

let bed: TestFacility;
let mosquitto: Mosquitto;
let agent: AgentProcess;
let revoked: Terminal;
let other: Terminal;

beforeAll(async () => {
  if (mosquittoPath === null) return;
  bed = await makeTestFacility();
  await furnishAgent(bed.agentDirectory);
  mosquitto = await Mosquitto.prepare(bed.directory);
  await mosquitto.start();
  agent = new AgentProcess(bed.agentDirectory, `127.0.0.1:${mosquitto.port}`);
  await agent.start(['--log', 'silent']);
  revoked = new Terminal(bed.device, mosquitto.port);
  other = new Terminal(bed.other, mosquitto.port);
  await until('both connected', () => revoked.connected && other.connected);
  // Ready is said by its staff page; a question of before it listens at the broker would be lost.
  await until('the agent at the broker', () => revoked.settings > 0 && other.settings > 0);
});
afterAll(async () => {
  if (mosquittoPath === null) return;
  await revoked.close();
  await other.close();
  await agent.kill();
  await mosquitto.kill();
  bed.remove();
});

/** One question of each, the other terminal's after ours: once that one is answered, ours was decided. */
const askBoth = async (): Promise<{ readonly answered: boolean }> => {
  const [before, otherBefore] = [revoked.answers, other.answers];
  await revoked.ask();
  for (let times = 1; times <= 2; times += 1) {
    await other.ask();
    await until("the other terminal's answer", () => other.answers === otherBefore + times);
  }
  return { answered: revoked.answers > before };
};

test.skipIf(mosquittoPath === null)(
  'agents refuse it within seconds, mosquitto takes nothing more from it after a reload and lets it in no more; others go on',
  async () => {
    expect(await askBoth()).toEqual({ answered: true });

    execFileSync(process.execPath, [main, 'agent', 'device', 'revoke', 'front-1', '--facility-dir', bed.directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const sinceMs = performance.now();
    // The broker has not been told yet: the agent's own registry decides.
    while ((await askBoth()).answered) expect(performance.now() - sinceMs).toBeLessThan(30_000);
    expect(await askBoth()).toEqual({ answered: false });
    await until('the refusal of a question', () => revoked.refusals > 0);

    mosquitto.signal('SIGHUP');
    const reloadedMs = performance.now();
    for (let taken = true; taken; ) {
      taken = revoked.connected && (await revoked.ask()).ok;
      expect(performance.now() - reloadedMs).toBeLessThan(30_000);
    }

    await revoked.close();
    revoked = new Terminal(await readDeviceKeys(bed.deviceDirectory), mosquitto.port);
    await until('the refusal', () => revoked.cause?.code === 'delivery.access-refused');
    expect(revoked.connected).toBe(false);
    const before = other.answers;
    await other.ask();
    await until("the other terminal's answer", () => other.answers > before);
  },
);
