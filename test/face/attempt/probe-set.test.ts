import { expect, test } from 'vitest';
import { ProbeSet } from '../../../src/face/attempt/probe-set.ts';

const reference = Float32Array.of(1, 0, 0);
/** Unit vectors with a cosine of `score` to the reference, pointing two ways. */
const left = (score: number) => Float32Array.of(score, Math.sqrt(1 - score ** 2), 0);
const right = (score: number) => Float32Array.of(score, -Math.sqrt(1 - score ** 2), 0);
const scoreOf = (...frames: Float32Array[]): number => {
  const probes = new ProbeSet();
  for (const frame of frames) probes.add(frame.slice());
  return probes.score(reference);
};

test('views that differ come nearer to the reference than each alone; frames alike add nothing', () => {
  const alone = scoreOf(left(0.9), left(0.9));
  expect(scoreOf(left(0.9), left(0.9), left(0.9), left(0.9))).toBeCloseTo(alone, 5);
  expect(scoreOf(left(0.9), left(0.9), right(0.9), right(0.9))).toBeGreaterThan(0.99);
});

test('a view of many frames weighs no more than one of two', () => {
  const few = scoreOf(left(0.85), left(0.85), right(0.9), right(0.9));
  expect(scoreOf(...Array.from({ length: 12 }, () => left(0.85)), right(0.9), right(0.9))).toBeCloseTo(few, 5);
});

test('a single lucky frame does not count among others', () => {
  const without = scoreOf(left(0.85), left(0.85));
  expect(scoreOf(left(0.85), left(0.85), right(0.95))).toBeCloseTo(without, 5);
  expect(scoreOf(left(0.85), left(0.85), right(0.95), right(0.95))).toBeGreaterThan(without + 0.05);
});

test('who is replaced by somebody else is forgotten', () => {
  const stranger = Float32Array.of(0, 0, 1);
  expect(scoreOf(left(0.9), left(0.9), stranger, stranger)).toBeCloseTo(0, 5);
});

test('nothing to compare scores below everything, and what is held is overwritten', () => {
  const probes = new ProbeSet();
  expect(probes.score(reference)).toBe(-1);
  const frames = [left(0.9), left(0.91), right(0.9)];
  for (const frame of frames) probes.add(frame);
  expect(probes.frames).toBe(3);
  probes.wipe();
  for (const frame of frames) expect(Array.from(frame)).toEqual([0, 0, 0]);
  expect(probes.frames).toBe(0);
});
