import { beforeEach, describe, expect, it, test } from 'vitest';
import {
  type Exhibit,
  exhibitContext,
  gallery,
  galleryDisplay,
  gallerySettings,
} from '../../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../../src/core/screen/draw-screen.ts';
import type { ScreenModel, screenNames } from '../../../src/core/screen/screen-model.ts';
import { controlIds } from '../../../src/core/visit/control-ids.ts';
import { facilityKinds } from '../../../src/wire/facility-settings.ts';
import { catalogue, japanese, keysIn } from './named-texts.ts';

/* Rules of every screen, whatever it says: nothing is drawn that is not a text of the catalogue. */

type Drawn = Omit<ScreenModel, 'revision'>;
const draw = (exhibit: Exhibit, keypad: 'digits' | 'four-keys' | null = null): Drawn =>
  drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), keypad });
const exhibits = gallery(gallerySettings, catalogue, galleryDisplay);
let drawn: readonly { readonly name: string; readonly screen: Drawn }[] = [];
// Anew for each test: a changed place of the drawing is noticed by the test that looks at it (scripts/mutation).
beforeEach(() => {
  drawn = exhibits.map((exhibit) => ({ name: exhibit.name, screen: draw(exhibit) }));
});
const named = (name: string): Drawn => {
  const found = drawn.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no exhibit ${name}`);
  return found.screen;
};

/** Everything a visitor reads or hears, one after the other. */
const textsOf = ({ heading, lead, note, remaining, footer, steps, closeLabel, ...rest }: Drawn): readonly string[] =>
  [
    ...[heading, ...lead, note, remaining, ...footer, ...steps, closeLabel],
    ...[...rest.controls, ...rest.tools].flatMap((each) => [
      each.label,
      each.note,
      each.spoken?.text,
      each.spoken?.reading,
    ]),
    ...rest.speech.flatMap(({ text, reading, aloud }) => [text, reading, aloud?.text]),
    ...[rest.pinKeys?.clear, rest.pinKeys?.enter],
  ].filter((text) => typeof text === 'string');

describe('every text on a screen', () => {
  it('is one of the catalogue, with everything filled in', () => {
    for (const { name, screen } of drawn)
      for (const text of textsOf(screen)) {
        expect(text, name).toContain('⟦');
        expect(text, name).not.toMatch(/\{[a-z]+\}|undefined|NaN|null/);
      }
  });

  it('and every text of the catalogue that is for screens stands on one', () => {
    const houses = facilityKinds.flatMap((institutionType) =>
      gallery({ ...gallerySettings, institutionType }, catalogue, galleryDisplay),
    );
    const seen = new Set(
      [...exhibits, ...houses].flatMap((exhibit) =>
        ([null, 'digits', 'four-keys'] as const).flatMap((keypad) => keysIn(draw(exhibit, keypad))),
      ),
    );
    // Said with the screens of single tests below and beside this file, and the sheet that is printed.
    const elsewhere =
      /^declaration\.|^help\.|^camera\.|^choose-method\.free$|^pin\.tries-last$|^referral-documents\.chosen$|^speech\.document$|^failure\.card-removed$|^subject\.(medicines|visits)/;
    expect(Object.keys(japanese.texts).filter((key) => !seen.has(key) && !elsewhere.test(key))).toEqual([]);
  });
});

describe('every screen', () => {
  it('is drawn by its name, and looks like no other', () => {
    const looks = new Map<string, string>();
    // A card that was pulled is told so, whatever ended its visit; what else differs there is not for the eye.
    const same = ['accepted.all', 'desk.card.removed'];
    for (const { name, screen } of drawn.filter((each) => !same.includes(each.name))) {
      if (name !== 'consent-item.specific-disease') expect(name.split('.')[0]).toBe(screen.screen);
      const { session: _session, ...look } = screen;
      expect(looks.get(JSON.stringify(look)) ?? name, name).toBe(name);
      looks.set(JSON.stringify(look), name);
    }
  });

  /** The poster’s four steps: card, who it is, consent, done. No step while the terminal is away or something is amiss. */
  const steps: Readonly<Record<1 | 2 | 3 | 4, readonly (typeof screenNames)[number][]>> = {
    1: ['idle', 'choose-phone'],
    2: ['phone-pin', 'choose-method', 'face', 'pin', 'pin-last-try', 'staff-check', 'registration', 'registering'],
    3: [
      ...(['pre-check-in', 'consent-bundle', 'consent-item', 'specific-disease', 'medical-subsidy'] as const),
      ...(['prescription-form', 'referral-documents', 'waiting-prescriptions', 'certificate-notice'] as const),
      ...(['summary', 'signing', 'sending', 'waiting-result'] as const),
    ],
    4: ['accepted', 'take-card'],
  };

  it('stands at its step of the poster', () => {
    const known = Object.entries(steps).flatMap(([step, names]) => names.map((name) => [name, Number(step)] as const));
    for (const { name, screen } of drawn) {
      if (screen.screen === 'reading' || screen.screen === 'present-phone') continue;
      expect(screen.step, name).toBe(new Map<string, number>(known).get(screen.screen) ?? null);
    }
    expect(['reading', 'reading.resuming', 'present-phone.iphone'].map((name) => named(name).step)).toEqual([1, 1, 1]);
    expect(['reading.phone', 'reading.lookup', 'present-phone.android'].map((name) => named(name).step)).toEqual([
      2, 2, 2,
    ]);
  });

  it('is calm unless something is asked of the patient at once, and good when it is done', () => {
    const alarming =
      /^(desk|outage|out-of-service|card-pulled|card-left|still-there|pin-last-try|certificate-notice)\b|^(pin|phone-pin)\.(wrong|incomplete|missed)/;
    for (const { name, screen } of drawn)
      expect(screen.tone, name).toBe(
        alarming.test(name) ? 'attention' : screen.screen === 'accepted' ? 'good' : 'calm',
      );
  });

  it('promises help at its foot, and beside it what may be relied on there', () => {
    const promised: Readonly<Record<string, readonly [string, string]>> = {
      consent: ['consent.validity', 'help'],
      pin: ['promise.pin', 'help'],
      unread: ['promise.photo', 'promise.number'],
      leaving: ['accepted.disappears', 'help'],
      other: ['promise.photo', 'help'],
    };
    const kindOf = (name: string): string => {
      if (/^(consent-|pre-check-in|summary)/.test(name)) return 'consent';
      if (/^(phone-)?pin(\.|$)/.test(name)) return 'pin';
      if (/^(starting|idle|reading$|reading\.resuming)/.test(name)) return 'unread';
      return /^accepted(?!\.(card-gone|phone))/.test(name) ? 'leaving' : 'other';
    };
    for (const { name, screen } of drawn)
      expect(
        screen.footer.flatMap((text) => keysIn(text)),
        name,
      ).toEqual(promised[kindOf(name)]);
  });

  it('shows a picture, a code or a list that the page knows how to draw', () => {
    const pictures = ['place-card', 'present-phone', 'reading-card', 'put-back-card', 'take-card', 'desk', 'wait'];
    for (const { name, screen } of drawn) {
      expect(['plain', 'picture', 'face', 'pin', 'items', 'summary', 'code', 'countdown'], name).toContain(
        screen.body.kind,
      );
      if (screen.body.kind === 'picture') expect(pictures, name).toContain(screen.body.picture);
      for (const each of [...screen.controls, ...screen.tools]) {
        expect(controlIds, name).toContain(each.id);
        expect(['primary', 'equal', 'row', 'secondary'], name).toContain(each.weight);
        // A button is named for what it does.
        expect(keysIn(each.label)[0]?.length, name).toBeGreaterThan(3);
      }
    }
  });

  test.each<[string, RegExp]>([
    ['place-card', /^idle(?!\.reconnecting)/],
    ['present-phone', /^(present-phone|(take-card|card-left)\.phone)/],
    ['reading-card', /^(reading|reading\.resuming|signing)$/],
    [
      'take-card',
      /^(accepted(?!\.(failed|card-gone|phone))|(take-card|card-left)(?!\.phone)|desk\.eligibility\.not-registered)/,
    ],
    ['desk', /^staff-check/],
    ['wait', /^(starting|reading\.(phone|lookup)|registering|sending|waiting-result)$/],
  ])('has the picture %s where that is to be done, and nowhere else', (picture, where) => {
    for (const { name, screen } of drawn) {
      const shows = screen.body.kind === 'picture' && screen.body.picture === picture;
      if (!/^desk\./.test(name)) expect(shows, name).toBe(where.test(name));
    }
  });

  it('counts down only where something ends by itself', () => {
    for (const { name, screen } of drawn)
      expect(screen.body.kind === 'countdown', name).toBe(
        /^(idle\.reconnecting|still-there|card-pulled|sending\.trouble|desk\.card\.removed)/.test(name),
      );
  });

  it('offers as much as there is to choose: nothing while something is read, signed or sent', () => {
    for (const { name, screen } of drawn)
      if (
        /^(starting|reading|registering|signing|sending|waiting-result|accepted|take-card|card-|pin\.checking|out)/.test(
          name,
        )
      )
        expect(screen.controls, name).toEqual([]);
  });
});
