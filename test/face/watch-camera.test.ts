import { expect, test } from 'vitest';
import { CameraWatch } from '../../src/face/watch-camera.ts';

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
