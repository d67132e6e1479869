/** What every camera does, whatever it is made of. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createFfmpegCamera } from '../../drivers/camera/ffmpeg-camera.ts';
import { FrameAssembler } from '../../drivers/camera/piped-camera.ts';
import { emptyScene, personBefore } from '../../drivers/virtual/render-scene.ts';
import { createVirtualCamera, VirtualCamera } from '../../drivers/virtual/virtual-camera.ts';
import { modelsMissing } from '../../scripts/beds/built-models.ts';
import { CameraWatch } from '../../src/face/attempt/watch-camera.ts';
import type { Camera, CameraEvent } from '../../src/ports/camera.ts';

const hasFfmpeg = (() => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('skipped: the ffmpeg camera needs ffmpeg (Debian package ffmpeg)');
    return false;
  }
})();

let camera: Camera | null = null;
afterEach(async () => {
  await camera?.close();
  camera = null;
});

/** Collects until `count` events of a type have come. */
const collect = (from: Camera, type: CameraEvent['type'], count: number): Promise<CameraEvent[]> =>
  new Promise((resolve) => {
    const events: CameraEvent[] = [];
    const unsubscribe = from.subscribe((event) => {
      // The buffer is the listener's only until it returns: keep a copy.
      events.push(
        event.type === 'frame' ? { ...event, frame: { ...event.frame, rgb: event.frame.rgb.slice() } } : event,
      );
      if (events.filter((each) => each.type === type).length < count) return;
      unsubscribe();
      resolve(events);
    });
  });

const cameras: [string, boolean, () => Camera][] = [
  ['virtual', modelsMissing('contract/camera'), () => createVirtualCamera({ seed: 1, face: 'sample3-a' })],
  ['ffmpeg', !hasFfmpeg, () => createFfmpegCamera({ source: { lavfi: 'testsrc2=size=640x480:rate=30' } })],
];

describe.each(cameras)('%s camera', (_, missing, create) => {
  test.skipIf(missing)('gives whole frames that change, in the order of their time', async () => {
    camera = create();
    const frames = (await collect(camera, 'frame', 4)).flatMap((event) =>
      event.type === 'frame' ? [event.frame] : [],
    );
    for (const { width, height, rgb } of frames) expect([width, height, rgb.length]).toEqual([640, 480, 640 * 480 * 3]);
    const times = frames.map(({ capturedAtMs }) => capturedAtMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(frames[3]?.rgb).not.toEqual(frames[0]?.rgb);
  });

  test.skipIf(missing)('keeps nothing of a picture once nobody listens', async () => {
    camera = create();
    let buffer = new Uint8Array(0);
    await new Promise<void>((resolve) => {
      const unsubscribe = camera?.subscribe((event) => {
        if (event.type !== 'frame') return;
        buffer = event.frame.rgb as Uint8Array<ArrayBuffer>;
        unsubscribe?.();
        resolve();
      });
    });
    await camera.close();
    expect(buffer.length).toBe(640 * 480 * 3);
    expect(buffer.every((value) => value === 0)).toBe(true);
  });

  test.skipIf(missing)('can be listened to again', async () => {
    camera = create();
    await collect(camera, 'frame', 1);
    expect(await collect(camera, 'frame', 1)).toHaveLength(1);
  });
});

test.skipIf(modelsMissing('contract/camera'))('the virtual camera is lost and found on order', async () => {
  const virtual = new VirtualCamera({ seed: 1 });
  camera = virtual;
  const scene = { ...emptyScene, people: [personBefore('sample3-a')] };
  const events = collect(virtual, 'found', 1);
  await virtual.obey({ scene, fault: 'lost' });
  await virtual.obey({ scene, fault: 'none' });
  const types = (await events).map(({ type }) => type).filter((type) => type !== 'frame');
  expect(types).toEqual(['lost', 'found']);
});

describe.skipIf(!hasFfmpeg)('ffmpeg camera, faults', () => {
  test.each([
    ['camera.black', 'color=black:size=640x480:rate=30'],
    ['camera.frozen', 'color=red:size=640x480:rate=30'],
  ])('%s is told of a picture that is', async (code, lavfi) => {
    camera = createFfmpegCamera({ source: { lavfi } });
    const watch = new CameraWatch();
    let fault: string | null = null;
    await new Promise<void>((resolve) => {
      const unsubscribe = camera?.subscribe((event) => {
        fault = event.type === 'frame' ? watch.check(event.frame) : null;
        if (fault === null) return;
        unsubscribe?.();
        resolve();
      });
    });
    expect(fault).toBe(code);
  });

  test('a device that is not there is lost, with what ffmpeg says', async () => {
    camera = createFfmpegCamera({ source: { device: '/dev/no-such-video' } });
    const [event] = await collect(camera, 'lost', 1);
    expect(event).toMatchObject({ type: 'lost', failure: { code: 'camera.lost' } });
    expect(event?.type === 'lost' && event.failure.detail).toContain('/dev/no-such-video');
  });

  test('a file that appears later is found without a restart', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'camera-'));
    try {
      const file = join(dir, 'film.mkv');
      camera = createFfmpegCamera({ source: { file } });
      const events = collect(camera, 'frame', 1);
      await collect(camera, 'lost', 1);
      const film = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10:duration=1', '-c:v', 'mpeg4', file];
      execFileSync('ffmpeg', ['-loglevel', 'error', ...film]);
      expect((await events).map(({ type }) => type)).toEqual(['lost', 'found', 'frame']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

test.each([1, 5, 6, 7, 12, 100])('frames are whole again from pieces of %i bytes', (pieceBytes) => {
  const stream = Uint8Array.from({ length: 24 }, (_, i) => i);
  const frames: number[][] = [];
  const assembler = new FrameAssembler(6, (frame) => frames.push(Array.from(frame)));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += pieceBytes) pieces.push(stream.slice(at, at + pieceBytes));
  for (const piece of pieces) assembler.push(piece);
  expect(frames.flat()).toEqual(Array.from({ length: 24 }, (_, i) => i));
  expect(pieces.every((piece) => piece.every((value) => value === 0))).toBe(true);
});
