import { exhibitContext, gallery, galleryDisplay, gallerySettings } from '../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import { dictionaryOf } from '../../src/core/screen/draw-screen-words.ts';
import { cameraPlaces, facilityKinds } from '../../src/wire/facility-settings.ts';

/** Texts that hold a paper's date or the time of day: nobody can record them beforehand, their kana reading is said. */
const isUnforeseen = (text: string): boolean => /見本(病院|医院)|\d\d:\d\d|、\d+月\d+日/.test(text);

/**
 * Everything that can be foreseen to be said in a language: all screens of every kind of institution and keypad, and the
 * numbers that counting texts can hold.
 */
export const spokenTexts = (catalogue: Catalogue, language: string): readonly string[] => {
  const display = { ...galleryDisplay, language };
  const said = new Set<string>();
  for (const institutionType of facilityKinds)
    for (const exhibit of gallery({ ...gallerySettings, institutionType }, catalogue, display))
      for (const keypad of [null, 'digits', 'four-keys'] as const) {
        const context = { ...exhibitContext(catalogue, exhibit), keypad };
        const { speech, controls, tools, footer } = drawScreen(exhibit.session, context);
        for (const text of footer) said.add(text);
        for (const { spoken } of [...controls, ...tools]) if (spoken !== undefined) said.add(spoken.text);
        for (const { text, aloud } of speech) {
          said.add(text);
          if (aloud !== undefined) said.add(aloud.text);
        }
      }
  const d = dictionaryOf(catalogue, language);
  for (let count = 0; count <= 8; count += 1) {
    if (count >= 2) said.add(d.text('remaining', { count }));
    if (count >= 2 && count <= 3) said.add(d.text('pin.tries', { count }));
    if (count <= 4) said.add(d.text('pin.entered', { length: 4, count }));
  }
  for (const place of cameraPlaces) said.add(d.text('face.spoken.no-face', { place: d.text(`camera.${place}`) }));
  return [...said].filter((text) => !isUnforeseen(text)).sort();
};
