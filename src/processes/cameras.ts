import { existsSync } from 'node:fs';
import type { FfmpegCameraSettings } from '../../drivers/camera/ffmpeg-camera.ts';
import type { RpicamCameraSettings } from '../../drivers/camera/rpicam-camera.ts';
import { isOnPath } from '../../drivers/host/is-on-path.ts';
import type { VirtualCameraSettings } from '../../drivers/virtual/virtual-camera.ts';
import type { Camera } from '../ports/camera.ts';
import type { Config } from './terminal-config.ts';

type CameraConfig = Config['camera'];

/** One way to get frames: everything the program has to know of it, but for the words of its settings. */
type CameraKind<Settings> = {
  /** What the driver is opened with, by a configuration. Throws where no configuration may ask for it. */
  readonly settingsOf: (config: CameraConfig) => Settings;
  readonly open: (settings: Settings) => Promise<Camera>;
  /** What this machine lacks for it, as far as it shows without opening the camera; null = nothing. */
  readonly missing: (config: CameraConfig) => string | null;
  /** Only the demo has it. */
  readonly isVirtual?: true;
};

const kind = <Settings>(each: CameraKind<Settings>): CameraKind<Settings> => each;

/** By the word in the configuration (`camera.driver`), which knows no other. */
const cameras = {
  ffmpeg: kind<FfmpegCameraSettings>({
    settingsOf: ({ device, framesPerSecond }) => ({ source: { device }, framesPerSecond }),
    open: async (settings) => (await import('../../drivers/camera/ffmpeg-camera.ts')).createFfmpegCamera(settings),
    missing: ({ device }) => (existsSync(device) ? null : device),
  }),
  rpicam: kind<RpicamCameraSettings>({
    settingsOf: ({ index, framesPerSecond }) => ({ index, framesPerSecond }),
    open: async (settings) => (await import('../../drivers/camera/rpicam-camera.ts')).createRpicamCamera(settings),
    missing: () =>
      isOnPath('rpicam-vid') ? null : 'rpicam-vid: not installed (package rpicam-apps of Raspberry Pi OS)',
  }),
  virtual: kind<VirtualCameraSettings>({
    settingsOf: () => {
      throw new Error('camera.driver: virtual hardware is run by scripts/demo only');
    },
    open: async (settings) => (await import('../../drivers/virtual/virtual-camera.ts')).createVirtualCamera(settings),
    missing: () => null,
    isVirtual: true,
  }),
} satisfies { readonly [Driver in CameraConfig['driver']]: unknown };

type Cameras = typeof cameras;

/** One camera of one kind, with what its driver is opened with. */
export type CameraSettings = {
  readonly [Kind in keyof Cameras]: { readonly kind: Kind } & Parameters<Cameras[Kind]['open']>[0];
}[keyof Cameras];

/** TypeScript cannot see that a kind and its settings belong together once one of several has been picked. */
const kindOf = (name: keyof Cameras): CameraKind<unknown> => cameras[name] as CameraKind<unknown>;

/** Throws for `virtual`: it comes with the demo, never by a file. */
export const cameraSettingsOf = (config: CameraConfig): CameraSettings =>
  ({ kind: config.driver, ...(kindOf(config.driver).settingsOf(config) as object) }) as CameraSettings;

/** Throws for virtual hardware in the release profile. */
export const openCamera = async (settings: CameraSettings, profile: Config['profile']): Promise<Camera> => {
  const { open, isVirtual } = kindOf(settings.kind);
  if (isVirtual === true && profile !== 'demo') throw new Error(`the ${profile} profile has no virtual camera`);
  return open(settings);
};

/** What this machine lacks for the camera that is configured; null = nothing that shows without opening it. */
export const missingForCamera = (config: CameraConfig): string | null => kindOf(config.driver).missing(config);
