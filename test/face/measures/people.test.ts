/** Who is counted as standing beside the patient. */
import { expect, test } from 'vitest';
import { measureQuality } from '../../../src/face/measures/measure-quality.ts';
import { meshPoints } from '../../../src/face/models/find-landmarks.ts';

const image = { width: 640, height: 480, rgb: new Uint8Array(640 * 480 * 3).fill(120) };
/** Points spread over a face 160 pixels wide. */
const mesh = new Float32Array(meshPoints * 3).map((_, at) => 240 + 80 * Math.sin(at * 1.7));
const face = (confidence: number, width: number) => ({
  confidence,
  box: { x: 0, y: 0, width, height: width },
  points: [],
});
const peopleOf = (...others: ReturnType<typeof face>[]): number => {
  const patient = face(0.6, 160);
  const landmarks = { mesh, confidence: 1 };
  return measureQuality(image, { face: patient, faces: [patient, ...others], landmarks }).people;
};

test('a second face counts from half the width on, hair that is taken for one does not, and the patient always does', () => {
  expect(peopleOf()).toBe(1);
  expect(peopleOf(face(0.9, 100))).toBe(2);
  expect(peopleOf(face(0.57, 100), face(0.9, 90))).toBe(3);
  expect(peopleOf(face(0.51, 150))).toBe(1);
  expect(peopleOf(face(0.9, 70))).toBe(1);
});
