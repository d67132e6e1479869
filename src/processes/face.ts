/**
 * The face process: a child of the daemon that alone holds camera, models and the card's photo. It has no use for the
 * network. Composition root: the only file of this folder that knows drivers.
 */
import { readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Failure, failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { FaceModels } from '../face/attempt/face-pipeline.ts';
import { FaceWorker } from '../face/attempt/face-worker.ts';
import type { PadModels } from '../face/models/detect-attack.ts';
import { embeddingById, entryById, type Manifest, type ModelEntry, refuseUnverified } from '../face/models/manifest.ts';
import { ModelSession } from '../face/models/model-session.ts';
import type { Camera, Frame } from '../ports/camera.ts';
import type { DepthCamera } from '../ports/depth-camera.ts';
import {
  type FaceSettings,
  type FromFaceProcess,
  referenceFd,
  type ToFaceProcess,
} from '../ports/face-process-messages.ts';

const previewWidth = 480;

// libvips would keep decoded pictures for later.
sharp.cache(false);
sharp.concurrency(1);

const drawPreview = async ({ rgb, width, height }: Frame): Promise<Uint8Array> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .resize(previewWidth)
    .flop()
    .jpeg({ quality: 75 })
    .toBuffer();

const openCamera = async ({ camera, profile }: FaceSettings): Promise<Camera> => {
  if (camera.kind === 'ffmpeg') {
    const { createFfmpegCamera } = await import('../../drivers/camera/ffmpeg-camera.ts');
    return createFfmpegCamera(camera);
  }
  if (camera.kind === 'rpicam') {
    const { createRpicamCamera } = await import('../../drivers/camera/rpicam-camera.ts');
    return createRpicamCamera(camera);
  }
  if (profile === 'release') throw new Error('the release profile has no virtual camera');
  const { createVirtualCamera } = await import('../../drivers/virtual/virtual-camera.ts');
  return createVirtualCamera(camera);
};

const openDepthCamera = async ({ depthCamera, profile }: FaceSettings): Promise<DepthCamera | null> => {
  if (depthCamera === undefined) return null;
  if (profile === 'release') throw new Error('the release profile has no virtual depth camera');
  const { createVirtualDepthCamera } = await import('../../drivers/virtual/virtual-depth-camera.ts');
  return createVirtualDepthCamera(depthCamera);
};

type Loaded = { readonly models: FaceModels; readonly pad: PadModels | Failure; readonly threshold: number };

const loadAll = async (settings: FaceSettings, entries: readonly ModelEntry[]): Promise<Result<ModelSession[]>> => {
  const refused = refuseUnverified(entries, settings.profile, settings.acceptedUnverifiedModels);
  if (refused !== null) return err(refused);
  const sessions: ModelSession[] = [];
  for (const entry of entries) {
    const loaded = await ModelSession.load(settings.modelsDir, entry, settings.threads);
    if (!loaded.ok) return loaded;
    sessions.push(loaded.value);
  }
  return ok(sessions);
};

const loadModels = async (settings: FaceSettings): Promise<Result<Loaded>> => {
  const text = await readFile(join(settings.modelsDir, 'manifest.json'), 'utf8').catch(() => null);
  if (text === null) return err(failure('face.models-missing', 'manifest.json'));
  const manifest = JSON.parse(text) as Manifest;
  const embedding = embeddingById(manifest, settings.embeddingModel);
  const face = await loadAll(settings, [entryById(manifest, 'blazeface'), entryById(manifest, 'facemesh'), embedding]);
  if (!face.ok) return face;
  const attack = await loadAll(settings, [entryById(manifest, 'fr_detect'), entryById(manifest, 'fr_liveness')]);
  const [detector, landmarker, embedder] = face.value as [ModelSession, ModelSession, ModelSession];
  const [secondDetector, pad] = (attack.ok ? attack.value : []) as [ModelSession, ModelSession];
  return ok({
    models: { detector, landmarker, embedder },
    pad: attack.ok ? { secondDetector, pad } : attack.failure,
    threshold: settings.threshold ?? embedding.defaultThreshold,
  });
};

/** Exactly `length` bytes; the daemon has written them before it said so. */
const readReference = (length: number): Uint8Array => {
  const reference = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(referenceFd, reference, filled, length - filled, null);
    if (count === 0) throw new Error('face-process: the reference pipe is closed');
    filled += count;
  }
  return reference;
};

/** A daemon that has just gone hears nothing more; that is no error of ours. */
const tell = (message: FromFaceProcess): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
};

let worker: FaceWorker | null = null;

const configure = async (settings: FaceSettings): Promise<void> => {
  const loaded = await loadModels(settings);
  if (!loaded.ok) return tell({ type: 'health', trouble: loaded.failure });
  const [camera, depthCamera] = [await openCamera(settings), await openDepthCamera(settings)];
  worker = new FaceWorker({ ...loaded.value, camera, depthCamera, tell, drawPreview });
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
