import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Utterance } from '../../src/ports/speaker.ts';
import { runProgram } from '../host/run-program.ts';

/** Mono, signed 16 bit little endian, at this rate: what every voice gives and the loudspeaker takes. Hz */
export const sampleRate = 22_050;

/** Makes sound of an utterance, or null when this voice cannot. The signal stops it. */
export type Voice = (utterance: Utterance, signal: AbortSignal) => Promise<Uint8Array | null>;

/** A sentence of a few seconds is unpacked or made in well under one. ms */
export const voiceLimitMs = 10_000;

/** Standard output of a program that ends by itself; null when it cannot be started, fails, hangs or is stopped. */
const outputOf = async (program: string, args: readonly string[], signal: AbortSignal): Promise<Uint8Array | null> => {
  if (signal.aborted) return null;
  const chunks: Buffer[] = [];
  const running = runProgram(program, args, { limitMs: voiceLimitMs, onOutput: (chunk) => chunks.push(chunk) });
  signal.addEventListener('abort', running.stop, { once: true });
  const { how, code } = await running.ended;
  signal.removeEventListener('abort', running.stop);
  return how === 'ended' && code === 0 ? new Uint8Array(Buffer.concat(chunks)) : null;
};

const indexSchema = z.strictObject({
  language: z.string(),
  provisional: z.boolean(),
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{16}\.ogg$/)),
});

/** The sound files of src/catalogue/speech: path below the folder by language and the very text it was made from. */
export const recordings = (speechDir: string): ((utterance: Utterance) => string | undefined) => {
  const files = new Map<string, string>();
  for (const language of existsSync(speechDir) ? readdirSync(speechDir) : []) {
    const index = join(speechDir, language, 'index.json');
    if (!existsSync(index)) continue;
    const parsed = indexSchema.parse(JSON.parse(readFileSync(index, 'utf8')));
    for (const [text, name] of Object.entries(parsed.files))
      files.set(`${parsed.language} ${text}`, join(language, name));
  }
  return ({ language, text }) => files.get(`${language} ${text}`);
};

/** Says what has been recorded; ffmpeg unpacks it. */
export const recordedVoice = (speechDir: string): Voice => {
  const fileOf = recordings(speechDir);
  return async (utterance, signal) => {
    const file = fileOf(utterance);
    if (file === undefined) return null;
    const format = ['-f', 's16le', '-ac', '1', '-ar', String(sampleRate), '-'];
    const source = ['-hide_banner', '-loglevel', 'error', '-i', join(speechDir, file)];
    return outputOf('ffmpeg', [...source, ...format], signal);
  };
};

/** The catalogue's languages as espeak-ng names its voices. Filipino (tl) has none: it stays silent. */
const espeakVoices: Readonly<Record<string, string>> = {
  ja: 'ja',
  'ja-easy': 'ja',
  en: 'en-us',
  'zh-Hans': 'cmn',
  'zh-Hant': 'cmn',
  ko: 'ko',
  vi: 'vi',
  pt: 'pt-br',
  ne: 'ne',
};
export const languagesWithoutVoice = ['tl'] as const;

const kanji = /\p{Script=Han}/u;

/** The samples of a WAV file (RIFF: the chunk named `data`). A stream's length field is not to be trusted. */
const samplesOf = (wave: Uint8Array): Uint8Array | null => {
  const at = Buffer.from(wave.buffer, wave.byteOffset, wave.byteLength).indexOf('data');
  return at < 0 ? null : wave.subarray(at + 8);
};

/** espeak-ng (Debian main), for what nobody has recorded. It cannot read kanji: Japanese needs its kana reading. */
export const espeakVoice =
  (wordsPerMinute = 140): Voice =>
  async ({ language, text, reading }, signal) => {
    const voice = espeakVoices[language];
    const words = reading ?? text;
    if (voice === undefined || (voice === 'ja' && kanji.test(words))) return null;
    const wave = await outputOf(
      'espeak-ng',
      ['-v', voice, '-s', String(wordsPerMinute), '--stdout', '--', words],
      signal,
    );
    return wave === null ? null : samplesOf(wave);
  };
