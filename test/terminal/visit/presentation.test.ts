import { describe, expect, it } from 'vitest';
import { createVirtualSpeaker } from '../../../drivers/virtual/virtual-speaker.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import {
  type Exhibit,
  gallery,
  galleryDisplay,
  galleryNow,
  gallerySettings,
} from '../../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import { Presentation } from '../../../src/terminal/visit/presentation.ts';
import type { SessionParts } from '../../../src/terminal/visit/session-parts.ts';
import type { Profile } from '../../../src/wire/profile.ts';

const catalogue = catalogueAt(galleryNow.wallMs);
const display = galleryDisplay;

const exhibitNamed = (name: string, voice: 'all' | 'headings') => {
  const exhibit = gallery(gallerySettings, catalogue, { ...display, voice }).find((each) => each.name === name);
  if (exhibit === undefined) throw new Error(`no exhibit ${name}`);
  return exhibit;
};

const present = ({
  voice = 'all',
  keypad = null,
  profile = 'demo',
  isMute = false,
  speaking,
  heard = (_utterances, { ended }) => ended?.(),
}: {
  readonly voice?: 'all' | 'headings';
  readonly keypad?: 'digits' | null;
  readonly profile?: Profile;
  readonly isMute?: boolean;
  readonly speaking?: (speaking: boolean) => void;
  readonly heard?: Parameters<typeof createVirtualSpeaker>[0];
} = {}) => {
  const ear = createVirtualSpeaker(heard);
  const shown: ScreenModel[] = [];
  const told: string[] = [];
  const parts = {
    clock: { now: () => galleryNow },
    screen: { show: (model: ScreenModel) => shown.push(model) },
    speaker: isMute ? null : ear,
    statusLight: null,
    keypad: keypad === null ? null : { keys: keypad },
    clinic: { publishState: (state: { profile: string }) => told.push(state.profile) },
    terminal: { device: 'd', lane: 1, version: '0', profile },
  } as unknown as SessionParts;
  const presentation = new Presentation(parts, speaking);
  const showOf = ({ session }: Exhibit, from: Catalogue): ScreenModel => {
    presentation.show(session, from);
    return shown.at(-1) as ScreenModel;
  };
  const show = (name: string): ScreenModel => showOf(exhibitNamed(name, voice), catalogue);
  return { ear, presentation, show, showOf, told };
};

const frozen = <T>(data: T): T => {
  if (typeof data !== 'object' || data === null || Object.isFrozen(data)) return data;
  Object.values(data).forEach(frozen);
  return Object.freeze(data);
};

it('after any screen the next stands there as it is drawn alone: nothing of the one before is left, or taken for it', () => {
  // The same visit seen in other ways follows itself, too: there the least differs.
  const ways = [
    ...[display, { ...display, language: 'en' }, { ...display, language: 'en', layout: 'low' as const }],
    ...[{ ...display, language: 'en', voice: 'headings' as const }, { ...display, language: 'ko' }, display],
  ];
  const rooms = ways.map((way) => gallery(gallerySettings, catalogue, way));
  const order = [...rooms.flat(), ...(rooms[0] ?? []).flatMap((_, at) => rooms.flatMap((room) => room[at] ?? []))];
  for (const isMute of [false, true]) {
    const { showOf } = present({ isMute });
    for (const exhibit of order) {
      const { revision: _one, ...there } = frozen(showOf(exhibit, catalogue));
      const { revision: _other, ...alone } = present({ isMute }).showOf(exhibit, { ...catalogue });
      expect(there, exhibit.name).toEqual(alone);
    }
  }
});

it('says each language by its own name in its own voice', () => {
  const { ear, presentation, show } = present();
  const { controls, tools, languages } = show('choose-method');
  for (const [index, { code, name }] of languages.entries()) {
    presentation.focus(controls.length + tools.length + index);
    expect(ear.said.at(-1)).toEqual([{ language: code, text: name }]);
  }
});

it('takes the keys from a choice when another question comes, so that nothing is answered unheard', () => {
  const { presentation, show } = present();
  show('consent-item.checkup');
  presentation.focus(0);
  expect(show('consent-item.checkup').focused).toBe(0);
  expect(show('consent-item.surgery').focused).toBeNull();
});

it('says with a question what is promised for it', () => {
  const { ear, show } = present();
  show('consent-bundle');
  expect(ear.last).toContain('同意は、いまから24時間有効です。');
  show('pin');
  expect(ear.last).toContain('入力した番号は、表示も保存もされません。');
});

it('waits for a question to be heard, and for no hint of the face check', () => {
  const waits: boolean[] = [];
  const { ear, show } = present({ speaking: (speaking) => waits.push(speaking) });
  show('face');
  expect(waits).toEqual([true, false]);
  const said = ear.said.length;
  show('face.others');
  expect(ear.said.length).toBe(said + 1);
  expect(waits).toEqual([true, false]);
});

it('cuts what is being said for a prompt, which is to be answered in time, and the prompt once it is answered', () => {
  const whens: unknown[] = [];
  const { show } = present({ heard: (_utterances, { when }) => whens.push(when) });
  for (const hint of ['hold-still', 'turn-left', 'look-here', 'hold-still', 'nearer']) show(`face.hint-${hint}`);
  expect(whens.slice(1)).toEqual(['now', 'now', 'after-sentence', 'after-sentence']);
});

it.each(['summary', 'pre-check-in'])(
  '%s: says what is confirmed before the choices, whatever was heard before',
  (name) => {
    const { ear, show } = present({ keypad: 'digits' });
    show('pre-check-in');
    show('choose-method');
    const { body } = show(name);
    const said = ear.said.at(-1)?.map(({ text }) => text) ?? [];
    if (body.kind !== 'summary') throw new Error('nothing is confirmed');
    const confirmed = [body.providedTitle, ...body.provided, body.withheldTitle, ...body.withheld];
    expect(said.slice(1, 1 + confirmed.length)).toEqual(confirmed);
    expect(said.findIndex((text) => text.startsWith('1、'))).toBeGreaterThan(confirmed.length);
  },
);

describe('the room', () => {
  const inRoom = (name: string, keypad: 'digits' | null = null) => {
    const { ear, show } = present({ voice: 'headings', keypad });
    show(name);
    return ear.all;
  };

  it('hears no health item and no paper, whatever is asked: a heading, or that there is a question', () => {
    for (const name of [
      'consent-item.surgery',
      'consent-item.specific-disease',
      'medical-subsidy',
      'referral-documents',
      'waiting-prescriptions',
    ])
      expect(inRoom(name), name).toBe('質問があります。画面をご覧ください。');
    expect(inRoom('consent-bundle')).toBe('過去の医療情報を、当院の医師などに提供しますか');
    expect(inRoom('summary')).toBe('これで よろしいですか');
    expect(inRoom('pre-check-in')).toBe('スマートフォンで選んだ内容です');
  });

  it('is told once how to hear more, where there are keys to ask by', () => {
    expect(inRoom('choose-method', 'digits')).toContain('音声で聞くときは、どれかのキーを押してください。');
    expect(inRoom('choose-method')).not.toContain('キー');
  });

  it('hears nothing from a terminal at rest, until its sensor notices somebody', () => {
    const { ear, presentation, show } = present({ voice: 'headings', keypad: null });
    show('idle');
    expect(ear.said).toEqual([]);
    presentation.near(true, exhibitNamed('idle', 'headings').session);
    expect(ear.last).toBe('マイナンバーカードをカードリーダーに置いてください。');
    presentation.near(true, exhibitNamed('idle', 'headings').session);
    expect(ear.said).toHaveLength(1);
  });
});

it('explains the keys and a question once a visit; what can be chosen is said each time', () => {
  const { ear, show } = present();
  show('consent-item.checkup');
  expect(ear.last).toContain('同意は、いまから24時間有効です。');
  show('consent-item.surgery');
  expect(ear.last).toContain('1、同意する。');
  expect(ear.last).toContain('手術・病名・感染症の記録');
  expect(ear.last).not.toContain('同意は、いまから24時間有効です。');
});

it('names no way by a digit where digits are the PIN', () => {
  const { ear, show } = present();
  show('pin');
  expect(ear.last).toContain('顔認証にする。');
  expect(ear.last).not.toMatch(/\d、/);
});

it('says on every screen and to the clinic that test cards are taken, whatever the settings call the facility', () => {
  const testing = present({ profile: 'test' });
  const working = present({ profile: 'release' });
  for (const { name } of gallery(gallerySettings, catalogue, display)) {
    expect(testing.show(name).facilityName).toMatch(/^【テスト】(?!【)/);
    expect(working.show(name).facilityName).not.toContain('【テスト】');
  }
  expect(new Set(testing.told)).toEqual(new Set(['test']));
});
