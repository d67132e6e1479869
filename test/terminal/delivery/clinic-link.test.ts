import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryBroker } from '../../../scripts/beds/memory-bus.ts';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { quiet } from '../../../scripts/beds/quiet.ts';
import { ScriptedAgent } from '../../../scripts/beds/scripted-agent.ts';
import { signedRequestOf } from '../../../scripts/beds/signed-request.ts';
import { SimulatedClock, until } from '../../../scripts/beds/simulated-clock.ts';
import { facility, makeTestFacility, type TestFacility, testSettings } from '../../../scripts/beds/test-facility.ts';
import { agentFiles, devicesFileSchema } from '../../../src/agent/provisioning/agent-keys.ts';
import { failure } from '../../../src/core/failure.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { type ClinicEvent, type ClinicLink, createClinicLink } from '../../../src/terminal/delivery/clinic-link.ts';
import { readJsonFile } from '../../../src/trust/key-files.ts';
import { sign } from '../../../src/trust/seal.ts';
import { topicOf } from '../../../src/wire/topics.ts';
import { v1Schemas } from '../../../src/wire/v1-messages.ts';

// Bounds for a machine that does ten other things; none of these waits when all is well.
vi.setConfig({ testTimeout: 120_000 });

const visitLifeMs = 5 * 60_000;
const minute = 60_000;

let testFacility: TestFacility;
beforeAll(async () => {
  testFacility = await makeTestFacility();
});
afterAll(() => testFacility.remove());

let clock: SimulatedClock;
let broker: MemoryBroker;
let agent: ScriptedAgent;
let store: MemoryStore;
let link: ClinicLink;
let events: ClinicEvent[];
let logged: { event: string; code?: string; leaf?: string }[];

const startLink = (): void => {
  events = [];
  logged = [];
  const log = createEventLog({ format: 'json', level: 'debug', write: (line) => logged.push(JSON.parse(line)) });
  link = createClinicLink({ bus: broker.connect('front-1'), store, clock, log, keys: testFacility.device });
  link.subscribe((event) => events.push(event));
};
const eventsOf = <T extends ClinicEvent['type']>(type: T): Extract<ClinicEvent, { type: T }>[] =>
  events.filter((event): event is Extract<ClinicEvent, { type: T }> => event.type === type);
const refusals = (leaf: string) => logged.filter((line) => line.event === 'message.refused' && line.leaf === leaf);
const ready = () => until('challenges', () => link.challengesReady(visitLifeMs));
const settled = (): Promise<void> =>
  quiet(testFacility.device.signing, () => broker.passed.length, { turns: 5, isBusy: () => agent.busy > 0 });
const pass = (ms: number) => clock.advance(ms, settled);

const signedRequest = (more: object = {}) => signedRequestOf(link, agent.nowMs(), more);

/** Any other P-256 key of the facility's files will do for a new one. */
const exportedKey = async (kid: string) => {
  const devices = await readJsonFile(devicesFileSchema, join(testFacility.agentDirectory, agentFiles.devices));
  const key = devices.map(({ sealingKey }) => sealingKey).find((one) => one.kid === kid);
  if (key === undefined) throw new Error('no such key');
  return key;
};

beforeEach(() => {
  clock = new SimulatedClock();
  broker = new MemoryBroker();
  agent = new ScriptedAgent(broker.connect('agent-1'), clock, testFacility);
  store = new MemoryStore();
  startLink();
});
afterEach(() => link.close());

describe('challenges', () => {
  test('are there before a visit, handed out once, and refilled in the background', async () => {
    await ready();
    const taken = new Set<string>();
    for (let visit = 0; visit < 10; visit++) {
      await ready();
      const challenge = link.takeChallenge(visitLifeMs);
      if (challenge !== null) taken.add(challenge.nonce);
    }
    expect(taken.size).toBe(10);
  });

  test('an answer that the broker repeats brings no challenge back', async () => {
    await ready();
    const answer = broker.passedOn('challenge')[0];
    const first = link.takeChallenge(visitLifeMs);
    if (answer === undefined || first === null) throw new Error('no challenge');
    agent.answersChallenges = false;
    broker.deliver(answer.topic, answer.payload);
    await pass(100);
    const nonces: string[] = [];
    for (let challenge = link.takeChallenge(0); challenge !== null; challenge = link.takeChallenge(0))
      nonces.push(challenge.nonce);
    expect(nonces).not.toContain(first.nonce);
  });

  test('those of before an agent lost its memory are dropped at its next word, and fetched anew', async () => {
    // Such an agent is asked for a sign of life every few seconds.
    agent.wire = 2;
    await ready();
    await pass(10_000);
    agent.voidBefore = agent.nowMs();
    await pass(10_000);
    const issued: number[] = [];
    for (
      let challenge = link.takeChallenge(0);
      challenge !== null && issued.length < 4;
      challenge = link.takeChallenge(0)
    )
      issued.push(challenge.issuedAt);
    expect(issued).toHaveLength(4);
    expect(issued.filter((at) => at < (agent.voidBefore ?? 0))).toEqual([]);
  });

  test('those of an agent that lost them, and began anew with a clock that is behind, are dropped, too, each time', async () => {
    agent.wire = 2;
    await ready();
    for (const behindMs of [5 * minute, 7 * minute]) {
      const before = agent.nowMs();
      agent.clockOffsetMs = -behindMs;
      // Its first instant is earlier than that of the challenges which it does not know any more.
      agent.voidBefore = agent.nowMs();
      await pass(10_000);
      const challenge = link.takeChallenge(0);
      if (challenge === null) throw new Error('none was fetched');
      expect(challenge.issuedAt).toBeGreaterThanOrEqual(agent.voidBefore);
      expect(challenge.issuedAt).toBeLessThan(before);
    }
  });

  test('those that an agent knows stay when its clock is set back', async () => {
    agent.wire = 2;
    agent.voidBefore = agent.nowMs() - 6 * minute;
    await ready();
    agent.clockOffsetMs = -5 * minute;
    await pass(10_000);
    const challenge = link.takeChallenge(0);
    expect(challenge?.issuedAt).toBeGreaterThan(agent.nowMs());
  });

  test('an agent whose clock is set right: those that are over by it are dropped at its next word, and fetched anew', async () => {
    agent.wire = 2;
    await ready();
    await pass(10_000);
    agent.clockOffsetMs = 3_650 * 24 * 60 * minute;
    await pass(10_000);
    const challenge = link.takeChallenge(visitLifeMs);
    if (challenge === null) throw new Error('none was fetched');
    expect(challenge.expiresAt - (link.agentNowMs() ?? 0)).toBeGreaterThan(visitLifeMs);
  });

  test('an agent whose clock is set right by minutes: those that will be over too soon have their successors at once', async () => {
    agent.wire = 2;
    await ready();
    await pass(10_000);
    agent.clockOffsetMs = 7 * minute;
    await pass(10_000);
    const challenge = link.takeChallenge(visitLifeMs);
    if (challenge === null) throw new Error('none would last a visit');
    expect(challenge.expiresAt - (link.agentNowMs() ?? 0)).toBeGreaterThan(visitLifeMs);
  });

  test('an agent whose clock is set back lengthens no life', async () => {
    agent.wire = 2;
    await ready();
    agent.clockOffsetMs = -24 * 60 * minute;
    agent.answersRequests = false;
    await pass(9 * minute);
    agent.answersChallenges = false;
    await pass(2 * minute);
    const lives: number[] = [];
    for (let challenge = link.takeChallenge(0); challenge !== null; challenge = link.takeChallenge(0))
      lives.push(challenge.expiresAt - (link.agentNowMs() ?? 0));
    expect(lives.every((lifeMs) => lifeMs <= 10 * minute)).toBe(true);
    expect(lives.length).toBeGreaterThan(0);
  });

  test('one recorded earlier is of no use after a restart', async () => {
    await ready();
    const answer = broker.passedOn('challenge')[0];
    if (answer === undefined) throw new Error('no answer');
    agent.answersChallenges = false;
    await link.close();
    startLink();
    broker.deliver(answer.topic, answer.payload);
    await until('the refusal', () => refusals('challenge').length > 0);
    expect(refusals('challenge')[0]?.code).toBe('message.stale');
    expect(link.challengesReady(0)).toBe(false);
  });

  test('an agent whose clock is a day ahead: their life is counted from when they were asked for', async () => {
    await link.close();
    agent.clockOffsetMs = 24 * 60 * minute;
    startLink();
    await ready();
    expect(link.challengesReady(10 * minute)).toBe(true);
    expect(link.challengesReady(10 * minute + 1)).toBe(false);
  });

  test('the network gone: the stock is told to be over when the last has less than a visit left', async () => {
    await ready();
    broker.setConnected('front-1', false);
    await pass(5 * minute - 1000);
    expect(eventsOf('challenges-ready').at(-1)?.ready).toBe(true);
    await pass(2000);
    expect(eventsOf('challenges-ready').at(-1)?.ready).toBe(false);
    broker.setConnected('front-1', true);
    await until('new ones', () => eventsOf('challenges-ready').at(-1)?.ready === true);
  });

  test('a silent agent is asked again, with pauses', async () => {
    await link.close();
    agent.answersChallenges = false;
    broker.passed.length = 0;
    startLink();
    await pass(60_000);
    const asked = broker.passedOn('challenge-request').length;
    expect(asked).toBeGreaterThanOrEqual(30);
    expect(asked).toBeLessThanOrEqual(45);
    agent.answersChallenges = true;
    await pass(10_000);
    await ready();
  });

  test('one is taken while the agent is silent: the others are still asked for', async () => {
    await ready();
    agent.answersChallenges = false;
    for (let taken = 0; taken < 3; taken++) link.takeChallenge(visitLifeMs);
    await until('the question', () => broker.passedOn('challenge-request').length > 1);
    expect(link.takeChallenge(visitLifeMs)).not.toBeNull();
    agent.answersChallenges = true;
    await pass(2_000);
    expect(link.challengesReady(visitLifeMs)).toBe(true);
  });

  test('short-lived ones do not make the pool ask without a pause', async () => {
    await link.close();
    agent.challengeLifeMs = 60_000;
    broker.passed.length = 0;
    startLink();
    await pass(30_000);
    expect(broker.passedOn('challenge-request').length).toBeLessThanOrEqual(22);
  });

  test('idle for an hour: always ready', async () => {
    await ready();
    for (let step = 0; step < 60; step++) {
      await pass(minute);
      expect(link.challengesReady(visitLifeMs), `minute ${step}`).toBe(true);
    }
    expect(eventsOf('challenges-ready').filter((event) => !event.ready)).toHaveLength(1);
  });
});

describe('lookup', () => {
  const lookup = (signal = new AbortController().signal) => link.lookup(randomUUID(), new Uint8Array(1500), signal);

  test('is answered by the agent, sealed both ways', async () => {
    const result = await lookup();
    expect(result).toMatchObject({ ok: true, value: { registered: 'yes', certificateStatus: 'good' } });
    expect(new TextDecoder().decode(broker.passedOn('lookup')[0]?.payload).split('.')).toHaveLength(5);
    expect(new TextDecoder().decode(broker.passedOn('lookup-result')[0]?.payload).split('.')).toHaveLength(5);
  });

  test('without an answer in time: eligibility.unavailable', async () => {
    agent.answersLookups = false;
    const result = lookup();
    await until('the question', () => broker.passedOn('lookup').length === 1);
    await pass(10_001);
    expect(await result).toMatchObject({ ok: false, failure: { code: 'eligibility.unavailable' } });
  });

  test('the visit is over: settled at once', async () => {
    agent.answersLookups = false;
    const visit = new AbortController();
    const result = lookup(visit.signal);
    await until('the question', () => broker.passedOn('lookup').length === 1);
    visit.abort();
    expect(await result).toMatchObject({ ok: false, failure: { code: 'eligibility.unavailable' } });
  });

  test('offline: delivery.offline at once', async () => {
    broker.setConnected('front-1', false);
    expect(await lookup()).toMatchObject({ ok: false, failure: { code: 'delivery.offline' } });
  });

  test('asked again after a reconnection within its time', async () => {
    agent.answersLookups = false;
    const result = lookup();
    await until('the question', () => broker.passedOn('lookup').length === 1);
    agent.answersLookups = true;
    broker.setConnected('front-1', false);
    broker.setConnected('front-1', true);
    expect(await result).toMatchObject({ ok: true });
  });
});

describe('a request', () => {
  test('is durable before it is published, receipted, then answered', async () => {
    await ready();
    const signed = await signedRequest();
    const order: string[] = [];
    const add = store.addOutboxRow.bind(store);
    store.addOutboxRow = async (row) => {
      const added = await add(row);
      order.push('stored');
      return added;
    };
    broker.tamper = (passing) => {
      if (passing.topic.endsWith('/request')) order.push('published');
      return [passing];
    };
    expect(await link.submit(signed)).toMatchObject({ ok: true });
    await until('the result', () => eventsOf('result').length === 1);
    expect(order).toEqual(['stored', 'published']);
    expect(events.map(({ type }) => type).filter((type) => type === 'receipt' || type === 'result')).toEqual([
      'receipt',
      'result',
    ]);
    expect(eventsOf('receipt')[0]).toMatchObject({
      session: signed.session,
      receipt: { documentHash: signed.documentHash },
    });
    expect(store.rows.size).toBe(0);
    expect(store.audit.map(({ event }) => event)).toEqual(['request-stored', 'receipt-accepted']);
  });

  test('the disk is full: delivery.store-failed, and nothing is published', async () => {
    await ready();
    const signed = await signedRequest();
    store.full = true;
    expect(await link.submit(signed)).toMatchObject({ ok: false, failure: { code: 'delivery.store-failed' } });
    await pass(10_000);
    expect(broker.passedOn('request')).toHaveLength(0);
  });

  test('what waits is counted as it is on the disk: a cancelled request does not, one of an earlier run does', async () => {
    await ready();
    expect(link.waiting).toBe(0);
    broker.setConnected('front-1', false);
    const [one, other] = [await signedRequest(), await signedRequest()];
    await link.submit(one);
    await link.submit(other);
    expect(link.waiting).toBe(2);
    link.cancel(one.requestId);
    await settled();
    expect(link.waiting).toBe(1);
    await link.close();
    startLink();
    await until('the rows of before', () => link.waiting === 1);
  });

  test('the receipt is lost: sent again until one arrives, told once', async () => {
    await ready();
    const signed = await signedRequest();
    let lost = 0;
    broker.tamper = (passing) => (passing.topic.endsWith('/receipt') && ++lost <= 3 ? [] : [passing]);
    await link.submit(signed);
    for (let step = 0; step < 20 && eventsOf('receipt').length === 0; step++) await pass(1_000);
    expect(eventsOf('receipt')).toHaveLength(1);
    expect(agent.received.length).toBe(4);
    expect(new Set(agent.received.map(({ documentHash }) => documentHash)).size).toBe(1);
  });

  test('everything arrives twice: receipt and result are told once', async () => {
    await ready();
    broker.tamper = (passing) => [passing, passing];
    await link.submit(await signedRequest());
    await until('the result', () => eventsOf('result').length > 0);
    await pass(20_000);
    expect(eventsOf('receipt')).toHaveLength(1);
    expect(eventsOf('result')).toHaveLength(1);
  });

  test('the result overtakes the receipt: told after it', async () => {
    await ready();
    const held: (() => void)[] = [];
    broker.tamper = (passing) => {
      if (!passing.topic.endsWith('/receipt') || held.length > 0) return [passing];
      held.push(() => broker.deliver(passing.topic, passing.payload));
      return [];
    };
    await link.submit(await signedRequest());
    await until('the result on the bus', () => broker.passedOn('result').length === 1);
    await pass(1);
    expect(eventsOf('result')).toHaveLength(0);
    held[0]?.();
    await until('both', () => eventsOf('result').length === 1);
    expect(events.findIndex(({ type }) => type === 'receipt')).toBeLessThan(
      events.findIndex(({ type }) => type === 'result'),
    );
  });

  test('the result is lost: the request is sent again until it comes', async () => {
    await ready();
    let lost = 0;
    broker.tamper = (passing) => (passing.topic.endsWith('/result') && ++lost <= 2 ? [] : [passing]);
    await link.submit(await signedRequest());
    await until('the receipt', () => eventsOf('receipt').length === 1);
    for (let step = 0; step < 15 && eventsOf('result').length === 0; step++) await pass(1_000);
    expect(eventsOf('result')).toHaveLength(1);
    expect(eventsOf('receipt')).toHaveLength(1);
  });

  test('a receipt of another document under the same id is refused as forged; the row stays', async () => {
    await ready();
    agent.receipt = { documentHash: `${'x'.repeat(42)}A` };
    await link.submit(await signedRequest());
    await until('the refusal', () => refusals('receipt').length > 0);
    expect(refusals('receipt')[0]?.code).toBe('message.forged');
    expect(store.rows.size).toBe(1);
    expect(eventsOf('receipt')).toHaveLength(0);
  });

  test('refused by the agent: told with its code, no result is waited for', async () => {
    await ready();
    agent.receipt = { verdict: 'refused', code: 'card.certificate-revoked' };
    agent.sendsResults = false;
    await link.submit(await signedRequest());
    await until('the receipt', () => eventsOf('receipt').length === 1);
    expect(eventsOf('receipt')[0]?.receipt).toMatchObject({ verdict: 'refused', code: 'card.certificate-revoked' });
    const sent = agent.received.length;
    await pass(60_000);
    expect(agent.received.length).toBe(sent);
  });

  test('refused as stale, by an agent that lost its challenges and says nothing: the next patient has a new one', async () => {
    await ready();
    await pass(10_000);
    agent.receipt = { verdict: 'refused', code: 'message.stale' };
    agent.sendsResults = false;
    const refusedAt = agent.nowMs();
    await link.submit(await signedRequest());
    await until('the receipt', () => eventsOf('receipt').length === 1);
    await ready();
    expect(link.takeChallenge(0)?.issuedAt).toBeGreaterThanOrEqual(refusedAt);
  });

  test('refused for another reason: the next patient has what is there, also of an agent that gives none now', async () => {
    await ready();
    agent.answersChallenges = false;
    agent.receipt = { verdict: 'refused', code: 'card.certificate-revoked' };
    await link.submit(await signedRequest());
    await until('the receipt', () => eventsOf('receipt').length === 1);
    await pass(100);
    expect(link.takeChallenge(visitLifeMs)).not.toBeNull();
  });

  test('offline until its challenge is over: the expiry is told and written down, and nothing is sent afterwards', async () => {
    await ready();
    const signed = await signedRequest();
    broker.setConnected('front-1', false);
    await link.submit(signed);
    await pass(11 * minute);
    expect(eventsOf('request-expired')).toEqual([
      { type: 'request-expired', requestId: signed.requestId, session: signed.session },
    ]);
    expect(store.audit.at(-1)?.event).toBe('request-expired');
    broker.setConnected('front-1', true);
    await pass(minute);
    expect(agent.received).toHaveLength(0);
  });

  test('the wall clock jumps a day either way while it waits: neither early expiry nor a longer life', async () => {
    await ready();
    const signed = await signedRequest();
    broker.setConnected('front-1', false);
    await link.submit(signed);
    clock.setWall(clock.now().wallMs + 24 * 60 * minute);
    await pass(5 * minute);
    expect(eventsOf('request-expired')).toHaveLength(0);
    clock.setWall(clock.now().wallMs - 48 * 60 * minute);
    await pass(6 * minute);
    expect(eventsOf('request-expired')).toHaveLength(1);
  });

  test('the daemon is killed before the publish: sent and receipted after the restart', async () => {
    await ready();
    const signed = await signedRequest();
    broker.setConnected('front-1', false);
    await link.submit(signed);
    await link.close();
    startLink();
    await until('the receipt', () => eventsOf('receipt').length === 1);
    expect(eventsOf('receipt')[0]?.session).toBe(signed.session);
  });

  test('one without a visit to go on with (a registration) is sent after the restart, and staff are told that it is late', async () => {
    await ready();
    const signed = await signedRequest();
    broker.setConnected('front-1', false);
    await link.submit(signed, null);
    await link.close();
    agent.wire = 2;
    startLink();
    link.publishState({
      ...{ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' },
      ...{ catalogueVersion: '2024-10-07.1', since: 1 },
    } as const);
    await until('the receipt', () => eventsOf('receipt').length === 1);
    const last = () => JSON.parse(new TextDecoder().decode(broker.passedOn('state').at(-1)?.payload)) as object;
    await until('the word to staff', () => 'late' in last());
    expect(last()).toMatchObject({ late: [signed.requestId] });
    expect(eventsOf('earlier-visit')).toEqual([]);
  });

  test('expired while the daemon was down: told after the restart', async () => {
    await ready();
    const signed = await signedRequest();
    broker.setConnected('front-1', false);
    await link.submit(signed);
    await link.close();
    clock.setWall(clock.now().wallMs + 20 * minute);
    startLink();
    await until('the expiry', () => eventsOf('request-expired').length === 1);
    await pass(minute);
    expect(agent.received).toHaveLength(0);
  });

  test('a patient who has left after the receipt: the agent hears of it, and then answers for the row once more', async () => {
    await ready();
    agent.sendsResults = false;
    const signed = await signedRequest();
    await link.submit(signed, 'mark');
    await until('the receipt', () => eventsOf('receipt').length === 1);
    link.publishState({
      device: 'front-1',
      lane: 1,
      version: '0',
      profile: 'demo',
      status: 'idle',
      catalogueVersion: '1',
      since: 1,
    });
    broker.setConnected('front-1', false);
    link.tellLate(signed.requestId);
    link.release(signed.requestId);
    await pass(5_000);
    // A terminal that died now would find it again.
    expect(store.rows.size).toBe(1);
    agent.wire = 2;
    broker.passed.length = 0;
    broker.setConnected('front-1', true);
    await until('the answer', () => store.rows.size === 0);
    const topics = broker.passed.map(({ topic }) => topic.slice(topic.lastIndexOf('/') + 1));
    expect(topics.indexOf('state')).toBeGreaterThanOrEqual(0);
    expect(topics.indexOf('state')).toBeLessThan(topics.indexOf('request'));
    expect(eventsOf('receipt')).toHaveLength(1);
  });

  /** Eight: as many of another agent's visits as a state has room for. */
  test.each([0, 8])(
    'of a patient who was given up unheard: what was said and lost without a word is said again before the clinic is asked, with %i who left since',
    async (others) => {
      agent.wire = 2;
      link.publishState({
        ...{ device: 'front-1', lane: 1, version: '0', profile: 'demo', status: 'idle' },
        ...{ catalogueVersion: '1', since: 1 },
      } as const);
      await ready();
      agent.answersRequests = false;
      agent.sendsResults = false;
      const signed = await signedRequest();
      await link.submit(signed, 'mark');
      await pass(1_000);
      link.tellLate(signed.requestId);
      link.release(signed.requestId);
      for (let each = 0; each < others; each += 1) link.tellLate(randomUUID());
      await pass(1_000);
      // Nothing of it came through, and the connection stands as before.
      broker.passed.length = 0;
      agent.answersRequests = true;
      await pass(3_000);
      await until('the answer', () => store.rows.size === 0);
      const topics = broker.passed.map(({ topic }) => topic.slice(topic.lastIndexOf('/') + 1));
      expect(topics.indexOf('state')).toBeGreaterThan(topics.indexOf('request'));
      expect(topics.indexOf('state')).toBeLessThan(topics.lastIndexOf('request'));
      const stated = JSON.parse(new TextDecoder().decode(broker.passedOn('state')[0]?.payload)) as { late: string[] };
      expect(stated.late).toHaveLength(Math.min(1 + others, 8));
      expect(stated.late.at(-1)).toBe(signed.requestId);
    },
  );

  test('many at once: no more than the cap on their way', async () => {
    await ready();
    agent.answersRequests = false;
    for (let count = 0; count < 20; count++) {
      await ready();
      await link.submit(await signedRequest());
    }
    agent.answersRequests = true;
    for (let step = 0; step < 30 && eventsOf('receipt').length < 20; step++) await pass(1_000);
    expect(new Set(eventsOf('receipt').map(({ receipt }) => receipt.requestId)).size).toBe(20);
  });
});

describe('settings', () => {
  test('hold once they are on the disk; a lower version is refused, also after a restart', async () => {
    await agent.settings(5);
    await until('settings', () => eventsOf('settings').length === 1);
    await agent.settings(4);
    await until('the refusal', () => refusals('settings').length === 1);
    await link.close();
    startLink();
    await until('the stored ones', () => eventsOf('settings').length === 1);
    expect(eventsOf('settings')[0]?.message.version).toBe(5);
    await until('the retained lower ones are refused', () => refusals('settings').length > 0);
    expect(eventsOf('settings')).toHaveLength(1);
  });

  test('another content under the version that holds is refused', async () => {
    await agent.settings(5);
    await until('settings', () => eventsOf('settings').length === 1);
    await agent.settings(5, { facilitySettings: { ...testSettings, facilityName: '別の医院' } });
    await until('the refusal', () => refusals('settings').length === 1);
    expect(refusals('settings')[0]?.code).toBe('message.stale');
  });

  test('a key of a later release is left out and named once; what is known holds', async () => {
    const tomorrow = { ...testSettings, planted: true } as typeof testSettings;
    await agent.settings(5, { facilitySettings: tomorrow });
    await until('settings', () => eventsOf('settings').length === 1);
    expect(eventsOf('settings')[0]?.message.facilitySettings).toEqual(testSettings);
    await agent.settings(6, { facilitySettings: tomorrow });
    await until('settings', () => eventsOf('settings').length === 2);
    expect(logged.filter(({ event }) => event === 'message.key-unknown')).toMatchObject([
      { leaf: 'settings', key: 'facilitySettings.planted' },
    ]);
    await link.close();
    startLink();
    await until('the stored ones', () => eventsOf('settings').length > 0);
    expect(refusals('settings')).toEqual([]);
  });

  test('hold from their date on', async () => {
    await agent.settings(1);
    await until('settings', () => eventsOf('settings').length === 1);
    await agent.settings(2, { validFrom: clock.now().wallMs + 3 * minute });
    await pass(2 * minute);
    expect(eventsOf('settings').at(-1)?.message.version).toBe(1);
    await pass(2 * minute);
    expect(eventsOf('settings').at(-1)?.message.version).toBe(2);
  });

  test('a full disk: not applied, tried again, applied when there is room', async () => {
    store.full = true;
    await agent.settings(3);
    await pass(5_000);
    expect(eventsOf('settings')).toHaveLength(0);
    store.full = false;
    await pass(3_000);
    expect(eventsOf('settings')[0]?.message.version).toBe(3);
  });

  test('signed by a device, for another device, or made for another topic: refused as forged', async () => {
    const topic = topicOf(facility, 'front-1', 'settings');
    const message = {
      facility,
      device: 'front-1',
      version: 9,
      validFrom: 0,
      facilitySettings: testSettings,
      facilityKeys: testFacility.agent.facilityKeys,
    };
    broker.deliver(topic, await sign('settings', message, testFacility.other.signing));
    broker.deliver(topic, await sign('settings', { ...message, device: 'front-2' }, testFacility.agent.signing));
    broker.deliver(topic, await sign('command', message, testFacility.agent.signing));
    await until('three refusals', () => refusals('settings').length === 3);
    expect(refusals('settings').map(({ code }) => code)).toEqual(Array(3).fill('message.forged'));
    expect(eventsOf('settings')).toHaveLength(0);
  });
});

describe('the facility key', () => {
  test('rolls with the settings: the next request is sealed to the new one, also after a restart', async () => {
    await ready();
    const kidOf = (sealed: Uint8Array): unknown => decodeProtectedHeader(new TextDecoder().decode(sealed)).kid;
    const before = (await signedRequest()).sealed;
    expect(kidOf(before)).toBe(testFacility.agent.facilityKeys.current.kid);
    const { kty, crv, x, y, kid } = await exportedKey(testFacility.other.sealing.kid);
    await agent.settings(2, { facilityKeys: { current: { kty, crv, x, y, kid } } });
    await until('settings', () => eventsOf('settings').length > 0);
    await pass(1);
    await ready();
    expect(kidOf((await signedRequest()).sealed)).toBe(kid);
    await link.close();
    startLink();
    await until('settings', () => eventsOf('settings').length > 0);
    await ready();
    expect(kidOf((await signedRequest()).sealed)).toBe(kid);
  });
});

describe('commands', () => {
  const refusedCommands = () => logged.filter(({ event }) => event === 'command.refused');

  test('are carried out once, whatever the broker repeats, also after a restart', async () => {
    await ready();
    await agent.command({ name: 'restart', part: 'screen' });
    await until('the command', () => eventsOf('command').length === 1);
    const command = broker.passedOn('command')[0];
    if (command === undefined) throw new Error('no command');
    broker.deliver(command.topic, command.payload);
    await until('the refusal', () => refusedCommands().length === 1);
    await link.close();
    startLink();
    await ready();
    broker.deliver(command.topic, command.payload);
    await until('the refusal after the restart', () => refusedCommands().length === 1);
    expect(eventsOf('command')).toHaveLength(0);
  });

  test("expired by the agent's clock: stale, whatever our wall clock says", async () => {
    await ready();
    const expiresAt = agent.nowMs() + 1_000;
    await pass(2_000);
    clock.setWall(0);
    await agent.command({ name: 'restart', part: 'screen' }, { expiresAt });
    await until('the refusal', () => refusedCommands().length === 1);
    expect(refusedCommands()[0]?.code).toBe('message.stale');
  });

  test('before the time is known: stale', async () => {
    await link.close();
    agent.answersChallenges = false;
    startLink();
    await agent.command({ name: 'restart', part: 'screen' });
    await until('the refusal', () => refusedCommands().length === 1);
  });

  test('more than thirty in a minute are not carried out', async () => {
    await ready();
    for (let count = 0; count < 40; count++) await agent.command({ name: 'restart', part: 'screen' });
    await until('ten refusals', () => refusedCommands().length === 10);
    expect(eventsOf('command')).toHaveLength(30);
  });

  test('an answer goes back signed by the device', async () => {
    await ready();
    link.answerCommand(randomUUID(), { outcome: 'refused', code: 'session.timed-out' });
    await until('the answer', () => broker.passedOn('command-result').length === 1);
  });
});

test('the state is told again after a reconnection, retained', async () => {
  const state = {
    device: 'front-1',
    lane: 1,
    version: '0.1.0',
    profile: 'demo',
    status: 'idle',
    catalogueVersion: '2024-10-07.1',
    since: 1,
  } as const;
  link.publishState(state);
  await until('the state', () => broker.passedOn('state').length === 1);
  broker.setConnected('front-1', false);
  link.publishState({ ...state, status: 'busy' });
  broker.setConnected('front-1', true);
  await until('the state again', () => broker.passedOn('state').length === 2);
  expect(JSON.parse(new TextDecoder().decode(broker.passedOn('state')[1]?.payload)).status).toBe('busy');
});

test('the state says which request was accepted last, also after a restart', async () => {
  const stated = (): Record<string, unknown> =>
    JSON.parse(new TextDecoder().decode(broker.passedOn('state').at(-1)?.payload));
  const state = {
    ...({ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' } as const),
    ...{ catalogueVersion: '2024-10-07.1', since: 1 },
  };
  agent.wire = 2;
  await ready();
  link.publishState(state);
  expect(stated()).not.toHaveProperty('lastAccepted');
  const { requestId, ...signed } = await signedRequest();
  await link.submit({ requestId, ...signed });
  await until('the result', () => eventsOf('result').length === 1);
  link.publishState({ ...state, since: 2 });
  const at = eventsOf('receipt')[0]?.receipt.receivedAt;
  expect(stated()).toMatchObject({ since: 2, lastAccepted: { requestId, at } });
  await link.close();
  startLink();
  await ready();
  link.publishState({ ...state, since: 3 });
  expect(stated()).toMatchObject({ since: 3, lastAccepted: { requestId } });
});

test('the state speaks version 1 until an agent says more, and again when one says less', async () => {
  const stated = (): Record<string, unknown>[] =>
    broker.passedOn('state').map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)));
  link.publishState({
    ...{ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' },
    ...{ catalogueVersion: '2024-10-07.1', since: 1 },
  } as const);
  await agent.settings(5);
  await until('settings', () => eventsOf('settings').length === 1);
  await ready();
  expect(stated().every((state) => v1Schemas.state.safeParse(state).success)).toBe(true);
  expect(stated().at(-1)?.version).toBe('0.2.0+wire.2');
  expect(link.agentWire()).toBe(1);
  agent.wire = 7;
  await pass(10 * minute);
  expect(stated().at(-1)).toMatchObject({ settingsVersion: 5 });
  expect(link.agentWire()).toBe(2);
  agent.wire = undefined;
  await pass(10 * minute);
  expect(v1Schemas.state.safeParse(stated().at(-1)).success).toBe(true);
});

test('an agent that is heard before it has heard who asks: its wire is known within seconds, and who left is told', async () => {
  const stated = (): Record<string, unknown> =>
    JSON.parse(new TextDecoder().decode(broker.passedOn('state').at(-1)?.payload));
  link.publishState({
    ...{ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' },
    ...{ catalogueVersion: '2024-10-07.1', since: 1 },
  } as const);
  await ready();
  await pass(1_000);
  const requestId = randomUUID();
  link.tellLate(requestId);
  expect(stated()).not.toHaveProperty('late');
  agent.wire = 2;
  await pass(3_000);
  expect(link.agentWire()).toBe(2);
  expect(stated()).toMatchObject({ late: [requestId] });
});

test('an agent of the first release is asked for no more than a few challenges on top', async () => {
  link.publishState({
    ...{ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' },
    ...{ catalogueVersion: '2024-10-07.1', since: 1 },
  } as const);
  await ready();
  await pass(3 * minute);
  expect(broker.passedOn('challenge-request')).toHaveLength(6);
  expect(logged.filter(({ event }) => event === 'message.refused')).toEqual([]);
});

test('rubbish on every topic is logged and dropped', async () => {
  const rubbish = ['', '{}', 'a.b.c', 'a.b.c.d.e', '\u0000', `${'A'.repeat(200_000)}`];
  for (const leaf of ['challenge', 'lookup-result', 'receipt', 'result', 'command', 'settings'] as const) {
    for (const text of rubbish) broker.deliver(topicOf(facility, 'front-1', leaf), new TextEncoder().encode(text));
    await until(`refusals on ${leaf}`, () => refusals(leaf).length === rubbish.length);
  }
  await ready();
});

test('the connection is told to a new listener, with its cause', () => {
  broker.setConnected('front-1', false);
  const told: ClinicEvent[] = [];
  link.subscribe((event) => told.push(event));
  expect(told[0]).toMatchObject({ type: 'disconnected', failure: { code: 'delivery.offline' } });
});

test('a store that does not open behind a link that began anew closes the way at once, not at the next patient', async () => {
  await ready();
  const told: ClinicEvent[] = [];
  link.subscribe((event) => told.push(event));
  store.unopened = failure('storage.newer', 'form 999');
  broker.setConnected('front-1', false);
  broker.setConnected('front-1', true);
  await until('the way is closed', () => {
    const last = told.at(-1);
    return last?.type === 'disconnected' && last.failure.code === 'storage.newer';
  });
  store.unopened = null;
  await pass(3_000);
  expect(told.slice(-2)).toEqual([{ type: 'store', failure: null }, { type: 'connected' }]);
});
