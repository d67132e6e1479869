import { describe, expect, it } from 'vitest';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import {
  type Exhibit,
  exhibitContext,
  gallery,
  galleryDisplay,
  galleryNow,
  gallerySettings,
} from '../../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../../src/core/screen/draw-screen.ts';
import type { ScreenModel, Touch } from '../../../src/core/screen/screen-model.ts';
import type { KeypadEvent } from '../../../src/ports/keypad.ts';
import { KeypadGuide } from '../../../src/terminal/visit/keypad-guide.ts';

/*
 * Whoever sees nothing and touches nothing: on every screen of the gallery, each choice, each tool and each language can
 * be reached and taken by four keys and by a numeric keypad, is said before it is taken, and the voice tells how.
 */

const catalogue = catalogueAt(galleryNow.wallMs);
const display = galleryDisplay;
const exhibits = gallery(gallerySettings, catalogue, display);
const kinds = ['four-keys', 'digits'] as const;
type Keys = (typeof kinds)[number];

const key = (byte: number): KeypadEvent => ({ type: 'key', key: byte });
const digit = (value: number): KeypadEvent => key(0x30 + value);
const [clear, enter] = [key(0x08), key(0x0d)];
const next: KeypadEvent = { type: 'move', move: 'next' };
const previous: KeypadEvent = { type: 'move', move: 'previous' };
const choose: KeypadEvent = { type: 'move', move: 'choose' };

/** One screen under the keys: what came under them, what was touched, and how often it was said again. */
const underKeys = (exhibit: Exhibit, keypad: Keys, change: Partial<ScreenModel> = {}) => {
  const drawn = drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), keypad });
  // Who has begun to type a PIN takes it back before the keys walk through the other ways.
  const body = drawn.body.kind === 'pin' ? { ...drawn.body, entered: 0 } : drawn.body;
  const model: ScreenModel = { ...drawn, body, revision: 1, ...change };
  const touches: Touch[] = [];
  const pinKeys: number[] = [];
  let focused: number | null = null;
  let repeats = 0;
  const guide = new KeypadGuide({
    model: () => model,
    touch: (touch) => touches.push(touch),
    pinKey: (pressed) => pinKeys.push(pressed),
    focus: (index) => {
      focused = index;
    },
    repeat: () => {
      repeats += 1;
    },
  });
  return {
    model,
    touches,
    pinKeys,
    press: (...events: readonly KeypadEvent[]): void => {
      for (const event of events) guide.press(event as Extract<KeypadEvent, { type: 'key' | 'move' }>);
    },
    get focused() {
      return focused;
    },
    get repeats() {
      return repeats;
    },
  };
};
type UnderKeys = ReturnType<typeof underKeys>;

const isPin = ({ model }: UnderKeys): boolean => model.body.kind === 'pin';
const isChecking = ({ model }: UnderKeys): boolean => model.body.kind === 'pin' && model.body.checking;

const walkTo = (screen: UnderKeys, keys: Keys, wanted: number): void => {
  const step = isPin(screen) ? (keys === 'digits' ? clear : previous) : keys === 'four-keys' ? next : digit(0);
  if (keys === 'digits' && !isPin(screen) && wanted < screen.model.controls.length)
    return screen.press(digit(wanted + 1));
  screen.press(step);
  for (let steps = 0; steps < 20 && screen.focused !== wanted; steps += 1)
    screen.press(isPin(screen) && keys === 'four-keys' ? next : step);
};

describe.each(kinds)('by %s', (keys) => {
  const take = keys === 'digits' ? enter : choose;

  it.each(exhibits.map((exhibit) => [exhibit.name, exhibit] as const))('%s', (_name, exhibit) => {
    const whole = underKeys(exhibit, keys);
    if (isChecking(whole)) {
      whole.press(digit(1), enter, next, choose);
      expect([whole.touches, whole.pinKeys]).toEqual([[], []]);
      return;
    }
    const { controls, tools, languages, speech } = whole.model;
    // Said with the screen: how the keys answer, or, where nothing is asked, what they do at all.
    const picture = whole.model.body.kind === 'picture' ? whole.model.body.picture : '';
    const passes = picture === 'reading-card' || picture === 'wait';
    expect(speech.some(({ text }) => text.includes('キー'))).toBe(!passes);

    for (const [index, control] of [...controls, ...tools].entries()) {
      const screen = underKeys(exhibit, keys);
      walkTo(screen, keys, index);
      expect(screen.focused, control.id).toBe(index);
      if ('weight' in control && control.weight === 'row') expect(control.spoken?.text).toMatch(/^\d、.+、\d+月\d+日 /);
      else expect(control.spoken?.text, control.id).toContain(control.label);
      expect(screen.touches, control.id).toEqual([]);
      screen.press(take);
      if (index < controls.length) expect(screen.touches).toMatchObject([{ control: control.id }]);
      else if (control.id === 'repeat') expect(screen.repeats).toBeGreaterThan(0);
      else if (control.id !== 'language') {
        // A tool stays under the keys: louder, and louder again.
        screen.press(take);
        expect(screen.touches.map((touch) => touch.control)).toEqual([control.id, control.id]);
      }
    }

    const language = tools.findIndex(({ id }) => id === 'language');
    for (const { code } of language < 0 ? [] : languages) {
      const screen = underKeys(exhibit, keys);
      walkTo(screen, keys, controls.length + language);
      screen.press(take);
      const wanted = controls.length + tools.length + languages.findIndex((each) => each.code === code);
      for (let steps = 0; steps < languages.length && screen.focused !== wanted; steps += 1)
        screen.press(keys === 'digits' ? digit(0) : next);
      screen.press(take);
      expect(screen.touches, code).toMatchObject([{ control: 'language', value: code }]);
      expect(screen.focused).toBeNull();
    }
    if (language >= 0) {
      const screen = underKeys(exhibit, keys);
      walkTo(screen, keys, controls.length + language);
      screen.press(take, keys === 'digits' ? clear : { type: 'move', move: 'repeat' });
      expect([screen.touches, screen.focused]).toEqual([[], null]);
    }
  });
});

it.each(
  exhibits.filter(({ session }) => session.state.name === 'enteringPin').map((each) => [each.name, each] as const),
)('off the end of the other ways lie the digits again: %s', (_name, exhibit) => {
  const screen = underKeys(exhibit, 'four-keys');
  if (screen.model.body.kind !== 'pin' || screen.model.body.checking) return;
  walkTo(screen, 'four-keys', 0);
  screen.press(previous);
  expect([screen.focused, screen.repeats]).toEqual([null, 1]);
  screen.press(next, next, choose);
  expect(screen.pinKeys).toEqual([0x32]);
});

it('a keypad reaches the tenth choice and those behind it by their numbers', () => {
  const exhibit = exhibits.find(({ name }) => name === 'referral-documents');
  if (exhibit === undefined) throw new Error('no referral documents');
  const [paper] = underKeys(exhibit, 'digits').model.controls;
  if (paper === undefined) throw new Error('no papers');
  const controls = Array.from({ length: 13 }, (_, index) => ({ ...paper, value: `paper-${index + 1}` }));
  for (const wanted of [1, 2, 9, 10, 11, 13]) {
    const screen = underKeys(exhibit, 'digits', { controls });
    screen.press(...[...String(wanted)].map((each) => digit(Number(each))), enter);
    expect(screen.touches).toMatchObject([{ value: `paper-${wanted}` }]);
  }
});
