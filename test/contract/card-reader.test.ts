import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { openPcscdBench, openVirtualBench } from '../../scripts/beds/card-reader-benches.ts';
import { pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import type { CardReaderEvent } from '../../src/ports/card-reader.ts';
import { describeCardReader } from './card-reader.ts';

describeCardReader('virtual', openVirtualBench, null);
describeCardReader('pcscd with vpcd', openPcscdBench, pcscdMissing() ?? (await pcscliteMissing()));

test('without the compiled binding there is one clear failure, for a technician', async () => {
  const reader = createPcscCardReader({
    load: () => {
      throw new Error('did not self-register');
    },
  });
  const events: CardReaderEvent[] = [];
  reader.subscribe((event) => events.push(event));
  expect(events).toMatchObject([
    { type: 'reader-lost', failure: { code: 'reader.driver-missing', actor: 'technician' } },
  ]);
  await reader.close();
});

test('a binding that is put back is taken without a new start', async () => {
  let isMissing = true;
  const reader = createPcscCardReader({
    retryMs: 1,
    load: () => {
      if (isMissing) throw new Error('no such file');
      return () => Object.assign(new EventEmitter(), { close: () => {} });
    },
  });
  const codes: string[] = [];
  reader.subscribe((event) => codes.push(event.type === 'reader-lost' ? event.failure.code : event.type));
  isMissing = false;
  await until('the binding', () => codes.length === 2);
  expect(codes).toEqual(['reader.driver-missing', 'reader.lost']);
  await reader.close();
});

test('a card service that comes back without a reader is no fault of the service any more', async () => {
  const begun: (EventEmitter & { close(): void })[] = [];
  let isAway = true;
  const reader = createPcscCardReader({
    retryMs: 1,
    load: () => () => {
      if (isAway) throw new Error('no service');
      const service = Object.assign(new EventEmitter(), { close: () => {} });
      begun.push(service);
      return service;
    },
  });
  const codes: string[] = [];
  reader.subscribe((event) => codes.push(event.type === 'reader-lost' ? event.failure.code : event.type));
  isAway = false;
  await until('the service', () => begun.length === 1);
  expect(codes).toEqual(['reader.service-down', 'reader.lost']);
  begun[0]?.emit('error', new Error('it ended'));
  await until('the service again', () => begun.length === 2);
  expect(codes.slice(2)).toEqual(['reader.service-down', 'reader.lost']);
  await reader.close();
});
