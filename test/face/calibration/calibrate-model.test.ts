/** The threshold that a measurement leads to, on embeddings whose scores are known. */
import { expect, test } from 'vitest';
import { seededNumbers } from '../../../drivers/virtual/render-scene.ts';
import { calibrate, type Groups, worstGroup } from '../../../src/face/calibration/calibrate-model.ts';
import type { Picture } from '../../../src/face/calibration/group-rates.ts';

const dimensions = 64;
const random = seededNumbers(5);
const gaussian = (): number => Math.sqrt(-2 * Math.log(random() + 1e-9)) * Math.cos(2 * Math.PI * random());
const unit = (vector: Float32Array): Float32Array => {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};
const direction = (): Float32Array => unit(Float32Array.from({ length: dimensions }, gaussian));
const mix = (a: Float32Array, b: Float32Array, part: number): Float32Array =>
  unit(a.map((value, i) => value * part + (b[i] as number) * Math.sqrt(1 - part ** 2)));

/** `alike`: cosine of a picture with its person; `near`: of a person with all others of the group. */
const peopleOf = (people: number, each: number, alike: number, near = 0, prefix = 'p'): Picture[] => {
  const common = direction();
  return Array.from({ length: people }, (_, person) => {
    const own = mix(common, direction(), near);
    return Array.from({ length: each }, (_, i) => {
      const seen = mix(own, direction(), alike);
      return { name: `${prefix}${person}_000${i}.jpg`, person: `${prefix}${person}`, probe: seen, reference: seen };
    });
  }).flat();
};

test('the default lies above the lowest strict threshold, and the range from that to what visits bear', () => {
  const result = calibrate(peopleOf(110, 3, 0.97), null);
  expect(result.people).toBe(110);
  expect(result.genuine).toBe(330);
  expect(result.impostor).toBe((330 * 329) / 2 - 330);
  expect(result.defaultThreshold).toBeCloseTo(result.range.least + 0.02, 5);
  expect(result.range.most).toBeGreaterThan(result.defaultThreshold);
  expect(result.perVisitFrr).toBe(0);
  expect(result.groups).toBeUndefined();
});

test('a group whose people look more alike raises the threshold for everybody', () => {
  const pictures = peopleOf(110, 3, 0.97);
  const groups: Groups = { pictures: peopleOf(150, 1, 0.97, 0.5, 'g'), groupOf: () => 'one label' };
  const alone = calibrate(pictures, null);
  const held = calibrate(pictures, groups);
  expect(held.defaultThreshold).toBeGreaterThan(alone.defaultThreshold + 0.03);
  expect(held.groups).toMatchObject({ worst: 'one label', comparisons: (150 * 149) / 2 });
  expect(held.groups?.worstFar).toBeLessThanOrEqual(0.02);
  // Not the lowest that keeps the rate: the lowest that keeps what chance may have hidden.
  expect(held.groups?.bound).toBeLessThanOrEqual(0.04);
  expect(held.defaultThreshold).toBeGreaterThan(held.range.least);
  const boundAt = (threshold: number) => worstGroup(groups, threshold).bound;
  expect(boundAt(held.defaultThreshold - 0.01)).toBeGreaterThan(0.04);
});

test('too few pictures, a model that knows nobody, and one that turns people away are refused with the reason', () => {
  expect(() => calibrate(peopleOf(20, 3, 0.97), null)).toThrow(
    '60 genuine and 1710 impostor comparisons; 300 and 30000',
  );
  expect(() => calibrate(peopleOf(110, 3, 0.5), null)).toThrow('more than 10 % of visits are turned away');
  const twins = peopleOf(110, 3, 0.97).map((picture) => ({
    ...picture,
    reference: Float32Array.of(1),
    probe: Float32Array.of(1),
  }));
  expect(() => calibrate(twins, null)).toThrow('this model cannot be used');
});
