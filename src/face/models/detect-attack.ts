/**
 * Passive presentation attack detection (ISO/IEC 30107-1 terms): one model that looks at a face *and what is around it*
 * for the marks of paper and screens. Advisory: no claim of ISO/IEC 30107-3 conformance is made for it.
 */
import { apply, type Box, invert, overlap } from '../picture/geometry.ts';
import { letterboxInto, type RgbImage, sampleInto } from '../picture/sample-image.ts';
import type { ModelSession } from './model-session.ts';

export type PadModels = { readonly secondDetector: ModelSession; readonly pad: ModelSession };

/** Side of the crop over the face's box, where the picture has room for it. */
const surroundings = 2.7;
/**
 * With less around the face than this the model takes nearly everything for real (with none 4 of 4 spoofs): what it
 * says then is no evidence. At 35 cm a face leaves about 1.2, at 50 cm 1.8, at 80 cm 2.7.
 */
const leastSurroundings = 1.8;
const minConfidence = 0.7;
/** Of what both cover the boxes of one face share so much: of 68 portraits at least 0.74. */
const sameFace = 0.5;
/** Class 0 of the model's three = bona fide. */
const bonaFide = 0;

/**
 * The surest box of RFB-320, with whose boxes the passive model was trained, around `face`; null when it sees none there. Not
 * the surest of the picture: whoever stands behind a photo that is held up must not be judged in its place.
 */
const detectBox = async (detector: ModelSession, image: RgbImage, face: Box): Promise<Box | null> => {
  const { input } = detector.entry;
  const toImage = letterboxInto(image, input, detector.input);
  const [scores, boxes] = await detector.run();
  if (scores === undefined || boxes === undefined) throw new Error('detect-attack: the detector lacks an output');
  const corner = (at: number) =>
    apply(toImage, { x: (boxes[at] as number) * input.width, y: (boxes[at + 1] as number) * input.height });
  let best: Box | null = null;
  let surest: number = minConfidence;
  for (let i = 0; i < scores.length / 2; i++) {
    const score = scores[i * 2 + 1] as number;
    if (score < surest) continue;
    const upper = corner(i * 4);
    const lower = corner(i * 4 + 2);
    const box = { x: upper.x, y: upper.y, width: lower.x - upper.x, height: lower.y - upper.y };
    if (overlap(box, face) < sameFace) continue;
    best = box;
    surest = score;
  }
  return best;
};

/** The square of surroundings, made smaller until it fits the picture and moved inside it. */
const surroundingsOf = (box: Box, image: RgbImage): Box => {
  const side = Math.min(surroundings * Math.max(box.width, box.height), image.width, image.height);
  const inside = (middle: number, size: number): number => Math.min(size - side, Math.max(0, middle - side / 2));
  return {
    x: inside(box.x + box.width / 2, image.width),
    y: inside(box.y + box.height / 2, image.height),
    width: side,
    height: side,
  };
};

/**
 * Of `face`, the one that is compared: 0 = attack … 1 = bona fide; null when it cannot be judged: the face is so near that its surroundings are not in the
 * picture, or the second detector does not see it.
 */
export const detectAttack = async (
  { secondDetector, pad }: PadModels,
  image: RgbImage,
  face: Box,
): Promise<number | null> => {
  const box = await detectBox(secondDetector, image, face);
  if (box === null) return null;
  const crop = surroundingsOf(box, image);
  if (crop.width < leastSurroundings * Math.max(box.width, box.height)) return null;
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
  return (powers[bonaFide] ?? 0) / powers.reduce((a, b) => a + b, 0);
};
