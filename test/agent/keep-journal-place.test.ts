import { expect, test } from 'vitest';
import { keepJournalPlace } from '../../src/agent/keep-journal-place.ts';
import { failure } from '../../src/core/failure.ts';
import { createEventLog } from '../../src/log/event-log.ts';

test('a journal that cannot be put back is told once each time it is taken away, tried again each second, and its process ends when it is there', () => {
  let isRefused = true;
  let isTakenAway = true;
  let tries = 0;
  const told: string[] = [];
  const place = {
    isTakenAway: () => isTakenAway,
    putBack: () => {
      tries += 1;
      if (isRefused) throw new Error('no room');
      return failure('storage.taken-away');
    },
  };
  const look = keepJournalPlace({
    journal: { place, noteMishap: (mishap) => void told.push(mishap) },
    disk: {
      failed: () => {
        told.push('disk');
        return 'agent.disk-full';
      },
    },
    log: createEventLog({ format: 'silent' }),
    wallMs: () => 1_000,
    endNow: () => void told.push('ends'),
  });
  for (let second = 0; second < 60; second += 1) look();
  expect(tries).toBe(60);
  expect(told).toEqual(['storage.taken-away', 'disk']);
  // Somebody brings it back, and takes it away once more: that is another mishap.
  isTakenAway = false;
  look();
  isTakenAway = true;
  look();
  look();
  expect(told).toEqual(['storage.taken-away', 'disk', 'storage.taken-away', 'disk']);
  isRefused = false;
  look();
  expect(told).toEqual(['storage.taken-away', 'disk', 'storage.taken-away', 'disk', 'ends']);
});
