import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { AgentProcess, furnishAgent, LinkWatch, makeVisitor } from '../../scripts/beds/delivery-bed.ts';
import { readDeviceKeys } from '../../scripts/beds/device-keys.ts';
import { MemoryStore } from '../../scripts/beds/memory-store.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { Postgres, postgresMissing } from '../../scripts/beds/postgres.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility, testRequest } from '../../scripts/beds/test-facility.ts';
import { agentFor } from '../../src/agent/desk/lane-share.ts';
import { readAgentKeys } from '../../src/agent/provisioning/agent-keys.ts';
import { addAgent } from '../../src/agent/provisioning/facility-authority.ts';
import { addStaffMember } from '../../src/agent/staff-page/staff-codes.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { type ClinicLink, createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { sign } from '../../src/trust/seal.ts';
import type { Challenge, Receipt } from '../../src/wire/messages.ts';

/** Two real agents on one journal in a real PostgreSQL, one folder of the レセコン, a real mosquitto. */
const missing = postgresMissing ?? (mosquittoPath === null ? 'mosquitto is not installed' : null);
if (missing !== null) console.warn(`skipped: two agents on one journal: ${missing}`);
// Bounds for a machine that does ten other things.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

/** The one that answers this terminal while both are there, and the other one */
const owner = agentFor('front-1', ['agent-1', 'agent-2']) === 'agent-1' ? 'agent-1' : 'agent-2';
const other = owner === 'agent-1' ? 'agent-2' : 'agent-1';

/** The issue's: an agent that is there answers for one that is not within this. ms */
const takenOverMs = 5_000;

describe.skipIf(missing !== null)('two agents on one journal', () => {
  let facility: TestFacility;
  let device: Awaited<ReturnType<typeof readDeviceKeys>>;
  let mosquitto: Mosquitto;
  let server: Postgres;
  let one: AgentProcess;
  let two: AgentProcess;
  let link: ClinicLink;
  let watch: LinkWatch;
  let bus: ReturnType<typeof createMqttMessageBus>;
  let visitor: Awaited<ReturnType<typeof makeVisitor>>;
  const oqs = mkdtempSync(join(tmpdir(), 'uketsuke-oqs-'));
  const taken: string[] = [];

  /** As a レセコン does: what lies there is taken away at once, so that a second one would be seen. */
  const take = (): void => {
    for (const name of readdirSync(join(oqs, 'face')).filter((each) => each.endsWith('.xml'))) {
      taken.push(name);
      renameSync(join(oqs, 'face', name), join(oqs, `${taken.length} ${name}`));
    }
  };
  const start = (agent: AgentProcess, delayMs = 0) => agent.start(['--service-delay-ms', String(delayMs)]);
  /** The other one has looked who is there since. */
  const isKnown = async (): Promise<void> => {
    const seen = (): string =>
      server.sql('hospital', `SELECT until FROM uketsuke.agent_seen WHERE agent = '${other}'`).stdout;
    for (let looks = 0; looks < 2; looks += 1) {
      const before = seen();
      await until(`a look of ${other}`, () => seen() !== before);
    }
  };

  beforeAll(async () => {
    server = await Postgres.start();
    facility = await makeTestFacility();
    const second = await addAgent(facility.directory, 'agent-2');
    mosquitto = await Mosquitto.prepare(facility.directory);
    await mosquitto.start();
    const address = server.address('hospital');
    for (const directory of [facility.agentDirectory, second]) {
      await furnishAgent(directory);
      writeFileSync(join(directory, 'agent.yaml'), `journalDatabase: ${address}\noqsFolder: ${oqs}\n`);
    }
    const broker = `127.0.0.1:${mosquitto.port}`;
    const started = [facility.agentDirectory, second].map((directory) => new AgentProcess(directory, broker));
    [one, two] = (owner === 'agent-1' ? started : started.toReversed()) as [AgentProcess, AgentProcess];
    for (const agent of started) {
      await start(agent);
      // Made by the first of them.
      if (agent === started[0])
        copyFileSync(join(facility.agentDirectory, 'journal-key.json'), join(second, 'journal-key.json'));
    }
    // Written after both agents were added: a terminal believes those that it knows.
    device = await readDeviceKeys(facility.deviceDirectory);
    const connection = { host: '127.0.0.1', port: mosquitto.port, tls: device.tls };
    bus = createMqttMessageBus({ ...connection, clientId: device.device, protocolVersion: 5 });
    const log = createEventLog({ format: 'silent' });
    link = createClinicLink({ bus, store: new MemoryStore(), clock: createSystemClock(), log, keys: device });
    watch = new LinkWatch(link);
    visitor = await makeVisitor(Date.now());
    await watch.ready();
  });
  afterAll(async () => {
    if (missing !== null) return;
    await link?.close();
    await bus?.close();
    for (const agent of [one, two]) await agent?.kill();
    await mosquitto?.kill();
    await server?.remove();
    facility?.remove();
    rmSync(oqs, { recursive: true, force: true });
  });

  /** Those of the other one are let go, while it stands still: the one that was heard last is asked first. */
  const challengeOf = async (agent: 'agent-1' | 'agent-2'): Promise<Challenge> => {
    const silent = agent === owner ? two : one;
    silent.signal('SIGSTOP');
    try {
      let challenge: Challenge | null = null;
      await until(`a challenge of ${agent}`, () => {
        challenge = link.takeChallenge(300_000);
        return challenge?.agent === agent;
      });
      return challenge as unknown as Challenge;
    } finally {
      silent.signal('SIGCONT');
    }
  };
  const submit = async (challenge: Challenge): Promise<string> => {
    const signed = await visitor.sign(link, challenge);
    expect((await link.submit(signed)).ok).toBe(true);
    return signed.requestId;
  };
  const row = (requestId: string): string =>
    server.sql(
      'hospital',
      `SELECT count(*), min(outcome), min(file) FROM uketsuke.request WHERE request_id = '${requestId}' AND handed_over_at IS NOT NULL`,
    ).stdout;
  const handedOver = (requestId: string): Promise<void> => until('handed over', () => row(requestId).startsWith('1|'));
  const ended = (requestId: string): string =>
    server.sql(
      'hospital',
      `SELECT count(*) FROM uketsuke.audit WHERE event = 'handed-over' AND subject = '${requestId}'`,
    ).stdout;

  test('a request by a challenge of either is answered by the one that has the terminal, stands in the journal once, and has one file', async () => {
    for (const name of ['agent-1', 'agent-2'] as const) {
      const requestId = await submit(await challengeOf(name));
      expect(await watch.receipt(requestId)).toMatchObject({ receipt: { verdict: 'accepted' } });
      await watch.result(requestId);
      await handedOver(requestId);
      take();
    }
    expect(new Set(taken).size).toBe(2);
    expect(taken).toHaveLength(2);
  });

  test('an approval that staff gave at one agent is good at the other, once', async () => {
    const { signing } = await readAgentKeys(facility.agentDirectory);
    const session = crypto.randomUUID();
    const approvedAt = Date.now();
    const approval = {
      ...{ facility: device.facility, device: device.device, session, approver: 'nurse-1' },
      ...{ approvedAt, expiresAt: approvedAt + 600_000 },
    };
    const staffApproval = new TextDecoder().decode(await sign('staff-approval', approval, signing));
    const use = async (agent: 'agent-1' | 'agent-2'): Promise<string> => {
      const { nonce: challenge, issuedAt, expiresAt } = await challengeOf(agent);
      const request = testRequest({
        ...{ issuedAt, agent, challenge, expiresAt, session, staffApproval, consents: [], verificationMethod: 'staff' },
      });
      const signed = await link.sign(request, { method: 'staff' });
      if (!signed.ok) throw new Error(signed.failure.code);
      await link.submit(signed.value);
      const { receipt } = (await watch.receipt(signed.value.requestId)) as { receipt: Receipt };
      return receipt.code ?? receipt.verdict;
    };
    expect(await use(other)).toBe('accepted');
    expect(await use(owner)).toBe('message.stale');
  });

  test('an approver who is added at one agent is at the other one, too', async () => {
    const [first, second] = [facility.agentDirectory, join(facility.directory, 'agents', 'agent-2')];
    await addStaffMember(join(second, 'staff.json'), { approver: 'nurse-9', label: '看護師' }, '2580');
    const approvers = (): string => {
      try {
        return readFileSync(join(first, 'staff.json'), 'utf8');
      } catch {
        return '';
      }
    };
    await until('nurse-9 at agent-1', () => approvers().includes('nurse-9'));
  });

  test('an agent that is killed: what was asked with its challenge, and what it had not finished, the other answers', async () => {
    const before = taken.length;
    await one.kill();
    await start(one, 20_000);
    await isKnown();
    const begunMs = performance.now();
    const begun = await submit(await challengeOf(owner));
    expect(await watch.receipt(begun)).toMatchObject({ receipt: { agent: owner } });
    // On a machine that does much else all of it takes longer: as much as ten visits of a moment ago.
    const slowMs = 10 * (performance.now() - begunMs);
    const asked = await challengeOf(owner);
    await one.kill();
    const killedMs = performance.now();
    const waiting = await submit(asked);
    const [receipt, result] = await Promise.all([watch.receipt(waiting), watch.result(begun)]);
    expect(receipt).toMatchObject({ receipt: { agent: other, verdict: 'accepted' } });
    expect(result).toMatchObject({ result: { outcome: 'eligible' } });
    expect(performance.now() - killedMs).toBeLessThan(takenOverMs + slowMs);
    for (const requestId of [begun, waiting]) {
      await handedOver(requestId);
      expect(ended(requestId)).toBe('1');
    }
    take();
    expect(taken.length - before).toBe(2);
    await start(one);
  });

  test('an agent that stood still in the midst of its work, and comes back, writes nothing more', async () => {
    await one.kill();
    // Longer than it takes until it stands still, shorter than it stands still: its answer is due when it comes back.
    await start(one, 2_400);
    await isKnown();
    const before = taken.length;
    const requestId = await submit(await challengeOf(owner));
    await watch.receipt(requestId);
    one.signal('SIGSTOP');
    await handedOver(requestId);
    take();
    expect(taken.length - before).toBe(1);
    one.signal('SIGCONT');
    const next = await submit(await challengeOf(owner));
    await watch.receipt(next);
    await handedOver(next);
    take();
    expect(taken.length - before).toBe(2);
    expect([ended(requestId), ended(next)]).toEqual(['1', '1']);
  });
});
