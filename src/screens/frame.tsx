import type { Control, ScreenModel } from '../core/screen-model.ts';
import { touch } from './connection.ts';
import { withCodes } from './glyphs.ts';
import { ToolIcon } from './pictures.tsx';

type Shown = { readonly shown: ScreenModel };

const Tool = ({ tool, onPress }: { readonly tool: Control; readonly onPress: () => void }) => (
  <button
    type="button"
    class={`tool tool-${tool.id}`}
    aria-label={tool.label}
    aria-pressed={tool.pressed}
    onClick={onPress}
  >
    <ToolIcon id={tool.id} on={tool.pressed !== false} />
    <span>{tool.label}</span>
  </button>
);

const toolOf = (shown: ScreenModel, id: Control['id']): Control | undefined =>
  shown.tools.find((tool) => tool.id === id);

/** Name of the clinic, the poster's four steps with where we are, and language and voice at their place. */
export const Header = ({
  shown,
  choosingLanguage,
  onLanguage,
}: Shown & { readonly choosingLanguage: boolean; readonly onLanguage: () => void }) => {
  const language = toolOf(shown, 'language');
  const voice = toolOf(shown, 'voice');
  const now = shown.step ?? 0;
  return (
    <header>
      <div class="facility">{withCodes(shown.facilityName)}</div>
      <ol class={`steps ${shown.step === null ? 'away' : ''}`} aria-hidden={shown.step === null}>
        {shown.steps.map((label, index) => {
          const number = index + 1;
          const state = number < now || now === 4 ? 'done' : number === now ? 'now' : 'later';
          return (
            <li
              key={label}
              class={number === now ? `now ${state}` : state}
              aria-current={number === now ? 'step' : undefined}
            >
              <b>{state === 'done' ? '✓' : number}</b>
              <span>{label}</span>
            </li>
          );
        })}
      </ol>
      <div class="tools">
        {language !== undefined && shown.languages.length > 1 && (
          <Tool tool={{ ...language, pressed: choosingLanguage }} onPress={onLanguage} />
        )}
        {voice !== undefined && <Tool tool={voice} onPress={() => touch('voice')} />}
      </div>
    </header>
  );
};

/** What the patient may rely on here, and the quieter tools. */
export const Footer = ({ shown }: Shown) => (
  <footer>
    <p>
      <span>{shown.footer[0]}</span>
      <span>{shown.footer[1]}</span>
    </p>
    <div class="tools">
      {(['repeat', 'text-size', 'theme'] as const).map((id) => {
        const tool = toolOf(shown, id);
        return tool === undefined ? null : <Tool key={id} tool={tool} onPress={() => touch(id)} />;
      })}
    </div>
  </footer>
);
