/** What a patient can do better, from what was measured: one hint at a time, the most useful first. */
import type { FaceHint } from '../../core/visit/verification.ts';
import type { FrameQuality } from '../measures/measure-quality.ts';

/**
 * When a frame is not good enough. Widths and offsets are parts of the picture; the picture is 640×480. Recognition
 * itself would bear more (a face 36 pixels wide matches as well as a large one): these leave room for a better frame.
 */
export const limits = {
  /** Narrower than 77 pixels: nearer. */
  minFaceWidth: 0.12,
  /** Wider: the frame no longer holds the head. */
  maxFaceWidth: 0.55,
  maxOffsetX: 0.25,
  maxOffsetY: 0.25,
  maxYaw: 30,
  maxPitch: 30,
  /** Further than 36° no mask makes the landmark model turn a head that is straight. */
  surelyTurned: 36,
  /**
   * Who looks down at the card: the depth that the landmark model guesses tells it late. 1 % of portraits give 0.48 and more.
   * Some people's noses stand low in their faces; the detector is surer of them than of anybody who looks down.
   */
  maxNoseDown: 0.56,
  doubtfulNoseDown: 0.475,
  surelyFrontal: 0.92,
  maxRoll: 35,
  /** A face at a quarter of daylight (mean 35 of 255) was rejected in 12 % of comparisons, at a tenth in 85 %. */
  minFaceLight: 40,
  /** Surroundings this much brighter than a dark face: the exposure goes by the window behind. */
  backLightContrast: 90,
  backLightFace: 80,
  /** 9 portraits give 0.07 and more, smeared over a tenth of the face at most 0.053. */
  minSharpness: 0.055,
  /** Of the face's width or height outside of the picture. */
  maxBeyond: 0.03,
} as const;

/**
 * Where something covers the face. Set on 74 portraits of LFW as they are, and with painted masks, hands, brims and glasses
 * (`npm run guidance-eval` paints the same on other faces).
 */
const covering = {
  /** No line between the lips is darker than this: no mouth is seen. */
  noMouthLine: -0.22,
  clothHue: 0.03,
  clothOnMouthHue: 0.04,
  /** So far from skin that it is cloth, with whatever is printed where the lips would be. */
  printedHue: 0.12,
  blackCloth: -0.7,
  /** No beard hides so much of the cheeks. */
  blackAllOver: -1.1,
  darkPanes: -0.9,
  shine: 0.15,
  roughly: 1.5,
  /** Surer than this the detector is of no masked face: 161 painted masks at the counter give at most 0.942, 95 % of them 0.92. */
  freeFace: 0.94,
} as const;

/**
 * Weighted sums, above 0 where a mask leaves the nose free, a hand is before the mouth, a brim shades the eyes: logistic
 * regressions over portraits of half of 135 people of LFW, as they are and painted, by themselves and at the size and light of
 * a counter. Of the other half at the counter 0, 1 and 4 of a hundred free faces are above, and 99, 90 and 90 of the covered.
 */
const maskBelowNose = ({ confidence, mouthLine, mouthHue, mouthDetail }: FrameQuality): number =>
  9.42 - 12.2 * confidence + 5.5 * mouthLine + 31.4 * mouthHue - 5 * mouthDetail;
const handBeforeMouth = ({ confidence, mouthLine, mouthDetail }: FrameQuality): number =>
  22.15 - 20.3 * confidence + 9.6 * mouthLine - 16.9 * mouthDetail;
const brimOverEyes = ({ confidence, eyeBandLight, foreheadDifference }: FrameQuality): number =>
  8.23 - 14.55 * confidence - 9.5 * eyeBandLight + 8.55 * foreheadDifference;

/** Hints of what covers the face. */
type CoveringHint = Extract<FaceHint, 'mask-off' | 'sunglasses-off' | 'uncover-face' | 'glasses-glare'>;
/** What is guessed from the look of a face: it is told, and the face compared all the same. */
export type GuessedHint = CoveringHint | 'look-here';

const isMasked = (face: FrameQuality): boolean => {
  if (face.lowerLight < covering.blackAllOver || maskBelowNose(face) > 0) return true;
  const isOfCloth = face.lowerHue > covering.clothHue || face.mouthHue > covering.clothOnMouthHue;
  const hasMouth = face.mouthLine <= covering.noMouthLine;
  return !hasMouth && face.confidence < covering.freeFace && (isOfCloth || face.lowerLight < covering.blackCloth);
};

const isPrinted = ({ lowerHue, mouthHue, mouthLine }: FrameQuality): boolean =>
  lowerHue > covering.printedHue && mouthHue > covering.printedHue && mouthLine > covering.noMouthLine * 2;

const isTurnedAway = ({ yaw, pitch, roll, noseDown, confidence }: FrameQuality): boolean =>
  Math.abs(yaw) > limits.maxYaw ||
  Math.abs(pitch) > limits.maxPitch ||
  Math.abs(roll) > limits.maxRoll ||
  noseDown > limits.maxNoseDown ||
  (noseDown > limits.doubtfulNoseDown && confidence < limits.surelyFrontal);

/**
 * What covers a face that is found, or how it is turned away; null = nothing. Cloth and brims make the landmark model see heads
 * turned that are not, but not so far as `surelyTurned`; a head that is bent hides its mouth as a hand does.
 */
export const guessHint = (face: FrameQuality): GuessedHint | null => {
  if (Math.abs(face.yaw) > limits.surelyTurned) return 'look-here';
  if (face.paneLight < covering.darkPanes) return 'sunglasses-off';
  if (brimOverEyes(face) > 0 && (maskBelowNose(face) <= 0 || face.mouthLine <= covering.noMouthLine))
    return 'uncover-face';
  if (isMasked(face)) return 'mask-off';
  if (face.eyeShine > covering.shine) return 'glasses-glare';
  if (isPrinted(face)) return 'mask-off';
  if (isTurnedAway(face)) return 'look-here';
  return handBeforeMouth(face) > 0.3 ? 'uncover-face' : null;
};

/** null = good enough to compare, unless `guessHint` finds something. */
export const chooseHint = (quality: FrameQuality): Exclude<FaceHint, CoveringHint> | null => {
  if (quality.people > 1) return 'one-person-only';
  if (quality.faceWidth > limits.maxFaceWidth) return 'farther';
  if (quality.faceWidth < limits.minFaceWidth) return 'nearer';
  const { left, right, above, below } = quality.beyond;
  const beyond = (part: number): boolean => part > limits.maxBeyond;
  if ((beyond(left) && beyond(right)) || (beyond(above) && beyond(below))) return 'farther';
  // The picture is not mirrored: its left is the patient's right.
  if (quality.centreX < -limits.maxOffsetX || beyond(left)) return 'move-left';
  if (quality.centreX > limits.maxOffsetX || beyond(right)) return 'move-right';
  if (quality.centreY < -limits.maxOffsetY || beyond(above)) return 'move-down';
  if (quality.centreY > limits.maxOffsetY || beyond(below)) return 'move-up';
  const backLight = quality.surroundingLight - quality.faceLight > limits.backLightContrast;
  if (backLight && quality.faceLight < limits.backLightFace) return 'strong-back-light';
  return quality.faceLight < limits.minFaceLight ? 'more-light' : null;
};

/**
 * A face that was detected and whose landmarks are not sure: most often a mask hides half of it. `roughCovering`:
 * measureRoughCovering; `guessed`: by the landmarks all the same.
 */
export const hintUnconfirmed = (roughCovering: number, guessed: FrameQuality): FaceHint =>
  Math.abs(guessed.yaw) <= limits.surelyTurned &&
  (roughCovering > covering.roughly || isMasked(guessed) || isPrinted(guessed))
    ? 'mask-off'
    : 'look-here';
