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
      <h1 class="unseen">{shown.tools.find((tool) => tool.id === 'language')?.label}</h1>
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
