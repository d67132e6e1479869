import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';
import {
  createAuthority,
  issueCertificate,
  validFor,
  yearMs,
} from '../../src/agent/provisioning/certificate-authority.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';

vi.setConfig({ testTimeout: 120_000 });

const dayMs = yearMs / 365.25;
const names = ['127.0.0.1'];
let made: TestFacility;
let ca: { key: string; certificate: string };
beforeAll(async () => {
  made = await makeTestFacility();
  const read = (name: string): string => readFileSync(join(made.directory, name), 'utf8');
  ca = { key: read('facility-ca-key.pem'), certificate: read('facility-ca.pem') };
});
afterAll(() => made.remove());

/** What the terminal says of a server on which it must not spend a single byte of MQTT. */
const verdictOn = async (options: TlsOptions): Promise<{ code: string; heard: boolean }> => {
  let heard = false;
  const server = createServer(options, (socket) => {
    socket.on('data', () => {
      heard = true;
    });
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { tls, device } = made.device;
  const bus = createMqttMessageBus({ host: '127.0.0.1', port, tls, clientId: device, protocolVersion: 5 });
  let code = 'delivery.offline';
  bus.subscribeConnection((connected, cause) => {
    code = connected ? 'connected' : (cause?.code ?? '');
  });
  try {
    await until('a verdict', () => code !== 'delivery.offline');
  } finally {
    await bus.close();
    server.close();
  }
  return { code, heard };
};

describe('a server that is not the broker is told apart, and hears nothing', () => {
  const refused = { code: 'delivery.broker-untrusted', heard: false };
  const serving = ({ key, certificate }: { key: string; certificate: string }): TlsOptions => ({
    key,
    cert: certificate,
  });
  const leaf = (
    validity: { notBeforeMs: number; notAfterMs: number },
    leafNames: readonly string[] | undefined = names,
  ) => issueCertificate(ca, { commonName: 'broker', ...(leafNames ? { names: leafNames } : {}), ...validity });

  test('expired yesterday', async () => {
    expect(
      await verdictOn(serving(await leaf({ notBeforeMs: Date.now() - 9 * dayMs, notAfterMs: Date.now() - dayMs }))),
    ).toEqual(refused);
  });
  test('valid from tomorrow', async () => {
    expect(
      await verdictOn(serving(await leaf({ notBeforeMs: Date.now() + dayMs, notAfterMs: Date.now() + 9 * dayMs }))),
    ).toEqual(refused);
  });
  test('another name', async () => {
    expect(await verdictOn(serving(await leaf(validFor(Date.now(), 1), ['192.0.2.1', 'localhost'])))).toEqual(refused);
  });
  test('of another CA', async () => {
    const stranger = await createAuthority('another facility', validFor(Date.now(), 1));
    expect(
      await verdictOn(
        serving(await issueCertificate(stranger, { commonName: 'broker', names, ...validFor(Date.now(), 1) })),
      ),
    ).toEqual(refused);
  });
  test('signed by itself', async () => {
    expect(await verdictOn(serving(await createAuthority('broker', validFor(Date.now(), 1))))).toEqual(refused);
  });
  test("a terminal's certificate", async () => {
    const { key, certificate } = made.other.tls;
    expect(await verdictOn({ key, cert: certificate })).toEqual(refused);
  });
  test.each(['TLSv1.1', 'TLSv1.2'] as const)('the right certificate over %s', async (maxVersion) => {
    const { key, certificate } = await readBrokerFiles(made.directory);
    const old: TlsOptions = { key, cert: certificate, minVersion: 'TLSv1', maxVersion, ciphers: 'ALL:@SECLEVEL=0' };
    expect(await verdictOn(old)).toEqual(refused);
  });
});
