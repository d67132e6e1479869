import type { ScreenModel } from '../core/screen/screen-model.ts';
import { htmlLanguage } from './html-language.ts';

/** Every language under its own name; the question behind it waits. */
export const LanguagePicker = ({
  shown,
  onChosen,
}: {
  readonly shown: ScreenModel;
  readonly onChosen: (code: string | null) => void;
}) => {
  const first = shown.controls.length + shown.tools.length;
  return (
    <main class="languages">
      <div class="picker-head">
        <h1>{shown.tools.find((tool) => tool.id === 'language')?.label}</h1>
        <button type="button" class="close" aria-label={shown.closeLabel} onClick={() => onChosen(null)}>
          <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
            <path d="M5 5l14 14M19 5 5 19" />
          </svg>
        </button>
      </div>
      {shown.languages.map(({ code, name }, index) => (
        <button
          type="button"
          key={code}
          class={`choice equal ${shown.focused === first + index ? 'focused' : ''}`}
          lang={htmlLanguage(code)}
          data-language={code}
          aria-pressed={code === shown.language}
          onClick={() => onChosen(code === shown.language ? null : code)}
        >
          <span class="label">{name}</span>
        </button>
      ))}
    </main>
  );
};
