/**
 * Passive presentation attack detection (ISO/IEC 30107-1 terms): one model that looks at a face *and what is around it*
 * for the marks of paper and screens. Advisory: no claim of ISO/IEC 30107-3 conformance is made for it.
 */
import { apply, type Box, invert } from '../picture/geometry.ts';
import { letterboxInto, type RgbImage, sampleInto } from '../picture/sample-image.ts';
import type { ModelSession } from './model-session.ts';

export type PadModels = { readonly secondDetector: ModelSession; readonly pad: ModelSession };

/** Side of the crop over the face's box. Without these surroundings the model took 4 of 4 spoofs for real. */
const surroundingShare = 2.7;
const minConfidence = 0.7;
/** Class 0 of the model's three = bona fide. */
const bonaFide = 0;

/** The surest face of RFB-320, whose box the passive model was trained with; null when it sees none. */
export const detectBox = async (detector: ModelSession, image: RgbImage): Promise<Box | null> => {
  const { input } = detector.entry;
  const toImage = letterboxInto(image, input, detector.input);
  const [scores, boxes] = await detector.run();
  if (scores === undefined || boxes === undefined) throw new Error('detect-attack: the detector lacks an output');
  let best = -1;
  for (let i = 0; i < scores.length / 2; i++)
    if (best < 0 || (scores[i * 2 + 1] as number) > (scores[best * 2 + 1] as number)) best = i;
  if ((scores[best * 2 + 1] as number) < minConfidence) return null;
  const corner = (at: number) =>
    apply(toImage, { x: (boxes[at] as number) * input.width, y: (boxes[at + 1] as number) * input.height });
  const upper = corner(best * 4);
  const lower = corner(best * 4 + 2);
  return { x: upper.x, y: upper.y, width: lower.x - upper.x, height: lower.y - upper.y };
};

/** The square of surroundings, moved so that it lies inside the picture; null when the face is too near for it. */
export const surroundingsOf = (box: Box, image: RgbImage): Box | null => {
  const side = surroundingShare * Math.max(box.width, box.height);
  if (side > Math.min(image.width, image.height)) return null;
  const inside = (middle: number, size: number): number => Math.min(size - side, Math.max(0, middle - side / 2));
  return {
    x: inside(box.x + box.width / 2, image.width),
    y: inside(box.y + box.height / 2, image.height),
    width: side,
    height: side,
  };
};

export type PassiveFinding =
  | { readonly type: 'measured'; readonly bonaFide: number }
  /** Too near: what the model must see around the face is not in the picture. */
  | { readonly type: 'no-surroundings' };

/** `bonaFide`: 0..1. A face that the second detector does not see counts as 0. */
export const detectAttack = async ({ secondDetector, pad }: PadModels, image: RgbImage): Promise<PassiveFinding> => {
  const box = await detectBox(secondDetector, image);
  if (box === null) return { type: 'measured', bonaFide: 0 };
  const crop = surroundingsOf(box, image);
  if (crop === null) return { type: 'no-surroundings' };
  const { width, height } = pad.entry.input;
  const toCrop = {
    a: width / crop.width,
    b: 0,
    tx: (-crop.x * width) / crop.width,
    c: 0,
    d: height / crop.height,
    ty: (-crop.y * height) / crop.height,
  };
  sampleInto(image, invert(toCrop), pad.entry.input, pad.input);
  const [logits] = await pad.run();
  if (logits === undefined) throw new Error('detect-attack: the model lacks its output');
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  return { type: 'measured', bonaFide: (powers[bonaFide] ?? 0) / powers.reduce((a, b) => a + b, 0) };
};
