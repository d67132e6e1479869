import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { type AgentBed, makeAgentBed } from '../../scripts/beds/agent-bed.ts';
import { cardSigner } from '../../scripts/beds/evidence-fixtures.ts';
import { machineNowMs } from '../../scripts/beds/machine-now.ts';
import { authority } from '../../scripts/beds/test-cards.ts';
import { writeCardTrust } from '../../src/agent/provisioning/card-trust.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed({ startMs: machineNowMs() });
  await writeCardTrust(join(bed.testFacility.agentDirectory, 'card-trust'), {
    certificateIssuersPem: authority.caCertificatePem,
    cvIssuersJson: authority.cvIssuersJson,
  });
});
afterEach(() => bed.close());

type Report = { readonly messages: number; readonly findings: readonly { readonly rule: string }[] };

/** `uketsuke kit bus`, with both ends of the bed's broker carried over to its own; what it said last. */
const judged = async (
  meanwhile: () => Promise<void>,
): Promise<{ readonly status: number; readonly report: Report }> => {
  const { directory, agent, device } = bed.testFacility;
  const where = ['--facility-dir', directory, '--device', 'front-1', '--port', '0', '--seconds', '60'];
  const kit = spawn(process.execPath, ['src/main.ts', 'kit', 'bus', ...where], { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines: string[] = [];
  const output = createInterface({ input: kit.stdout });
  output.on('line', (line) => lines.push(line));
  const [first] = (await once(output, 'line')) as [string];
  const { brokerPort } = JSON.parse(first) as { brokerPort: number };
  const connect = (clientId: string, tls: typeof agent.tls) =>
    createMqttMessageBus({
      host: '127.0.0.1',
      serverName: 'localhost',
      port: brokerPort,
      tls,
      clientId,
      protocolVersion: 4,
    });
  const ends = { 'agent-1': connect('agent-1', agent.tls), 'front-1': connect('front-1', device.tls) };
  await meanwhile();
  for (const end of Object.values(ends))
    await new Promise<void>((resolve) => end.subscribeConnection((connected) => connected && resolve()));
  for (const { from, topic, payload, retain = false } of bed.broker.passed)
    expect((await ends[from as keyof typeof ends].publish(topic, payload, { retain })).ok).toBe(true);
  for (const end of Object.values(ends)) await end.close();
  kit.kill('SIGTERM');
  const [status] = (await once(kit, 'exit')) as [number];
  return { status, report: JSON.parse(lines.at(-1) ?? '') as Report };
};

test('the real agent and a terminal that keep every rule are told nothing, a card that did not sign is', async () => {
  const good = await judged(async () => {
    await bed.request((await bed.sign(await bed.pin('5E570001'))).sealed);
  });
  expect(good.report.findings).toEqual([]);
  expect(good.report.messages).toBeGreaterThan(3);
  expect(good.status).toBe(0);
  const bad = await judged(async () => {
    const card = { ...(await bed.pin('5E570001')), sign: cardSigner(bed.keys.stranger) };
    await bed.request((await bed.sign(card)).sealed);
    await bed.send('state', new TextEncoder().encode('{"battery":1}'));
  });
  const rules = bad.report.findings.map(({ rule }) => rule);
  expect(rules).toContain('evidence');
  expect(rules).toContain('form');
  expect(rules).not.toContain('accepted-wrong');
  expect(bad.status).toBe(1);
});

test('the real agent refuses another document under a known id, and is told nothing of it: the terminal is', async () => {
  const requestId = crypto.randomUUID();
  const { report } = await judged(async () => {
    for (let times = 0; times < 2; times += 1)
      await bed.request((await bed.sign(await bed.pin('5E570001'), { requestId })).sealed);
  });
  expect(report.findings.map(({ rule }) => rule)).toEqual(['same-id-other-document']);
});

const refused = (args: readonly string[]): string => {
  const where = ['--facility-dir', bed.testFacility.directory, '--seconds', '1', ...args];
  const run = spawnSync(process.execPath, ['src/main.ts', 'kit', 'bus', ...where], {
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
  });
  expect(run.status).not.toBe(0);
  expect(run.stdout).toBe('');
  return run.stderr;
};

test('a port that is taken, a terminal that is not there and a port that is none are told before anybody listens', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  expect(refused(['--port', String(port)])).toContain(`port ${port} is taken by another program`);
  other.close();
  for (const option of ['--device', '--probe'])
    expect(refused(['--port', '0', option, 'front-99'])).toMatch(/no terminal front-99 in .*; there are: front-1/);
  expect(refused(['--port', '22x'])).toContain('0 to 65535');
});

test('a facility that cannot be made whole leaves no half one in the way of the next try', () => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-kit-bus-'));
  const kit = ['src/main.ts', 'kit', 'bus', '--facility-dir', join(place, 'new'), '--agent', 'no name', '--port', '0'];
  const run = spawnSync(process.execPath, kit, { encoding: 'utf8' });
  expect(run.stderr).toContain('must match pattern');
  expect(run.status).toBe(2);
  expect(readdirSync(place)).toEqual([]);
  rmSync(place, { recursive: true });
});
