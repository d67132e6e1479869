/**
 * The face process: a child of the daemon that alone holds camera, models and the card's photo. It has no use for the
 * network. Composition root: the only file of this folder that knows drivers.
 */
import { readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Camera, Frame } from '../ports/camera.ts';
import type { FaceModels } from './face-pipeline.ts';
import { FaceWorker } from './face-worker.ts';
import { chosenModels, embeddingById, type Manifest, refuseUnverified } from './manifest.ts';
import { type FaceSettings, type FromFaceProcess, REFERENCE_FD, type ToFaceProcess } from './messages.ts';
import { ModelSession } from './model-session.ts';

const PREVIEW_WIDTH = 480;

// libvips would keep decoded pictures for later.
sharp.cache(false);
sharp.concurrency(1);

const drawPreview = async ({ rgb, width, height }: Frame): Promise<Uint8Array> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize(PREVIEW_WIDTH)
    .flop()
    .jpeg({ quality: 75 })
    .toBuffer();

const openCamera = async ({ camera, profile }: FaceSettings): Promise<Camera> => {
  if (camera.kind === 'ffmpeg') {
    const { createFfmpegCamera } = await import('../../drivers/ffmpeg-camera.ts');
    return createFfmpegCamera(camera);
  }
  if (profile === 'release') throw new Error('the release profile has no virtual camera');
  const { createVirtualCamera } = await import('../../drivers/virtual/virtual-camera.ts');
  return createVirtualCamera(camera);
};

const loadModels = async (settings: FaceSettings): Promise<Result<{ models: FaceModels; threshold: number }>> => {
  const text = await readFile(join(settings.modelsDir, 'manifest.json'), 'utf8').catch(() => null);
  if (text === null) return err(failure('face.models-missing', 'manifest.json'));
  const manifest = JSON.parse(text) as Manifest;
  const chosen = chosenModels(manifest, settings.embeddingModel, settings.padStrength);
  const refused = refuseUnverified(chosen, settings.profile, settings.acceptedUnverifiedModels);
  if (refused !== null) return err(refused);
  const load = (entry: (typeof chosen)[number]) => ModelSession.load(settings.modelsDir, entry, settings.threads);
  const embedding = embeddingById(manifest, settings.embeddingModel);
  const [detector, landmarker, embedder] = await Promise.all([
    load(chosen[0] as (typeof chosen)[number]),
    load(chosen[1] as (typeof chosen)[number]),
    load(embedding),
  ]);
  if (!detector.ok) return detector;
  if (!landmarker.ok) return landmarker;
  if (!embedder.ok) return embedder;
  return ok({
    models: { detector: detector.value, landmarker: landmarker.value, embedder: embedder.value },
    threshold: settings.threshold ?? embedding.defaultThreshold,
  });
};

/** Exactly `length` bytes; the daemon has written them before it said so. */
const readReference = (length: number): Uint8Array => {
  const reference = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(REFERENCE_FD, reference, filled, length - filled, null);
    if (count === 0) throw new Error('face-process: the reference pipe is closed');
    filled += count;
  }
  return reference;
};

const tell = (message: FromFaceProcess): void => {
  if (process.connected) process.send?.(message);
};

let worker: FaceWorker | null = null;

const configure = async (settings: FaceSettings): Promise<void> => {
  const loaded = await loadModels(settings);
  if (!loaded.ok) return tell({ type: 'health', trouble: loaded.failure });
  worker = new FaceWorker({ ...loaded.value, camera: await openCamera(settings), tell, drawPreview });
  worker.start();
};

const receive = async (message: ToFaceProcess): Promise<void> => {
  switch (message.type) {
    case 'configure':
      return configure(message.settings);
    case 'begin':
      return worker?.begin(message.attempt, message.padStrength);
    case 'reference': {
      const reference = readReference(message.bytes);
      return worker?.receiveReference(message.attempt, reference);
    }
    case 'stop':
      return worker?.stop(message.attempt);
    case 'ping':
      return tell({ type: 'pong', ping: message.ping });
  }
};

// An unexpected error ends the process; the daemon starts a new one.
process.on('message', (message: ToFaceProcess) => void receive(message));
process.on('disconnect', () => process.exit(0));
// Ctrl-C on a terminal reaches the whole process group; the daemon decides when this process ends.
process.on('SIGINT', () => undefined);
