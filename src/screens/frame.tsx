import type { Control, ScreenModel } from '../core/screen/screen-model.ts';
import type { ControlId } from '../core/visit/control-ids.ts';
import { touch } from './connection.ts';
import { withCodes } from './glyphs.ts';
import { ToolIcon } from './pictures.tsx';
import { WithRuby } from './with-ruby.tsx';

type Shown = { readonly shown: ScreenModel };

const Tool = ({
  tool,
  focused,
  onPress,
  ruby,
}: {
  readonly tool: Control;
  readonly ruby: ScreenModel['ruby'];
  readonly focused: boolean;
  readonly onPress: () => void;
}) => (
  <button
    type="button"
    class={`tool tool-${tool.id} ${focused ? 'focused' : ''}`}
    // The words that stand there name it; what is an icon alone has its name from here.
    aria-label={ruby[tool.label] !== undefined && tool.id === 'call-help' ? undefined : tool.label}
    aria-pressed={tool.pressed}
    onClick={onPress}
  >
    <ToolIcon id={tool.id} on={tool.pressed !== false} />
    <span>
      <WithRuby text={tool.label} ruby={ruby} />
    </span>
  </button>
);

/** A tool as it is on this screen, if it is there; touched, it does what the terminal makes of it unless told otherwise. */
const ToolOf = ({
  shown,
  id,
  pressed,
  onPress = () => touch(id),
}: Shown & { readonly id: ControlId; readonly pressed?: boolean; readonly onPress?: () => void }) => {
  const index = shown.tools.findIndex((each) => each.id === id);
  const tool = shown.tools[index];
  if (tool === undefined) return null;
  return (
    <Tool
      tool={pressed === undefined ? tool : { ...tool, pressed }}
      focused={shown.focused === shown.controls.length + index}
      onPress={onPress}
      ruby={shown.ruby}
    />
  );
};

/** Name of the clinic, which of the poster's four steps this is, and language and voice at their place. */
export const Header = ({
  shown,
  choosingLanguage,
  onLanguage,
}: Shown & { readonly choosingLanguage: boolean; readonly onLanguage: () => void }) => {
  const now = shown.step ?? 0;
  return (
    <header>
      <div class="facility">{withCodes(shown.facilityName)}</div>
      <ol class={`steps ${shown.step === null ? 'away' : ''}`} aria-hidden={shown.step === null}>
        {shown.steps.map((label, index) => {
          const number = index + 1;
          const state = number < now || now === 4 ? 'done' : number === now ? 'now' : 'later';
          const isNow = number === now;
          return (
            <li key={label} class={isNow ? `now ${state}` : state} aria-current={isNow ? 'step' : undefined}>
              <b>{!isNow ? '' : state === 'done' ? '✓' : number}</b>
              <span class={isNow ? '' : 'unseen'}>
                <WithRuby text={label} ruby={shown.ruby} />
              </span>
            </li>
          );
        })}
      </ol>
      <div class="tools">
        <ToolOf shown={shown} id="language" pressed={choosingLanguage} onPress={onLanguage} />
        <ToolOf shown={shown} id="voice" />
      </div>
    </header>
  );
};

/** The way to a person, and the quieter tools: icons, so that the words that are there can be large. */
export const Footer = ({ shown }: Shown) => (
  <footer>
    <div class="help">
      <ToolOf shown={shown} id="call-help" />
    </div>
    <div class="tools">
      {(['repeat', 'softer', 'louder', 'text-size', 'theme', 'layout'] as const).map((id) => (
        <ToolOf key={id} shown={shown} id={id} />
      ))}
    </div>
  </footer>
);
