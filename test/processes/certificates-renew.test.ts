import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { askHealth } from '../../drivers/host/health-socket.ts';
import { endChild } from '../../scripts/beds/end-child.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { breathe, until } from '../../scripts/beds/simulated-clock.ts';
import {
  agentId,
  createDemoFacility,
  deviceId,
  projectRoot,
  writeTerminalConfig,
} from '../../scripts/demonstration/facility.ts';
import { takeAuthorityKeyAway } from '../../src/agent/provisioning/authority-key.ts';
import { issueCertificate, issueRevocationList } from '../../src/agent/provisioning/certificate-authority.ts';
import { certificateOf } from '../../src/trust/client-chain.ts';

const dayMs = 86_400_000;
const ending: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

type Line = { readonly event: string } & Readonly<Record<string, unknown>>;
const begin = (...args: readonly string[]) => {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(projectRoot, 'src/main.ts'), ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const lines: Line[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null)
      createInterface({ input: stream }).on('line', (line) => {
        if (line.startsWith('{"level"')) lines.push(JSON.parse(line) as Line);
      });
  const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => endChild(child, signal);
  ending.push(() => stop('SIGKILL'));
  return { lines, stop, has: (event: string) => lines.some((line) => line.event === event) };
};

/** The certificates of provisioning, as they are 40 days before their end. */
const makeOld = async (directory: string) => {
  const ca = {
    key: readFileSync(join(directory, 'facility-ca-key.pem'), 'utf8'),
    certificate: readFileSync(join(directory, 'facility-ca.pem'), 'utf8'),
  };
  const validity = { notBeforeMs: Date.now() - dayMs, notAfterMs: Date.now() + 40 * dayMs };
  const serials: string[] = [];
  for (const [name, folder] of [
    [deviceId, join(directory, 'devices', deviceId, 'link')],
    [agentId, join(directory, 'agents', agentId)],
  ] as const) {
    const leaf = await issueCertificate(ca, { commonName: name, ...validity });
    writeFileSync(join(folder, 'tls-key.pem'), leaf.key);
    writeFileSync(join(folder, 'tls-certificate.pem'), leaf.certificate);
    serials.push(leaf.serial);
  }
  for (const folder of [directory, join(directory, 'agents', agentId)]) {
    const file = join(folder, 'devices.json');
    const devices = JSON.parse(readFileSync(file, 'utf8')) as object[];
    writeFileSync(file, JSON.stringify(devices.map((entry) => ({ ...entry, certificateSerial: serials[0] }))));
  }
  return { ca, serials };
};

/** What the link says of its connection becomes this. null: it stands */
const admitted = async (directory: string, expected: string | null): Promise<void> => {
  const endMs = performance.now() + 120_000;
  for (;;) {
    const said = await askHealth(join(directory, 'link-health.sock'), 2_000);
    const trouble = said === null ? 'no answer' : (JSON.parse(said) as { brokerTrouble: string | null }).brokerTrouble;
    if (trouble === expected) return;
    if (performance.now() > endMs) throw new Error(`the link says ${trouble}`);
    await breathe();
  }
};

test.skipIf(mosquittoPath === null)(
  'over mosquitto: link and agent, killed in the middle, go on with certificates that they renewed by themselves',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'uketsuke-renew-'));
    ending.push(() => rmSync(directory, { recursive: true, force: true }));
    const facility = await createDemoFacility(directory, { answerDelayMs: 0, staffPort: 0 });
    const { ca, serials } = await makeOld(directory);
    await takeAuthorityKeyAway(directory, {}, join(directory, 'stick.pem'));
    const mosquitto = await Mosquitto.prepare(directory);
    await mosquitto.start();
    ending.push(() => mosquitto.kill());
    const config = writeTerminalConfig(facility, { brokerPort: mosquitto.port, screenPort: 0 });
    writeFileSync(config, readFileSync(config, 'utf8').replace('protocolVersion: 4', 'protocolVersion: 5'));
    const beginLink = () => begin('link', '--config', config, '--log', 'json');
    const broker = ['--broker', `localhost:${mosquitto.port}`, '--mqtt', '5', '--make-folders', '--staff-port', '0'];
    const beginAgent = () => begin('agent', '--dir', facility.agentDirectory, ...broker);
    const state = (name: string): string => join(directory, name);
    // Nobody answers the first request, and the link dies over it: its key is there.
    const first = beginLink();
    await until('the new key', () => existsSync(state('tls-next-key.pem')));
    const key = readFileSync(state('tls-next-key.pem'), 'utf8').trim();
    await first.stop('SIGKILL');
    // The agent dies as soon as it has issued.
    const agent = beginAgent();
    await until("the agent's own renewal", () => agent.has('certificate.renewed'));
    const second = beginLink();
    await until('the certificate', () => agent.has('certificate.issued'));
    await Promise.all([agent.stop('SIGKILL'), second.stop('SIGKILL')]);
    const agentAgain = beginAgent();
    await until('the agent', () => agentAgain.has('process.ready'));
    const third = beginLink();
    await until('the renewed pair', () => existsSync(state('tls-renewed.pem')));
    const renewed = readFileSync(state('tls-renewed.pem'), 'utf8');
    expect(renewed).toContain(key);
    expect(certificateOf(renewed.slice(renewed.indexOf('-----BEGIN CERT')))?.validToDate.getTime()).toBeGreaterThan(
      Date.now() + 600 * dayMs,
    );

    // From now on the broker refuses what they had before: both are admitted by what they renewed, and by nothing else.
    const revoked = await issueRevocationList(ca, serials, {
      notBeforeMs: Date.now() - 1_000,
      notAfterMs: Date.now() + dayMs,
    });
    const issuers = readFileSync(join(facility.agentDirectory, 'issuing-revoked.pem'), 'utf8');
    await mosquitto.kill();
    writeFileSync(join(mosquitto.directory, 'revoked.pem'), `${revoked}\n${issuers}`);
    await mosquitto.start();
    await admitted(directory, null);
    await third.stop();
    rmSync(state('tls-renewed.pem'));
    beginLink();
    await admitted(directory, 'delivery.access-refused');
  },
  180_000,
);

test.skipIf(mosquittoPath === null)(
  'a broker whose access rules are older: both ends connect as ever, with the certificates that they have',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'uketsuke-renew-'));
    ending.push(() => rmSync(directory, { recursive: true, force: true }));
    const facility = await createDemoFacility(directory, { answerDelayMs: 0, staffPort: 0 });
    await makeOld(directory);
    const mosquitto = await Mosquitto.prepare(directory);
    const acl = join(mosquitto.directory, 'acl');
    const rules = readFileSync(acl, 'utf8').split('\n');
    writeFileSync(acl, rules.filter((rule) => !/\/certificate(-request)?$/.test(rule)).join('\n'));
    await mosquitto.start();
    ending.push(() => mosquitto.kill());
    const config = writeTerminalConfig(facility, { brokerPort: mosquitto.port, screenPort: 0 });
    writeFileSync(config, readFileSync(config, 'utf8').replace('protocolVersion: 4', 'protocolVersion: 5'));
    const broker = ['--broker', `localhost:${mosquitto.port}`, '--mqtt', '5', '--make-folders', '--staff-port', '0'];
    const agent = begin('agent', '--dir', facility.agentDirectory, ...broker);
    begin('link', '--config', config, '--log', 'json');
    // mosquitto grants any subscription and delivers nothing on it: the link asks, and the broker refuses that alone.
    await until('the question', () => existsSync(join(directory, 'tls-next-key.pem')));
    await until('the state of the device', () => agent.has('agent.device-state'));
    await admitted(directory, null);
    expect(agent.has('certificate.issued')).toBe(false);
    expect(existsSync(join(directory, 'tls-renewed.pem'))).toBe(false);
  },
);
