/**
 * The ffmpeg camera on a real V4L2 device: vivid, the kernel's virtual camera. Where the kernel has it (Debian's own, in
 * a virtual machine with `modprobe`) this runs; a container or a kernel without modules skips it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFfmpegCamera } from '../../drivers/camera/ffmpeg-camera.ts';
import { type Listened, listenTo } from '../../scripts/beds/listened.ts';
import { CameraWatch } from '../../src/face/attempt/watch-camera.ts';
import type { Camera, CameraEvent } from '../../src/ports/camera.ts';

const devices = '/sys/class/video4linux';
const driver = '/sys/bus/platform/drivers/vivid';

const findVivid = (): string | null => {
  const isCapture = (name: string): boolean =>
    /^vivid-\d+-vid-cap/.test(readFileSync(`${devices}/${name}/name`, 'utf8'));
  const found = existsSync(devices) ? readdirSync(devices).find(isCapture) : undefined;
  return found === undefined ? null : `/dev/${found}`;
};

const vivid = ((): string | null => {
  if (spawnSync('ffmpeg', ['-version']).status !== 0) {
    console.warn('skipped: the V4L2 camera needs ffmpeg (Debian package ffmpeg)');
    return null;
  }
  const there = findVivid();
  if (there !== null) return there;
  const loaded = spawnSync('modprobe', ['vivid', 'n_devs=1'], { encoding: 'utf8' });
  const device = findVivid();
  const why = loaded.error?.message ?? loaded.stderr.trim();
  if (device === null) console.warn(`skipped: the V4L2 camera needs the kernel module vivid (modprobe vivid: ${why})`);
  return device;
})();

describe.skipIf(vivid === null)('ffmpeg camera on vivid', () => {
  let camera: Camera;
  let events: Listened<CameraEvent>;
  const watch = new CameraWatch();
  const faults = new Set<string>();
  beforeEach(() => {
    faults.clear();
    camera = createFfmpegCamera({ source: { device: vivid ?? '' }, framesPerSecond: 25 });
    events = listenTo((listener) =>
      camera.subscribe((event) => {
        const fault = event.type === 'frame' ? watch.check(event.frame) : null;
        if (fault !== null) faults.add(fault);
        listener(event);
      }),
    );
  });
  afterEach(async () => {
    events.stop();
    await camera.close();
  });

  test('gives whole frames of a picture that lives', async () => {
    for (let i = 0; i < 60; i++) await events.next(({ type }) => type === 'frame');
    const event = await events.next(({ type }) => type === 'frame');
    if (event.type !== 'frame') throw new Error('no frame');
    const { width, height, rgb } = event.frame;
    expect([width, height, rgb.length]).toEqual([640, 480, 640 * 480 * 3]);
    expect([...faults]).toEqual([]);
  });

  test('unplugged and plugged in again: lost, and found by itself', async () => {
    await events.next(({ type }) => type === 'frame');
    writeFileSync(`${driver}/unbind`, 'vivid.0');
    expect(await events.next(({ type }) => type === 'lost')).toMatchObject({ failure: { code: 'camera.lost' } });
    writeFileSync(`${driver}/bind`, 'vivid.0');
    await events.next(({ type }) => type === 'found', 20_000);
    await events.next(({ type }) => type === 'frame');
  });
});
