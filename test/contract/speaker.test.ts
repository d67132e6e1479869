import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAlsaSpeaker } from '../../drivers/speaker/alsa-speaker.ts';
import { chimeSamples } from '../../drivers/speaker/chimes.ts';
import { loudnessPercent } from '../../drivers/speaker/loudness.ts';
import { createPageSpeaker } from '../../drivers/speaker/page-speaker.ts';
import { languagesWithoutVoice, sampleRate } from '../../drivers/speaker/speech-voices.ts';
import { createVirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { spokenTexts } from '../../scripts/generate/speech-texts.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';
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
if (!ffmpeg) console.warn('skipped: recorded voice (Debian package ffmpeg)');
if (!espeak) console.warn('skipped: espeak-ng voice (Debian package espeak-ng)');

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'uketsuke-sound-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

speakerContract('virtual', createVirtualSpeaker);
speakerContract('page that nobody looks at', () => createPageSpeaker(() => false, speechDir));
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

it.each([
  ['takes it', ['sh', '-c', 'cat > /dev/null'], null],
  [
    'says why not',
    ['sh', '-c', 'echo audio open error: No such device >&2; exit 1'],
    'audio open error: No such device',
  ],
  ['is not there', ['no-such-player'], 'spawn no-such-player ENOENT'],
] as const)('a note for the doctor: the sound system %s', async (_, player, told) => {
  const speaker = createAlsaSpeaker({ speechDir, player });
  expect(await speaker.tryNote?.()).toBe(told);
  await speaker.close();
});

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

describe('a sentence in progress', () => {
  /** The samples of a text alone, and what came out of the loudspeaker when more is said in the middle of it. */
  const saidInTheMiddle = async (when: 'now' | 'after-sentence') => {
    const file = join(dir, `middle-${when}`);
    const player = ['sh', '-c', `cat >> ${file}`] as const;
    const speaker = createAlsaSpeaker({ speechDir, volume: 100, player });
    const ended: string[] = [];
    const first = [
      { language: 'ja', text: 'カードを読み取っています' },
      { language: 'ja', text: 'そのまま、カードを動かさないでください。' },
    ];
    speaker.say(first, { ended: () => ended.push('first') });
    await expect.poll(() => existsSync(file) && readFileSync(file).length > 0, { timeout: 60_000 }).toBe(true);
    speaker.say([{ language: 'ja', text: '準備しています' }], { when, ended: () => ended.push('second') });
    await speaker.finished();
    await speaker.close();
    return { ended, samples: readFileSync(file).length / 2 };
  };

  it.skipIf(!ffmpeg)('is heard to its end before a hint, and what was to follow it makes way', async () => {
    const lengthOf = async (text: string): Promise<number> => (await heard([{ language: 'ja', text }])).length;
    const [first, hint] = [await lengthOf('カードを読み取っています'), await lengthOf('準備しています')];
    const { ended, samples } = await saidInTheMiddle('after-sentence');
    expect([ended, samples]).toEqual([['first', 'second'], first + hint]);
  });

  it.skipIf(!ffmpeg)('is cut for who acted', async () => {
    const { ended } = await saidInTheMiddle('now');
    expect(ended).toEqual(['first', 'second']);
  });
});

describe('the volume', () => {
  it('goes 4 dB a step from where the terminal is set, and never beyond full scale', () => {
    expect([-2, -1, 0, 1, 2].map((steps) => Math.round(loudnessPercent(50, steps)))).toEqual([20, 32, 50, 79, 100]);
    expect(loudnessPercent(100, 2)).toBe(100);
    expect(loudnessPercent(0, 2)).toBe(0);
  });

  it.skipIf(!ffmpeg)('is heard: two steps softer is 8 dB, four tenths of the height', async () => {
    const heights = [];
    for (const steps of [0, -2]) {
      const file = join(dir, `height${steps}`);
      const speaker = createAlsaSpeaker({ speechDir, volume: 100, player: ['sh', '-c', `cat > ${file}`] });
      speaker.setLoudness(steps);
      speaker.say([{ language: 'ja', text: 'カードを読み取っています' }]);
      await speaker.finished();
      await speaker.close();
      const bytes = readFileSync(file);
      const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      heights.push(samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0));
    }
    const [full = 0, softer = 0] = heights;
    expect(softer / full).toBeCloseTo(0.4, 1);
  });

  it('reaches the page with every sound', () => {
    const sent: number[] = [];
    const speaker = createPageSpeaker(({ volume }) => sent.push(Math.round(volume)) > 0, speechDir);
    speaker.setVolume(50);
    speaker.chime('contact');
    speaker.setLoudness(1);
    speaker.say([{ language: 'ja', text: 'カードを読み取っています' }]);
    expect(sent).toEqual([50, 79]);
  });
});

describe('the earphone', () => {
  /** A sound card with a socket that tells: its state is a file, a change a line. Players write to a file a device. */
  const socket = () => {
    const at = mkdtempSync(join(dir, 'socket-'));
    const [state, events, amixer, player] = ['state', 'events', 'amixer', 'player'].map((name) => join(at, name)) as [
      string,
      string,
      string,
      string,
    ];
    writeFileSync(state, 'off');
    execFileSync('mkfifo', [events]);
    const answer = `echo "numid=9,iface=CARD,name='Headphone Jack'"; echo "  : values=$(cat ${state})"`;
    writeFileSync(amixer, `#!/bin/sh\ncase "$3" in cget) ${answer};; events) exec cat ${events};; esac\n`, {
      mode: 0o755,
    });
    writeFileSync(player, `#!/bin/sh\ncat >> ${at}/$2\n`, { mode: 0o755 });
    const open = openSync(events, 'r+');
    return {
      amixer,
      player,
      put: (inserted: boolean) => {
        writeFileSync(state, inserted ? 'on' : 'off');
        writeSync(open, "event value: numid=9,iface=CARD,name='Headphone Jack'\n");
      },
      played: (device: string) => (existsSync(join(at, device)) ? readFileSync(join(at, device)).length : 0),
      close: () => closeSync(open),
    };
  };

  it.skipIf(!ffmpeg)('has the voice to itself while it is in; chimes stay in the room', async () => {
    const card = socket();
    const told: boolean[] = [];
    const speaker = createAlsaSpeaker({
      speechDir,
      device: 'room',
      earphoneDevice: 'ear',
      earphoneJack: 'hw:0/Headphone Jack',
      player: [card.player],
      amixer: card.amixer,
    });
    speaker.onEarphone((inserted) => told.push(inserted));
    const say = async (): Promise<void> => {
      speaker.say([{ language: 'ja', text: 'カードを読み取っています' }]);
      speaker.chime('contact');
      await speaker.finished();
    };
    await say();
    const inRoom = card.played('room');
    expect([card.played('ear'), inRoom > 20_000]).toEqual([0, true]);
    card.put(true);
    await expect.poll(() => told, { timeout: 60_000 }).toEqual([true]);
    await say();
    expect(card.played('ear')).toBeGreaterThan(20_000);
    expect(card.played('room') - inRoom).toBe(chimeSamples('contact').length);
    card.put(false);
    await expect.poll(() => told, { timeout: 60_000 }).toEqual([true, false]);
    await speaker.close();
    card.close();
  });

  it.skipIf(!ffmpeg)('ends a sentence when it is pulled out: nobody waits for what nobody hears', async () => {
    const card = socket();
    const told: boolean[] = [];
    const speaker = createAlsaSpeaker({
      speechDir,
      device: 'room',
      earphoneDevice: 'ear',
      earphoneJack: 'hw:0/Headphone Jack',
      player: [card.player],
      amixer: card.amixer,
    });
    speaker.onEarphone((inserted) => told.push(inserted));
    card.put(true);
    await expect.poll(() => told, { timeout: 60_000 }).toEqual([true]);
    const over: string[] = [];
    const words = [{ language: 'ja', text: 'カードを読み取っています' }];
    speaker.say(words, { ended: () => over.push('in progress') });
    await expect.poll(() => card.played('ear'), { timeout: 60_000 }).toBeGreaterThan(0);
    speaker.say(words, { ended: () => over.push('waiting') });
    card.put(false);
    await expect.poll(() => over.toSorted(), { timeout: 60_000 }).toEqual(['in progress', 'waiting']);
    await speaker.close();
    card.close();
  });

  it.skipIf(!ffmpeg)('without a socket that tells, its device has the voice always', async () => {
    const card = socket();
    const speaker = createAlsaSpeaker({ speechDir, device: 'room', earphoneDevice: 'ear', player: [card.player] });
    speaker.say([{ language: 'ja', text: 'カードを読み取っています' }]);
    await speaker.finished();
    await speaker.close();
    card.close();
    expect([card.played('room'), card.played('ear') > 20_000]).toEqual([0, true]);
  });
});

describe('a sound card that takes no samples', () => {
  /** A player that writes its process id down and then reads nothing, as `aplay` does at a device that hangs. */
  const hanging = () => {
    const started = join(mkdtempSync(join(dir, 'hanging-')), 'started');
    writeFileSync(started, '');
    const player = ['sh', '-c', `echo $$ >> ${started}; exec sleep 600`] as const;
    const ids = () => readFileSync(started, 'utf8').trim().split('\n').filter(Boolean).map(Number);
    return { player, ids };
  };
  const isThere = (id: number): boolean => {
    try {
      return process.kill(id, 0);
    } catch {
      return false;
    }
  };

  it('leaves no player per key press, and does not hold up the end', async () => {
    const card = hanging();
    const speaker = createAlsaSpeaker({ speechDir, player: card.player });
    for (let key = 0; key < 40; key += 1) speaker.chime('key');
    speaker.say([{ language: 'ja', text: 'カードを読み取っています' }]);
    await expect.poll(() => card.ids().length, { timeout: 60_000 }).toBe(4);
    for (let key = 0; key < 40; key += 1) speaker.chime('key');
    await speaker.close();
    const ids = card.ids();
    expect(ids).toHaveLength(4);
    await expect.poll(() => ids.filter(isThere), { timeout: 60_000 }).toEqual([]);
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
