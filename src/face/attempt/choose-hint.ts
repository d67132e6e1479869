/** What a patient can do better, from what was measured: one hint at a time, the most useful first. */
import type { FaceHint } from '../../core/visit/verification.ts';
import type { FaceCovering } from '../measures/measure-covering.ts';
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
  /** Who looks down at the card: the depth that the landmark model guesses tells it late. 1 % of portraits give 0.43 and more. */
  maxNoseDown: 0.49,
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
 * (`npm run guidance-eval` paints the same on other faces): 1 to 4 % of them as they are fall on the wrong side of each, most
 * with a beard, a cap or dark glasses. So a covered face is compared all the same, and whom it shows is not held up.
 */
const covering = {
  /** No line between the lips is darker than this: no mouth is seen. */
  noMouthLine: -0.22,
  faintMouthLine: -0.36,
  noMouthDetail: 0.075,
  clothHue: 0.03,
  clothOnMouthHue: 0.04,
  /** So far from skin that it is cloth, with whatever is printed where the lips would be. */
  printedHue: 0.12,
  blackCloth: -0.7,
  /** No beard hides so much of the cheeks. */
  blackAllOver: -1.1,
  darkPanes: -0.9,
  shine: 0.15,
  deepShade: -0.45,
  shade: -0.15,
  otherForehead: 0.16,
  roughly: 1.5,
} as const;

/** Hints of what covers the face. */
type CoveringHint = Extract<FaceHint, 'mask-off' | 'sunglasses-off' | 'uncover-face' | 'glasses-glare'>;
/** What is guessed from the look of a face: it is told, and the face compared all the same. */
export type GuessedHint = CoveringHint | 'look-here';

/** null = nothing covers it. */
export const chooseCoveringHint = (face: FaceCovering): CoveringHint | null => {
  const hasMouth = face.mouthLine <= covering.noMouthLine;
  const isOfCloth = face.lowerHue > covering.clothHue || face.mouthHue > covering.clothOnMouthHue;
  if (face.paneLight < covering.darkPanes) return 'sunglasses-off';
  const isShaded =
    face.eyeBandLight < covering.deepShade ||
    (face.eyeBandLight < covering.shade && face.foreheadDifference > covering.otherForehead);
  if (isShaded && (hasMouth || face.lowerHue < 0.05)) return 'uncover-face';
  if (face.lowerLight < covering.blackAllOver) return 'mask-off';
  if (!hasMouth && (isOfCloth || face.lowerLight < covering.blackCloth)) return 'mask-off';
  if (face.eyeShine > covering.shine) return 'glasses-glare';
  const isPrinted = face.lowerHue > covering.printedHue && face.mouthHue > covering.printedHue;
  if (isPrinted && face.mouthLine > covering.noMouthLine * 2) return 'mask-off';
  const isPlain = face.mouthLine > covering.faintMouthLine && face.mouthDetail < covering.noMouthDetail;
  return isPlain ? 'uncover-face' : null;
};

/** null = good enough to compare, unless something covers the face. */
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

/** After a covering was looked for: cloth and brims make the landmark model see heads turned that are not. */
export const isTurnedAway = ({ yaw, pitch, roll, noseDown }: FrameQuality): boolean =>
  Math.abs(yaw) > limits.maxYaw ||
  Math.abs(pitch) > limits.maxPitch ||
  noseDown > limits.maxNoseDown ||
  Math.abs(roll) > limits.maxRoll;

/**
 * A face that was detected and whose landmarks are not sure: most often a mask hides half of it. `roughCovering`:
 * measureRoughCovering; `guessed`: by the landmarks all the same.
 */
export const hintUnconfirmed = (roughCovering: number, guessed: FaceCovering): FaceHint =>
  roughCovering > covering.roughly || chooseCoveringHint(guessed) === 'mask-off' ? 'mask-off' : 'look-here';
