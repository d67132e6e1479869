/**
 * Makes the Japanese voice: readings (kana) for every text of the catalogue, and one compressed sound file for every
 * text that can be foreseen to be said. Open JTalk speaks, ffmpeg compresses (Opus, mono). Run it after a change of
 * Japanese texts; the files are part of the repository.
 *
 *   ./scripts/setup-voice && npm run make-speech            only what is missing; removes what is no longer said
 *   npm run make-speech -- --readings                       every reading anew, after texts were reworded
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogueAt, catalogueDir, changeInstants } from '../../src/catalogue/load-catalogue.ts';
import { readingOf, wordsOfTrace } from './speech-reading.ts';
import { spokenTexts } from './speech-texts.ts';

const languages = ['ja', 'ja-easy'];
const again = process.argv.includes('--readings');
const dictionary = '/var/lib/mecab/dic/open-jtalk/naist-jdic';
const voiceDir = join(import.meta.dirname, '..', '..', '.cache', 'voice');
const voice = existsSync(voiceDir) ? readdirSync(voiceDir).find((name) => name.endsWith('.htsvoice')) : undefined;
if (voice === undefined || !existsSync(dictionary)) throw new Error('run ./scripts/setup-voice first');

const work = mkdtempSync(join(tmpdir(), 'uketsuke-speech-'));
const [textFile, traceFile, waveFile] = ['text', 'trace', 'wave.wav'].map((name) => join(work, name)) as [
  string,
  string,
  string,
];

/** Words that the dictionary reads otherwise than a receptionist does. */
const corrections: readonly (readonly [RegExp, string])[] = [
  [/受付の方へ/g, '受付のかたへ'],
  [/受付の方に/g, '受付のかたに'],
  [/次の方は/g, '次のかたは'],
  [/お持ちでない方は/g, 'お持ちでないかたは'],
  [/その間/g, 'そのあいだ'],
  [/10割/g, '十割'],
  [/24時間/g, '二十四時間'],
  [/iPhone/g, 'アイフォン'],
  [/Android/g, 'アンドロイド'],
];
const spokenForm = (text: string): string => corrections.reduce((form, [from, to]) => form.replace(from, to), text);

const speak = (text: string): void => {
  writeFileSync(textFile, `${spokenForm(text)}\n`);
  // -r: a little slower than the voice's own pace, for ears of 85.
  const voiceFile = join(voiceDir, voice);
  execFileSync('open_jtalk', [
    '-x',
    dictionary,
    '-m',
    voiceFile,
    '-r',
    '0.9',
    '-ow',
    waveFile,
    '-ot',
    traceFile,
    textFile,
  ]);
};

const reading = (text: string): string =>
  text
    .split(/(\{[a-z]+\})/)
    .map((part) => {
      if (
        part === '' ||
        part.startsWith('{') ||
        !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\d]/u.test(part)
      )
        return part.replace(/[「」『』]/g, '');
      speak(part);
      return readingOf(wordsOfTrace(readFileSync(traceFile, 'utf8')));
    })
    .join('');

/** Of every file of the language, whenever it holds. */
const writeReadings = (language: string): void => {
  for (const name of readdirSync(join(catalogueDir, 'texts')))
    if (name === `${language}.json` || name.startsWith(`${language}.2`))
      writeReadingsOf(join(catalogueDir, 'texts', name));
};

const writeReadingsOf = (path: string): void => {
  const file = JSON.parse(readFileSync(path, 'utf8')) as {
    texts: Record<string, string>;
    readings: Record<string, string>;
  };
  file.readings = Object.fromEntries(
    Object.entries(file.texts).flatMap(([key, text]) =>
      /\p{Script=Han}|[A-Za-z\d]|は|へ/u.test(text)
        ? [[key, (again ? undefined : file.readings[key]) ?? reading(text)]]
        : [],
    ),
  );
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
};

for (const language of languages) {
  writeReadings(language);
  process.stderr.write(`make-speech: readings of ${language}\n`);
}
/** What holds today and what notices to come will change. */
const nowMs = Date.now();
const catalogues = [nowMs, ...changeInstants().filter((instant) => instant > nowMs)].map((atMs) => catalogueAt(atMs));
for (const language of languages) {
  const dir = join(catalogueDir, 'speech', language);
  mkdirSync(dir, { recursive: true });
  const texts = [...new Set(catalogues.flatMap((catalogue) => spokenTexts(catalogue, language)))].sort();
  const index: Record<string, string> = {};
  for (const text of texts) {
    const name = `${createHash('sha256').update(text).digest('hex').slice(0, 16)}.ogg`;
    index[text] = name;
    if (existsSync(join(dir, name))) continue;
    speak(text);
    execFileSync('ffmpeg', [
      ...['-hide_banner', '-loglevel', 'error', '-y', '-i', waveFile, '-ac', '1', '-c:a', 'libopus', '-b:a', '16k'],
      ...['-application', 'voip', '-fflags', '+bitexact', '-flags:a', '+bitexact', join(dir, name)],
    ]);
  }
  const wanted = new Set(Object.values(index));
  for (const name of readdirSync(dir)) if (name.endsWith('.ogg') && !wanted.has(name)) rmSync(join(dir, name));
  writeFileSync(join(dir, 'index.json'), `${JSON.stringify({ language, provisional: true, files: index }, null, 2)}\n`);
  process.stderr.write(`make-speech: ${texts.length} sound files of ${language}\n`);
}
rmSync(work, { recursive: true });
