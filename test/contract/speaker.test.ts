import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAlsaSpeaker } from '../../drivers/alsa-speaker.ts';
import { chimeSamples } from '../../drivers/chimes.ts';
import { createPageSpeaker } from '../../drivers/page-speaker.ts';
import { languagesWithoutVoice, sampleRate } from '../../drivers/speech-voices.ts';
import { createVirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { spokenTexts } from '../../scripts/speech-texts.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/catalogue.ts';
import type { Utterance } from '../../src/ports/speaker.ts';
import { speakerContract } from './speaker.ts';

const speechDir = join(catalogueDir, 'speech');
const has = (program: string): boolean => {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const [ffmpeg, espeak] = [has('ffmpeg'), has('espeak-ng')];
if (!ffmpeg) process.stderr.write('skipped: recorded voice (ffmpeg is not installed)\n');
if (!espeak) process.stderr.write('skipped: espeak-ng voice (espeak-ng is not installed)\n');

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'uketsuke-sound-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

speakerContract('virtual', createVirtualSpeaker);
speakerContract('page that nobody looks at', () => createPageSpeaker(() => {}, speechDir));
speakerContract('ALSA without a sound card', () => createAlsaSpeaker({ speechDir, player: ['false'] }));
speakerContract('ALSA without a player', () => createAlsaSpeaker({ speechDir, player: ['no-such-player'] }));

/** What the loudspeaker would have got, as samples. */
const heard = async (utterances: readonly Utterance[], volume = 100): Promise<Int16Array> => {
  const file = join(dir, 'samples');
  rmSync(file, { force: true });
  const speaker = createAlsaSpeaker({ speechDir, volume, player: ['sh', '-c', `cat > ${file}`] });
  speaker.say(utterances);
  // `silence` would cut it short; closing after the words have been handed over waits for the player.
  await speaker.finished();
  await speaker.close();
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
const seconds = (samples: Int16Array): number => samples.length / sampleRate;
const isLoud = (samples: Int16Array): boolean => samples.some((sample) => Math.abs(sample) > 1_000);

describe('the voice', () => {
  it.skipIf(!ffmpeg)('says a Japanese text from its recording', async () => {
    const samples = await heard([{ language: 'ja', text: 'マイナンバーカードをカードリーダーに置いてください。' }]);
    expect(seconds(samples)).toBeGreaterThan(2);
    expect(isLoud(samples)).toBe(true);
  });

  it.skipIf(!ffmpeg)('is silent at volume 0', async () => {
    const samples = await heard([{ language: 'ja', text: 'カードを読み取っています' }], 0);
    expect(seconds(samples)).toBeGreaterThan(0.5);
    expect(isLoud(samples)).toBe(false);
  });

  it.skipIf(!espeak).each([
    ['en', 'Please look at the camera', undefined],
    ['ja', '受付できました 14:03', 'うけつけ できました'],
    ['vi', 'Xin vui lòng đợi.', undefined],
    ['ne', 'एकछिन पर्खनुहोस्।', undefined],
  ] as const)('says an unforeseen text with the engine: %s', async (language, text, reading) => {
    const samples = await heard([{ language, text, ...(reading === undefined ? {} : { reading }) }]);
    expect(seconds(samples)).toBeGreaterThan(0.5);
    expect(isLoud(samples)).toBe(true);
  });

  it('does not spell kanji out, and has no Filipino', async () => {
    expect(await heard([{ language: 'ja', text: '誰も録音していない漢字' }])).toHaveLength(0);
    for (const language of languagesWithoutVoice)
      expect(await heard([{ language, text: 'Sandali lang po.' }])).toHaveLength(0);
  });

  it.each(['ja', 'ja-easy'])('has a sound file for everything that can be foreseen to be said in %s', (language) => {
    const index = JSON.parse(readFileSync(join(speechDir, language, 'index.json'), 'utf8')) as {
      files: Record<string, string>;
    };
    const missing = spokenTexts(catalogueAt(Date.now()), language).filter((text) => index.files[text] === undefined);
    expect(missing, 'run ./scripts/setup-voice && npm run make-speech').toEqual([]);
    for (const name of Object.values(index.files)) expect(existsSync(join(speechDir, language, name)), name).toBe(true);
  });
});

describe('chimes', () => {
  it('begin and end without a click, each of its own length', () => {
    const lengths = (['contact', 'accepted', 'attention', 'key'] as const).map((sound) => {
      const bytes = chimeSamples(sound);
      const samples = new Int16Array(bytes.buffer);
      expect(Math.abs(samples[0] ?? 0)).toBeLessThan(500);
      expect(Math.abs(samples.at(-1) ?? 0)).toBeLessThan(3_000);
      return samples.length;
    });
    expect(new Set(lengths).size).toBe(4);
  });
});
