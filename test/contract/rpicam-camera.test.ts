/**
 * The camera behind rpicam-vid, before a stand-in of that name on PATH: a shell script that checks nothing and writes
 * what is asked of it. No Raspberry Pi was ever there.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRpicamCamera, rpicamArguments, yuv420ToRgb } from '../../drivers/camera/rpicam-camera.ts';
import { type Listened, listenTo } from '../../scripts/beds/listened.ts';
import type { Camera, CameraEvent } from '../../src/ports/camera.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
if (!hasFfmpeg) console.warn('skipped: pictures of a stand-in for rpicam-vid need ffmpeg (Debian package ffmpeg)');

const pictureBytes = (640 * 480 * 3) / 2;
/** As many pictures, every byte `octal`: 000 is a dark green, 377 a light magenta. */
const pictures = (count: number, octal: string): string =>
  `head -c ${count * pictureBytes} /dev/zero | tr '\\000' '\\${octal}'`;
const film = (graph: string): string =>
  `ffmpeg -nostdin -loglevel error -re -f lavfi -i ${graph} -pix_fmt yuvj420p -f rawvideo -`;

let folder: string;
let camera: Camera;
let events: Listened<CameraEvent>;
const pathBefore = process.env.PATH;

/** Puts a program called rpicam-vid in its place; the whole file at once, so that no half of it is ever run. */
const install = (...lines: readonly string[]): void => {
  const file = join(folder, 'new');
  writeFileSync(file, ['#!/bin/sh', `echo "$@" >${folder}/arguments`, ...lines, ''].join('\n'));
  chmodSync(file, 0o755);
  renameSync(file, join(folder, 'rpicam-vid'));
};
const uninstall = (): void => rmSync(join(folder, 'rpicam-vid'));
const watch = (): void => {
  camera = createRpicamCamera({ index: 1 });
  // The buffer is the listener's only until it returns: its first pixel is kept.
  events = listenTo((listener) =>
    camera.subscribe((event) =>
      listener(event.type === 'frame' ? { ...event, frame: { ...event.frame, rgb: event.frame.rgb.slice() } } : event),
    ),
  );
};
const nextFrame = async (fits: (rgb: Uint8Array) => boolean = () => true): Promise<Uint8Array> => {
  const event = await events.next((each) => each.type === 'frame' && fits(each.frame.rgb));
  return event.type === 'frame' ? event.frame.rgb : new Uint8Array(0);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rpicam-'));
  process.env.PATH = `${folder}:${pathBefore}`;
});
afterEach(async () => {
  events?.stop();
  await camera?.close();
  process.env.PATH = pathBefore;
  rmSync(folder, { recursive: true });
});

describe('rpicam camera', () => {
  test.skipIf(!hasFfmpeg)('gives whole pictures in their colours, asked for with options of rpicam-vid', async () => {
    install(`exec ${film('color=red:size=640x480:rate=30')}`);
    watch();
    const rgb = await nextFrame();
    expect(rgb.length).toBe(640 * 480 * 3);
    for (const pixel of [0, 320 * 480, 640 * 480 - 1])
      for (const [channel, value] of [255, 0, 0].entries())
        expect(Math.abs((rgb[pixel * 3 + channel] as number) - value)).toBeLessThanOrEqual(3);
    expect(readFileSync(join(folder, 'arguments'), 'utf8').trim()).toBe(rpicamArguments({ index: 1 }).join(' '));
  });

  test('throws the first ten pictures away: the exposure settles', async () => {
    install(pictures(10, '000'), pictures(2, '377'));
    watch();
    const first = await nextFrame();
    expect(Array.from(first.subarray(0, 3))).toEqual([255, 121, 255]);
  });

  test('a slow start is no loss', async () => {
    install('sleep 1.5', pictures(11, '377'), 'exec sleep 100');
    watch();
    await nextFrame();
    expect(events.all[0]?.type).toBe('frame');
  });

  test('half a picture is none, and the program that comes back begins with a whole one', async () => {
    install(pictures(11, '377'), 'head -c 1000 /dev/zero');
    watch();
    await nextFrame();
    await events.next(({ type }) => type === 'lost');
    install(pictures(12, '200'), 'exec sleep 100');
    await events.next(({ type }) => type === 'found');
    // Were the half picture still there, its zeros would stand at the beginning.
    expect(new Set(await nextFrame())).toEqual(new Set([128]));
    expect(events.all.filter(({ type }) => type !== 'frame').map(({ type }) => type)).toEqual(['lost', 'found']);
  });

  test('a program that is not there is lost with its name, and found once it is installed', async () => {
    watch();
    const lost = await events.next(({ type }) => type === 'lost');
    expect(lost.type === 'lost' && lost.failure).toMatchObject({ code: 'camera.lost' });
    expect(lost.type === 'lost' && lost.failure.detail).toContain('rpicam-vid');
    install(pictures(12, '377'), 'exec sleep 100');
    await events.next(({ type }) => type === 'found');
  });

  test('its last words are the reason', async () => {
    install("echo 'ERROR: *** no cameras available ***' >&2", 'exit 255');
    watch();
    const lost = await events.next(({ type }) => type === 'lost');
    expect(lost.type === 'lost' && lost.failure.detail).toBe('ERROR: *** no cameras available ***');
  });

  test('a program killed in mid-stream is started again', async () => {
    install(`echo $$ >${folder}/pid`, 'while true; do', pictures(1, '377'), 'done');
    watch();
    await nextFrame();
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
    await events.next(({ type }) => type === 'lost');
    await events.next(({ type }) => type === 'found');
    await nextFrame();
  });

  test('a program that falls silent is killed and lost', async () => {
    install(`echo $$ >${folder}/pid`, pictures(11, '377'), 'exec sleep 100');
    watch();
    await nextFrame();
    uninstall();
    await events.next(({ type }) => type === 'lost');
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('listened to again at once, it starts only when the program before has gone', async () => {
    // A camera has one user, and is free a moment after that one's death only: when its output has no writer any more.
    const stamp = (name: string): string => `date +%s%3N >>${folder}/${name}`;
    install(
      stamp('begun'),
      `( while kill -0 $$ 2>/dev/null; do sleep 0.05; done; sleep 0.3; ${stamp('free')} ) &`,
      pictures(11, '377'),
      'exec sleep 100',
    );
    const stamps = (name: string): number[] =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim().split('\n').map(Number) : [];
    watch();
    await nextFrame();
    const stoppedAtMs = Date.now();
    events.stop();
    events = listenTo((listener) => camera.subscribe(listener));
    await nextFrame();
    const [, again = 0] = stamps('begun');
    // What cannot end within half a second is waited for no longer (run-program.ts): a machine this busy proves nothing.
    if (again - stoppedAtMs < 490) expect(again).toBeGreaterThanOrEqual(stamps('free')[0] ?? Number.NaN);
  });
});

describe('YUV 4:2:0 of full range', () => {
  // BT.601, full range (ITU-T T.871): Y, Cb, Cr of plain colours.
  test.each([
    ['black', [0, 128, 128], [0, 0, 0]],
    ['white', [255, 128, 128], [255, 255, 255]],
    ['grey', [77, 128, 128], [77, 77, 77]],
    ['red', [76, 85, 255], [254, 0, 0]],
    ['green', [150, 44, 21], [0, 255, 1]],
    ['blue', [29, 255, 107], [0, 0, 254]],
  ])('%s', (_, [y = 0, u = 0, v = 0], rgb) => {
    const yuv = Uint8Array.of(...Array(16).fill(y), ...Array(4).fill(u), ...Array(4).fill(v));
    const target = new Uint8Array(48);
    yuv420ToRgb(yuv, 4, 4, target);
    for (let i = 0; i < 48; i++)
      expect(Math.abs((target[i] as number) - (rgb[i % 3] as number))).toBeLessThanOrEqual(1);
  });

  test('each pixel has its own brightness and the colour of its block of four', () => {
    const yuv = Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80, 128, 228, 128, 128);
    const target = new Uint8Array(24);
    yuv420ToRgb(yuv, 4, 2, target);
    expect(Array.from(target)).toEqual(
      [
        [10, 10, 10],
        [20, 20, 20],
        [30, 0, 207],
        [40, 6, 217],
        [50, 50, 50],
        [60, 60, 60],
        [70, 36, 247],
        [80, 46, 255],
      ].flat(),
    );
  });
});
