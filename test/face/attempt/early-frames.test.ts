/** The card's photo comes 0.4 s after the first frame and more: what was seen until then decides when it comes, or nothing does. */
import { expect, test, vi } from 'vitest';
import { AttemptCourse } from '../../../src/face/attempt/face-attempt.ts';
import { hinting, reference, type Seen, stranger, withLiveness } from './course-player.ts';

/** Frames 33 ms apart where nothing else is said, and then the photo at once: what that tells. */
const photoAfter = (
  frames: readonly Seen[],
  { strength = 'passive', laterMs = 0, apartMs = 33, hasRepeated = false } = {},
): string[] => {
  const course = new AttemptCourse(0.45, strength as 'passive' | 'active', () => 0.5);
  for (const [i, { liveness, ...seen }] of frames.entries()) {
    course.take(seen, i * apartMs);
    if (course.wantsEvidence && liveness !== undefined) course.weigh(liveness);
  }
  return course.compareWith(reference(), frames.length * apartMs + laterMs, hasRepeated).map(({ type }) => type);
};
const good = (change = {}): Seen => withLiveness(change);
const other = (): Seen => withLiveness({}, stranger());

test('three frames of the person decide as the photo comes, two do not', () => {
  expect(photoAfter([good(), good(), good()])).toEqual(['matched']);
  expect(photoAfter([good(), good()])).toEqual([]);
});

test.each<[string, readonly Seen[]]>([
  ['somebody else stood there first', [other(), good(), good()]],
  ['somebody else stands there at last', [good(), good(), other()]],
  ['the face went away and came back', [good(), good(), hinting('no-face'), good()]],
  ['the face is gone', [good(), good(), good(), hinting('no-face')]],
  ['something covers the face', [good(), good(), good(), { ...good(), hint: 'mask-off' } as Seen]],
])('nothing is decided early when %s', (_, frames) => {
  expect(photoAfter(frames)).toEqual([]);
});

test('whoever was not seen for a second is not decided on', () => {
  expect(photoAfter([good(), good(), good()], { laterMs: 967 })).toEqual(['matched']);
  expect(photoAfter([good(), good(), good()], { laterMs: 968 })).toEqual([]);
});

test('while a slow card is read there is a look every 0.4 s: three of them decide, not what was seen two seconds ago', () => {
  const apartMs = 400;
  expect(photoAfter([good(), good(), good()], { apartMs })).toEqual(['matched']);
  expect(photoAfter([good(), good(), good()], { apartMs, laterMs: 600 })).toEqual(['matched']);
  expect(photoAfter([good(), good(), good()], { apartMs: 667 })).toEqual([]);
});

test('a picture of a face is suspected as early, and nobody else lends it their liveness', () => {
  expect(photoAfter([good({ moire: 0.6 }), good({ moire: 0.6 }), good({ moire: 0.6 })])).toEqual(['suspected']);
  expect(photoAfter([other(), other(), other(), good({ bonaFide: 0.1 }), good({ bonaFide: 0.1 })])).toEqual([]);
});

test('a film that began anew while the photo had the models matches nobody', () => {
  expect(photoAfter([good(), good(), good()], { hasRepeated: true })).toEqual(['suspected']);
});

test('whoever leaves doubts, or is always asked, is asked to move all the same', () => {
  const doubtful = good({ bonaFide: 0.1 });
  expect(photoAfter([doubtful, doubtful, doubtful])).toEqual([]);
  expect(photoAfter([good(), good(), good()], { strength: 'active' })).toEqual([]);
});

test('nobody has been away because a slow board looked at nobody while it had the photo', () => {
  const course = new AttemptCourse(0.45, 'active', () => 0.5);
  for (const i of [0, 1, 2]) {
    const { liveness, ...seen } = good();
    course.take(seen, i * 33);
    if (course.wantsEvidence && liveness !== undefined) course.weigh(liveness);
  }
  expect(course.compareWith(reference(), 700)).toEqual([]);
  expect(course.take(hinting('no-face'), 733)).toEqual([]);
  expect(course.take(hinting('no-face'), 1_233)).toEqual([{ type: 'missed' }]);
});

/** What `use` copied of embeddings. */
const copiesOf = (use: () => void): Float32Array[] => {
  const copies: Float32Array[] = [];
  const real = Float32Array.prototype.slice;
  const spy = vi.spyOn(Float32Array.prototype, 'slice').mockImplementation(function (
    this: Float32Array<ArrayBuffer>,
    ...args
  ) {
    const copy = real.apply(this, args) as Float32Array<ArrayBuffer>;
    copies.push(copy);
    return copy;
  });
  try {
    use();
  } finally {
    spy.mockRestore();
  }
  return copies;
};
const left = (copies: readonly Float32Array[]) => copies.filter((copy) => copy.some((value) => value !== 0));

test('its copies of embeddings are overwritten, used or not', () => {
  const rows: readonly (readonly Seen[])[] = [
    [good(), good(), good(), good(), good()],
    [good(), hinting('no-face')],
    [other(), good()],
  ];
  const copies = copiesOf(() => {
    for (const frames of rows) {
      const course = new AttemptCourse(0.45, 'passive', () => 0.5);
      for (const [i, { liveness, ...seen }] of frames.entries()) {
        course.take(seen, i * 33);
        if (course.wantsEvidence && liveness !== undefined && i !== 1) course.weigh(liveness);
      }
      course.compareWith(reference(), 200);
      course.wipe();
    }
  });
  expect(copies.length).toBeGreaterThan(8);
  expect(left(copies)).toEqual([]);
});

test("of somebody else than the card's person no copy outlives the comparison, though the attempt goes on", () => {
  const copies = copiesOf(() => expect(photoAfter([other(), other(), other()])).toEqual([]));
  expect(copies.length).toBeGreaterThan(3);
  expect(left(copies)).toEqual([]);
});
