/** What a face verifier does: the real process with the real models, before the virtual camera. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readdir, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadFaceGrey } from '../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../drivers/virtual/jp2.ts';
import {
  emptyScene,
  frameHeight,
  frameWidth,
  personBefore,
  SceneRenderer,
} from '../../drivers/virtual/render-scene.ts';
import { createVirtualCameraControl, type VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { modelsMissing } from '../../scripts/beds/built-models.ts';
import { createKeptFaceVerifier, type KeptFaceSettings, type KeptFaceVerifier } from '../../scripts/beds/kept-face.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { PadStrength } from '../../src/core/visit/verification.ts';
import type { FaceAttempt, FaceAttemptEvent } from '../../src/ports/face-verifier.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
if (!hasFfmpeg) console.warn('skipped: a film before the face process needs ffmpeg (Debian package ffmpeg)');
const mayUnshare = spawnSync('unshare', ['--user', '--map-current-user', '--net', 'true']).status === 0;
if (!mayUnshare)
  console.warn('skipped: a namespace for the face process needs unshare (util-linux) and leave to use it');

const socketDir = mkdtempSync(join(tmpdir(), 'face-'));
afterAll(() => rmSync(socketDir, { recursive: true }));

describe.skipIf(modelsMissing('contract/face-verifier'))('face verifier', () => {
  let control: VirtualCameraControl;
  let verifier: KeptFaceVerifier;
  let photo: Uint8Array;

  const create = (settings: Partial<KeptFaceSettings> = {}): KeptFaceVerifier =>
    createKeptFaceVerifier({
      profile: 'demo',
      camera: { kind: 'virtual', seed: 3, controlSocket: control.path },
      ...settings,
    });

  /** The next health that `wanted` accepts. */
  const health = (wanted: (trouble: Failure | null) => boolean, of = verifier): Promise<Failure | null> =>
    new Promise((resolve) => {
      let unsubscribe: () => void = () => undefined;
      unsubscribe = of.subscribeHealth((trouble) => {
        if (!wanted(trouble)) return;
        queueMicrotask(() => unsubscribe());
        resolve(trouble);
      });
    });
  const well = () => health((trouble) => trouble === null);

  /** Runs an attempt until `last`; returns everything told. */
  const attempt = (
    last: (event: FaceAttemptEvent) => boolean,
    referenceJp2: FaceAttempt['referenceJp2'] = photo,
    onEvent: (event: FaceAttemptEvent) => void = () => undefined,
    padStrength: PadStrength = 'off',
  ): Promise<FaceAttemptEvent[]> =>
    new Promise((resolve) => {
      const events: FaceAttemptEvent[] = [];
      const stop = verifier.start({ referenceJp2, padStrength }, (event) => {
        events.push(event);
        onEvent(event);
        if (!last(event)) return;
        stop();
        resolve(events);
      });
    });
  const until = (type: FaceAttemptEvent['type']) => (event: FaceAttemptEvent) => event.type === type;

  beforeAll(async () => {
    photo = await encodeGreyJp2(await loadFaceGrey('sample3-a'));
    control = await createVirtualCameraControl(join(socketDir, 'camera'), 'sample3-a');
    verifier = create();
    await well();
  });
  afterEach(() => {
    control.setFace('sample3-a');
    control.setFault('none');
  });
  afterAll(async () => {
    await verifier.close();
    await control.close();
  });

  test('the card holder matches', async () => {
    const events = await attempt(until('matched'));
    expect(events.filter(({ type }) => type === 'missed' || type === 'failed')).toEqual([]);
  });

  /** The camera's next frames may still show who stood there before: until it has shown nobody. */
  const stepAside = async (): Promise<void> => {
    control.setFace(null);
    await attempt((event) => event.type === 'hint' && event.hint === 'no-face');
  };

  test('another person misses, again and again, and never matches', async () => {
    await stepAside();
    control.setFace('sample6-d');
    let misses = 0;
    const events = await attempt((event) => event.type === 'missed' && ++misses === 2);
    expect(events.map(({ type }) => type)).not.toContain('matched');
  });

  test('nobody there: a hint, and a mirrored picture meanwhile', async () => {
    control.setFace(null);
    let hinted = false;
    let preview: Extract<FaceAttemptEvent, { type: 'preview' }> | undefined;
    // Which of the two comes first, nobody promises.
    await attempt((event) => {
      hinted ||= event.type === 'hint' && event.hint === 'no-face';
      if (event.type === 'preview') preview ??= event;
      return hinted && preview !== undefined;
    });
    expect(await sharp(preview?.jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 480, height: 360 });
  });

  test('the picture is mirrored: who stands in its left half is shown in the right one', async () => {
    await stepAside();
    control.setScene({ ...emptyScene, wall: 0, people: [{ ...personBefore('sample3-a'), x: -0.34, scale: 0.7 }] });
    const lightOf = async (jpeg: Uint8Array, left: number): Promise<number> => {
      const half = await sharp(jpeg).extract({ left, top: 0, width: 240, height: 360 }).greyscale().raw().toBuffer();
      return half.reduce((sum, value) => sum + value, 0) / half.length;
    };
    let isSeen = false;
    const events = await attempt((event) => {
      isSeen ||= event.type === 'hint' && event.hint === 'move-left';
      return isSeen && event.type === 'preview';
    });
    const last = events.at(-1);
    const jpeg = last?.type === 'preview' ? last.jpeg : new Uint8Array(0);
    expect(await lightOf(jpeg, 240)).toBeGreaterThan(5 * (await lightOf(jpeg, 0)));
  });

  test('the person who steps before the camera later matches in the same attempt', async () => {
    await stepAside();
    control.setFace('sample6-d');
    const events = await attempt(until('matched'), photo, (event) => {
      if (event.type === 'missed') control.setFace('sample3-a');
    });
    expect(events.map(({ type }) => type)).toContain('missed');
  });

  test('a photo that is none fails the attempt, and the next attempt works', async () => {
    const events = await attempt(until('failed'), Uint8Array.of(1, 2, 3));
    expect(events.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'face.reference-unusable' } });
    await attempt(until('matched'));
  });

  test('a photo that comes later: picture and hint at once, the match with it', async () => {
    let bring: (jp2: Uint8Array) => void = () => undefined;
    const later = new Promise<Uint8Array>((resolve) => {
      bring = resolve;
    });
    let previews = 0;
    const events = await attempt(until('matched'), later, (event) => {
      if (event.type === 'preview' && ++previews === 5) bring(photo);
    });
    const types = events.map(({ type }) => type);
    expect(types).not.toContain('missed');
    expect(types.indexOf('hint')).toBeLessThan(types.indexOf('matched'));
  });

  test.each([
    ['null', () => Promise.resolve(null)],
    ['a refusal', () => Promise.reject(new Error('card gone'))],
  ])('a photo that never comes (%s) ends the attempt', async (_, later) => {
    const events = await attempt(until('failed'), later());
    expect(events.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'face.reference-unusable' } });
  });

  test("the caller's photo stays as it is", async () => {
    const copy = photo.slice();
    await attempt(until('matched'));
    expect(photo).toEqual(copy);
  });

  test('everything is overwritten within 200 ms of the decision', async () => {
    // A machine that does much else may be late, but not each time: the quickest of five tells what it is built for.
    const took: number[] = [];
    do {
      const wiped = new Promise<number>((resolve) => verifier.subscribeWiped(resolve));
      await attempt(until('matched'));
      took.push(await wiped);
    } while (Math.min(...took) >= 200 && took.length < 5);
    expect(Math.min(...took)).toBeLessThan(200);
  });

  test('two attempts at once are a programming error', () => {
    const stop = verifier.start({ referenceJp2: photo, padStrength: 'off' }, () => undefined);
    expect(() => verifier.start({ referenceJp2: photo, padStrength: 'off' }, () => undefined)).toThrow('one attempt');
    stop();
  });

  test('a process killed in mid-visit fails the attempt, comes back by itself, and matches', async () => {
    control.setFace('sample6-d');
    const before = verifier.processId;
    const events = await attempt(until('failed'), photo, (event) => {
      if (event.type === 'hint' && before !== undefined) process.kill(before, 'SIGKILL');
    });
    expect(events.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'face.process-lost' } });
    control.setFace('sample3-a');
    await well();
    expect(verifier.processId).not.toBe(before);
    await attempt(until('matched'));
  });

  test.each(['lost', 'black', 'frozen'] as const)('a camera that is %s is told, and found again', async (fault) => {
    control.setFace(null);
    const events = await attempt(until('failed'), photo, (event) => {
      if (event.type === 'preview') control.setFault(fault);
    });
    expect(events.at(-1)).toMatchObject({ type: 'failed', failure: { code: `camera.${fault}` } });
    expect(await health((trouble) => trouble !== null)).toMatchObject({ code: `camera.${fault}` });
    control.setFault('none');
    control.setFace('sample3-a');
    await well();
    await attempt(until('matched'));
  });

  test('the face process has no network socket', async () => {
    const folder = `/proc/${verifier.processId}/fd`;
    const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
    const inodes = links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
    const tables = ['tcp', 'tcp6', 'udp', 'udp6'].map((name) =>
      readFileSync(`/proc/${verifier.processId}/net/${name}`, 'utf8'),
    );
    for (const inode of inodes) for (const table of tables) expect(table).not.toContain(` ${inode} `);
  });

  test.skipIf(!mayUnshare)('nor a network to have one on: its namespace holds a loopback that is down', () => {
    const interfaces = readFileSync(`/proc/${verifier.processId}/net/dev`, 'utf8').match(/^\s*\S+(?=:)/gm);
    expect(interfaces?.map((name) => name.trim())).toEqual(['lo']);
    expect(readFileSync(`/proc/${verifier.processId}/net/route`, 'utf8').trim().split('\n')).toHaveLength(1);
    expect(readFileSync('/proc/self/net/dev', 'utf8')).not.toBe(
      readFileSync(`/proc/${verifier.processId}/net/dev`, 'utf8'),
    );
  });

  test.skipIf(!hasFfmpeg)('a film that is played again and again is suspected by its frames alone', async () => {
    const renderer = new SceneRenderer(1);
    await renderer.load('sample3-a');
    const frames = Array.from({ length: 20 }, (_, i) => {
      const rgb = new Uint8Array(frameWidth * frameHeight * 3);
      renderer.render({ ...emptyScene, people: [{ ...personBefore('sample3-a'), scale: 0.72 }] }, i * 66, rgb);
      return rgb;
    });
    const file = join(socketDir, 'film.mkv');
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-video_size', `${frameWidth}x${frameHeight}`, '-r', '15'];
    const written = spawnSync('ffmpeg', ['-loglevel', 'error', ...raw, '-i', '-', '-c:v', 'ffv1', file], {
      input: Buffer.concat(frames),
    });
    expect(written.status).toBe(0);
    const other = create({ camera: { kind: 'ffmpeg', source: { file } } });
    try {
      await health((trouble) => trouble === null, other);
      // Another person's photo: nothing else about the film is ever weighed.
      const referenceJp2 = await encodeGreyJp2(await loadFaceGrey('sample6-d'));
      /** The failure, or the third miss: the film has come round by then. */
      const endOf = (padStrength: PadStrength): Promise<FaceAttemptEvent> =>
        new Promise((resolve) => {
          let misses = 0;
          const stop = other.start({ referenceJp2, padStrength }, (event) => {
            if (event.type === 'missed') misses++;
            if (event.type !== 'failed' && misses < 3) return;
            stop();
            resolve(event);
          });
        });
      expect((await endOf('off')).type).toBe('missed');
      expect(await endOf('passive')).toMatchObject({ type: 'failed', failure: { code: 'face.attack-suspected' } });
    } finally {
      await other.close();
    }
  });

  test('with a depth camera it suspects a face on a sheet, whatever the passive model says', async () => {
    const own = await encodeGreyJp2(await loadFaceGrey('sample3-a'));
    const sheet = { turn: 0, rim: 40, colour: [12, 12, 14] } as const;
    control.setScene({ ...emptyScene, people: [{ ...personBefore('sample3-a'), scale: 0.72, sheet }] });
    const other = create({ depthCamera: { controlSocket: control.path } });
    try {
      await health((trouble) => trouble === null, other);
      const end = await new Promise<FaceAttemptEvent>((resolve) => {
        const stop = other.start({ referenceJp2: own, padStrength: 'passive' }, (event) => {
          if (event.type !== 'failed' && event.type !== 'matched') return;
          stop();
          resolve(event);
        });
      });
      expect(end).toMatchObject({ type: 'failed', failure: { code: 'face.attack-suspected' } });
    } finally {
      await other.close();
    }
  });

  test('asked for attack detection, it is not sure of a face painted onto a wall that answers no prompt', async () => {
    control.setScene({ ...emptyScene, people: [{ ...personBefore('sample5-c'), scale: 0.75 }] });
    const own = await encodeGreyJp2(await loadFaceGrey('sample5-c'));
    const events = await attempt(until('failed'), own, () => undefined, 'passive');
    expect(events.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'face.unsure' } });
    expect(events.map(({ type }) => type)).not.toContain('matched');
  });

  test.each<[string, Partial<KeptFaceSettings>]>([
    ['face.models-missing', { modelsDir: socketDir }],
    ['face.models-missing', { embeddingModel: 'dlib_resnet' }],
    ['face.model-not-accepted', { profile: 'release' }],
  ])('%s is told by health', async (code, settings) => {
    const other = create(settings);
    try {
      expect(await health((trouble) => trouble !== null && trouble.code !== 'face.process-lost', other)).toMatchObject({
        code,
      });
    } finally {
      await other.close();
    }
  });
});
