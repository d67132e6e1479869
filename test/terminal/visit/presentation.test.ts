import { expect, it } from 'vitest';
import { createVirtualSpeaker } from '../../../drivers/virtual/virtual-speaker.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { gallery, galleryNow, gallerySettings } from '../../../src/cli/preview-gallery.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import { Presentation } from '../../../src/terminal/visit/presentation.ts';
import type { SessionParts } from '../../../src/terminal/visit/session-parts.ts';

const catalogue = catalogueAt(galleryNow.wallMs);
const display = { language: 'ja', theme: 'default', textPercent: 100, voice: true, loudness: 0 } as const;

const present = () => {
  const ear = createVirtualSpeaker();
  const shown: ScreenModel[] = [];
  const presentation = new Presentation({
    clock: { now: () => galleryNow },
    screen: { show: (model: ScreenModel) => shown.push(model) },
    speaker: ear,
    statusLight: null,
    keypad: null,
    offerUnreviewedLanguages: true,
    clinic: { publishState: () => {} },
    terminal: { device: 'd', lane: 1, version: '0', profile: 'demo' },
  } as unknown as SessionParts);
  const show = (name: string): ScreenModel => {
    const exhibit = gallery(gallerySettings, catalogue, display).find((each) => each.name === name);
    if (exhibit === undefined) throw new Error(`no exhibit ${name}`);
    presentation.show(exhibit.session, catalogue);
    return shown.at(-1) as ScreenModel;
  };
  return { ear, presentation, show };
};

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
