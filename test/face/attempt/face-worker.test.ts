/** What comes about of a face in the face process while it works: whatever is not compared any more is overwritten at once. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { loadFaceGrey } from '../../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import {
  emptyScene,
  frameHeight,
  frameWidth,
  type Person,
  personBefore,
  SceneRenderer,
} from '../../../drivers/virtual/render-scene.ts';
import { loadModels, loadPadModels, modelsMissing } from '../../../scripts/beds/built-models.ts';
import { failure } from '../../../src/core/failure.ts';
import { sessionsOf } from '../../../src/face/attempt/face-pipeline.ts';
import { FaceWorker } from '../../../src/face/attempt/face-worker.ts';
import { meshPoints } from '../../../src/face/models/find-landmarks.ts';
import type { CameraEvent } from '../../../src/ports/camera.ts';
import type { FromFaceProcess } from '../../../src/ports/face-process-messages.ts';

/** Of an embedding, and of the points of a face. */
const lengths = [512, meshPoints * 3];
/** Every array as long as an embedding or as the points of a face, from now on. */
const catchFaces = (): Float32Array[] => {
  const caught: Float32Array[] = [];
  const keep = (made: Float32Array): Float32Array => {
    if (lengths.includes(made.length)) caught.push(made);
    return made;
  };
  const real = Float32Array;
  vi.stubGlobal(
    'Float32Array',
    new Proxy(real, { construct: (target, args) => keep(Reflect.construct(target, args)) }),
  );
  const slice = real.prototype.slice;
  vi.spyOn(real.prototype, 'slice').mockImplementation(function (this: Float32Array<ArrayBuffer>, ...args) {
    return keep(slice.apply(this, args)) as Float32Array<ArrayBuffer>;
  });
  return caught;
};
const areLeft = (arrays: readonly (Float32Array | Uint8Array)[]): number =>
  arrays.filter((array) => array.some((value: number) => value !== 0)).length;

/** On a machine that has much else to do a frame may take seconds. */
const patience = { timeout: 20_000, interval: 20 };
/** Of four views three frames each and their mean, and the card's photo. */
const mostCompared = 4 * (3 + 1) + 1;

describe.skipIf(modelsMissing('face-worker'))('the face process at work', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test('keeps only what it compares, and nothing after the attempt', async () => {
    const [models, pad] = [await loadModels(), await loadPadModels()];
    const renderer = new SceneRenderer(3);
    await renderer.load('sample3-a');
    const photo = await encodeGreyJp2(await loadFaceGrey('sample6-d'));
    let show: ((event: CameraEvent) => void) | null = null;
    const previews: Uint8Array[] = [];
    /** Of frames, as they are looked at. */
    const copies = new Set<Uint8Array>();
    const told: FromFaceProcess[] = [];
    const caught = catchFaces();
    const worker = new FaceWorker({
      models,
      pad,
      depthCamera: null,
      threshold: 0.49,
      camera: {
        subscribe: (listener) => {
          show = listener;
          return () => {
            show = null;
          };
        },
        close: async () => undefined,
      },
      drawPreview: async ({ rgb }) => {
        copies.add(rgb);
        const preview = rgb.slice(0, 1_000);
        previews.push(preview);
        return preview;
      },
      tell: (message) => told.push(message),
    });
    worker.start();
    worker.begin(1, 'passive');
    await worker.receiveReference(1, photo);
    expect(areLeft([photo])).toBe(0);
    const poses: Partial<Person>[] = [{}, { scale: 0.3 }, { roll: 52 }, { yaw: 45 }, { x: 0.34 }, { pitch: 42 }];
    for (let i = 0; i < 24; i++) {
      const rgb = new Uint8Array(frameWidth * frameHeight * 3);
      const person = { ...personBefore('sample3-a'), ...poses[i % poses.length] };
      renderer.render({ ...emptyScene, people: [person] }, i * 100, rgb);
      const before = caught.length;
      await vi.waitUntil(() => {
        // A frame that comes while another is looked at is left out.
        show?.({ type: 'frame', frame: { width: frameWidth, height: frameHeight, rgb, capturedAtMs: i * 100 } });
        return caught.length > before;
      }, patience);
      await vi.waitUntil(() => areLeft(caught) <= mostCompared, patience);
    }
    // A camera that comes back may give another size.
    const small = { width: frameWidth / 2, height: frameHeight / 2 };
    const rgb = new Uint8Array(small.width * small.height * 3).fill(90);
    await vi.waitUntil(() => {
      show?.({ type: 'frame', frame: { ...small, rgb, capturedAtMs: 2_500 } });
      return copies.size > 1;
    }, patience);
    expect(areLeft([...copies])).toBe(1);
    for (const length of lengths) expect(caught.filter((each) => each.length === length).length).toBeGreaterThan(10);
    expect(previews.length).toBeGreaterThan(5);
    expect(areLeft(previews)).toBe(0);
    expect(told.some((message) => message.type === 'event' && message.event.type === 'hint')).toBe(true);
    await worker.stop(1);
    expect(areLeft([...caught, ...copies])).toBe(0);
  });

  /** Looks through `show`; what it drew last, by the first byte of each frame. */
  const watching = async () => {
    const [models, pad] = [await loadModels(), await loadPadModels()];
    const runs = sessionsOf(models, pad).map((session) => vi.spyOn(session, 'run'));
    const drawn: number[] = [];
    const told: FromFaceProcess[] = [];
    let show: (event: CameraEvent) => void = () => undefined;
    const worker = new FaceWorker({
      ...{ models, pad, depthCamera: null, threshold: 0.49, tell: (message) => told.push(message) },
      camera: {
        subscribe: (listener) => {
          show = listener;
          return () => undefined;
        },
        close: async () => undefined,
      },
      drawPreview: async ({ rgb }) => {
        drawn.push(rgb[0] as number);
        return new Uint8Array(1);
      },
    });
    worker.start();
    const showPicture = (rgb: Uint8Array, capturedAtMs: number): void =>
      show({ type: 'frame', frame: { width: frameWidth, height: frameHeight, capturedAtMs, rgb } });
    const frame = (first: number, capturedAtMs: number): void =>
      showPicture(new Uint8Array(frameWidth * frameHeight * 3).fill(100).fill(first, 0, 1), capturedAtMs);
    return { worker, runs, drawn, told, frame, showPicture };
  };

  /** An attempt in which three good frames of a person have been looked at; `paint` paints and shows the next. */
  const awaitingPhoto = async () => {
    const { worker, runs, told, drawn, showPicture } = await watching();
    const renderer = new SceneRenderer(3);
    await renderer.load('sample3-a');
    const paint = (atMs: number): Uint8Array => {
      const rgb = new Uint8Array(frameWidth * frameHeight * 3);
      renderer.render({ ...emptyScene, people: [personBefore('sample3-a')] }, atMs, rgb);
      showPicture(rgb, atMs);
      return rgb;
    };
    const weighed = runs.at(-1);
    if (weighed === undefined) throw new Error('no models');
    await vi.waitUntil(() => weighed.mock.calls.length > 0, patience);
    weighed.mockClear();
    worker.begin(1, 'passive');
    const first = paint(0);
    for (const [at, atMs] of [0, 33, 67].entries())
      await vi.waitUntil(() => {
        if (weighed.mock.calls.length <= at && atMs > 0) paint(atMs);
        return weighed.mock.calls.length > at;
      }, patience);
    await Promise.all(weighed.mock.results.map(({ value }) => value));
    await new Promise((resolve) => setImmediate(resolve));
    return { worker, runs, told, drawn, paint, first, showPicture };
  };

  test('has run every model, by the way that a photo goes, before anybody stands there', async () => {
    const { worker, runs } = await watching();
    await vi.waitUntil(() => runs.every((run) => run.mock.calls.length > 0), patience);
    // The embedder both ways for each of the views that a reference is made of, too.
    await vi.waitUntil(() => Math.max(...runs.map((run) => run.mock.calls.length)) > 8, patience);
    await worker.close();
  });

  test('looks at the latest frame that came while it was busy, without waiting for another', async () => {
    const { worker, drawn, frame } = await watching();
    worker.begin(1, 'off');
    frame(1, 1_000);
    frame(2, 2_000);
    frame(3, 3_000);
    await vi.waitUntil(() => drawn.at(-1) === 3, patience);
    expect(drawn.length).toBeLessThanOrEqual(2);
    await worker.close();
  });

  test('with three good frames of a person it leaves the models to the photo, two looks a second and ten pictures apart', async () => {
    const { worker, runs, drawn, paint } = await awaitingPhoto();
    const count = (): number => runs.reduce((sum, run) => sum + run.mock.calls.length, 0);
    const before = count();
    drawn.length = 0;
    for (const atMs of [100, 133, 166, 200, 233, 266, 300, 333, 366, 400, 433, 466]) {
      paint(atMs);
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(count()).toBe(before);
    expect(drawn).toHaveLength(4);
    paint(467);
    await vi.waitUntil(() => count() > before, patience);
    await worker.close();
  });

  test('a film that begins anew is suspected as the photo comes, though nobody looked at that frame', async () => {
    const { worker, told, first, showPicture } = await awaitingPhoto();
    showPicture(first, 68);
    await worker.receiveReference(1, await encodeGreyJp2(await loadFaceGrey('sample3-a')));
    expect(told).toContainEqual({
      ...{ type: 'event', attempt: 1 },
      event: { type: 'failed', failure: failure('face.attack-suspected') },
    });
    await worker.close();
  });
});
