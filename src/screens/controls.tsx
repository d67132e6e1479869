import type { Control, ScreenModel } from '../core/screen/screen-model.ts';
import { model, touch, touched } from './connection.ts';
import { withCodes } from './glyphs.ts';
import { ChoicePicture } from './pictures.tsx';
import { scrollOn } from './scrolling-text.tsx';
import { WithRuby } from './with-ruby.tsx';

const Choice = ({
  control,
  focused,
  waits,
  ruby,
}: {
  readonly control: Control;
  readonly ruby: ScreenModel['ruby'];
  readonly focused: boolean;
  /** Its question has not been on the screen as a whole: touched, it shows the rest. */
  readonly waits: boolean;
}) => {
  const sent =
    touched.value?.revision === model.value?.revision && touched.value?.key === `${control.id} ${control.value ?? ''}`;
  return (
    <button
      type="button"
      class={`choice ${control.weight} ${sent ? 'sent' : ''} ${focused ? 'focused' : ''} ${waits ? 'waits' : ''}`}
      data-control={control.id}
      aria-pressed={control.pressed}
      aria-disabled={waits ? true : undefined}
      onClick={() => (waits ? scrollOn() : touch(control.id, control.value))}
    >
      {control.weight === 'row' && <i aria-hidden="true" class="tick" />}
      {control.note !== undefined && <ChoicePicture id={control.id} />}
      <span class="label">
        {control.weight === 'row' ? withCodes(control.label) : <WithRuby text={control.label} ruby={ruby} />}
      </span>
      {control.note !== undefined && (
        <span class="small">
          <WithRuby text={control.note} ruby={ruby} />
        </span>
      )}
    </button>
  );
};

const drawn = (shown: ScreenModel, waits: boolean, ...weights: readonly Control['weight'][]) =>
  shown.controls
    .map((control, index) => ({ control, index }))
    .filter(({ control }) => weights.includes(control.weight))
    .map(({ control, index }) => (
      <Choice
        key={`${control.id} ${control.value ?? ''}`}
        control={control}
        focused={shown.focused === index}
        waits={waits}
        ruby={shown.ruby}
      />
    ));

/** A list to choose from; it may be long, so it stands with the words and scrolls with them. */
export const Rows = ({ shown }: { readonly shown: ScreenModel }) => {
  const rows = drawn(shown, false, 'row');
  return rows.length === 0 ? null : (
    <div class="rows" data-subject>
      {rows}
    </div>
  );
};

/** What can be done here: free choices side by side and alike, ways round below, what is left to ask beside them. */
export const Controls = ({ shown, waits }: { readonly shown: ScreenModel; readonly waits: boolean }) => {
  const first = drawn(shown, waits, 'primary', 'equal');
  const second = drawn(shown, false, 'secondary');
  if (shown.controls.length === 0 && shown.remaining === null) return null;
  return (
    <div class="controls">
      {first.length > 0 && <div class={`first count-${first.length}`}>{first}</div>}
      {(second.length > 0 || shown.remaining !== null) && (
        <div class="second">
          {second}
          {shown.remaining !== null && (
            <p class="remaining">
              <WithRuby text={shown.remaining} ruby={shown.ruby} />
            </p>
          )}
        </div>
      )}
    </div>
  );
};
