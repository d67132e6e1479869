import type { Control, ScreenModel } from '../core/screen/screen-model.ts';
import { model, touch, touched } from './connection.ts';
import { withCodes } from './glyphs.ts';
import { ChoicePicture } from './pictures.tsx';

const Choice = ({ control, focused }: { readonly control: Control; readonly focused: boolean }) => {
  const sent =
    touched.value?.revision === model.value?.revision && touched.value?.key === `${control.id} ${control.value ?? ''}`;
  return (
    <button
      type="button"
      class={`choice ${control.weight} ${sent ? 'sent' : ''} ${focused ? 'focused' : ''}`}
      data-control={control.id}
      aria-pressed={control.pressed}
      onClick={() => touch(control.id, control.value)}
    >
      {control.weight === 'row' && <i aria-hidden="true" class="tick" />}
      {control.note !== undefined && <ChoicePicture id={control.id} />}
      <span class="label">{control.weight === 'row' ? withCodes(control.label) : control.label}</span>
      {control.note !== undefined && <span class="small">{control.note}</span>}
    </button>
  );
};

const drawn = (shown: ScreenModel, ...weights: readonly Control['weight'][]) =>
  shown.controls
    .map((control, index) => ({ control, index }))
    .filter(({ control }) => weights.includes(control.weight))
    .map(({ control, index }) => (
      <Choice key={`${control.id} ${control.value ?? ''}`} control={control} focused={shown.focused === index} />
    ));

/** A list to choose from; it may be long, so it stands with the words and scrolls with them. */
export const Rows = ({ shown }: { readonly shown: ScreenModel }) => {
  const rows = drawn(shown, 'row');
  return rows.length === 0 ? null : <div class="rows">{rows}</div>;
};

/** What can be done here: free choices side by side and alike, ways round below, what is left to ask beside them. */
export const Controls = ({ shown }: { readonly shown: ScreenModel }) => {
  const first = drawn(shown, 'primary', 'equal');
  const second = drawn(shown, 'secondary');
  const beside = shown.body.kind === 'items' ? shown.note : null;
  if (shown.controls.length === 0 && shown.remaining === null) return null;
  return (
    <div class="controls">
      {first.length > 0 && <div class={`first count-${first.length}`}>{first}</div>}
      {(second.length > 0 || shown.remaining !== null || beside !== null) && (
        <div class="second">
          {second}
          {beside !== null && <p class="beside">{beside}</p>}
          {shown.remaining !== null && <p class="remaining">{shown.remaining}</p>}
        </div>
      )}
    </div>
  );
};
