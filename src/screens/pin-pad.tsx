import type { ScreenModel } from '../core/screen/screen-model.ts';
import { pressPinKey } from './connection.ts';
import { WithRuby } from './with-ruby.tsx';

const clearKey = 0x08;
const enterKey = 0x0d;
const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** Ten keys that look the same before, while and after they are pressed: nobody reads the PIN from the glass. */
export const PinPad = ({
  shown,
  words,
}: {
  readonly shown: ScreenModel;
  readonly words: NonNullable<ScreenModel['pinKeys']>;
}) => {
  const { body } = shown;
  const checking = body.kind === 'pin' && body.checking;
  const complete = body.kind === 'pin' && body.entered === body.length && !checking;
  const key = (digit: number) => (
    <button type="button" key={digit} class="key" disabled={checking} onClick={() => pressPinKey(0x30 + digit)}>
      {digit}
    </button>
  );
  return (
    <div class="pad">
      {digits.map(key)}
      <button type="button" class="key word" disabled={checking} onClick={() => pressPinKey(clearKey)}>
        <WithRuby text={words.clear} ruby={shown.ruby} />
      </button>
      {key(0)}
      <button
        type="button"
        class={`key word enter ${complete ? 'ready' : ''}`}
        disabled={checking}
        onClick={() => pressPinKey(enterKey)}
      >
        <WithRuby text={words.enter} ruby={shown.ruby} />
      </button>
    </div>
  );
};
