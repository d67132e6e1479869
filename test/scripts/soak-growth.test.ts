import { expect, test } from 'vitest';
import { growthPercent, handlesLeft } from '../../scripts/bench/soak/growth.ts';

const samples = (mb: (visits: number) => number, upTo = 3_000) =>
  Array.from({ length: upTo / 50 }, (_, at) => ({ visits: (at + 1) * 50, mb: mb((at + 1) * 50) }));

test('growth is a straight line’s after the first 500: what fills up before is none, one high sample neither', () => {
  expect(growthPercent(samples((visits) => 100 + 2 * ((visits - 500) / 1_000)))).toBe(2);
  expect(growthPercent(samples((visits) => Math.min(visits, 500)))).toBe(0);
  expect(growthPercent(samples((visits) => 200 - visits / 100))).toBe(0);
  expect(growthPercent(samples((visits) => (visits === 1_750 ? 130 : 100)))).toBeLessThan(0.1);
  expect(growthPercent(samples(() => 100, 550))).toBeUndefined();
});

test('a handle that came and stayed is counted by its kind: one that went does not pay for it', () => {
  expect(handlesLeft({ Timeout: 4, TCPSocketWrap: 2 }, { Timeout: 3, TCPSocketWrap: 3, FSWatcher: 1 })).toBe(2);
  expect(handlesLeft({ Timeout: 4 }, { Timeout: 4 })).toBe(0);
});
