/**
 * The face process: it alone holds camera, models and the card's photo, and has no use for the network. The terminal
 * speaks with it over a socket.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { serveFace } from '../../drivers/face-verifier/face-server.ts';
import type { ListenAt } from '../../drivers/host/framed-socket.ts';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createSystemdNotifier } from '../../drivers/host/systemd-notifier.ts';
import type { VirtualDepthCameraSettings } from '../../drivers/virtual/virtual-depth-camera.ts';
import { type Failure, failure } from '../core/failure.ts';
import { err, ok, type Result } from '../core/result.ts';
import { FaceWorker } from '../face/attempt/face-worker.ts';
import type { FaceModels } from '../face/attempt/find-face.ts';
import type { PadModels } from '../face/models/detect-attack.ts';
import {
  embeddingById,
  entryById,
  type ModelEntry,
  parseManifest,
  refuseUnverified,
  thresholdFor,
} from '../face/models/manifest.ts';
import { ModelSession } from '../face/models/model-session.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Frame } from '../ports/camera.ts';
import type { DepthCamera } from '../ports/depth-camera.ts';
import type { Profile } from '../wire/profile.ts';
import { type CameraSettings, cameraSettingsOf, openCamera } from './cameras.ts';
import { version } from './release.ts';
import { beatWith } from './rounds.ts';
import type { Config } from './terminal-config.ts';

/** What the face process is started with. */
export type FaceSettings = {
  readonly modelsDir: string;
  readonly profile: Profile;
  readonly camera: CameraSettings;
  /** Left out: none, the usual case. There is no driver for a real one yet (src/ports/depth-camera.ts). */
  readonly depthCamera?: VirtualDepthCameraSettings;
  /** Id of the embedding model in models/manifest.json. */
  readonly embeddingModel: string;
  /** Cosine at or above which two faces are one person's; without it the model's default. */
  readonly threshold?: number;
  /** Ids of models that may be used in the release profile although their licence is not verified. */
  readonly acceptedUnverifiedModels: readonly string[];
  readonly threads: number;
};

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

const openDepthCamera = async ({ depthCamera, profile }: FaceSettings): Promise<DepthCamera | null> => {
  if (depthCamera === undefined) return null;
  if (profile !== 'demo') throw new Error(`the ${profile} profile has no virtual depth camera`);
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
  const parsed = parseManifest(text);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  // A configuration of an earlier release may name a model that is gone: a named fault, not a process that ends again and again.
  const wanted = manifest.models.find(({ id }) => id === settings.embeddingModel);
  if (wanted?.role !== 'embedding')
    return err(failure('face.models-missing', `face.embeddingModel: ${settings.embeddingModel}`));
  const embedding = embeddingById(manifest, wanted.id);
  const threshold = thresholdFor(embedding, settings.profile, settings.threshold);
  if (!threshold.ok) return threshold;
  const face = await loadAll(settings, [entryById(manifest, 'blazeface'), entryById(manifest, 'facemesh'), embedding]);
  if (!face.ok) return face;
  const attack = await loadAll(settings, [entryById(manifest, 'fr_detect'), entryById(manifest, 'fr_liveness')]);
  const [detector, landmarker, embedder] = face.value as [ModelSession, ModelSession, ModelSession];
  const [secondDetector, pad] = (attack.ok ? attack.value : []) as [ModelSession, ModelSession];
  return ok({
    models: { detector, landmarker, embedder },
    pad: attack.ok ? { secondDetector, pad } : attack.failure,
    threshold: threshold.value,
  });
};

type Face = { close(): Promise<void> };

/** The settings of the face process that a configuration names. Throws for `virtual`: it comes with the demo only. */
export const faceSettingsOf = ({ camera, face, paths, profile }: Config): FaceSettings => {
  return {
    modelsDir: paths.models,
    profile,
    camera: cameraSettingsOf(camera),
    embeddingModel: face.embeddingModel,
    acceptedUnverifiedModels: face.acceptUnverifiedModels,
    ...(face.threshold === undefined ? {} : { threshold: face.threshold }),
    threads: 1,
  };
};

/** Is there at once for the terminal; models and camera follow, and health tells of them. */
export const startFace = async (settings: FaceSettings, at: ListenAt, log: EventLog): Promise<Face> => {
  const startedAtMs = performance.now();
  log.event('process.started', { process: 'face', version, profile: settings.profile });
  let worker: FaceWorker | null = null;
  const server = await serveFace({
    listenAt: at,
    log,
    work: () => worker,
    restart: () => {
      log.event('process.stopping', { reason: 'command' });
      process.exit(0);
    },
  });
  const clock = createSystemClock();
  const notifier = createSystemdNotifier();
  const endBeat = beatWith(notifier, clock);
  const loaded = await loadModels(settings);
  if (loaded.ok) {
    const [camera, depthCamera] = [
      await openCamera(settings.camera, settings.profile),
      await openDepthCamera(settings),
    ];
    worker = new FaceWorker({ ...loaded.value, camera, depthCamera, tell: server.tell, drawPreview });
    worker.start();
  } else server.tell({ type: 'health', trouble: loaded.failure });
  notifier.ready('cameras and models');
  log.event('process.ready', { ms: Math.round(performance.now() - startedAtMs) });
  return {
    close: async () => {
      notifier.stopping();
      endBeat();
      await server.close();
    },
  };
};
