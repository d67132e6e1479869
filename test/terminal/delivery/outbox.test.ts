import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { watchCollections } from '../../../scripts/beds/grown-collections.ts';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { SimulatedClock, simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { err, ok, type Result } from '../../../src/core/result.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import type { OutboxRow, Store } from '../../../src/ports/store.ts';
import { createOutbox, type OutboxEvent } from '../../../src/terminal/delivery/outbox.ts';

const log = createEventLog({ format: 'silent' });
const documentHash = `${'h'.repeat(42)}A`;

const setUp = (send: (row: OutboxRow) => Promise<Result<void>>, agentNowMs: number | null = null) => {
  const clock = new SimulatedClock();
  const store = new MemoryStore();
  const events: OutboxEvent[] = [];
  const tell = (event: OutboxEvent): void => void events.push(event);
  const outbox = createOutbox({ store, clock, log, agentNowMs: () => agentNowMs, send, tell });
  const row = (lifeMs = 600_000): OutboxRow => ({
    requestId: randomUUID(),
    session: randomUUID(),
    documentHash,
    sealed: new Uint8Array(),
    createdAtMs: clock.now().wallMs,
    visitMark: null,
    expiresAtMs: clock.now().wallMs + lifeMs,
  });
  const receiptFor = (requestId: string) => ({
    facility: 'f',
    device: 'd',
    requestId,
    documentHash,
    receivedAt: 1,
    agent: 'agent-1',
    verdict: 'accepted' as const,
  });
  return { clock, store, events, outbox, row, receiptFor };
};

test('never more on their way than the cap', async () => {
  const open: (() => void)[] = [];
  let most = 0;
  const { outbox, row, clock } = setUp(
    () =>
      new Promise((resolve) => {
        open.push(() => resolve(ok(undefined)));
        most = Math.max(most, open.length);
      }),
  );
  outbox.setConnected(true);
  for (let count = 0; count < 12; count++) await outbox.add(row());
  expect(most).toBe(8);
  while (open.length > 0) {
    open.shift()?.();
    await clock.advance(0);
  }
  expect(most).toBe(8);
});

test('the pauses between sends of one row grow and are capped', async () => {
  const sentAtMs: number[] = [];
  const { outbox, row, clock } = setUp(async () => {
    sentAtMs.push(clock.now().monotonicMs);
    return err(failure('delivery.offline'));
  });
  outbox.setConnected(true);
  await outbox.add(row());
  await clock.advance(60_000);
  const pauses = sentAtMs.slice(1).map((atMs, index) => atMs - (sentAtMs[index] ?? 0));
  expect(pauses.slice(0, 5)).toEqual([500, 1_000, 1_500, 1_500, 1_500]);
});

test('whatever happens in whatever order, each row ends with exactly one word: receipt or expiry', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), lifeMs: fc.integer({ min: 1, max: 60_000 }) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({ kind: fc.constant('link' as const), up: fc.boolean() }),
    fc.record({ kind: fc.constant('receipt' as const), pick: fc.nat(20) }),
    fc.record({ kind: fc.constant('disk' as const), full: fc.boolean() }),
    fc.record({ kind: fc.constant('wall' as const), jumpMs: fc.integer({ min: -86_400_000, max: 86_400_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let working = true;
      const { outbox, row, clock, store, events, receiptFor } = setUp(async () =>
        working ? ok(undefined) : err(failure('delivery.offline')),
      );
      const accepted: string[] = [];
      const quiet = async () => {};
      for (const one of steps) {
        if (one.kind === 'add') {
          const added = row(one.lifeMs);
          if ((await outbox.add(added)).ok) accepted.push(added.requestId);
        } else if (one.kind === 'pass') await clock.advance(one.ms, quiet);
        else if (one.kind === 'link') {
          working = one.up;
          outbox.setConnected(working);
        } else if (one.kind === 'disk') store.full = one.full;
        else if (one.kind === 'wall') clock.setWall(clock.now().wallMs + one.jumpMs);
        else {
          const requestId = accepted[one.pick % Math.max(1, accepted.length)];
          if (requestId !== undefined) await outbox.receive(receiptFor(requestId));
        }
      }
      await clock.advance(90_000);
      const told = events.flatMap((event) => {
        if (event.type === 'earlier-visit') return [];
        return event.type === 'receipt' ? [event.receipt.requestId] : [event.requestId];
      });
      expect(told.toSorted()).toEqual(accepted.toSorted());
      expect(outbox.waiting).toBe(0);
      outbox.close();
    }),
    { numRuns: 60 },
  );
});

test('a disk that does not let a row go: told all the same, and sent again only after the next start', async () => {
  const { outbox, row, store, events, receiptFor } = setUp(async () => ok(undefined));
  const one = row();
  outbox.setConnected(true);
  await outbox.add(one);
  store.full = true;
  await outbox.receive(receiptFor(one.requestId));
  expect(events.map(({ type }) => type)).toEqual(['receipt']);
  expect(store.rows.has(one.requestId)).toBe(true);
});

test('stored by a link whose answer was lost: the patient is at the desk, the row goes when the link is back, and is never sent', async () => {
  const clock = new SimulatedClock();
  const disk = new MemoryStore();
  const lost = failure('delivery.link-lost', 'away');
  let away = true;
  const store: Store = {
    addOutboxRow: async (row) => {
      await disk.addOutboxRow(row);
      return err(lost);
    },
    outboxRows: () => disk.outboxRows(),
    removeOutboxRow: (id, entry) => (away ? Promise.resolve(err(lost)) : disk.removeOutboxRow(id, entry)),
    raiseSettings: (...of) => disk.raiseSettings(...of),
    readSettings: () => disk.readSettings(),
    lastAccepted: () => disk.lastAccepted(),
    rememberNonce: (...of) => disk.rememberNonce(...of),
    firstBrokenAuditEntry: () => disk.firstBrokenAuditEntry(),
    close: async () => {},
  };
  const sent: string[] = [];
  const outbox = createOutbox({
    ...{ store, clock, log, agentNowMs: () => null, tell: () => {} },
    send: async ({ requestId }) => {
      sent.push(requestId);
      return ok(undefined);
    },
  });
  outbox.setConnected(true);
  const { row } = setUp(async () => ok(undefined));
  const mine = row();
  expect(await outbox.add(mine)).toMatchObject({ ok: false, failure: { code: 'delivery.link-lost' } });
  outbox.cancel(mine.requestId);
  await clock.advance(20_000);
  // A terminal that looks again meanwhile finds it, and lets it lie.
  expect(await outbox.load()).toMatchObject({ ok: true });
  expect(await disk.outboxRows()).toMatchObject({ value: [{ requestId: mine.requestId }] });
  away = false;
  await clock.advance(3_000);
  expect(await disk.outboxRows()).toMatchObject({ value: [] });
  await clock.advance(600_000);
  expect(sent).toEqual([]);
  outbox.close();
});

test('one that ended after it was sent is kept until the clinic was asked once more, also over a restart', async () => {
  const sent: string[] = [];
  const { outbox, row, clock, store, events, receiptFor } = setUp(async ({ requestId }) => {
    sent.push(requestId);
    return ok(undefined);
  });
  outbox.setConnected(true);
  const [unheard, unsent] = [row(60_000), row(61_000)];
  await outbox.add(unheard);
  outbox.setConnected(false);
  await outbox.add(unsent);
  await clock.advance(120_000);
  expect(events.map(({ type }) => type)).toEqual(['request-expired', 'request-expired']);
  // What was never sent nobody can have taken.
  expect([...store.rows.keys()]).toEqual([unheard.requestId]);
  expect(outbox.waiting).toBe(0);

  const later: OutboxEvent[] = [];
  const afterRestart = createOutbox({
    store,
    clock,
    log,
    agentNowMs: () => null,
    send: async () => ok(undefined),
    tell: (event) => later.push(event),
  });
  await afterRestart.load();
  expect(later).toMatchObject([{ type: 'earlier-visit', row: { requestId: unheard.requestId } }]);
  afterRestart.close();

  outbox.setConnected(true);
  await clock.advance(0);
  expect(sent.at(-1)).toBe(unheard.requestId);
  await outbox.receive(receiptFor(unheard.requestId));
  await clock.advance(0);
  expect(store.rows.size).toBe(0);
  expect(store.audit.at(-1)).toMatchObject({ event: 'request-expired', subject: unheard.requestId });
  // Told once: its patient had left.
  expect(events).toHaveLength(2);
});

test('one whose patient has left after the receipt is kept until the clinic answers once more: it has heard of that then', async () => {
  const sent: string[] = [];
  const { outbox, row, clock, store, events, receiptFor } = setUp(async ({ requestId }) => {
    sent.push(requestId);
    return ok(undefined);
  }, simulatedStartMs);
  outbox.setConnected(true);
  const left = { ...row(), visitMark: 'mark' };
  await outbox.add(left);
  await outbox.receive(receiptFor(left.requestId));
  outbox.setConnected(false);
  outbox.leave(left.requestId);
  outbox.release(left.requestId);
  await clock.advance(60_000);
  expect(store.rows.size).toBe(1);
  const before = sent.length;
  outbox.setConnected(true);
  await clock.advance(0);
  expect(sent.slice(before)).toEqual([left.requestId]);
  await outbox.receive(receiptFor(left.requestId));
  await clock.advance(0);
  expect(store.rows.size).toBe(0);
  expect(store.audit.at(-1)).toMatchObject({ event: 'receipt-accepted', subject: left.requestId });
  expect(events.map(({ type }) => type)).toEqual(['receipt']);
});

test('of visits that are over nothing is kept, whatever came of them', async () => {
  const collections = watchCollections(40);
  try {
    const { outbox, row, clock, store, receiptFor } = setUp(async () => ok(undefined));
    outbox.setConnected(true);
    const ends = {
      // Its patient leaves unheard, or has heard; is refused; is accepted after the visit; never answered.
      left: (id: string) => outbox.receive(receiptFor(id)).then(() => outbox.leave(id)),
      refused: (id: string) => outbox.receive({ ...receiptFor(id), verdict: 'refused' }),
      late: (id: string) => outbox.receive(receiptFor(id)),
      unheard: () => clock.advance(700_000),
    };
    for (const [name, end] of Object.entries(ends)) {
      for (let count = 0; count < 60; count += 1) {
        const visit = { ...row(), visitMark: 'mark' };
        await outbox.add(visit);
        if (name !== 'left') outbox.release(visit.requestId);
        await end(visit.requestId);
        outbox.release(visit.requestId);
        if (name !== 'refused') await outbox.receive(receiptFor(visit.requestId));
        await clock.advance(0);
      }
    }
    expect(store.rows.size).toBe(0);
    // The newest lines of the log are kept, some hundred.
    expect(collections.grown().filter((place) => !place.startsWith('src/log/'))).toEqual([]);
  } finally {
    collections.end();
  }
});

test('one that ended and that nobody answers for goes after a day, asked for seldom', async () => {
  let sent = 0;
  const { outbox, row, clock, store, events } = setUp(async () => {
    sent += 1;
    return ok(undefined);
  });
  outbox.setConnected(true);
  await outbox.add(row(60_000));
  await clock.advance(61_000);
  sent = 0;
  await clock.advance(23 * 3_600_000);
  expect(store.rows.size).toBe(1);
  expect(sent).toBeLessThanOrEqual((23 * 3_600) / 30 + 1);
  await clock.advance(2 * 3_600_000);
  expect(store.rows.size).toBe(0);
  expect(events).toHaveLength(1);
});

test('one that nobody answers for goes a day after its end by the clinic, however often the terminal starts', async () => {
  const { clock, store, row } = setUp(async () => ok(undefined));
  const left = { ...row(), visitMark: 'mark' };
  await store.addOutboxRow(left);
  for (let hour = 0; hour < 26; hour++) {
    const outbox = createOutbox({
      ...{ store, clock, log, tell: () => {}, agentNowMs: () => clock.now().wallMs },
      send: async () => ok(undefined),
    });
    await outbox.load();
    outbox.setConnected(true);
    await clock.advance(3_600_000);
    expect(store.rows.size).toBe(hour < 24 ? 1 : 0);
    outbox.close();
  }
});
