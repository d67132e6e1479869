import { getEventListeners } from 'node:events';
import { beforeEach, expect, test } from 'vitest';
import { breathe, SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import type { DevicePost } from '../../../src/terminal/delivery/device-post.ts';
import { createLookups, type Lookups } from '../../../src/terminal/delivery/lookups.ts';
import type { LookupResult } from '../../../src/wire/messages.ts';

type Sent = { readonly leaf: string; readonly kind: string; readonly lookupId: string; readonly options: unknown };
let clock: SimulatedClock;
let sent: Sent[];
let lookups: Lookups;
let said: { readonly name: string; readonly ms?: number }[];

beforeEach(() => {
  clock = new SimulatedClock();
  [sent, said] = [[], []];
  const post = {
    addressee: { facility: 'clinic', device: 'front-1' },
    signAndSeal: async (kind: string, message: object) =>
      new TextEncoder().encode(JSON.stringify({ kind, ...message })),
    replyTo: (leaf: string, id: string) => ({ responseLeaf: leaf, correlation: id }),
    publish: async (leaf: string, payload: Uint8Array, options?: unknown) => {
      sent.push({ ...(JSON.parse(new TextDecoder().decode(payload)) as Sent), leaf, options });
    },
  } as unknown as DevicePost;
  const log = createEventLog({ format: 'silent' });
  log.event = ((name: string, fields: object) => void said.push({ name, ...fields })) as typeof log.event;
  lookups = createLookups(post, clock, log);
});

const ask = (signal = new AbortController().signal) => lookups.ask('session', Uint8Array.of(1, 2, 3), signal);
const answerTo = (lookupId: string): LookupResult => ({ lookupId, registered: 'yes' }) as LookupResult;

test('a question says what it is about and is answered once, by its own answer', async () => {
  const asked = ask();
  await breathe();
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    ...{ facility: 'clinic', device: 'front-1', session: 'session', authCertificate: 'AQID' },
    requestedAt: clock.now().wallMs,
    // A broker keeps no question longer than anybody waits for its answer.
    options: { responseLeaf: 'lookup-result', correlation: sent[0]?.lookupId, expirySeconds: 10 },
  });
  await clock.advance(3_000);
  lookups.receive(answerTo('another'));
  const own = answerTo(sent[0]?.lookupId ?? '');
  lookups.receive(own);
  lookups.receive(own);
  expect(await asked).toEqual({ ok: true, value: own });
  expect(said).toEqual([{ name: 'lookup.answered', lookup: own.lookupId, ms: 3_000 }]);
  lookups.reconnected();
  await clock.advance(20_000);
  expect(sent).toHaveLength(1);
  expect(said).toHaveLength(1);
});

test('without an answer it ends ten seconds after it was asked', async () => {
  let ended = false;
  const asked = ask().finally(() => {
    ended = true;
  });
  await breathe();
  await clock.advance(9_999);
  expect(ended).toBe(false);
  await clock.advance(1);
  expect(await asked).toMatchObject({ ok: false, failure: { code: 'eligibility.unavailable' } });
  expect(said).toMatchObject([{ name: 'lookup.unanswered', ms: 10_000 }]);
});

test('it is asked again with each connection while it waits, every one that waits', async () => {
  void ask();
  void ask();
  await breathe();
  lookups.reconnected();
  expect(sent).toHaveLength(4);
  expect(new Set(sent.map(({ lookupId }) => lookupId)).size).toBe(2);
  // Each as what it is, to those who answer such questions.
  for (const { leaf, kind } of sent) expect([leaf, kind]).toEqual(['lookup', 'lookup']);
});

test('asked again, the broker keeps it for what is left of its time alone, and knows where its answer is due', async () => {
  void ask();
  await breathe();
  for (const ms of [3_500, 6_499]) {
    await clock.advance(ms);
    lookups.reconnected();
  }
  const lookupId = sent[0]?.lookupId;
  expect(sent.map(({ options }) => options)).toEqual(
    [10, 7, 1].map((expirySeconds) => ({ responseLeaf: 'lookup-result', correlation: lookupId, expirySeconds })),
  );
});

test('a visit that goes on keeps nothing of a question that was answered', async () => {
  const visit = new AbortController();
  const asked = ask(visit.signal);
  await breathe();
  expect(getEventListeners(visit.signal, 'abort')).toHaveLength(1);
  lookups.receive(answerTo(sent[0]?.lookupId ?? ''));
  await asked;
  expect(getEventListeners(visit.signal, 'abort')).toEqual([]);
});

test('the visit is over: it ends at once, whether it was sent or not, and is not asked again', async () => {
  const visit = new AbortController();
  const asked = ask(visit.signal);
  await breathe();
  visit.abort();
  expect(await asked).toMatchObject({ ok: false, failure: { code: 'eligibility.unavailable' } });
  lookups.reconnected();
  expect(sent).toHaveLength(1);
  expect(await ask(visit.signal)).toMatchObject({ ok: false, failure: { code: 'eligibility.unavailable' } });
  expect(sent).toHaveLength(1);
  await clock.advance(20_000);
  expect(said).toEqual([]);
});

test('closed: what waits ends as offline, and nothing more is asked', async () => {
  const asked = [ask(), ask()];
  await breathe();
  lookups.close();
  for (const one of asked) expect(await one).toMatchObject({ ok: false, failure: { code: 'delivery.offline' } });
  expect(await ask()).toMatchObject({ ok: false });
  expect(sent).toHaveLength(2);
});
