import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { createResultWatch, type ResultWatch } from '../../../src/terminal/delivery/result-watch.ts';
import type { ResultMessage } from '../../../src/wire/messages.ts';

const resultOf = (requestId: string): ResultMessage => ({
  ...{ facility: 'clinic', device: 'front-1', requestId, outcome: 'eligible' },
});

describe('the result of a request whose receipt is in', () => {
  let clock: SimulatedClock;
  let asked: string[];
  let told: string[];
  let said: object[];
  let watch: ResultWatch;
  let agentNowMs: number | null;
  /** Of an agent whose clock is an hour behind ours, so that the two cannot be taken for each other. */
  const awaited = (requestId: string, lifeMs: number) => ({
    ...{ requestId, sealed: new Uint8Array(), expiresAtMs: (agentNowMs ?? clock.now().wallMs) + lifeMs },
  });
  beforeEach(() => {
    clock = new SimulatedClock();
    asked = [];
    told = [];
    said = [];
    const log = createEventLog({ format: 'silent' });
    log.event = ((name: string, fields: object) => void said.push({ name, ...fields })) as typeof log.event;
    agentNowMs = clock.now().wallMs - 3_600_000;
    watch = createResultWatch({
      clock,
      agentNowMs: () => agentNowMs,
      log,
      ask: ({ requestId }) => asked.push(requestId),
      tell: ({ requestId }) => told.push(requestId),
    });
  });

  test('is asked for every few seconds while there is a connection, told once, and then left alone', async () => {
    watch.setConnected(true);
    watch.await(awaited('a', 60_000));
    await clock.advance(4_999);
    expect(asked).toEqual([]);
    await clock.advance(1);
    expect(asked).toEqual(['a']);
    await clock.advance(10_000);
    expect(asked).toEqual(['a', 'a', 'a']);
    watch.receive(resultOf('a'), false);
    watch.receive(resultOf('a'), false);
    await clock.advance(60_000);
    expect(asked).toHaveLength(3);
    expect(told).toEqual(['a']);
  });

  test('is said in the log by how it went, and how long it took', async () => {
    watch.await(awaited('a', 60_000));
    await clock.advance(700);
    watch.receive(resultOf('a'), false);
    watch.receive({ ...resultOf('b'), outcome: 'failed' }, true);
    await clock.advance(700);
    watch.await(awaited('b', 60_000));
    expect(said).toEqual([
      { name: 'result.received', request: 'a', outcome: 'ok', ms: 700 },
      { name: 'result.received', request: 'b', outcome: 'failed', ms: 0 },
    ]);
  });

  test('is not asked for without a connection, and at once with the next one', async () => {
    watch.await(awaited('a', 60_000));
    await clock.advance(20_000);
    expect(asked).toEqual([]);
    watch.setConnected(true);
    expect(asked).toEqual(['a']);
    watch.setConnected(false);
    await clock.advance(20_000);
    expect(asked).toEqual(['a']);
    watch.setConnected(true);
    watch.setConnected(false);
    watch.setConnected(true);
    expect(asked).toEqual(['a', 'a', 'a']);
  });

  test('wakes nobody while nothing is waited for', async () => {
    const wakeAt = vi.spyOn(clock, 'wakeAt');
    watch.setConnected(true);
    expect(wakeAt).not.toHaveBeenCalled();
    watch.await(awaited('a', 60_000));
    watch.receive(resultOf('a'), false);
    wakeAt.mockClear();
    await clock.advance(60_000);
    expect(wakeAt).not.toHaveBeenCalled();
  });

  test.each([true, false])('is nobody’s after the request’s end by the agent’s clock (known: %s)', async (isKnown) => {
    if (!isKnown) agentNowMs = null;
    watch.setConnected(true);
    watch.await(awaited('a', 12_000));
    watch.await(awaited('b', 22_000));
    await clock.advance(60_000);
    expect(asked.filter((id) => id === 'a')).toHaveLength(2);
    expect(asked.filter((id) => id === 'b')).toHaveLength(4);
    watch.receive(resultOf('a'), false);
    expect(told).toEqual([]);
  });

  test('reaches a patient who waits for it, though the request was over when its receipt came', async () => {
    watch.setConnected(true);
    watch.await(awaited('a', -1));
    watch.await(awaited('b', 1_000));
    await clock.advance(5_000);
    expect(asked).toEqual(['a', 'b']);
    watch.receive(resultOf('a'), false);
    watch.receive(resultOf('b'), false);
    expect(told).toEqual(['a', 'b']);
  });

  test('ends offline, too', async () => {
    watch.await(awaited('a', 12_000));
    await clock.advance(12_000);
    watch.setConnected(true);
    expect(asked).toEqual([]);
  });

  test('that overtakes its receipt waits for it; of a request that nobody knows it is dropped', () => {
    watch.receive(resultOf('a'), true);
    watch.receive(resultOf('b'), false);
    expect(told).toEqual([]);
    watch.await(awaited('a', 60_000));
    watch.await(awaited('b', 60_000));
    expect(told).toEqual(['a']);
    watch.await(awaited('a', 60_000));
    expect(told).toEqual(['a']);
  });

  test('of a visit that was given up is not waited for, whether it is early or not', async () => {
    watch.setConnected(true);
    watch.await(awaited('a', 60_000));
    watch.receive(resultOf('b'), true);
    watch.forget('a');
    watch.forget('b');
    watch.receive(resultOf('a'), false);
    watch.await(awaited('b', 60_000));
    expect(told).toEqual([]);
    await clock.advance(5_000);
    expect(asked).toEqual(['b']);
  });

  test('is waited for no longer once it is closed', async () => {
    watch.close();
    watch.setConnected(true);
    watch.await(awaited('a', 60_000));
    watch.close();
    await clock.advance(30_000);
    expect(asked).toEqual([]);
  });
});
