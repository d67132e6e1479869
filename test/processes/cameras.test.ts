import { describe, expect, test } from 'vitest';
import { describeSettings } from '../../src/config-file/read-settings.ts';
import { cameraSettingsOf, missingForCamera, openCamera } from '../../src/processes/cameras.ts';
import { configSchema } from '../../src/processes/terminal-config.ts';

const config = { driver: 'ffmpeg', device: '/dev/no-such-video', index: 2, framesPerSecond: 12 } as const;
const words = describeSettings(configSchema).properties?.camera?.properties?.driver?.enum ?? [];

describe('the kinds of cameras', () => {
  test('each that a configuration may name gives its driver what it is opened with; virtual ones are the demo’s', () => {
    expect(words).toEqual(['ffmpeg', 'rpicam', 'virtual']);
    expect(cameraSettingsOf(config)).toEqual({
      kind: 'ffmpeg',
      source: { device: '/dev/no-such-video' },
      framesPerSecond: 12,
    });
    expect(cameraSettingsOf({ ...config, driver: 'rpicam' })).toEqual({
      kind: 'rpicam',
      index: 2,
      framesPerSecond: 12,
    });
    expect(() => cameraSettingsOf({ ...config, driver: 'virtual' })).toThrow(/camera\.driver: virtual hardware/);
  });

  test('what the machine lacks is named before anything is opened', () => {
    expect(missingForCamera(config)).toBe('/dev/no-such-video');
    expect(missingForCamera({ ...config, device: '/dev/null' })).toBeNull();
    const { PATH } = process.env;
    process.env.PATH = '/nowhere';
    expect(missingForCamera({ ...config, driver: 'rpicam' })).toMatch(/^rpicam-vid: not installed/);
    process.env.PATH = PATH;
  });

  test('the release profile opens no virtual one', async () => {
    await expect(openCamera({ kind: 'virtual', seed: 1 }, 'release')).rejects.toThrow(/no virtual camera/);
    const camera = await openCamera({ kind: 'virtual', seed: 1 }, 'demo');
    await camera.close();
  });
});
