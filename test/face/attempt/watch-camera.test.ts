import { expect, test } from 'vitest';
import { CameraWatch } from '../../../src/face/attempt/watch-camera.ts';

const frame = (value: number, capturedAtMs: number) => ({
  width: 32,
  height: 16,
  rgb: new Uint8Array(32 * 16 * 3).fill(value),
  capturedAtMs,
});

const play = (valueAt: (i: number) => number, frames = 40): (string | null)[] => {
  const watch = new CameraWatch();
  return Array.from({ length: frames }, (_, i) => watch.check(frame(valueAt(i), i * 100)));
};

test('a changing picture is well', () => {
  expect(new Set(play((i) => 100 + (i % 2)))).toEqual(new Set([null]));
});

test('the same picture for two seconds is frozen, not before', () => {
  const told = play(() => 100);
  expect(told[19]).toBeNull();
  expect(told[20]).toBe('camera.frozen');
});

test('darkness for two seconds is black, even with a little noise', () => {
  const told = play((i) => i % 4);
  expect(told[19]).toBeNull();
  expect(told[20]).toBe('camera.black');
});

test('a blink of darkness is nothing', () => {
  expect(new Set(play((i) => (i % 10 === 0 ? 0 : 100 + (i % 3))))).toEqual(new Set([null]));
});

test('after a fault a picture is new only when there is light', () => {
  const watch = new CameraWatch();
  expect(watch.seesSomethingNew).toBe(false);
  watch.check(frame(0, 0));
  expect(watch.seesSomethingNew).toBe(false);
  watch.check(frame(90, 100));
  expect(watch.seesSomethingNew).toBe(true);
});

const pictures = (values: readonly number[]): CameraWatch => {
  const watch = new CameraWatch();
  for (const [i, value] of values.entries()) watch.check(frame(value, i * 100));
  return watch;
};

test.each<[string, boolean, readonly number[]]>([
  ['all different', false, [90, 91, 92, 93]],
  ['a frame told twice in a row, as by a slow camera', false, [90, 90, 91, 91, 92]],
  ['a loop', true, [90, 91, 92, 90]],
  ['a loop some time ago: it is not forgotten', true, [90, 91, 90, 92, 93, 94]],
  ['darkness, light, darkness: a hand before the lens', false, [0, 91, 0, 92, 0]],
])('%s: repeated is %s', (_, repeated, values) => {
  expect(pictures(values).hasRepeated).toBe(repeated);
});

test('a new attempt begins with nothing seen', () => {
  const watch = pictures([90, 91, 90]);
  watch.forgetSeen();
  expect(watch.hasRepeated).toBe(false);
  watch.check(frame(91, 400));
  expect(watch.hasRepeated).toBe(false);
});
