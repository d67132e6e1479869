import { afterEach, expect, test } from 'vitest';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../../scripts/beds/visit-bed.ts';

let bed: VisitBed;
afterEach(() => bed.close());

test('a request that could not be kept in time is cancelled durably, and never sent', async () => {
  bed = await openVisitBed();
  const submit = bed.store.addOutboxRow.bind(bed.store);
  // The disk stalls: the row becomes durable after the terminal has given up on it.
  bed.store.addOutboxRow = async (row) => {
    await submit(row);
    return { ok: false, failure: { code: 'delivery.store-failed', actor: 'technician', retriable: true } };
  };
  await bed.insert('taro');
  await bed.enterPin('2468');
  await bed.answerAll('agree');
  await until('the desk', () => bed.code === 'delivery.store-failed');
  await until('the row gone', () => bed.store.rows.size === 0);
  expect(bed.store.audit.map(({ event }) => event)).toContain('request-cancelled');
  expect(bed.visits()).toEqual([]);
});

test('the row of a visit stays until the visit has ended', async () => {
  bed = await openVisitBed();
  await bed.insert('taro');
  await bed.enterPin('2468');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect([...bed.store.rows.values()]).toMatchObject([{ visitMark: expect.stringMatching(/^[\w-]{43}$/) }]);
  await bed.takeCard();
  await until('the row gone', () => bed.store.rows.size === 0);
});
