import { join } from 'node:path';
import { createAlsaSpeaker } from '../../drivers/speaker/alsa-speaker.ts';
import { catalogueDir } from '../catalogue/load-catalogue.ts';
import { CameraWatch } from '../face/attempt/watch-camera.ts';
import type { Camera } from '../ports/camera.ts';
import { cameraSettingsOf, missingForCamera, openCamera } from '../processes/cameras.ts';
import type { Config } from '../processes/terminal-config.ts';
import { type PartsTried, type Tried, tryingMs } from '../terminal/visit/try-parts.ts';
import { thisMachine } from './doctor-probes.ts';

/* The parts, opened by the doctor itself where no terminal runs that has them. */

/** Long enough to see that a picture stands still, and half of it enough to see that it is black. ms */
const watchedMs = 1_500;

/** Pictures of the camera itself: they must change and not be black. Ends within `tryingMs`. */
export const seeThrough = (camera: Camera, withinMs: number = tryingMs): Promise<Tried> =>
  new Promise((resolve) => {
    const beganMs = performance.now();
    const watch = new CameraWatch();
    let first: { readonly rgb: Uint8Array; readonly atMs: number } | null = null;
    let changes = false;
    const end = (result: Omit<Tried, 'ms'>): void => {
      clearTimeout(limit);
      unsubscribe();
      first?.rgb.fill(0);
      resolve({ ...result, ms: Math.round(performance.now() - beganMs) });
    };
    const judge = (): Omit<Tried, 'ms'> => {
      if (first === null) return { outcome: 'late' };
      if (!watch.seesSomethingNew) return { outcome: 'failed', code: 'camera.black' };
      return changes ? { outcome: 'good' } : { outcome: 'failed', code: 'camera.frozen' };
    };
    const limit = setTimeout(() => end(judge()), withinMs);
    const unsubscribe = camera.subscribe((event) => {
      if (event.type === 'lost')
        return end({ outcome: 'failed', code: event.failure.code, detail: event.failure.detail ?? '' });
      if (event.type !== 'frame') return;
      const { rgb, capturedAtMs } = event.frame;
      watch.check(event.frame);
      changes ||= first !== null && Buffer.compare(first.rgb, rgb) !== 0;
      first ??= { rgb: rgb.slice(), atMs: capturedAtMs };
      if ((changes && watch.seesSomethingNew) || capturedAtMs - first.atMs >= watchedMs) end(judge());
    });
  });

const tryCamera = async ({ cardFrontReader, camera: settings, profile }: Config): Promise<Tried> => {
  if (cardFrontReader.driver === 'none' || settings.driver === 'virtual' || missingForCamera(settings) !== null)
    return { outcome: 'absent', ms: 0 };
  const camera = await openCamera(cameraSettingsOf(settings), profile);
  try {
    return await seeThrough(camera);
  } finally {
    await camera.close();
  }
};

const trySpeaker = async ({ speaker: settings }: Config): Promise<Tried> => {
  if (settings.driver !== 'alsa' || !(await thisMachine.hasSoundCard())) return { outcome: 'absent', ms: 0 };
  const speaker = createAlsaSpeaker({ ...settings, speechDir: join(catalogueDir, 'speech') });
  const beganMs = performance.now();
  const why = await (speaker.tryNote?.() ?? null);
  const ms = Math.round(performance.now() - beganMs);
  void speaker.close();
  return why === null ? { outcome: 'good', ms } : { outcome: 'failed', code: 'speaker.refuses', detail: why, ms };
};

/** null: a terminal runs that has them in its hands, or whoever asks may not open what the terminal may. */
export const tryOwnParts = async (config: Config): Promise<PartsTried | null> => {
  const terminal = await thisMachine.unit('uketsuke.service');
  if (terminal?.state === 'running' || (terminal !== null && process.getuid?.() !== 0)) return null;
  const [camera, speaker] = await Promise.all([tryCamera(config), trySpeaker(config)]);
  return { busy: false, camera, speaker };
};
