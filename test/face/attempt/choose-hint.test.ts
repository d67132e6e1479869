import { expect, test } from 'vitest';
import { chooseHint, guessHint, hintUnconfirmed } from '../../../src/face/attempt/choose-hint.ts';
import type { FrameQuality } from '../../../src/face/measures/measure-quality.ts';

/** Medians of ordinary portraits. */
const bare = {
  confidence: 0.93,
  mouthLine: -0.54,
  mouthDetail: 0.15,
  lipRedness: 0.056,
  noseLine: -0.41,
  lowerHue: 0.02,
  mouthHue: 0.03,
  lowerLight: -0.05,
  paneLight: -0.19,
  eyeShine: -0.4,
  eyeBandLight: -0.03,
  foreheadDifference: 0.06,
};
/** Of what is covered the detector is less sure. */
const covered = { confidence: 0.86 };
const straight = { noseOffset: 0.1 };
const inside = { left: 0, right: 0, above: 0, below: 0 };
const good: FrameQuality = {
  ...bare,
  people: 1,
  faceWidth: 0.25,
  centreX: 0,
  centreY: 0,
  beyond: inside,
  yaw: 0,
  pitch: 5,
  roll: 0,
  noseDown: 0.35,
  lowerLength: 0.54,
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
  // Low because it is bent: who moves up and goes on looking at the card is not seen better for it.
  ['look-here', { centreY: 0.26, lowerLength: 0.33, confidence: 0.85 }],
  ['move-up', { centreY: 0.29, lowerLength: 0.33, confidence: 0.85 }],
  ['move-up', { centreY: 0.26, lowerLength: 0.33, confidence: 0.85, beyond: { ...inside, below: 0.1 } }],
  // Cut by the frame, though the middle of what is seen is not far off.
  ['move-left', { centreX: -0.2, beyond: { ...inside, left: 0.1 } }],
  ['move-right', { centreX: 0.2, beyond: { ...inside, right: 0.1 } }],
  ['move-down', { beyond: { ...inside, above: 0.1 } }],
  ['move-up', { beyond: { ...inside, below: 0.1 } }],
  ['farther', { beyond: { ...inside, left: 0.1, right: 0.1 } }],
  [null, { beyond: { ...inside, left: 0.02 } }],
  ['more-light', { faceLight: 30, surroundingLight: 40 }],
  ['strong-back-light', { faceLight: 60, surroundingLight: 220 }],
  ['farther', { faceWidth: 0.6, centreX: 0.3 }],
])('%s for %o', (hint, change) => {
  expect(chooseHint({ ...good, ...change })).toBe(hint);
});

test.each<['look-here' | null, string, Partial<FrameQuality>]>([
  [null, 'straight', {}],
  ['look-here', 'turned', { yaw: -32 }],
  ['look-here', 'turned far: half a mouth looks like cloth', { yaw: 41, confidence: 0.8, mouthLine: 0, lowerHue: 0.1 }],
  ['look-here', 'thrown back', { pitch: 40 }],
  ['look-here', 'tilted', { roll: 50 }],
  [
    'look-here',
    'tilted, with a mouth that is hardly seen',
    { roll: 50, confidence: 0.85, mouthLine: -0.2, lowerHue: 0.1 },
  ],
  ['look-here', 'bent', { noseDown: 0.6 }],
  ['look-here', 'bent a little, as the detector has its doubts, too', { noseDown: 0.52, confidence: 0.88 }],
  [null, 'a nose that stands rather low', { noseDown: 0.483, confidence: 0.8 }],
  [null, 'a nose that stands low', { noseDown: 0.53, confidence: 0.93 }],
  [
    'look-here',
    'bent so far that the mouth is hardly seen',
    { noseDown: 0.6, confidence: 0.84, mouthLine: -0.27, mouthDetail: 0.07, lipRedness: 0.02 },
  ],
  ['look-here', 'bent: short from nose to chin', { lowerLength: 0.41, confidence: 0.88 }],
  [null, 'shown as short as some are photographed, its picture trembling', { lowerLength: 0.427, confidence: 0.8 }],
  ['look-here', 'bent, and the detector is nearly sure of it', { lowerLength: 0.37, confidence: 0.93 }],
  [null, 'rather short that the detector is rather sure of', { lowerLength: 0.41, confidence: 0.93 }],
  [null, 'short from nose to chin that the detector is sure of', { lowerLength: 0.35, confidence: 0.95 }],
  [
    'look-here',
    'bent far, its mouth squeezed to a faint line of another hue',
    {
      lowerLength: 0.34,
      confidence: 0.88,
      mouthLine: -0.16,
      mouthDetail: 0.08,
      lowerHue: 0.1,
      mouthHue: 0.1,
      lipRedness: 0.02,
    },
  ],
])('%s: a head %s', (hint, _, change) => {
  expect(guessHint({ ...good, ...change }, straight)).toBe(hint);
});

test.each<[string | null, string, Partial<FrameQuality>]>([
  [null, 'an ordinary face', {}],
  [null, 'a beard: dark, with a mouth', { lowerLight: -0.9, lowerHue: 0.04 }],
  [null, 'hair over the forehead', { foreheadDifference: 0.4 }],
  [
    null,
    'a faint mouth in a face that the detector is sure of',
    { mouthLine: -0.3, mouthDetail: 0.07, confidence: 0.95 },
  ],
  [
    'mask-off',
    'white cloth',
    { ...covered, mouthLine: 0.05, mouthDetail: 0.02, lowerHue: 0.1, mouthHue: 0.1, lowerLight: 0.4 },
  ],
  ['mask-off', 'blue cloth', { ...covered, mouthLine: 0.05, mouthDetail: 0.02, lowerHue: 0.19, mouthHue: 0.19 }],
  [
    'mask-off',
    'black cloth',
    { ...covered, mouthLine: -0.1, mouthDetail: 0.02, lowerLight: -1, lowerHue: 0.01, mouthHue: 0.01 },
  ],
  ['mask-off', 'black cloth whose noise looks like a line', { ...covered, mouthLine: -0.8, lowerLight: -1.4 }],
  ['mask-off', 'a print where the lips would be', { ...covered, mouthLine: -0.3, lowerHue: 0.15, mouthHue: 0.15 }],
  ['mask-off', 'below the nose', { ...covered, mouthLine: 0.2, mouthDetail: 0.06, lowerHue: 0.02, mouthHue: 0.17 }],
  ['sunglasses-off', 'dark panes', { ...covered, paneLight: -1.4, eyeShine: -1.5 }],
  ['glasses-glare', 'shining panes', { ...covered, paneLight: 0.4, eyeShine: 0.4 }],
  [
    'uncover-face',
    'a brim and its shade',
    { ...covered, eyeBandLight: -0.5, foreheadDifference: 0.25, lowerLight: 0.5 },
  ],
  [
    'uncover-face',
    'a brim that is all of the forehead there is, by its shade',
    { ...covered, eyeBandLight: -0.48, foreheadDifference: 0.04, lowerLight: 0.65, confidence: 0.92 },
  ],
  [
    'glasses-glare',
    'panes that shine below dark hair',
    { paneLight: 0.3, eyeShine: 0.4, eyeBandLight: -0.6, lowerLight: 0.5 },
  ],
  [
    'uncover-face',
    'a hand before the mouth',
    { ...covered, mouthLine: -0.15, mouthDetail: 0.05, mouthHue: 0.01, lipRedness: 0.003 },
  ],
  [
    'uncover-face',
    'a hand before the mouth of a face whose nose stands low',
    { ...covered, mouthLine: -0.15, mouthDetail: 0.05, mouthHue: 0.01, lipRedness: 0.003, noseDown: 0.53 },
  ],
  [
    'uncover-face',
    'fingers whose gaps look like a mouth, without the red of lips',
    { confidence: 0.91, mouthLine: -0.26, mouthDetail: 0.08, mouthHue: 0, lipRedness: 0.002 },
  ],
  [
    null,
    'pale lips with a clear line between them',
    { ...covered, mouthLine: -0.45, mouthDetail: 0.12, lipRedness: 0 },
  ],
  [
    'uncover-face',
    'a hand below a chin that the landmark model guesses high',
    { ...covered, mouthLine: -0.15, mouthDetail: 0.05, mouthHue: 0.01, lipRedness: 0, lowerLength: 0.41 },
  ],
  [
    'glasses-glare',
    'shining panes over a chin in coloured light: the mouth is seen',
    { ...covered, eyeShine: 0.32, mouthLine: -0.21, lowerHue: 0.11, mouthHue: 0.11 },
  ],
  [
    'mask-off',
    'black cloth over which everything shines',
    { ...covered, eyeShine: 0.9, mouthLine: -0.31, lowerLight: -1.5, lowerHue: 0.19, mouthHue: 0.19 },
  ],
  [
    'mask-off',
    'cloth of the colour of skin: no nostrils either',
    { ...covered, mouthLine: 0.1, mouthDetail: 0.05, mouthHue: 0.01, noseLine: 0.04, lipRedness: 0 },
  ],
  [
    'mask-off',
    'a dark print where the lips would be, of hardly another hue',
    { ...covered, mouthLine: -0.33, mouthDetail: 0.11, mouthHue: 0.06, lowerHue: 0.05, eyeBandLight: 0.37 },
  ],
])('%s: %s', (hint, _, change) => {
  expect(guessHint({ ...good, ...change }, straight)).toBe(hint);
});

test('a head turned so far that half of its mouth is hidden is asked to look here, whatever else it looks like', () => {
  const halfHidden = { ...good, ...covered, yaw: 31, mouthLine: 0.02, lowerHue: 0.08 };
  expect(guessHint(halfHidden, { noseOffset: -0.45 })).toBe('look-here');
  // A mask makes the landmark model turn heads; their noses stay where they are.
  expect(guessHint(halfHidden, { noseOffset: -0.2 })).toBe('mask-off');
});

test('a face that is not sure is taken for masked, or else asked to look here', () => {
  expect(hintUnconfirmed(4, good)).toBe('mask-off');
  expect(hintUnconfirmed(0.7, { ...good, confidence: 0.8, mouthLine: 0.05, lowerHue: 0.1 })).toBe('mask-off');
  expect(hintUnconfirmed(0.7, good)).toBe('look-here');
});
