import { expect, it } from 'vitest';
import { chosenShots, distinct, nameOf, partOf } from '../../scripts/screens/screens-shots.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { exhibitContext, gallery, galleryDisplay, galleryNow, gallerySettings } from '../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import { parts } from './browser-walk.ts';

const catalogue = catalogueAt(galleryNow.wallMs);
const display = galleryDisplay;
const exhibits = distinct(gallery(gallerySettings, catalogue, display), catalogue);
const shots = chosenShots(
  exhibits.map(({ name }) => name),
  gallerySettings.languages,
);

it('the parts of the walk are the whole, in order and of one size', () => {
  const walked = Array.from({ length: parts }, (_, index) => partOf(shots, `${index + 1}/${parts}`));
  expect(walked.flat().map(nameOf)).toEqual(shots.map(nameOf));
  for (const part of walked) expect(Math.abs(part.length - shots.length / parts)).toBeLessThan(1);
  for (const wrong of ['0/3', '4/3', '1', 'x/3', '']) expect(() => partOf(shots, wrong)).toThrow('not like 1/3');
});

it('the walk sees every screen there is', () => {
  const screens = exhibits.map((exhibit) => drawScreen(exhibit.session, exhibitContext(catalogue, exhibit)).screen);
  expect(new Set(screens).size).toBe(34);
});
