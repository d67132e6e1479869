import { expect, test } from 'vitest';
import { chooseHint, hintUnconfirmed } from '../../../src/face/attempt/choose-hint.ts';
import type { FrameQuality } from '../../../src/face/measures/measure-quality.ts';

const good: FrameQuality = {
  people: 1,
  faceWidth: 0.25,
  centreX: 0,
  centreY: 0,
  yaw: 0,
  pitch: 5,
  roll: 0,
  eyeLight: 0.6,
  mouthPallor: 0,
  faceLight: 130,
  surroundingLight: 120,
};

test.each<[string | null, Partial<FrameQuality>]>([
  [null, {}],
  ['one-person-only', { people: 2 }],
  ['nearer', { faceWidth: 0.1 }],
  ['farther', { faceWidth: 0.6 }],
  // In the picture's left half stands who is too far to their own right.
  ['move-left', { centreX: -0.3 }],
  ['move-right', { centreX: 0.3 }],
  ['move-down', { centreY: -0.3 }],
  ['move-up', { centreY: 0.3 }],
  ['more-light', { faceLight: 30, surroundingLight: 40 }],
  ['strong-back-light', { faceLight: 60, surroundingLight: 220 }],
  ['mask-off', { mouthPallor: 0.2 }],
  ['sunglasses-off', { eyeLight: 0.2 }],
  ['look-here', { yaw: -45 }],
  ['look-here', { pitch: 40 }],
  ['look-here', { roll: 50 }],
  ['farther', { faceWidth: 0.6, centreX: 0.3 }],
])('%s for %o', (hint, change) => {
  expect(chooseHint({ ...good, ...change })).toBe(hint);
});

test('a face that is not sure is taken for masked, or else asked to look here', () => {
  expect(hintUnconfirmed({ ...good, mouthPallor: 0.08 })).toBe('mask-off');
  expect(hintUnconfirmed(good)).toBe('look-here');
});
