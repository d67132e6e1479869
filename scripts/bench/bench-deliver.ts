import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { compactVerify } from 'jose';
import { connect } from 'mqtt';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createLinkClient } from '../../drivers/link/link-client.ts';
import { readAgentKeys } from '../../src/agent/provisioning/agent-keys.ts';
import { addAgent } from '../../src/agent/provisioning/facility-authority.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { type ClinicLink, createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { signRequest } from '../../src/terminal/delivery/sign-request.ts';
import { AgentProcess, furnishAgent, LinkWatch, makeVisitor } from '../beds/delivery-bed.ts';
import { endChild } from '../beds/end-child.ts';
import { cardKeys } from '../beds/evidence-fixtures.ts';
import { keepProcess } from '../beds/kept-process.ts';
import { Mosquitto, mosquittoPath } from '../beds/mosquitto.ts';
import { makeTestFacility } from '../beds/test-facility.ts';
import { bareTopics } from '../trials/bare-topics.ts';

/**
 * npm run bench:deliver [-- --visits 300 --json]
 *
 * From `submit` of a signed and sealed request to the verified receipt, over warm mutual TLS on a real mosquitto, the
 * agent being the real process: terminal's row on the disk, publish, agent opens and verifies everything, journals,
 * signs the receipt, terminal verifies it. Against it, in alternating blocks of the same run: a bare mqtt.js echo on the
 * same broker whose two ends make the same `jose` calls on the same kind of document and one fsync each.
 */
const { values } = parseArgs({ options: { visits: { type: 'string', default: '300' }, json: { type: 'boolean' } } });
const visits = Number(values.visits);
const warmUp = 30;
const block = 10;
if (mosquittoPath === null) throw new Error('bench:deliver needs the Debian package mosquitto');

const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const testFacility = await makeTestFacility();
const log = createEventLog({ format: 'silent' });
const clock = createSystemClock();

/** `count` of one kind of delivery, ms each; waits in between for what is not timed. */
type Course = { readonly run: (count: number) => Promise<number[]>; readonly close: () => Promise<void> };

const ourCourse = async (mosquitto: Mosquitto): Promise<Course> => {
  await furnishAgent(testFacility.agentDirectory);
  const agent = new AgentProcess(testFacility.agentDirectory, `127.0.0.1:${mosquitto.port}`);
  // The national service takes longer than a receipt does: its answer does not meet the receipt on these two cores.
  await agent.start(['--log', 'silent', '--service-delay-ms', '100']);
  const keys = testFacility.device;
  const at = (name: string): string => join(testFacility.directory, name);
  const config = {
    facility: keys.facility,
    device: keys.device,
    lane: keys.lane,
    broker: { host: '127.0.0.1', port: mosquitto.port },
    paths: { provisioning: testFacility.deviceDirectory, store: at('link.sqlite') },
    link: { socket: at('link.sock'), health: at('link-health.sock') },
  };
  writeFileSync(at('terminal.yaml'), JSON.stringify(config));
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const linkProcess = keepProcess(process.execPath, [main, 'link', '--config', at('terminal.yaml'), '--log', 'json'], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const client = createLinkClient({ path: config.link.socket, log });
  const { bus, store } = client;
  const link = createClinicLink({ bus, store, clock, log, keys });
  const watch = new LinkWatch(link);
  const visitor = await makeVisitor(Date.now());
  const visit = async (): Promise<number> => {
    const ready = () => (link.challengesReady(300_000) ? true : undefined);
    await watch.until('challenges', ready);
    const challenge = link.takeChallenge(300_000);
    if (challenge === null) throw new Error('no challenge');
    const signed = await visitor.sign(link, challenge);
    // As in every visit: the patient's certificate was looked up when the card was read.
    const looked = await link.lookup(signed.session, visitor.certificate, new AbortController().signal);
    if (!looked.ok) throw new Error(looked.failure.code);
    // A refill that this visit's challenge caused is over before the clock starts, as in a visit of seconds.
    await watch.until('challenges', ready);
    await breather();
    const startMs = performance.now();
    const submitted = await link.submit(signed);
    if (!submitted.ok) throw new Error(submitted.failure.code);
    const receipt = await watch.receipt(signed.requestId);
    if (receipt.type !== 'receipt' || receipt.receipt.verdict !== 'accepted') throw new Error('the agent refused');
    const ms = receipt.atMs - startMs;
    await watch.result(signed.requestId);
    watch.events.length = 0;
    return ms;
  };
  return {
    run: (count) => inTurn(count, visit),
    close: async () => {
      await link.close();
      client.close();
      await linkProcess.close();
      await agent.kill('SIGTERM');
    },
  };
};

/** What the visit before left to do (file for the レセコン, journal) is done; visits are minutes apart, not milliseconds. */
const breather = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 120));
const inTurn = async (count: number, one: () => Promise<number>): Promise<number[]> => {
  const measured: number[] = [];
  for (let index = 0; index < count; index++) measured.push(await one());
  return measured;
};

const bareCourse = async (mosquitto: Mosquitto, agentDirectory: string): Promise<Course> => {
  const { other: keys, directory } = testFacility;
  const cardJwk = join(directory, 'card.jwk.json');
  const { n, e } = (await cardKeys()).auth.export({ format: 'jwk' });
  writeFileSync(cardJwk, JSON.stringify({ kty: 'RSA', n, e }));
  const script = new URL('../trials/echo-end.ts', import.meta.url).pathname;
  const args = [script, agentDirectory, String(mosquitto.port), cardJwk, join(directory, 'echo.journal')];
  const other = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface({ input: other.stdout }), 'line');
  const client = connect({
    host: '127.0.0.1',
    port: mosquitto.port,
    protocol: 'mqtts',
    protocolVersion: 5,
    clientId: keys.device,
    ca: keys.tls.ca,
    cert: keys.tls.certificate,
    key: keys.tls.key,
  });
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  (client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
  await client.subscribeAsync(bareTopics.receipt, { qos: 1 });
  const rows = openSync(join(directory, 'bare.rows'), 'a');
  const agentKey = (await readAgentKeys(agentDirectory)).agents.find(({ owner }) => owner === 'agent-2');
  const [facilityKey] = keys.facilityKeys;
  if (agentKey === undefined || facilityKey === undefined) throw new Error('no keys');
  const visitor = await makeVisitor(Date.now());
  const signer: Pick<ClinicLink, 'sign'> = {
    sign: (request, card) => signRequest(request, card, { device: keys.signing, facility: facilityKey }),
  };
  const visit = async (): Promise<number> => {
    const now = Date.now();
    const challenge = { nonce: `${'c'.repeat(42)}A`, agent: 'agent-2', issuedAt: now, expiresAt: now + 600_000 };
    const signed = await visitor.sign(signer, challenge);
    await breather();
    const answered = new Promise<Buffer>((resolve) => client.once('message', (_topic, payload) => resolve(payload)));
    const startMs = performance.now();
    writeSync(rows, signed.sealed);
    fsyncSync(rows);
    client.publish(bareTopics.request, Buffer.from(signed.sealed), { qos: 1 });
    const receipt = await answered;
    await compactVerify(receipt.toString(), agentKey.key);
    return performance.now() - startMs;
  };
  return {
    run: (count) => inTurn(count, visit),
    close: async () => {
      client.end(true);
      await endChild(other, 'SIGTERM');
    },
  };
};

const quantile = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) * 100) / 100;
const figures = (measured: readonly number[]) => {
  const sorted = [...measured].sort((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
};

const bareAgentDirectory = await addAgent(testFacility.directory, 'agent-2');
const mosquitto = await Mosquitto.prepare(testFacility.directory);
appendFileSync(join(mosquitto.directory, 'acl'), `\npattern readwrite ${bareTopics.request}\n`);
appendFileSync(join(mosquitto.directory, 'acl'), `pattern readwrite ${bareTopics.receipt}\n`);
await mosquitto.start();
const [ours, bare] = [await ourCourse(mosquitto), await bareCourse(mosquitto, bareAgentDirectory)];
try {
  say(`warming up: ${warmUp} each`);
  await ours.run(warmUp);
  await bare.run(warmUp);
  const measured: { readonly ours: number[]; readonly bare: number[] } = { ours: [], bare: [] };
  for (let done = 0; done < visits; done += block) {
    measured.ours.push(...(await ours.run(block)));
    measured.bare.push(...(await bare.run(block)));
    say(
      `${measured.ours.length} of ${visits}: ${figures(measured.ours).p50} ms against ${figures(measured.bare).p50} ms`,
    );
  }
  const [ms, bareMs] = [figures(measured.ours), figures(measured.bare)];
  const ratio = {
    p50: Math.round((ms.p50 / bareMs.p50) * 100) / 100,
    p99: Math.round((ms.p99 / bareMs.p99) * 100) / 100,
  };
  console.log(JSON.stringify({ ms, bareMs, ratio, visits: measured.ours.length }));
} finally {
  await ours.close();
  await bare.close();
  await mosquitto.kill();
  testFacility.remove();
}
