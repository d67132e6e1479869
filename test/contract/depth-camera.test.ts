/** What every depth camera does. There is no driver for a real one: the virtual one beside the virtual camera. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { emptyScene, type Person, personBefore } from '../../drivers/virtual/render-scene.ts';
import { createVirtualCameraControl, type VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { createVirtualDepthCamera } from '../../drivers/virtual/virtual-depth-camera.ts';
import { type Listened, listenTo } from '../../scripts/beds/listened.ts';
import { judgeDepth } from '../../src/face/attempt/judge-depth.ts';
import { DepthWatch } from '../../src/face/attempt/watch-depth.ts';
import type { DepthCamera, DepthCameraEvent, DepthFrame } from '../../src/ports/depth-camera.ts';

const folder = mkdtempSync(join(tmpdir(), 'depth-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('virtual depth camera', () => {
  let control: VirtualCameraControl;
  let camera: DepthCamera;
  let events: Listened<DepthCameraEvent>;
  beforeAll(async () => {
    control = await createVirtualCameraControl(join(folder, 'camera'), 'sample3-a');
  });
  afterAll(() => control.close());
  afterEach(async () => {
    events.stop();
    await camera.close();
    control.setFault('none');
  });
  const listen = (): void => {
    camera = createVirtualDepthCamera({ controlSocket: control.path });
    events = listenTo((listener) => camera.subscribe(listener));
  };
  const nextFrame = async (fits: (frame: DepthFrame) => boolean = () => true): Promise<DepthFrame> => {
    const event = await events.next((each) => each.type === 'frame' && fits(each.frame));
    if (event.type !== 'frame') throw new Error('no frame');
    return event.frame;
  };
  /** Of a person of scale 1 in the middle. */
  const face = { x: 0.37, y: 0.25, width: 0.26, height: 0.46 };
  const middleOf = ({ depthMm, width, height }: DepthFrame): number =>
    depthMm[(height / 2) * width + width / 2] as number;

  test('gives measurements of its own size, in the order of their time', async () => {
    listen();
    const frames = [await nextFrame(), await nextFrame()];
    for (const { width, height, depthMm, infrared } of frames) {
      expect(depthMm.length).toBe(width * height);
      expect(infrared?.length).toBe(width * height);
    }
    expect(frames[1]?.capturedAtMs).toBeGreaterThan(frames[0]?.capturedAtMs ?? Number.POSITIVE_INFINITY);
  });

  test.each<[string, string, Partial<Person>]>([
    ['a person', 'bona-fide', {}],
    ['a print', 'attack', { sheet: { turn: 30, rim: 24, colour: [236, 234, 228] } }],
    ['a screen', 'attack', { sheet: { turn: 0, rim: 40, colour: [12, 12, 14] } }],
  ])('%s before it is judged %s', async (_, verdict, change) => {
    control.setScene({ ...emptyScene, people: [{ ...personBefore('sample3-a'), ...change }] });
    listen();
    expect(judgeDepth(await nextFrame((frame) => middleOf(frame) < 1_000), face)).toBe(verdict);
  });

  test('is lost and found', async () => {
    listen();
    await nextFrame();
    control.setFault('lost');
    expect(await events.next(({ type }) => type === 'lost')).toMatchObject({ failure: { code: 'camera.lost' } });
    control.setFault('none');
    await events.next(({ type }) => type === 'found');
    await nextFrame();
  });

  test('keeps nothing once nobody listens', async () => {
    listen();
    const { depthMm, infrared } = await nextFrame();
    await camera.close();
    expect([...depthMm, ...(infrared ?? [])].every((value) => value === 0)).toBe(true);
  });

  test('the verdict is about the moment of the colour frame: without a measurement near it, unclear', async () => {
    control.setScene({ ...emptyScene, people: [personBefore('sample3-a')] });
    listen();
    const watch = new DepthWatch(camera);
    watch.follow();
    const { capturedAtMs } = await nextFrame((frame) => middleOf(frame) < 1_000);
    watch.keep(capturedAtMs + 50);
    expect(watch.judge(face)).toBe('bona-fide');
    watch.keep(capturedAtMs + 5_000);
    expect(watch.judge(face)).toBe('unclear');
    watch.rest();
    watch.keep(capturedAtMs);
    expect(watch.judge(face)).toBe('unclear');
  });
});
