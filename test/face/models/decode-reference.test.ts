import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { decodeReference, readImageHeader } from '../../../src/face/models/decode-reference.ts';

const width = 240;
const height = 320;
const grey = Uint8Array.from({ length: width * height }, (_, i) => 128 + 80 * Math.sin((i % width) / 20));
const jp2 = await encodeGreyJp2({ width, height, grey });

test('a grey JP2 comes back as RGB of the same size and nearly the same brightness, in the colour of skin', async () => {
  const decoded = await decodeReference(jp2);
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  const { rgb, ...size } = decoded.value;
  expect(size).toEqual({ width, height });
  let worst = 0;
  for (let i = 0; i < grey.length; i++) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(i * 3, i * 3 + 3);
    worst = Math.max(worst, Math.abs(0.299 * red + 0.587 * green + 0.114 * blue - (grey[i] ?? 0)));
    expect(red).toBeGreaterThan(green);
    expect(green).toBeGreaterThan(blue);
  }
  expect(worst).toBeLessThan(12);
});

test('black and white have no colour', async () => {
  const halves = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i % 64 < 32 ? 0 : 255));
  const decoded = await decodeReference(await encodeGreyJp2({ width: 64, height: 64, grey: halves }));
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  expect([...decoded.value.rgb.subarray(0, 3)]).toEqual([0, 0, 0]);
  expect([...decoded.value.rgb.subarray(63 * 3, 64 * 3)]).toEqual([255, 255, 255]);
});

test('the largest that is taken is more than its memory begins with', async () => {
  const side = 1024;
  const large = Uint8Array.from({ length: side ** 2 }, (_, i) => 128 + 80 * Math.sin((i % side) / 200));
  const decoded = await decodeReference(await encodeGreyJp2({ width: side, height: side, grey: large }));
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  const { rgb } = decoded.value;
  expect(rgb).toHaveLength(3 * side ** 2);
  // The last row as the first: green lies between red and blue, next to the brightness.
  for (const x of [0, 300, 700, side - 1])
    expect(rgb[3 * (side * (side - 1) + x) + 1]).toBeCloseTo(rgb[3 * x + 1] ?? 0, -1);
});

const refused = async (bytes: Uint8Array) => {
  const decoded = await decodeReference(bytes);
  return decoded.ok ? 'decoded' : decoded.failure.code;
};

test('a picture that says it is larger than 1024×1024 is refused before it is decoded', async () => {
  const large = jp2.slice();
  const at = Buffer.from(large).indexOf('ihdr') + 4;
  new DataView(large.buffer).setUint32(at, 1025);
  expect(readImageHeader(large)).toEqual({ width, height: 1025 });
  expect(await refused(large)).toBe('face.reference-unusable');
});

test.each([
  ['nothing', new Uint8Array(0)],
  ['a few bytes', jp2.slice(0, 20)],
  ['the boxes without a codestream', jp2.slice(0, 90)],
  ['a JPEG', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46)],
])('%s is refused', async (_, bytes) => {
  expect(await refused(bytes)).toBe('face.reference-unusable');
});

test('damaged photos give a picture or a failure, never an exception', async () => {
  const damage = fc.array(fc.tuple(fc.nat(jp2.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const damaged = jp2.slice();
      for (const [at, value] of changes) damaged[at] = value;
      expect(['decoded', 'face.reference-unusable']).toContain(await refused(damaged));
    }),
    { numRuns: 40 },
  );
});
