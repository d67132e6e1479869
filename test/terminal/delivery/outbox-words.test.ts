import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { err, ok, type Result } from '../../../src/core/result.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import type { OutboxRow } from '../../../src/ports/store.ts';
import { createOutbox, type Outbox, type OutboxEvent } from '../../../src/terminal/delivery/outbox.ts';
import type { Receipt } from '../../../src/wire/messages.ts';

/* One request through its life, step by step: what is sent when, what is told, what is written down. */

const documentHash = `${'h'.repeat(42)}A`;
const minute = 60_000;

let clock: SimulatedClock;
let store: MemoryStore;
let agentNowMs: number | null;
let outbox: Outbox;
let events: OutboxEvent[];
let said: { readonly name: string }[];
let sent: { readonly requestId: string; readonly atMs: number }[];
let answer: () => Promise<Result<void>>;
let startMs: number;

const start = (): void => {
  [events, said, sent] = [[], [], []];
  startMs = clock.now().monotonicMs;
  const log = createEventLog({ format: 'silent' });
  log.event = ((name: string, fields: object) => void said.push({ name, ...fields })) as typeof log.event;
  outbox = createOutbox({
    ...{ store, clock, log, agentNowMs: () => agentNowMs, tell: (event) => events.push(event) },
    send: ({ requestId }) => {
      sent.push({ requestId, atMs: clock.now().monotonicMs - startMs });
      return answer();
    },
  });
};
const rowOf = (more: Partial<OutboxRow> = {}): OutboxRow => {
  const createdAtMs = clock.now().wallMs;
  const row = { requestId: randomUUID(), session: randomUUID(), documentHash, sealed: new Uint8Array() };
  return { ...row, createdAtMs, visitMark: null, expiresAtMs: createdAtMs + 10 * minute, ...more };
};
const receiptFor = ({ requestId }: OutboxRow, more: Partial<Receipt> = {}): Receipt => ({
  ...{ facility: 'f', device: 'd', requestId, documentHash, receivedAt: 1, agent: 'agent-1', verdict: 'accepted' },
  ...more,
});
const sentAt = (row?: OutboxRow): readonly number[] =>
  sent.filter(({ requestId }) => row === undefined || requestId === row.requestId).map(({ atMs }) => atMs);
const named = (name: string) => said.filter((event) => event.name === name);
const kept = (): readonly string[] => [...store.rows.keys()];
const wrote = () => store.audit.map(({ event, subject, code }) => ({ event, subject, ...(code && { code }) }));

beforeEach(() => {
  clock = new SimulatedClock();
  store = new MemoryStore();
  agentNowMs = null;
  answer = async () => ok(undefined);
  start();
});

describe('a request on its way', () => {
  test('goes out as soon as it is kept, with a word on each publish, and on how long its receipt took', async () => {
    outbox.setConnected(true);
    const row = rowOf();
    expect(await outbox.add(row)).toEqual(ok(undefined));
    expect([outbox.waiting, outbox.holds(row.requestId), outbox.holds('another')]).toEqual([1, true, false]);
    await clock.advance(700);
    expect(sentAt()).toEqual([0, 500]);
    expect(await outbox.receive(receiptFor(row))).toEqual(ok(undefined));
    expect([outbox.waiting, outbox.holds(row.requestId)]).toEqual([0, false]);
    await clock.advance(30 * minute);
    expect(sentAt()).toEqual([0, 500]);
    const request = row.requestId;
    expect(said).toEqual([
      { name: 'outbox.stored', request, waiting: 1 },
      { name: 'outbox.published', request, attempt: 1 },
      { name: 'outbox.published', request, attempt: 2 },
      { name: 'outbox.receipted', request, verdict: 'accepted', ms: 700 },
    ]);
    expect(events).toEqual([{ type: 'receipt', receipt: receiptFor(row), session: row.session, row }]);
    expect(wrote()).toEqual([
      { event: 'request-stored', subject: request },
      { event: 'receipt-accepted', subject: request },
    ]);
    expect(store.audit.filter((entry) => 'code' in entry)).toEqual([]);
  });

  test('that the disk does not take is none: nothing is sent, nothing waits', async () => {
    outbox.setConnected(true);
    store.full = true;
    expect(await outbox.add(rowOf())).toMatchObject({ ok: false, failure: { code: 'delivery.store-failed' } });
    await clock.advance(minute);
    expect([sentAt(), outbox.waiting, named('store.failed').length]).toEqual([[], 0, 1]);
  });

  test('the same again is the same: it is sent on as it was', async () => {
    outbox.setConnected(true);
    const row = rowOf();
    await outbox.add(row);
    await clock.advance(400);
    await outbox.add(row);
    expect(outbox.waiting).toBe(1);
    await clock.advance(100);
    expect(sentAt()).toEqual([0, 500]);
  });

  test('that no broker takes is said by no word, and waits as long', async () => {
    answer = async () => err(failure('delivery.offline'));
    outbox.setConnected(true);
    await outbox.add(rowOf());
    await clock.advance(600);
    expect([sentAt(), named('outbox.published')]).toEqual([[0, 500], []]);
  });

  test('is not sent twice at a time, however long the broker takes', async () => {
    let release = (): void => {};
    answer = () =>
      new Promise((resolve) => {
        release = () => resolve(ok(undefined));
      });
    outbox.setConnected(true);
    await outbox.add(rowOf());
    await clock.advance(4_000);
    outbox.hurry();
    outbox.setConnected(true);
    expect(sentAt()).toEqual([0]);
    release();
    await clock.advance(0);
    expect(sentAt()).toEqual([0, 4_000]);
  });

  test('a new connection is a new chance: at once, and with the first pause again', async () => {
    outbox.setConnected(true);
    await outbox.add(rowOf());
    await clock.advance(3_100);
    expect(sentAt()).toEqual([0, 500, 1_500, 3_000]);
    outbox.setConnected(false);
    await clock.advance(10_000);
    expect(sentAt()).toHaveLength(4);
    outbox.setConnected(true);
    await clock.advance(600);
    expect(sentAt().slice(4)).toEqual([13_100, 13_600]);
  });

  test('a sign of life of the agent sends again at once, unless the last time is less than 300 ms ago', async () => {
    outbox.setConnected(true);
    await outbox.add(rowOf());
    await clock.advance(2_000);
    expect(sentAt()).toEqual([0, 500, 1_500]);
    outbox.hurry();
    expect(sentAt()).toEqual([0, 500, 1_500, 2_000]);
    await clock.advance(100);
    outbox.hurry();
    await clock.advance(199);
    expect(sentAt()).toHaveLength(4);
    await clock.advance(1);
    expect(sentAt().slice(4)).toEqual([2_300]);
    // What was due sooner is not put off by it.
    await clock.advance(1_400);
    outbox.hurry();
    await clock.advance(100);
    expect(sentAt().slice(5)).toEqual([3_700]);
  });

  test('a receipt of another document is forged, one of no request is dropped', async () => {
    outbox.setConnected(true);
    const row = rowOf();
    await outbox.add(row);
    const forged = await outbox.receive(receiptFor(row, { documentHash: `${'x'.repeat(42)}A` }));
    expect(forged).toMatchObject({ ok: false, failure: { code: 'message.forged' } });
    expect(await outbox.receive(receiptFor(rowOf()))).toEqual(ok(undefined));
    expect([outbox.waiting, events]).toEqual([1, []]);
    await clock.advance(500);
    expect(sentAt()).toHaveLength(2);
  });

  test('that was refused is over, and why is written down, also while its visit is on', async () => {
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    await outbox.receive(receiptFor(row, { verdict: 'refused', code: 'card.certificate-revoked' }));
    expect(kept()).toEqual([]);
    expect(wrote().at(-1)).toEqual({
      ...{ event: 'receipt-refused', subject: row.requestId, code: 'card.certificate-revoked' },
    });
    expect(named('outbox.receipted')).toMatchObject([{ verdict: 'refused' }]);
  });
});

describe('a request of a visit that is on', () => {
  test('stays on the disk after its receipt until the visit is over', async () => {
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    await outbox.receive(receiptFor(row));
    await clock.advance(20 * minute);
    expect([kept(), outbox.waiting]).toEqual([[row.requestId], 0]);
    outbox.release(row.requestId);
    await clock.advance(0);
    expect([kept(), wrote().at(-1)?.event]).toEqual([[], 'receipt-accepted']);
    outbox.release(row.requestId);
    outbox.leave(row.requestId);
    await clock.advance(minute);
    expect(sentAt()).toEqual([]);
    expect(wrote().filter(({ event }) => event === 'receipt-accepted')).toHaveLength(1);
  });

  test('of before a restart, that somebody may go on with, is not asked for after its receipt', async () => {
    const row = rowOf({ visitMark: 'mark' });
    await store.addOutboxRow(row);
    agentNowMs = clock.now().wallMs;
    outbox.setConnected(true);
    await outbox.load();
    await outbox.receive(receiptFor(row));
    await clock.advance(minute);
    expect([kept(), sentAt().length]).toEqual([[row.requestId], 1]);
  });

  test('that was refused after the visit was over is over, too: there is nothing that its patient could have left', async () => {
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    outbox.release(row.requestId);
    await outbox.receive(receiptFor(row, { verdict: 'refused', code: 'card.certificate-revoked' }));
    expect(kept()).toEqual([]);
  });

  test('whose patient has left is asked for once an agent has said what time it is, and never after its answer', async () => {
    outbox.setConnected(true);
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    await outbox.receive(receiptFor(row));
    sent.length = 0;
    outbox.leave(row.requestId);
    await clock.advance(minute);
    expect(sentAt()).toEqual([]);
    agentNowMs = clock.now().wallMs;
    outbox.timeKnown();
    expect(sentAt()).toHaveLength(1);
    await outbox.receive(receiptFor(row));
    expect(kept()).toEqual([]);
    outbox.leave(row.requestId);
    await clock.advance(minute);
    expect(sentAt()).toHaveLength(1);
  });

  test('whose visit is over before its receipt is asked for once more: the clinic may not have heard that its patient left', async () => {
    outbox.setConnected(true);
    agentNowMs = clock.now().wallMs;
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    outbox.release(row.requestId);
    expect(kept()).toEqual([row.requestId]);
    await outbox.receive(receiptFor(row));
    expect([kept(), events.map(({ type }) => type)]).toEqual([[row.requestId], ['receipt']]);
    expect(sentAt()).toHaveLength(2);
    await outbox.receive(receiptFor(row));
    expect([kept(), events.map(({ type }) => type)]).toEqual([[], ['receipt']]);
    // A visit of the same name that comes later is not over by that.
    await outbox.add(row);
    await outbox.receive(receiptFor(row));
    expect(kept()).toEqual([row.requestId]);
  });

  test('a registration of before a restart, which nobody goes on with, is asked for once more, too', async () => {
    const row = rowOf();
    await store.addOutboxRow(row);
    agentNowMs = clock.now().wallMs;
    outbox.setConnected(true);
    await outbox.load();
    expect(sentAt()).toHaveLength(1);
    await outbox.receive(receiptFor(row));
    expect([kept(), sentAt().length]).toEqual([[row.requestId], 2]);
    await outbox.receive(receiptFor(row));
    expect(kept()).toEqual([]);
  });

  test('whose patient has left is asked for once a connection and every half minute, without hurry, for a day', async () => {
    outbox.setConnected(true);
    agentNowMs = clock.now().wallMs;
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    await outbox.receive(receiptFor(row));
    sent.length = 0;
    startMs = clock.now().monotonicMs;
    outbox.leave(row.requestId);
    outbox.timeKnown();
    await clock.advance(10_000);
    outbox.hurry();
    await clock.advance(50_000);
    expect(sentAt()).toEqual([0, 30_000, 60_000]);
    expect([outbox.waiting, outbox.holds(row.requestId)]).toEqual([0, false]);
    outbox.setConnected(true);
    await clock.advance(29_000);
    expect(sentAt().slice(3)).toEqual([60_000]);
    outbox.setConnected(false);
    await clock.advance(24 * 60 * minute - 90_000);
    expect(kept()).toEqual([row.requestId]);
    await clock.advance(1_000);
    expect([kept(), wrote().at(-1)?.event, events.map(({ type }) => type)]).toEqual([
      ...[[], 'receipt-accepted', ['receipt']],
    ]);
  });

  test('left by an earlier run is told, and not sent before the agent has said what time it is', async () => {
    const row = rowOf({ visitMark: 'mark' });
    await outbox.add(row);
    outbox.close();
    start();
    expect(await outbox.load()).toEqual(ok(undefined));
    expect(events).toEqual([{ type: 'earlier-visit', row }]);
    outbox.setConnected(true);
    await clock.advance(5_000);
    expect([sentAt(), outbox.waiting]).toEqual([[], 1]);
    agentNowMs = clock.now().wallMs;
    outbox.timeKnown();
    expect(sentAt()).toEqual([5_000]);
  });

  test.each([
    ['of a visit that may be on, it is asked for', minute, 'mark'],
    ['of nobody, it is not', 0, null],
  ])('left by an earlier run and over by the agent’s clock, %s: it ends after %i ms', async (_what, forMs, mark) => {
    const row = rowOf({ visitMark: mark });
    await outbox.add(row);
    outbox.close();
    start();
    await outbox.load();
    outbox.setConnected(true);
    agentNowMs = row.expiresAtMs + 5;
    outbox.timeKnown();
    await clock.advance(forMs - 1);
    expect(events.filter(({ type }) => type === 'request-expired')).toHaveLength(forMs === 0 ? 1 : 0);
    await clock.advance(1);
    expect(events.filter(({ type }) => type === 'request-expired')).toEqual([
      { type: 'request-expired', requestId: row.requestId, session: row.session },
    ]);
    expect(sentAt().length > 0).toBe(mark !== null);
  });
});

test('left by an earlier run, and no agent is ever heard: told as over after its life, kept for a day', async () => {
  const row = rowOf({ visitMark: 'mark' });
  await outbox.add(row);
  outbox.close();
  start();
  await outbox.load();
  await clock.advance(10 * minute);
  expect(events.map(({ type }) => type)).toEqual(['earlier-visit', 'request-expired']);
  await clock.advance(24 * 60 * minute - 1);
  expect(kept()).toEqual([row.requestId]);
  await clock.advance(1);
  expect([kept(), sentAt(), events.length]).toEqual([[], [], 2]);
});

describe('a request that ends', () => {
  test('by the agent’s clock, once that is known: sooner or later than by ours', async () => {
    outbox.setConnected(true);
    const [sooner, later] = [rowOf(), rowOf()];
    await outbox.add(sooner);
    agentNowMs = sooner.expiresAtMs - minute;
    outbox.timeKnown();
    await clock.advance(minute - 1);
    expect(events).toEqual([]);
    await clock.advance(1);
    expect(events).toMatchObject([{ type: 'request-expired', requestId: sooner.requestId }]);
    expect(named('outbox.expired')).toEqual([{ name: 'outbox.expired', request: sooner.requestId }]);
    agentNowMs = later.createdAtMs - 30 * minute;
    await outbox.add(later);
    await clock.advance(39 * minute);
    expect(events).toHaveLength(1);
    await clock.advance(minute);
    expect(events).toHaveLength(2);
    expect(named('store.failed')).toEqual([]);
  });

  test('unsent on a disk that refuses: told once, and a word of the disk', async () => {
    const row = rowOf();
    await outbox.add(row);
    store.full = true;
    await clock.advance(10 * minute);
    expect([events.length, outbox.waiting, kept()]).toEqual([1, 0, [row.requestId]]);
    expect(named('store.failed')).toHaveLength(1);
    await clock.advance(10 * minute);
    expect(events).toHaveLength(1);
  });

  test('while its end is written down is neither sent, nor answered, nor told again', async () => {
    const row = rowOf();
    await outbox.add(row);
    let written = (): void => {};
    const remove = store.removeOutboxRow.bind(store);
    store.removeOutboxRow = async (...of) => {
      await new Promise<void>((resolve) => {
        written = resolve;
      });
      return remove(...of);
    };
    await clock.advance(10 * minute);
    outbox.setConnected(true);
    outbox.hurry();
    expect(await outbox.receive(receiptFor(row))).toEqual(ok(undefined));
    expect([sentAt(), events]).toEqual([[], []]);
    written();
    await clock.advance(0);
    expect(events.map(({ type }) => type)).toEqual(['request-expired']);
    expect(wrote().at(-1)).toEqual({ event: 'request-expired', subject: row.requestId });
    expect(named('outbox.expired')).toEqual([{ name: 'outbox.expired', request: row.requestId }]);
    expect(named('store.failed')).toEqual([]);
  });

  test('by being cancelled goes unsent and untold, as soon as the disk lets it', async () => {
    const row = rowOf();
    await outbox.add(row);
    store.full = true;
    outbox.cancel(row.requestId);
    expect(outbox.waiting).toBe(0);
    await outbox.load();
    expect(events).toEqual([]);
    await clock.advance(1_999);
    expect(named('store.failed')).toEqual([{ name: 'store.failed', code: 'delivery.store-failed' }]);
    store.full = false;
    await clock.advance(1);
    expect([kept(), wrote().at(-1)]).toEqual([[], { event: 'request-cancelled', subject: row.requestId }]);
    outbox.setConnected(true);
    await clock.advance(20 * minute);
    expect([sentAt(), events]).toEqual([[], []]);
    // Cancelled once is not cancelled for ever: the same may be found again.
    await store.addOutboxRow(row);
    await outbox.load();
    expect(events).toMatchObject([{ type: 'earlier-visit' }]);
  });
});

describe('closed', () => {
  test('it sends, tells and wakes no more', async () => {
    outbox.setConnected(true);
    const row = rowOf({ expiresAtMs: clock.now().wallMs + 1_000 });
    await outbox.add(row);
    outbox.close();
    outbox.setConnected(true);
    outbox.hurry();
    outbox.timeKnown();
    await clock.advance(20 * minute);
    expect([sentAt(), events, kept()]).toEqual([[0], [], [row.requestId]]);
  });

  test('while the disk is asked, what it says is of no more account', async () => {
    const row = rowOf({ expiresAtMs: clock.now().wallMs + 1_000 });
    await outbox.add(row);
    let answered = (_: Result<boolean>): void => {};
    let asked = 0;
    store.removeOutboxRow = () => {
      asked += 1;
      return new Promise((resolve) => {
        answered = resolve;
      });
    };
    await clock.advance(1_000);
    outbox.close();
    answered(err(failure('delivery.store-failed')));
    await clock.advance(minute);
    expect([asked, events, named('store.failed')]).toEqual([1, [], []]);
    start();
    await outbox.add(row);
    outbox.cancel(row.requestId);
    outbox.close();
    answered(err(failure('delivery.store-failed')));
    await clock.advance(minute);
    expect([asked, named('store.failed')]).toEqual([2, []]);
  });
});

test('a store that cannot be read is the answer to whoever asks for its rows', async () => {
  store.outboxRows = async () => err(failure('storage.damaged', 'x')) as never;
  expect(await outbox.load()).toMatchObject({ ok: false, failure: { code: 'storage.damaged' } });
  expect(events).toEqual([]);
});
