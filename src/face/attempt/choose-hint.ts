/** What a patient can do better, from what was measured: one hint at a time, the most useful first. */
import type { FaceHint } from '../../core/visit/verification.ts';
import type { HeadSignals } from '../measures/head-signals.ts';
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
  /** Nor, with less, does one also bring the nose so near to a cheek: a head that is turned hides half its mouth, as cloth does. */
  turnedYaw: 25,
  turnedNose: 0.35,
  /**
   * Who looks down at the card: the depth that the landmark model guesses tells it late. 1 % of portraits give 0.48 and more.
   * Some people's noses stand low in their faces; the detector is surer of them than of anybody who looks down. Below 0.5 it finds
   * none of 247 bent heads that are not short as well (see below), but drawn people who stand straight.
   */
  maxNoseDown: 0.56,
  doubtfulNoseDown: 0.5,
  surelyFrontal: 0.92,
  /**
   * A head that is bent down is short from nose to chin: 113 free portraits of LFW at the counter give at least 0.448, bent by 36 to
   * 46° half of them 0.38 and less. Some people are photographed as short (a drawn one 0.427 as well as 0.45, as the picture
   * trembles); the detector is surer of them, as above, and of all shorter ones more than of 80 drawn people who are bent. Behind a
   * hand the landmark model guesses the chin higher, but at 0.388 at least.
   */
  bentLength: 0.42,
  surelyBentLength: 0.38,
  surelyUpright: 0.935,
  /** So low in the picture no head comes by being bent: of those 80 the lowest is at 0.278. */
  lowAnyway: 0.28,
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
  /** In the light below a brim a mouth is told from cloth by less. */
  shadedMouthLine: -0.15,
  /** And in a face that is seen from above. */
  bentMouthLine: -0.12,
  clothHue: 0.03,
  clothOnMouthHue: 0.04,
  /** So far from skin that it is cloth, with whatever is printed where the lips would be. */
  printedHue: 0.12,
  blackCloth: -0.7,
  /** No beard hides so much of the cheeks. */
  blackAllOver: -1.1,
  /**
   * Between the eyes it is so much brighter than on cheeks and nose under cloth that is darker than skin, printed or not; of 80
   * free faces the brightest gave 0.08. Beards leave the cheeks free.
   */
  darkCheeks: 0.25,
  /** No nostrils are darker than this: what hides the mouth hides the nose, too, and is a mask of the colour of skin, not a hand. */
  noNostrils: -0.12,
  darkPanes: -0.9,
  shine: 0.15,
  roughly: 1.5,
  /** Of `handBeforeMouth`. */
  hand: 1.5,
  /** A line between the lips that is darker is seen, and nothing is before it: hands give more, but for 2 of 108. */
  seenMouthLine: -0.4,
  /** Surer than this the detector is of no masked face: 161 painted masks at the counter give at most 0.942, 95 % of them 0.92. */
  freeFace: 0.94,
} as const;

/**
 * Weighted sums, above 0 where a mask leaves the nose free, a brim shades the eyes: logistic regressions over portraits of half
 * of 135 people of LFW (of 75 for the brim), as they are and painted, at the size and light of a counter. Of the other half none
 * of a hundred free faces are above, and 99 and 97 of the covered. For a hand all of 84 people: above 1.5 are 153 of 164 with one,
 * and of 420 without 5, whose lips are pale or blurred.
 */
const maskBelowNose = ({ confidence, mouthLine, mouthHue, mouthDetail }: FrameQuality): number =>
  9.42 - 12.2 * confidence + 5.5 * mouthLine + 31.4 * mouthHue - 5 * mouthDetail;
const handBeforeMouth = ({ confidence, mouthLine, mouthDetail, lipRedness }: FrameQuality): number =>
  14 - 8 * confidence + 6 * mouthLine - 16 * mouthDetail - 140 * Math.min(0.06, Math.max(0, lipRedness));
const brimOverEyes = ({ confidence, eyeBandLight, foreheadDifference, lowerLight }: FrameQuality): number =>
  0.84 - 4.38 * confidence - 3.09 * eyeBandLight + 5.88 * foreheadDifference + 4.16 * lowerLight;

/** Hints of what covers the face. */
type CoveringHint = Extract<FaceHint, 'mask-off' | 'sunglasses-off' | 'uncover-face' | 'glasses-glare'>;
/** What is guessed from the look of a face: it is told, and the face compared all the same. */
export type GuessedHint = CoveringHint | 'look-here';

const isMasked = (face: FrameQuality): boolean => {
  if (face.lowerLight < covering.blackAllOver || maskBelowNose(face) > 0) return true;
  const isOfCloth = face.lowerHue > covering.clothHue || face.mouthHue > covering.clothOnMouthHue;
  const hasMouth = face.mouthLine <= covering.noMouthLine;
  if (face.confidence >= covering.freeFace) return false;
  return face.eyeBandLight > covering.darkCheeks || (!hasMouth && (isOfCloth || face.lowerLight < covering.blackCloth));
};

const isPrinted = ({ lowerHue, mouthHue, mouthLine }: FrameQuality): boolean =>
  lowerHue > covering.printedHue && mouthHue > covering.printedHue && mouthLine > covering.noMouthLine * 2;

const hasHand = (face: FrameQuality): boolean =>
  face.mouthLine > covering.seenMouthLine && handBeforeMouth(face) > covering.hand;

/** A low nose alone is doubtful, and so is a bent head whose mouth is hidden as by a hand. */
const isTurnedAway = (face: FrameQuality): boolean => {
  const { yaw, pitch, noseDown, confidence } = face;
  const isDoubtful = confidence >= limits.surelyFrontal || hasHand(face);
  return (
    Math.abs(yaw) > limits.maxYaw ||
    Math.abs(pitch) > limits.maxPitch ||
    noseDown > (isDoubtful ? limits.maxNoseDown : limits.doubtfulNoseDown)
  );
};

/** Short, and the mouth is seen: no cloth or hand has moved the chin. */
const isBent = (face: FrameQuality): boolean => {
  if (face.confidence >= limits.surelyUpright || face.mouthLine > covering.bentMouthLine) return false;
  if (face.lowerLight < covering.blackCloth) return false;
  if (face.lowerLength < limits.surelyBentLength) return true;
  return face.lowerLength < limits.bentLength && face.confidence < limits.surelyFrontal && !hasHand(face);
};

/** Whatever is before the face: nothing that covers it tilts the line of the eyes, or moves both the depth and the nose so far. */
const isSurelyTurned = ({ yaw, roll }: FrameQuality, { noseOffset }: Pick<HeadSignals, 'noseOffset'>): boolean =>
  Math.abs(yaw) > limits.surelyTurned ||
  Math.abs(roll) > limits.maxRoll ||
  (Math.abs(yaw) > limits.turnedYaw && Math.abs(noseOffset) > limits.turnedNose);

/**
 * What covers a face that is found, or how it is turned away; null = nothing. Cloth and brims make the landmark model see heads
 * turned that are not, but not so far as `isSurelyTurned`.
 */
export const guessHint = (face: FrameQuality, signals: Pick<HeadSignals, 'noseOffset'>): GuessedHint | null => {
  if (isSurelyTurned(face, signals)) return 'look-here';
  if (face.paneLight < covering.darkPanes) return 'sunglasses-off';
  // Before a mouth that is seen there is no mask, whatever the light makes of the chin; black cloth makes all above it shine.
  const isMouthSeen = face.mouthLine <= covering.shadedMouthLine && face.lowerLight > covering.blackAllOver;
  if (isMouthSeen || !isMasked(face)) {
    // In the shade of a brim nothing shines.
    if (face.eyeShine > covering.shine) return 'glasses-glare';
    if (brimOverEyes(face) > 0) return 'uncover-face';
  }
  if (isBent(face)) return 'look-here';
  if (isMasked(face) || isPrinted(face)) return 'mask-off';
  if (isTurnedAway(face)) return 'look-here';
  if (!hasHand(face)) return null;
  return face.noseLine > covering.noNostrils ? 'mask-off' : 'uncover-face';
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
  if (beyond(below)) return 'move-up';
  if (quality.centreY > limits.lowAnyway) return 'move-up';
  // A head that is bent is low for it.
  if (quality.centreY > limits.maxOffsetY) return isBent(quality) ? 'look-here' : 'move-up';
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
