import { readdirSync } from 'node:fs';
import { provenReaderDriver } from '../../drivers/card-reader/reader-driver-proof.ts';
import { isOnPath } from '../../drivers/host/is-on-path.ts';
import { probeReader } from '../../src/cli/doctor-probes.ts';

/** A part of a terminal: whether this machine has a real one that works, and what the demo runs on. */
type RealPart = {
  readonly part: 'card reader' | 'camera' | 'sound' | 'broker';
  readonly ready: boolean;
  /** What is there, or what is missing and the command that mends it */
  readonly detail: string;
  readonly demoUses: string;
};

const namesIn = (folder: string, pattern: RegExp): string[] => {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort();
  } catch {
    return [];
  }
};

const cardReader = async (): Promise<Pick<RealPart, 'ready' | 'detail'>> => {
  const unproven = await provenReaderDriver();
  if (unproven !== null)
    return { ready: false, detail: `its driver is not usable: ${unproven}; scripts/setup tells what helps` };
  const { trouble } = await probeReader({ cardReader: { name: '' } } as Parameters<typeof probeReader>[0]);
  if (trouble === null) return { ready: true, detail: 'driver, pcscd and a reader' };
  if (trouble.code === 'reader.service-down')
    return {
      ready: false,
      detail: 'driver ready; pcscd does not answer: apt-get install pcscd libccid, systemctl start pcscd',
    };
  return { ready: false, detail: 'driver and pcscd ready; no reader is plugged in' };
};

const camera = (): Pick<RealPart, 'ready' | 'detail'> => {
  if (!isOnPath('ffmpeg')) return { ready: false, detail: 'ffmpeg is missing: apt-get install ffmpeg' };
  const [device] = namesIn('/dev', /^video\d+$/);
  if (device === undefined) return { ready: false, detail: 'ffmpeg ready; no camera at /dev/video*' };
  return { ready: true, detail: `/dev/${device}; try ./scripts/demo --camera /dev/${device}` };
};

const sound = (): Pick<RealPart, 'ready' | 'detail'> => {
  const missing = [
    ...(isOnPath('aplay') ? [] : ['alsa-utils']),
    ...(isOnPath('ffmpeg') ? [] : ['ffmpeg']),
    ...(isOnPath('espeak-ng') ? [] : ['espeak-ng']),
  ];
  if (missing.length > 0) return { ready: false, detail: `programs are missing: apt-get install ${missing.join(' ')}` };
  if (namesIn('/dev/snd', /^pcm.*p$/).length === 0)
    return { ready: false, detail: 'programs ready; no sound card at /dev/snd' };
  return { ready: true, detail: 'player, voices and a sound card' };
};

const broker = (): Pick<RealPart, 'ready' | 'detail'> =>
  isOnPath('mosquitto')
    ? { ready: true, detail: 'mosquitto' }
    : { ready: false, detail: 'mosquitto is missing: apt-get install mosquitto' };

/** @param cameraDevice the camera that the demo was told to use; null = none */
export const realParts = async (cameraDevice: string | null): Promise<readonly RealPart[]> => [
  { part: 'card reader', ...(await cardReader()), demoUses: 'a virtual reader with virtual cards' },
  { part: 'camera', ...camera(), demoUses: cameraDevice ?? 'a virtual camera' },
  { part: 'sound', ...sound(), demoUses: 'none' },
  { part: 'broker', ...broker(), demoUses: 'a broker of its own in this process (aedes)' },
];

export const printRealParts = (parts: readonly RealPart[]): string =>
  parts
    .map(
      ({ part, ready, detail, demoUses }) =>
        `  ${part.padEnd(12)} real: ${ready ? 'ready' : 'not ready'} (${detail})\n${' '.repeat(15)}here: ${demoUses}\n`,
    )
    .join('');
