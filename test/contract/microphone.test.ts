import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAlsaMicrophone, hearsTones } from '../../drivers/microphone/alsa-microphone.ts';
import { chimeSamples, figures } from '../../drivers/speaker/chimes.ts';

const rate = 22_050;
const samplesOf = (ms: number): number => Math.round((rate * ms) / 1_000);
type Chime = Parameters<typeof chimeSamples>[0];
const tonesOf = (chime: Chime): number[] => [
  ...new Set(figures[chime].map(({ hertz }) => hertz).filter((hertz) => hertz > 0)),
];

/** A waiting room of so much noise, and in it, from `at` on, a chime as loud as it reaches the microphone. */
const room = ({ noise, chime, loud = 0, at = 700 }: { noise: number; chime?: Chime; loud?: number; at?: number }) => {
  const samples = new Int16Array(samplesOf(2_500));
  let seed = 7;
  for (let index = 0; index < samples.length; index += 1) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    samples[index] = Math.round((seed / 2 ** 30 - 1) * noise * 0x7fff);
  }
  if (chime === undefined) return samples;
  const sound = new Int16Array(chimeSamples(chime).buffer);
  const from = samplesOf(at);
  for (const [index, value] of sound.entries())
    samples[from + index] = Math.max(
      -0x8000,
      Math.min(0x7fff, (samples[from + index] ?? 0) + Math.round(value * loud)),
    );
  return samples;
};
const heard = (samples: Int16Array): boolean => hearsTones(samples, samplesOf(400), tonesOf('accepted'));

describe('a chime in a room', () => {
  test.each([
    ['quiet', 0.001, 0.02],
    ['with a fan', 0.02, 0.2],
    ['far away', 0.002, 0.01],
    ['loud and clipped', 0.01, 2],
  ])('%s: heard', (_, noise, loud) => expect(heard(room({ noise, chime: 'accepted', loud }))).toBe(true));

  test('silence, a room alone, a sound lost in noise: not heard', () => {
    expect(heard(new Int16Array(samplesOf(2_500)))).toBe(false);
    expect(heard(room({ noise: 0.05 }))).toBe(false);
    expect(heard(room({ noise: 0.3, chime: 'accepted', loud: 0.01 }))).toBe(false);
  });

  test('another chime, a hum at one of its pitches all the time, a door: not heard', () => {
    expect(heard(room({ noise: 0.001, chime: 'attention', loud: 1 }))).toBe(false);
    const hum = room({ noise: 0.001 }).map((value, index) =>
      Math.round(
        value + 8_000 * (Math.sin((2 * Math.PI * 659 * index) / rate) + Math.sin((2 * Math.PI * 880 * index) / rate)),
      ),
    );
    expect(heard(hum)).toBe(false);
    const door = room({ noise: 0.001 });
    const slam = room({ noise: 0.9 });
    for (let index = samplesOf(800); index < samplesOf(900); index += 1) door[index] = slam[index] ?? 0;
    expect(heard(door)).toBe(false);
  });
});

describe('arecord itself, with what lies in a file for a room', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'uketsuke-microphone-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const listen = async (samples: Int16Array, comes: 'nobody' | 'before' | 'meanwhile' = 'nobody') => {
    const somebody = new AbortController();
    if (comes === 'before') somebody.abort();
    const raw = join(folder, 'room.raw');
    writeFileSync(raw, new Uint8Array(samples.buffer));
    const config = join(folder, 'asound.conf');
    writeFileSync(config, `pcm.room { type file slave.pcm { type null } file /dev/null infile "${raw}" format raw }\n`);
    let played = 0;
    const microphone = createAlsaMicrophone({
      device: 'room',
      recorder: [
        'env',
        `ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf:${config}`,
        ...['arecord', '-q', '-t', 'raw', '-f', 'S16_LE', '-c', '1', '-r', String(rate), '-D', 'room'],
      ],
    });
    const play = (): void => {
      played += 1;
      if (comes === 'meanwhile') somebody.abort();
    };
    return [await microphone.hears('accepted', play, somebody.signal), played];
  };

  test('a chime is heard, a room without one is not', async () => {
    expect(await listen(room({ noise: 0.005, chime: 'accepted', loud: 0.1 }))).toEqual([true, 1]);
    expect(await listen(room({ noise: 0.005 }))).toEqual([false, 1]);
  });

  test('somebody comes: it listens no longer, and plays nothing to them', async () => {
    const sounding = room({ noise: 0.005, chime: 'accepted', loud: 0.1 });
    expect(await listen(sounding, 'before')).toEqual([null, 0]);
    expect(await listen(sounding, 'meanwhile')).toEqual([null, 1]);
  });

  test('no such microphone: it could not listen, and nothing was played', async () => {
    let played = 0;
    const microphone = createAlsaMicrophone({ device: 'no-such-card' });
    expect(
      await microphone.hears('accepted', () => {
        played += 1;
      }),
    ).toBeNull();
    expect(played).toBe(0);
  });
});
