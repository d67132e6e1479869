import { afterEach, describe, expect, test } from 'vitest';
import { createFfmpegCamera } from '../../drivers/camera/ffmpeg-camera.ts';
import { isOnPath } from '../../drivers/host/is-on-path.ts';
import { seeThrough } from '../../src/cli/doctor-parts.ts';
import type { Camera } from '../../src/ports/camera.ts';

const hasFfmpeg = isOnPath('ffmpeg');
if (!hasFfmpeg) console.warn('skipped: the doctor looks through a camera: needs ffmpeg (Debian package ffmpeg)');

let camera: Camera | null = null;
afterEach(async () => {
  await camera?.close();
  camera = null;
});

/** On a machine that has no time for it a picture may come late: what is asked here is what is said of those that come. */
const longMs = 60_000;

describe.skipIf(!hasFfmpeg)('the doctor looks through the camera itself where no terminal runs', () => {
  test.each([
    ['that moves', { outcome: 'good' }, 'testsrc2=size=640x480:rate=30'],
    ['that stands still', { outcome: 'failed', code: 'camera.frozen' }, 'color=red:size=640x480:rate=30'],
    ['that is black', { outcome: 'failed', code: 'camera.black' }, 'color=black:size=640x480:rate=30'],
  ])('a picture %s', async (_, told, lavfi) => {
    camera = createFfmpegCamera({ source: { lavfi } });
    expect(await seeThrough(camera, longMs)).toMatchObject(told);
  });

  test('a device that is not there', async () => {
    camera = createFfmpegCamera({ source: { device: '/dev/no-such-video' } });
    const told = await seeThrough(camera, longMs);
    expect(told).toMatchObject({ outcome: 'failed', code: 'camera.lost' });
    expect(told.detail).toContain('/dev/no-such-video');
  });
});

test('no picture within the time is late, and nobody listens any more', async () => {
  let listeners = 0;
  const silent: Camera = {
    subscribe: () => {
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    },
    close: async () => {},
  };
  expect(await seeThrough(silent, 1)).toMatchObject({ outcome: 'late' });
  expect(listeners).toBe(0);
});
