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
  maxRoll: 35,
  /** A face at a quarter of daylight (mean 35 of 255) was rejected in 12 % of comparisons, at a tenth in 85 %. */
  minFaceLight: 40,
  /** Surroundings this much brighter than a dark face: the exposure goes by the window behind. */
  backLightContrast: 90,
  backLightFace: 80,
  minSharpness: 0.1,
  /** 269 ordinary portraits of LFW, some with dark glasses: 0.6 % are below. */
  minEyeLight: 0.3,
  /** The same portraits: 0.4 % are above. */
  maxMouthPallor: 0.13,
  /** Where the landmark model does not know the face any more: painted masks give 0.08 to 0.18, turned heads 0. */
  maxUnconfirmedPallor: 0.05,
} as const;

/** null = good enough to compare. */
export const chooseHint = (quality: FrameQuality): FaceHint | null => {
  if (quality.people > 1) return 'one-person-only';
  if (quality.faceWidth > limits.maxFaceWidth) return 'farther';
  if (quality.faceWidth < limits.minFaceWidth) return 'nearer';
  // The picture is not mirrored: its left is the patient's right.
  if (quality.centreX < -limits.maxOffsetX) return 'move-left';
  if (quality.centreX > limits.maxOffsetX) return 'move-right';
  if (quality.centreY < -limits.maxOffsetY) return 'move-down';
  if (quality.centreY > limits.maxOffsetY) return 'move-up';
  const backLight = quality.surroundingLight - quality.faceLight > limits.backLightContrast;
  if (backLight && quality.faceLight < limits.backLightFace) return 'strong-back-light';
  if (quality.faceLight < limits.minFaceLight) return 'more-light';
  if (quality.mouthPallor > limits.maxMouthPallor) return 'mask-off';
  if (quality.eyeLight < limits.minEyeLight) return 'sunglasses-off';
  const turned =
    Math.abs(quality.yaw) > limits.maxYaw ||
    Math.abs(quality.pitch) > limits.maxPitch ||
    Math.abs(quality.roll) > limits.maxRoll;
  return turned ? 'look-here' : null;
};

/** A face that was detected and whose landmarks are not sure: most often a mask hides half of it. */
export const hintUnconfirmed = (rough: FrameQuality): FaceHint =>
  rough.mouthPallor > limits.maxUnconfirmedPallor ? 'mask-off' : 'look-here';
