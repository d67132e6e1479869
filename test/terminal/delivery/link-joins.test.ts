import { randomUUID } from 'node:crypto';
import { decodeJwt, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryBroker } from '../../../scripts/beds/memory-bus.ts';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { ScriptedAgent } from '../../../scripts/beds/scripted-agent.ts';
import { signedRequestOf } from '../../../scripts/beds/signed-request.ts';
import { breathe, SimulatedClock, until } from '../../../scripts/beds/simulated-clock.ts';
import { facility, makeTestFacility, type TestFacility, testRequest } from '../../../scripts/beds/test-facility.ts';
import { failure } from '../../../src/core/failure.ts';
import { err, ok } from '../../../src/core/result.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import type { Delivery, MessageBus, PublishOptions } from '../../../src/ports/message-bus.ts';
import { type ClinicEvent, type ClinicLink, createClinicLink } from '../../../src/terminal/delivery/clinic-link.ts';
import type { TerminalKeys } from '../../../src/trust/key-files.ts';
import { openSigned, type SigningKey, sign } from '../../../src/trust/seal.ts';
import { commandResultSchema, type StateMessage } from '../../../src/wire/messages.ts';
import { type TopicLeaf, topicOf } from '../../../src/wire/topics.ts';

/* What the parts of the link are to each other: the parts themselves have tests of their own. */

const visitLifeMs = 5 * 60_000;
const topic = (leaf: TopicLeaf): string => topicOf(facility, 'front-1', leaf);
const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const state: StateMessage = {
  ...{ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' },
  ...{ catalogueVersion: '2024-10-07.1', since: 1 },
};

let testFacility: TestFacility;
beforeAll(async () => {
  testFacility = await makeTestFacility();
});
afterAll(() => testFacility.remove());

type Sent = { readonly leaf: string; readonly payload: Uint8Array; readonly options: PublishOptions };
let clock: SimulatedClock;
let broker: MemoryBroker;
let agent: ScriptedAgent;
let store: MemoryStore;
let link: ClinicLink;
let events: ClinicEvent[];
let logged: { event: string; code?: string; leaf?: string; key?: string }[];
let sent: Sent[];
/** What the broker answers to a publish instead of taking it */
let refusal: ReturnType<typeof failure> | null;
let listeners: Map<string, (delivery: Delivery) => void>;
let connection: Parameters<MessageBus['subscribeConnection']>[0];

/** The broker's side of the terminal, where one can look at it. */
const tapped = (bus: MessageBus): MessageBus => {
  // A link that was closed may still have something on its way.
  const own = sent;
  return {
    ...bus,
    publish: async (to, payload, options = {}) => {
      own.push({ leaf: to.slice(to.lastIndexOf('/') + 1), payload, options });
      return refusal === null ? bus.publish(to, payload, options) : err(refusal);
    },
    subscribe: (filter, listener) => {
      listeners.set(filter, listener);
      return bus.subscribe(filter, listener);
    },
    subscribeConnection: (listener) => {
      connection = listener;
      return bus.subscribeConnection(listener);
    },
  };
};
const startLink = (keys: TerminalKeys = testFacility.device): void => {
  [events, logged, sent, refusal, listeners] = [[], [], [], null, new Map()];
  const log = createEventLog({ format: 'json', level: 'debug', write: (line) => logged.push(JSON.parse(line)) });
  link = createClinicLink({ bus: tapped(broker.connect('front-1')), store, clock, log, keys });
  link.subscribe((event) => events.push(event));
};
const eventsOf = <T extends ClinicEvent['type']>(type: T): Extract<ClinicEvent, { type: T }>[] =>
  events.filter((event): event is Extract<ClinicEvent, { type: T }> => event.type === type);
const refusals = (leaf: string) =>
  logged.filter((line) => line.event === 'message.refused' && line.leaf === leaf).map(({ code }) => code);
const sentOn = (leaf: TopicLeaf): readonly Sent[] => sent.filter((one) => one.leaf === leaf);
const ready = () => until('challenges', () => link.challengesReady(visitLifeMs));
const signedRequest = (more: object = {}) => signedRequestOf(link, agent.nowMs(), more);
/** An answer to the newest question for challenges, by whoever has the key. */
const answer = async (more: object, key: SigningKey = testFacility.agent.signing): Promise<void> => {
  await until('a question', () => sentOn('challenge-request').length > 0);
  const { challengeRequestId } = decodeJwt(textOf(sentOn('challenge-request').at(-1)?.payload));
  const message = {
    facility,
    device: 'front-1',
    challengeRequestId,
    agentTime: agent.nowMs(),
    challenges: [],
    ...more,
  };
  broker.deliver(topic('challenge'), await sign('challenge', message, key));
};
const challengeBy = (name: string, nonce: string) => ({
  ...{ nonce: nonce.repeat(43), agent: name, issuedAt: agent.nowMs(), expiresAt: agent.nowMs() + 600_000 },
});

beforeEach(() => {
  clock = new SimulatedClock();
  broker = new MemoryBroker();
  agent = new ScriptedAgent(broker.connect('agent-1'), clock, testFacility);
  store = new MemoryStore();
  startLink();
});
afterEach(() => link.close());

describe('nobody speaks for another', () => {
  test('challenges that an agent hands out in the name of another one are forged', async () => {
    agent.answersChallenges = false;
    await answer({ challenges: [challengeBy('agent-1', 'a'), challengeBy('agent-2', 'b')] });
    await until('the refusal', () => refusals('challenge').length > 0);
    expect(refusals('challenge')).toEqual(['message.forged']);
    expect([link.challengesReady(0), link.agentNowMs(), eventsOf('time')]).toEqual([false, null, []]);
    await answer({ challenges: [challengeBy('agent-1', 'a')] });
    await until('the challenge', () => link.challengesReady(0));
  });

  test('a receipt that an agent signs in the name of another one is forged, and the request goes on', async () => {
    await ready();
    agent.receipt = { agent: 'agent-2' };
    await link.submit(await signedRequest());
    await until('the refusal', () => refusals('receipt').length > 0);
    expect(refusals('receipt')).toEqual(['message.forged']);
    expect([eventsOf('receipt'), link.waiting]).toEqual([[], 1]);
  });

  test('an approval is for the agent that gave it: a challenge of that one is taken', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const second = { kid: 's'.repeat(43), key: privateKey };
    await link.close();
    agent.answersChallenges = false;
    const agents = [...testFacility.device.agents, { owner: 'agent-2', kid: second.kid, key: publicKey }];
    startLink({ ...testFacility.device, agents });
    await answer({ challenges: [challengeBy('agent-2', 'b'), challengeBy('agent-2', 'c')] }, second);
    await answer({ challenges: [challengeBy('agent-1', 'a')] });
    await until('both', () => eventsOf('time').length === 2);
    const approval = textOf(await sign('staff-approval', { facility, device: 'front-1' }, second));
    expect(link.takeChallenge(visitLifeMs, approval)?.agent).toBe('agent-2');
    // Heard last, and asked for by nobody.
    expect(link.takeChallenge(visitLifeMs)?.agent).toBe('agent-1');
  });

  test('what arrives on another topic than its own is nobody’s', async () => {
    await ready();
    const before = logged.length;
    listeners.get(topic('settings'))?.({
      ...{ topic: topicOf(facility, 'front-2', 'settings'), payload: new Uint8Array(3), retained: false },
    });
    await breathe();
    expect(logged).toHaveLength(before);
  });
});

describe('what leaves says where its answer is due, and how long it is of use', () => {
  test('a question for challenges: five seconds, and the time of this machine', async () => {
    await ready();
    const [question] = sentOn('challenge-request');
    const { challengeRequestId, requestedAt, ...rest } = decodeJwt(textOf(question?.payload));
    expect(question?.options).toEqual({
      ...{ responseTopic: topic('challenge'), expirySeconds: 5 },
      correlation: new TextEncoder().encode(String(challengeRequestId)),
    });
    expect(rest).toMatchObject({ facility, device: 'front-1', wanted: 4 });
    expect(requestedAt).toBe(clock.now().wallMs);
  });

  test.each([
    [-5, 0],
    [12.6, 13],
  ])('a machine whose clock says %d tells %d', async (wallMs, told) => {
    await link.close();
    sent = [];
    const log = createEventLog({ format: 'silent' });
    const bus = tapped(broker.connect('front-1'));
    link = createClinicLink({ bus, store, clock, log, keys: testFacility.device, machineWallMs: () => wallMs });
    await until('a question', () => sentOn('challenge-request').length > 0);
    expect(decodeJwt(textOf(sentOn('challenge-request')[0]?.payload)).requestedAt).toBe(told);
  });

  test('a request: until it ends by the agent’s clock, and a second at least', async () => {
    agent.clockOffsetMs = 3_600_000;
    await link.close();
    startLink();
    await ready();
    agent.answersRequests = false;
    const [long, short] = [await signedRequest(), await signedRequest({ expiresAt: agent.nowMs() + 1 })];
    await link.submit(long);
    await link.submit(short);
    await until('both', () => sentOn('request').length >= 2);
    const [first, second] = sentOn('request');
    expect(first?.options).toEqual({
      ...{ responseTopic: topic('receipt'), expirySeconds: (long.expiresAt - agent.nowMs()) / 1_000 },
      correlation: new TextEncoder().encode(long.requestId),
    });
    expect(second?.options.expirySeconds).toBe(1);
    expect(store.rows.get(long.requestId)?.createdAtMs).toBe(agent.nowMs());
  });

  test('a request that is kept before any agent was heard: dated, and at the broker ended, by our own clock', async () => {
    await link.close();
    agent.answersChallenges = false;
    startLink();
    const nowMs = clock.now().wallMs;
    const request = testRequest({ issuedAt: nowMs, expiresAt: nowMs + 90_000 });
    const evidence = { method: 'pin', authCertificate: new Uint8Array(32) } as const;
    const signed = await link.sign(request, { ...evidence, sign: async () => ok(new Uint8Array(256)) });
    if (!signed.ok) throw new Error(signed.failure.detail);
    await link.submit(signed.value);
    expect(sentOn('request').map(({ options }) => options.expirySeconds)).toEqual([90]);
    expect(store.rows.get(request.requestId)?.createdAtMs).toBe(nowMs);
    expect(link.agentNowMs()).toBeNull();
  });

  test('the state: kept by the broker for whoever comes later, with all that is known besides', async () => {
    agent.wire = 2;
    link.publishState(state);
    await agent.settings(5);
    await until('the agent', () => link.agentWire() === 2 && eventsOf('settings').length > 0);
    link.tellFigures({ reader_up: 1 });
    link.tellUpdate({ state: 'idle' });
    const about = { run: randomUUID(), logLevel: 'info', returns: { reader: 0, face: 0, screen: 0 } } as const;
    link.tellAbout(about);
    const last = sentOn('state').at(-1);
    expect(last?.options).toEqual({ retain: true });
    expect(JSON.parse(textOf(last?.payload))).toMatchObject({
      ...{ settingsVersion: 5, about, figures: { reader_up: 1 }, update: { state: 'idle' } },
    });
  });

  test('an answer to an order: signed by this device, about that order', async () => {
    const commandId = randomUUID();
    link.answerCommand(commandId, { outcome: 'refused', code: 'session.timed-out' });
    await until('the answer', () => sentOn('command-result').length === 1);
    const key = testFacility.registry.get('front-1')?.signing;
    if (key === undefined) throw new Error('no front-1');
    const bytes = sentOn('command-result')[0]?.payload ?? new Uint8Array();
    const addressee = { facility, device: 'front-1' };
    expect(await openSigned('command-result', bytes, commandResultSchema, [key], addressee)).toMatchObject({
      ok: true,
      value: { message: { ...addressee, commandId, outcome: 'refused', code: 'session.timed-out' } },
    });
  });

  test('a question for a sign of life: no challenge is wanted', async () => {
    await ready();
    const before = sentOn('challenge-request').length;
    link.askAgent();
    await until('the question', () => sentOn('challenge-request').length > before);
    expect(decodeJwt(textOf(sentOn('challenge-request').at(-1)?.payload)).wanted).toBe(0);
  });
});

describe('what is wrong at the other end is told as what it is', () => {
  test('an agent that cannot keep what it is told, and doubts its clock', async () => {
    agent.answersChallenges = false;
    await answer({ wire: 2, trouble: 'agent.disk-full', timeDoubted: true });
    await until('the trouble', () => eventsOf('agent').length > 0);
    expect(eventsOf('agent').map(({ trouble }) => trouble?.code)).toEqual(['agent.disk-full']);
    expect(eventsOf('time')).toMatchObject([{ wallMs: agent.nowMs(), doubted: true }]);
    await answer({ wire: 2 });
    await until('the end of it', () => eventsOf('agent').length > 1);
    expect([eventsOf('agent').at(-1)?.trouble, eventsOf('time').at(-1)?.doubted]).toEqual([null, false]);
  });

  test.each([
    ['delivery.access-refused', ['delivery.access-refused']],
    ['delivery.link-lost', ['delivery.link-lost']],
    ['delivery.offline', []],
  ] as const)('a broker that answers a question with %s', async (code, told) => {
    agent.answersChallenges = false;
    await link.close();
    startLink();
    refusal = failure(code);
    await until('a question', () => sentOn('challenge-request').length > 0);
    await breathe();
    await until('what is told', () => eventsOf('agent').length >= told.length);
    expect(eventsOf('agent').map(({ trouble }) => trouble?.code)).toEqual(told);
  });

  test('no connection: told with its cause, which is the answer to a question', async () => {
    connection(false, failure('delivery.broker-untrusted', 'x'));
    expect(link.connected).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: 'disconnected', failure: { code: 'delivery.broker-untrusted' } });
    const asked = await link.lookup(randomUUID(), new Uint8Array(1), new AbortController().signal);
    expect(asked).toMatchObject({ ok: false, failure: { code: 'delivery.broker-untrusted' } });
    connection(true);
    expect(link.connected).toBe(true);
  });
});

describe('the store', () => {
  const failing = () => logged.filter(({ event }) => event === 'store.failed').map(({ code }) => code);

  test('is asked again until it answers, and nothing that it told of is told twice', async () => {
    await ready();
    const signed = await signedRequest();
    broker.setConnected('front-1', false);
    await link.submit(signed, 'mark');
    await link.close();
    broker = new MemoryBroker();
    store.unopened = failure('storage.damaged');
    startLink();
    await until('the trouble', () => eventsOf('store').length > 0);
    await clock.advance(4_000);
    expect(eventsOf('store')).toMatchObject([{ failure: { code: 'storage.damaged' } }]);
    expect(failing()).toEqual(Array(3).fill('storage.damaged'));
    store.unopened = null;
    await clock.advance(2_000);
    expect(eventsOf('store').at(-1)).toEqual({ type: 'store', failure: null });
    expect(eventsOf('earlier-visit')).toEqual([
      { type: 'earlier-visit', requestId: signed.requestId, session: signed.session, mark: 'mark' },
    ]);
    await clock.advance(10_000);
    expect(failing()).toHaveLength(3);
  });

  test('whose rows cannot be read does not open either', async () => {
    await link.close();
    const rows = store.outboxRows.bind(store);
    store.outboxRows = async () => err(failure('storage.damaged')) as never;
    await agent.settings(3);
    startLink();
    await until('the trouble', () => eventsOf('store').length > 0);
    expect(eventsOf('store')).toMatchObject([{ failure: { code: 'storage.damaged' } }]);
    store.outboxRows = rows;
    await clock.advance(2_000);
    expect(eventsOf('store').at(-1)).toEqual({ type: 'store', failure: null });
  });

  test('is not asked where the link itself is lost: whoever answers for it is away', async () => {
    await ready();
    let asked = 0;
    const read = store.readSettings.bind(store);
    store.readSettings = () => {
      asked += 1;
      return read();
    };
    connection(false, failure('delivery.link-lost', 'x'));
    await breathe();
    expect(asked).toBe(0);
    connection(false, failure('delivery.offline', 'x'));
    await breathe();
    expect(asked).toBe(1);
  });

  test('that answers after the link was closed is of no more account', async () => {
    await link.close();
    let release = (_: unknown): void => {};
    store.outboxRows = () =>
      new Promise((resolve) => {
        release = resolve as typeof release;
      });
    startLink();
    await breathe();
    await link.close();
    release(err(failure('storage.damaged')));
    await clock.advance(10_000);
    expect([eventsOf('store'), failing()]).toEqual([[], []]);
  });
});

test('a closed link hears nothing, asks nothing and tells nothing', async () => {
  await ready();
  await link.close();
  const before = [events.length, sent.length, logged.length];
  connection(false, failure('delivery.offline', 'x'));
  connection(true);
  for (const [filter, listener] of listeners) listener({ topic: filter, payload: new Uint8Array(3), retained: false });
  await clock.advance(60 * 60_000);
  expect([events.length, sent.length, logged.length]).toEqual(before);
});

describe('the facility’s key', () => {
  test('that is none leaves the one that holds, and is named', async () => {
    await ready();
    const kid = testFacility.agent.facilityKeys.current.kid;
    // On no curve.
    const broken = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'b'.repeat(43) } as const;
    await agent.settings(2, { facilityKeys: { current: broken } });
    await until('the refusal', () => refusals('settings').length > 0);
    expect(refusals('settings')).toEqual(['message.malformed']);
    const [header = ''] = textOf((await signedRequest()).sealed).split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ kid });
  });

  test('that is not there at all is a fault of whoever set this terminal up', async () => {
    await ready();
    const challenge = link.takeChallenge(visitLifeMs);
    await link.close();
    startLink({ ...testFacility.device, facilityKeys: [] });
    const request = testRequest({ challenge: challenge?.nonce ?? '', issuedAt: agent.nowMs() });
    const card = {
      method: 'pin',
      authCertificate: new Uint8Array(1),
      sign: async () => ok(new Uint8Array(256)),
    } as const;
    expect(() => link.sign(request, card)).toThrow('facility key');
  });
});

test('an order of a later release is carried out as far as it is known here, and what is not known is named once', async () => {
  await ready();
  for (let count = 1; count <= 2; count++) {
    await agent.command({ name: 'restart', part: 'screen', planted: 1 } as never);
    await until('the order', () => eventsOf('command').length === count);
  }
  expect(eventsOf('command')[0]?.message.command).toEqual({ name: 'restart', part: 'screen' });
  expect(logged.filter(({ event }) => event === 'message.key-unknown')).toMatchObject([
    { leaf: 'command', key: 'command.planted' },
  ]);
  // Of what a patient waits for nothing may be overlooked.
  await agent.send('receipt', { planted: 1 });
  await until('the refusal', () => refusals('receipt').length > 0);
});
