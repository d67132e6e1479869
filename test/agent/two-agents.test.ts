import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { AgentProcess, furnishAgent, LinkWatch, makeVisitor } from '../../scripts/beds/delivery-bed.ts';
import { readDeviceKeys } from '../../scripts/beds/device-keys.ts';
import { MemoryStore } from '../../scripts/beds/memory-store.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility, testRequest } from '../../scripts/beds/test-facility.ts';
import { Journal, type JournalVisit, type UsageRow } from '../../src/agent/journal/journal.ts';
import { readAgentKeys } from '../../src/agent/provisioning/agent-keys.ts';
import { addAgent } from '../../src/agent/provisioning/facility-authority.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { type ClinicLink, createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { SignedRequest } from '../../src/terminal/delivery/sign-request.ts';
import { sign } from '../../src/trust/seal.ts';
import type { Challenge, Receipt } from '../../src/wire/messages.ts';

/** Two real agents, two lanes, one real mosquitto: who answers what, and what is left when one of them dies. */
if (mosquittoPath === null) console.warn('skipped: two agents on one broker need mosquitto (Debian package mosquitto)');

type Agent = { readonly name: string; readonly process: AgentProcess; journal: string };
type Lane = {
  readonly device: string;
  readonly lane: number;
  readonly link: ClinicLink;
  readonly watch: LinkWatch;
  readonly bus: ReturnType<typeof createMqttMessageBus>;
};
let facility: TestFacility;
let mosquitto: Mosquitto;
let agents: readonly [Agent, Agent];
let lanes: readonly [Lane, Lane];
let visitor: Awaited<ReturnType<typeof makeVisitor>>;
const submitted: SignedRequest[] = [];

const laneOf = async (directory: string): Promise<Lane> => {
  const keys = await readDeviceKeys(directory);
  const { port } = mosquitto;
  const bus = createMqttMessageBus({
    host: '127.0.0.1',
    port,
    tls: keys.tls,
    clientId: keys.device,
    protocolVersion: 5,
  });
  const log = createEventLog({ format: 'silent' });
  const link = createClinicLink({ bus, store: new MemoryStore(), clock: createSystemClock(), log, keys });
  return { device: keys.device, lane: keys.lane, link, watch: new LinkWatch(link), bus };
};

beforeAll(async () => {
  if (mosquittoPath === null) return;
  facility = await makeTestFacility();
  const directories = [facility.agentDirectory, await addAgent(facility.directory, 'agent-2')];
  mosquitto = await Mosquitto.prepare(facility.directory);
  await mosquitto.start();
  const started = await Promise.all(
    directories.map(async (directory, index) => {
      await furnishAgent(directory);
      const process = new AgentProcess(directory, `127.0.0.1:${mosquitto.port}`);
      return { name: `agent-${index + 1}`, process, journal: (await process.start(['--log', 'silent'])).journal };
    }),
  );
  agents = started as unknown as readonly [Agent, Agent];
  const { directory } = facility;
  lanes = [await laneOf(`${directory}/devices/front-1`), await laneOf(`${directory}/devices/front-2`)];
  visitor = await makeVisitor(Date.now());
  for (const { watch } of lanes) await watch.ready();
});
afterAll(async () => {
  if (mosquittoPath === null) return;
  for (const { link, bus } of lanes) {
    await link.close();
    await bus.close();
  }
  for (const { process } of agents) await process.kill();
  await mosquitto.kill();
  facility.remove();
});

/**
 * A challenge of this agent; those of the other one are let go, while the other one is stopped: asked faster than any visit
 * does, a slow agent would drop the oldest of the many that it makes (`maximumOpenChallenges`), and refuse what is signed with it.
 */
const challengeOf = async ({ link }: Lane, agent: Agent, approval?: string): Promise<Challenge> => {
  const others = approval === undefined ? agents.filter((one) => one !== agent) : [];
  for (const other of others) other.process.signal('SIGSTOP');
  try {
    let challenge: Challenge | null = null;
    const isOurs = (): boolean => {
      challenge = link.takeChallenge(300_000, approval);
      // Who approved is asked for by the visit: no challenge of another one is handed out.
      if (approval !== undefined && challenge !== null) expect(challenge.agent).toBe(agent.name);
      return challenge?.agent === agent.name;
    };
    await until(`a challenge of ${agent.name}`, isOurs);
    return challenge as unknown as Challenge;
  } finally {
    for (const other of others) other.process.signal('SIGCONT');
  }
};
const submit = async ({ link, device, lane }: Lane, challenge: Challenge): Promise<SignedRequest> => {
  const signed = await visitor.sign(link, challenge, { device, lane });
  expect((await link.submit(signed)).ok).toBe(true);
  submitted.push(signed);
  return signed;
};
/** As a visit does it: the card is looked up, then the patient answers, then the challenge is taken. */
const visit = async (lane: Lane): Promise<{ readonly agent: string; readonly ms: number }> => {
  const looked = await lane.link.lookup(crypto.randomUUID(), visitor.certificate, AbortSignal.timeout(10_000));
  expect(looked.ok).toBe(true);
  const challenge = lane.link.takeChallenge(300_000);
  if (challenge === null) throw new Error('no challenge');
  const sentMs = performance.now();
  const { requestId } = await submit(lane, challenge);
  const { receipt } = (await lane.watch.receipt(requestId)) as { receipt: { agent: string; verdict: string } };
  expect(receipt).toMatchObject({ agent: challenge.agent, verdict: 'accepted' });
  return { agent: challenge.agent, ms: performance.now() - sentMs };
};
const journalOf = ({ journal }: Agent): { readonly visits: JournalVisit[]; readonly usage: UsageRow[] } => {
  const opened = new Journal(journal, { readOnly: true });
  try {
    return { visits: opened.visits(), usage: opened.usage() };
  } finally {
    opened.close();
  }
};

test.skipIf(mosquittoPath === null)(
  'an approval of staff at one agent is of use there, once, and never at the other',
  async () => {
    const [lane] = lanes;
    const [one, two] = agents;
    const { signing } = await readAgentKeys(facility.agentDirectory);
    const session = crypto.randomUUID();
    const approvedAt = Date.now();
    const approval = {
      ...{ facility: facility.device.facility, device: lane.device, session, approver: 'nurse-1' },
      ...{ approvedAt, expiresAt: approvedAt + 600_000 },
    };
    const staffApproval = new TextDecoder().decode(await sign('staff-approval', approval, signing));
    const use = async (challenge: Challenge): Promise<string> => {
      const { nonce, agent, issuedAt, expiresAt } = challenge;
      const request = testRequest({
        ...{ issuedAt, agent, challenge: nonce, expiresAt, session, staffApproval, consents: [] },
        ...{ verificationMethod: 'staff', device: lane.device, lane: lane.lane },
      });
      const signed = await lane.link.sign(request, { method: 'staff' });
      if (!signed.ok) throw new Error(signed.failure.code);
      expect((await lane.link.submit(signed.value)).ok).toBe(true);
      const { receipt } = (await lane.watch.receipt(signed.value.requestId)) as { receipt: Receipt };
      expect(receipt.agent).toBe(agent);
      return receipt.code ?? receipt.verdict;
    };
    const accepted = (): number =>
      agents
        .flatMap((agent) => journalOf(agent).visits)
        .filter((row) => row.session === session && row.verdict === 'accepted').length;
    expect(await use(await challengeOf(lane, two))).toBe('message.forged');
    expect(accepted()).toBe(0);
    // A visit takes a challenge of the agent that gave the approval, whoever was heard last.
    const own = await challengeOf(lane, one, staffApproval);
    expect(await use(own)).toBe('accepted');
    expect(await use(await challengeOf(lane, two))).toBe('message.forged');
    expect(await use(await challengeOf(lane, one))).toBe('message.stale');
    expect(accepted()).toBe(1);
  },
);

test.skipIf(mosquittoPath === null)(
  'each request is answered by the agent that made its challenge, by no other, once; a dead agent stops nobody else',
  async () => {
    const [one, two] = agents;
    const before = agents.map(journalOf);
    const known = new Set(before.flatMap(({ visits }) => visits.map((row) => row.requestId)));
    const timesOf = (all: typeof before) => all.flatMap(({ usage }) => usage).reduce((sum, row) => sum + row.times, 0);
    const receipts = () => lanes.flatMap(({ watch }) => watch.events.filter(({ type }) => type === 'receipt')).length;
    const toldBefore = receipts();
    for (const lane of lanes)
      for (const agent of agents) {
        const { name } = agent;
        const { requestId } = await submit(lane, await challengeOf(lane, agent));
        const { receipt } = (await lane.watch.receipt(requestId)) as { receipt: { code?: string } };
        expect(receipt, receipt.code).toMatchObject({ agent: name, verdict: 'accepted' });
        await lane.watch.result(requestId);
      }

    // A visit is signed with the challenge of an agent that dies: nobody else may answer it, so it waits for its return.
    const [lane, other] = lanes;
    const challenge = await challengeOf(lane, one);
    await one.process.kill('SIGKILL');
    const { requestId } = await submit(lane, challenge);

    // New visits at both lanes go by the agent whose answer to the lookup was heard, at once.
    for (const at of [lane, other, lane, other]) {
      const done = await visit(at);
      expect(done.agent).toBe(two.name);
      // Of the one that is gone it would be none before that one is back.
      expect(done.ms).toBeLessThan(10_000);
    }
    expect(lane.watch.events.some((event) => event.type === 'receipt' && event.receipt.requestId === requestId)).toBe(
      false,
    );
    expect(journalOf(two).visits.some((row) => row.requestId === requestId)).toBe(false);

    await one.process.start(['--log', 'silent']);
    expect(await lane.watch.receipt(requestId)).toMatchObject({ receipt: { agent: one.name, verdict: 'accepted' } });
    await lane.watch.result(requestId);

    // Every request stands in exactly one journal and was counted once.
    const journals = agents.map(journalOf);
    const ids = journals.flatMap(({ visits }) => visits.map((row) => row.requestId)).filter((id) => !known.has(id));
    expect(ids.toSorted()).toEqual(submitted.map((signed) => signed.requestId).toSorted());
    expect(timesOf(journals) - timesOf(before)).toBe(submitted.length);
    expect(receipts() - toldBefore).toBe(submitted.length);
  },
);
