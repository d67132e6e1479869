import { describe, expect, it } from 'vitest';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import {
  exhibitContext,
  gallery,
  galleryDisplay,
  galleryNow,
  gallerySettings,
} from '../../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../../src/core/screen/draw-screen.ts';
import { furiganaOf } from '../../../src/core/screen/furigana.ts';

const kanaOf = (text: string, reading: string): string | null =>
  furiganaOf(text, reading)
    ?.map(([base, kana]) => (kana === null ? base : `${base}(${kana})`))
    .join('') ?? null;

describe('furigana', () => {
  it.each([
    ['受付の 人を 呼ぶ', 'うけつけの、 ひとを、 よぶ', '受付(うけつけ)の 人(ひと)を 呼(よ)ぶ'],
    // Long vowels as they are written, not as they are spoken.
    ['同意の 情報', 'どーいの、 じょーほー', '同意(どうい)の 情報(じょうほう)'],
    ['音を 大きく 小さく', 'おとを、 おーきく、 ちーさく', '音(おと)を 大(おお)きく 小(ちい)さく'],
    ['手続きは おわりました', 'てつずきわ、 おわりました', '手続(てつづ)きは おわりました'],
    // One word with its number, but a number that was filled in stays.
    ['1人だけ、24時間', 'ひとりだけ、にじゅーよ じかん', '1人(ひとり)だけ、24時間(にじゅうよじかん)'],
    ['5秒の 間に', '5びょーの、 あいだに', '5秒(びょう)の 間(あいだ)に'],
    ['受付が できました 14:03', 'うけつけが、 できました、じゅーよじ さんぷん', '受付(うけつけ)が できました 14:03'],
    // What has no vowel to be drawn out stays as it is said, and so does the place of what is filled in later.
    ['運ぶ', 'うんーぶ', '運(うんー)ぶ'],
    ['{count}人を 呼ぶ', '{count}にんを、 よぶ', '{count}人(にん)を 呼(よ)ぶ'],
    ['', '', ''],
    ['iPhoneの 画面', 'あい ふぉんの、 がめん', 'iPhoneの 画面(がめん)'],
  ])('%s', (text, reading, wanted) => {
    expect(kanaOf(text, reading)).toBe(wanted);
  });

  it('is none where the reading is that of another text', () => {
    expect(furiganaOf('ここに 入れます', 'よみとる きかいに いれます')).toBeNull();
    expect(furiganaOf('漢字', '漢字')).toBeNull();
  });

  it('is looked for in no time, whatever somebody calls a paper', () => {
    // Each of these held up a terminal for 3 s and more: it neither heard a card that was taken nor fed its watchdog.
    for (const paper of ['CT 2025/11/01 10:30 MRI 2025/11/02 X', 'A B C D E F G H I J 紹介']) {
      const text = `${paper}（架空病院、2026年11月29日）`;
      const began = process.cpuUsage();
      expect(furiganaOf(text, text)).toBeNull();
      // Of the processor: a machine may do much else.
      expect(process.cpuUsage(began).user, text).toBeLessThan(1_000_000);
    }
  });

  it('stands above every kanji of every screen in やさしい日本語, and of no other language', () => {
    const catalogue = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));
    let above = 0;
    for (const language of ['ja-easy', 'ja']) {
      const display = { ...galleryDisplay, language, voice: 'off' } as const;
      for (const exhibit of gallery(gallerySettings, catalogue, display)) {
        const drawn = drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), now: galleryNow });
        if (language === 'ja') expect(drawn.ruby, exhibit.name).toEqual({});
        else {
          above += Object.keys(drawn.ruby).length;
          // Papers stand as their senders wrote them.
          const controls = drawn.controls.filter(({ weight }) => weight !== 'row');
          const items = drawn.body.kind === 'items' ? drawn.body.items : [];
          const shown = [...[...controls, ...drawn.tools, ...items].flatMap(({ label, note }) => [label, note ?? ''])];
          // What is for the receptionist is Japanese as they read it.
          for (const text of [
            ...shown,
            drawn.heading,
            drawn.note ?? '',
            ...drawn.lead,
            ...drawn.steps,
            drawn.footer[0],
          ])
            if (/\p{Script=Han}/u.test(text) && !text.startsWith('受付の方へ：'))
              expect(drawn.ruby[text], `${exhibit.name}: ${text}`).toBeDefined();
        }
      }
    }
    expect(above).toBeGreaterThan(200);
  });
});
