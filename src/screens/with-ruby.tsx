import type { ScreenModel } from '../core/screen/screen-model.ts';
import { mayBreak } from './phrases.ts';

/**
 * A text with kana above its kanji, where the model has them (やさしい日本語); else the text. Where a line may break between
 * phrases it still may; between a kanji and its kana it may not.
 */
export const WithRuby = ({ text, ruby }: { readonly text: string; readonly ruby: ScreenModel['ruby'] }) => {
  const pieces = ruby[text.replaceAll(mayBreak, '')];
  if (pieces === undefined) return <>{text}</>;
  let at = 0;
  const phrases = text.split('');
  /** The next letters of the text, with the breaks before and between them. */
  const take = (length: number): string => {
    let taken = '';
    for (let left = length; left > 0; at += 1) {
      if (phrases[at] !== mayBreak) left -= 1;
      taken += phrases[at] ?? '';
    }
    return taken;
  };
  return (
    <span class="furigana">
      {pieces.map(([base, kana], index) => {
        const written = take(base.length);
        if (kana === null) return written;
        const before = written.startsWith(mayBreak) ? mayBreak : '';
        return [
          before,
          <ruby key={`${index} ${base}`}>
            {base}
            {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can be focused; the word is said once */}
            <rt aria-hidden="true">{kana}</rt>
          </ruby>,
        ];
      })}
    </span>
  );
};
