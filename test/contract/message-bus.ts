import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMqttMessageBus, type MqttMessageBusOptions } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { facility, makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import { createAuthority, issueCertificate, validFor } from '../../src/agent/provisioning/certificate-authority.ts';
import {
  addDevice,
  agentDirectory,
  deviceDirectory,
  revokeDevice,
} from '../../src/agent/provisioning/facility-authority.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Delivery, MessageBus } from '../../src/ports/message-bus.ts';
import { readLinkKeys, readTlsFiles, type TlsFiles } from '../../src/trust/key-files.ts';
import { type TopicLeaf, topicOf } from '../../src/wire/topics.ts';

// Bounds for a machine that does ten other things; none of these waits when all is well.
vi.setConfig({ testTimeout: 120_000 });

/** A broker under test. `cut`: connections gone and port closed, as when it is killed. */
export type BrokerUnderTest = {
  readonly port: number;
  /** Default: what is retained is told to who comes later */
  readonly retainsNothing?: boolean;
  readonly cut: () => Promise<void>;
  readonly restore: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** What the bus over a broker promises, with the facility's certificates and the ACL from its one source. */
export const messageBusContract = (
  name: string,
  protocolVersion: 4 | 5,
  start: (facilityDirectory: string) => Promise<BrokerUnderTest>,
  open: (options: MqttMessageBusOptions) => MessageBus = createMqttMessageBus,
): void => {
  describe(`message bus: ${name}`, () => {
    let testFacility: TestFacility;
    let broker: BrokerUnderTest;
    let revokedTls: TlsFiles;
    const opened: MessageBus[] = [];
    beforeAll(async () => {
      testFacility = await makeTestFacility();
      await addDevice(testFacility.directory, 'front-9', 9);
      revokedTls = await readLinkKeys(deviceDirectory(testFacility.directory, 'front-9'));
      await revokeDevice(testFacility.directory, 'front-9');
      broker = await start(testFacility.directory);
    });
    afterEach(async () => {
      for (const bus of opened.splice(0)) await bus.close();
    });
    afterAll(async () => {
      await broker.close();
      testFacility.remove();
    });

    const connect = async (id: string, more: Partial<MqttMessageBusOptions> = {}) => {
      const keys = () =>
        id.startsWith('agent')
          ? readTlsFiles(agentDirectory(testFacility.directory, id))
          : readLinkKeys(deviceDirectory(testFacility.directory, id));
      const tls = more.tls ?? (await keys());
      const bus = open({
        host: '127.0.0.1',
        port: broker.port,
        clientId: id,
        protocolVersion,
        ...more,
        tls,
      });
      opened.push(bus);
      const told: { connected: boolean; cause: Failure | undefined }[] = [];
      bus.subscribeConnection((connected, cause) => told.push({ connected, cause }));
      return { bus, told };
    };
    const connected = async (id: string, more: Partial<MqttMessageBusOptions> = {}) => {
      const one = await connect(id, more);
      await until(`${id} connected`, () => one.told.at(-1)?.connected === true);
      return one;
    };
    const heard = (bus: MessageBus, filter: string): Delivery[] => {
      const deliveries: Delivery[] = [];
      bus.subscribe(filter, (delivery) => deliveries.push(delivery));
      return deliveries;
    };
    const topic = (leaf: TopicLeaf, device = 'front-1') => topicOf(facility, device, leaf);
    const bytes = (text: string) => new TextEncoder().encode(text);
    const textOf = ({ payload }: Delivery) => new TextDecoder().decode(payload);

    test('carries a request to the agent and a receipt back, bytes unchanged', async () => {
      const { bus: device } = await connected('front-1');
      const { bus: agent } = await connected('agent-1');
      const requests = heard(agent, topicOf(facility, '+', 'request'));
      const receipts = heard(device, topic('receipt'));
      const payload = Uint8Array.from({ length: 60_000 }, (_, index) => index & 255);
      await until('the request', () => {
        if (requests.length === 0) void device.publish(topic('request'), payload, { expirySeconds: 60 });
        return requests.length > 0;
      });
      expect(requests[0]).toMatchObject({ topic: topic('request'), retained: false });
      expect(requests[0]?.payload).toEqual(payload);
      expect(await agent.publish(topic('receipt'), bytes('r'))).toMatchObject({ ok: true });
      await until('the receipt', () => receipts.length > 0);
    });

    test('what is retained is told to who comes later', async () => {
      const { bus: agent } = await connected('agent-1');
      expect(await agent.publish(topic('settings'), bytes('v1'), { retain: true })).toMatchObject({ ok: true });
      const { bus: device } = await connected('front-1');
      const settings = heard(device, topic('settings'));
      await until('the settings', () => {
        // Where nothing is retained the agent says it again, once it knows who came.
        if (broker.retainsNothing && settings.length === 0)
          void agent.publish(topic('settings'), bytes('v1'), { retain: true });
        return settings.length > 0;
      });
      expect(settings[0] && textOf(settings[0])).toBe('v1');
      expect(settings[0]?.retained).toBe(!broker.retainsNothing);
    });

    test('the last will is told when a device vanishes', async () => {
      const { bus: agent } = await connected('agent-1');
      const states = heard(agent, topicOf(facility, '+', 'state'));
      const { bus: device } = await connected('front-1', {
        will: { topic: topic('state'), payload: bytes('offline') },
      });
      await until('idle', () => {
        if (states.length === 0) void device.publish(topic('state'), bytes('idle'), { retain: true });
        return states.some((state) => textOf(state) === 'idle');
      });
      await device.close();
      await until('offline', () => states.some((state) => textOf(state) === 'offline'));
    });

    test('the broker goes and comes back: told both times, subscriptions stand, a publish between fails at once', async () => {
      const { bus: device, told } = await connected('front-1');
      const { bus: agent, told: toldAgent } = await connected('agent-1');
      const requests = heard(agent, topicOf(facility, '+', 'request'));
      await broker.cut();
      await until('both know', () => told.at(-1)?.connected === false && toldAgent.at(-1)?.connected === false);
      expect(await device.publish(topic('request'), bytes('x'))).toMatchObject({
        ok: false,
        failure: { code: 'delivery.offline' },
      });
      await broker.restore();
      await until('both are back', () => told.at(-1)?.connected === true && toldAgent.at(-1)?.connected === true);
      expect(await device.publish(topic('request'), bytes('after'))).toMatchObject({ ok: true });
      await until('the request', () => requests.length > 0);
      expect(requests.map(textOf)).toEqual(['after']);
    });

    test('a device hears only its own lane and writes only what a device may', async () => {
      const { bus: device } = await connected('front-1');
      const { bus: other } = await connected('front-2');
      const { bus: agent } = await connected('agent-1');
      const own = heard(other, topic('receipt', 'front-2'));
      const atAgent = heard(agent, topicOf(facility, '+', 'request'));
      await until('its own', () => {
        // Nothing tells when the subscription stands.
        if (own.length === 0) void agent.publish(topic('receipt', 'front-2'), bytes('yours'));
        return own.length > 0;
      });
      await device.publish(topic('request', 'front-2'), bytes('another lane'));
      // One connection of a name at a time: the broker lets the newest push out the one before, which comes back at once.
      await device.close();
      const { bus: again } = await connected('front-1');
      const forged = heard(again, topic('settings'));
      await again.publish(topic('settings'), bytes('forged'));
      await again.close();
      const { bus: last } = await connected('front-1');
      expect(await last.publish(topic('request'), bytes('allowed'))).toMatchObject({ ok: true });
      await until('the allowed one', () => atAgent.some((delivery) => textOf(delivery) === 'allowed'));
      expect(atAgent.map(textOf)).toEqual(['allowed']);
      expect(forged.map(textOf)).not.toContain('forged');
    });

    test('a device that listens to another lane is told nothing', async () => {
      const { bus: agent } = await connected('agent-1');
      const curious = await connect('front-2');
      const stolen = heard(curious.bus, topic('receipt'));
      const { bus: device } = await connected('front-1');
      const own = heard(device, topic('receipt'));
      await until('the own receipt', () => {
        if (own.length === 0) void agent.publish(topic('receipt'), bytes('secret'));
        return own.length > 0;
      });
      expect(stolen).toEqual([]);
    });

    test('a hundred at once, at most sixteen without PUBACK: all acknowledged, all there, in order', async () => {
      const { bus: device } = await connected('front-1');
      const { bus: agent } = await connected('agent-1');
      const requests = heard(agent, topicOf(facility, '+', 'request'));
      await until('subscribed', () => {
        if (requests.length === 0) void device.publish(topic('request'), bytes('first'));
        return requests.length > 0;
      });
      const numbers = Array.from({ length: 100 }, (_, index) => `n${index}`);
      const results = await Promise.all(numbers.map((text) => device.publish(topic('request'), bytes(text))));
      expect(results.every(({ ok }) => ok)).toBe(true);
      await until('all', () => requests.filter((delivery) => textOf(delivery) !== 'first').length === 100);
      expect(requests.map(textOf).filter((text) => text !== 'first')).toEqual(numbers);
    });

    test("another facility's certificate, a revoked one, somebody else's name: never connected", async () => {
      const stranger = await createAuthority('another facility', validFor(Date.now(), 1));
      const leaf = await issueCertificate(stranger, { commonName: 'front-1', ...validFor(Date.now(), 1) });
      const { ca } = testFacility.device.tls;
      const attempts = [
        await connect('front-1', { tls: { key: leaf.key, certificate: leaf.certificate, ca } }),
        await connect('front-9', { tls: revokedTls }),
      ];
      await connected('front-1');
      for (const { told } of attempts) expect(told.some((one) => one.connected)).toBe(false);
    });

    test('a broker with a certificate of another CA, or under another name: delivery.broker-untrusted', async () => {
      const stranger = await createAuthority('another facility', validFor(Date.now(), 1));
      const wrongCa = await connect('front-1', { tls: { ...testFacility.device.tls, ca: stranger.certificate } });
      const wrongName = await connect('front-1', { serverName: 'broker.example' });
      for (const { told } of [wrongCa, wrongName])
        await until('the cause', () => told.at(-1)?.cause?.code === 'delivery.broker-untrusted');
    });
  });
};
