/**
 * Passive presentation attack detection (ISO/IEC 30107-1 terms): one model that looks at a face *and what is around it*
 * for the marks of paper and screens. Advisory: no claim of ISO/IEC 30107-3 conformance is made for it.
 */
import { apply, type Box, invert } from '../picture/geometry.ts';
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
/** Class 0 of the model's three = bona fide. */
const bonaFide = 0;

/** The surest face of RFB-320, whose box the passive model was trained with; null when it sees none. */
const detectBox = async (detector: ModelSession, image: RgbImage): Promise<Box | null> => {
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
 * 0 = attack … 1 = bona fide; null when it cannot be judged: the face is so near that its surroundings are not in the
 * picture, or the second detector does not see it.
 */
export const detectAttack = async ({ secondDetector, pad }: PadModels, image: RgbImage): Promise<number | null> => {
  const box = await detectBox(secondDetector, image);
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
