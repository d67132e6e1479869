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
import type { Certainty } from '../../src/core/trusted-time.ts';

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
const verdictOn = async (
  options: TlsOptions,
  time?: { readonly wallMs: number; readonly certainty: Certainty },
): Promise<{ code: string; heard: boolean }> => {
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
  const bus = createMqttMessageBus({
    host: '127.0.0.1',
    port,
    tls,
    clientId: device,
    protocolVersion: 5,
    ...(time && { time: () => ({ floorMs: Math.min(time.wallMs, Date.now() - 600_000), ...time }) }),
  });
  let code = 'delivery.offline';
  bus.subscribeConnection((connected, cause) => {
    code = connected ? 'connected' : (cause?.code ?? '');
  });
  try {
    await until('a verdict', () => code !== 'delivery.offline' || heard);
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

  /** A board without a clock chip: the machine's date is not the true one, and OpenSSL knows no other. */
  describe('judged by the time that is known, not by the machine', () => {
    const trusted = { code: 'delivery.offline', heard: true };
    const now = Date.now();
    const early = { notBeforeMs: now + 30 * dayMs, notAfterMs: now + 60 * dayMs };
    // The facility's own authority is an hour old.
    const late = { notBeforeMs: now - 60 * dayMs, notAfterMs: now - 60_000 };

    test('a broker set up after the day on which the clock stands is trusted while nobody has told the time', async () => {
      expect(await verdictOn(serving(await leaf(early)), { wallMs: now, certainty: 'doubted' })).toEqual(trusted);
      expect(await verdictOn(serving(await leaf(early)), { wallMs: now + 40 * dayMs, certainty: 'confirmed' })).toEqual(
        trusted,
      );
    });
    test('a clock that is ahead makes no broker expire', async () => {
      expect(await verdictOn(serving(await leaf(late)), { wallMs: now - 600_000, certainty: 'confirmed' })).toEqual(
        trusted,
      );
    });
    test('a confirmed time refuses what the machine would let pass', async () => {
      const good = serving(await leaf(validFor(now, 1)));
      expect(await verdictOn(good, { wallMs: now + 500 * dayMs, certainty: 'confirmed' })).toEqual(refused);
    });
    test('a wrong date excuses nothing else', async () => {
      const time = { wallMs: now, certainty: 'doubted' } as const;
      const stranger = await createAuthority('another facility', early);
      const strange = await issueCertificate(stranger, { commonName: 'broker', names, ...early });
      expect(await verdictOn(serving(strange), time)).toEqual(refused);
      const namesake = await createAuthority('Uketsuke facility test-clinic', early);
      expect(
        await verdictOn(serving(await issueCertificate(namesake, { commonName: 'broker', names, ...early })), time),
      ).toEqual(refused);
      expect(await verdictOn(serving(await createAuthority('broker', early)), time)).toEqual(refused);
      expect(await verdictOn(serving(await leaf(early, ['192.0.2.1'])), time)).toEqual(refused);
      expect(await verdictOn(serving(await issueCertificate(ca, { commonName: 'front-2', ...early })), time)).toEqual(
        refused,
      );
    });
  });
});
