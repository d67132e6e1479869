import { expect, test } from 'vitest';
import { isFaceId } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';

const all = [...personas.values()];

test('every serial belongs to one persona', () => {
  expect(new Set(all.map(({ serial }) => serial)).size).toBe(all.length);
});

test('every face named by a persona is one that the set-up cuts, and whoever has a photo has a face', () => {
  for (const { id, face, hasPhoto } of all) {
    if (face !== null) expect(isFaceId(face), id).toBe(true);
    if (hasPhoto) expect(face, id).not.toBeNull();
  }
});

test('names carry the glyphs that systems lose: 髙 﨑 𠮷 and an ideographic variation sequence', () => {
  const names = all.map(({ person }) => person.name).join('');
  for (const glyph of ['髙', '﨑', '𠮷', '\u{E0100}']) expect(names).toContain(glyph);
});

test('what the facts leave open is marked as a choice', () => {
  for (const id of ['face-only', 'no-photo', 'old-juki', 'android-phone', 'iphone', 'empty-phone', 'driving-licence'])
    expect(personas.get(id)?.choices?.length, id).toBeGreaterThan(0);
});
