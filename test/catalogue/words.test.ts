import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { cataloguesToCheck, checkWords, glossaryOf, textsHash } from '../../scripts/words/check-words.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';

const nowMs = Date.parse('2026-12-01T00:00:00Z');
const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

type Texts = Record<string, string>;
type Content = Record<string, unknown> & {
  texts: Texts;
  means: Texts;
  blind?: { means: Texts; changedSince: Texts };
};

/** What the check says of a catalogue of which one file says something else. */
const checked = (file: string, change: (content: Content) => void) => {
  const dir = mkdtempSync(join(tmpdir(), 'uketsuke-words-'));
  made.push(dir);
  cpSync(catalogueDir, dir, { recursive: true, filter: (path) => !path.endsWith('.ogg') });
  const content = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Content;
  change(content);
  writeFileSync(join(dir, file), JSON.stringify(content));
  return checkWords(catalogueAt(nowMs, dir), dir);
};

it('finds nothing wrong with the words of today, nor with those that are to come', () => {
  expect(cataloguesToCheck(nowMs).flatMap((catalogue) => checkWords(catalogue))).toEqual([]);
  const { languages } = catalogueAt(nowMs);
  expect(Object.values(languages).filter(({ grade }) => grade === null)).toEqual([]);
  for (const language of Object.keys(languages).filter((code) => code !== 'ja'))
    expect(Object.keys(glossaryOf(language)?.terms ?? {}).length, language).toBeGreaterThanOrEqual(40);
});

it.each<[string, string, (content: Content) => void, string, string, RegExp]>([
  [
    'a text of a failure that was changed after it was read back',
    'texts/zh-Hans.json',
    ({ texts }) => {
      texts['failure.offline'] = '无法通信。请咨询前台。';
    },
    'back-translation',
    'failure.offline',
    /「无法通信。请咨询前台。」 means today; then of: [\w-]{16}$/,
  ],
  [
    'a text that nobody read back',
    'back-translations/vi.json',
    ({ means }) => {
      delete means['pin.wrong'];
    },
    'back-translation',
    'pin.wrong',
    /「Mã PIN có vẻ không đúng.」/,
  ],
  [
    'a language that nobody read blind',
    'back-translations/ne.json',
    (content) => {
      delete content.blind;
    },
    'blind',
    '*',
    /^141 texts read blind$/,
  ],
  [
    'a text that was changed after it was read blind',
    'texts/zh-Hans.json',
    ({ texts }) => {
      texts['failure.offline'] = '无法通信。请咨询前台。';
    },
    'blind',
    'failure.offline',
    /changedSince: 「无法通信。请咨询前台。」/,
  ],
  [
    'a text that is said to be another than the one read blind, and is the same',
    'back-translations/pt.json',
    ({ blind }) => {
      if (blind !== undefined) blind.changedSince['pin.wrong'] = '2026-11-30';
    },
    'blind',
    'pin.wrong',
    /no day in changedSince/,
  ],
  [
    'a term of the glossary by another word',
    'texts/ko.json',
    ({ texts }) => {
      texts['pin.heading'] = '4자리 핀을 입력해 주세요';
    },
    'glossary',
    'pin.heading',
    /暗証番号 as 비밀번호: 「4자리 핀을/,
  ],
  [
    'a consent that names one profession alone',
    'mended-texts/2026-11-30.json',
    ({ texts }) => {
      (texts.en as unknown as Record<string, string>)['consent.heading.dental'] =
        'May we show it to the dentists here?';
    },
    'scope',
    'consent.heading.dental',
    /and other medical staff/,
  ],
  [
    'a text that the voice reads by the kana of before',
    'texts/ja-easy.json',
    ({ texts }) => {
      texts['help.coming'] = 'お医者さんが 来ます';
    },
    'reading',
    'help.coming',
    /the kana of 「お医者さんが 来ます」, not 「うけつけの、 ひとが、 きます」/,
  ],
  [
    'a native reader who read other texts',
    'texts/ja.json',
    (content) => {
      content.grade = 'native';
      content.nativeReaders = [{ name: 'A. Reader', date: '2026-12-01', textsHash: 'x'.repeat(43) }];
    },
    'native',
    '*',
    /textsHash [\w-]{43}$/,
  ],
])('finds %s', (_what, file, change, check, key, wanted) => {
  expect(checked(file, change)).toContainEqual(
    expect.objectContaining({ check, key, wanted: expect.stringMatching(wanted) }),
  );
});

it('believes a native reader whose texts are those of today', () => {
  const texts = catalogueAt(nowMs).languages.ja;
  if (texts === undefined) throw new Error('no Japanese');
  const found = checked('texts/ja.json', (content) => {
    content.grade = 'native';
    content.nativeReaders = [{ name: 'A. Reader', date: '2026-12-01', textsHash: textsHash(texts) }];
  });
  expect(found).toEqual([]);
});
