import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { charactersOf, slicesOf } from '../../scripts/generate/font-slices.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { undrawableLanguages } from '../../src/terminal/doctor/page-fonts.ts';

const root = join(import.meta.dirname, '..', '..');
const catalogue = catalogueAt(Date.now());

describe("the fonts of the patient's page", () => {
  let folder = '';
  const fonts = (...names: string[]) => join(folder, 'fonts', ...names);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'uketsuke-page-fonts-'));
    const script = join(root, 'scripts', 'generate', 'cut-page-fonts.ts');
    execFileSync(process.execPath, [script, folder], { stdio: 'pipe', timeout: 60_000 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('draw every text of the catalogue in every language', async () => {
    expect([...(await undrawableLanguages(folder, catalogue))]).toEqual([]);
  });

  it('have their licences beside them', () => {
    const licences = readdirSync(fonts()).filter((name) => name.endsWith('-LICENSE.txt'));
    expect(licences).toHaveLength(5);
    for (const licence of licences) expect(readFileSync(fonts(licence), 'utf8')).toContain('SIL Open Font License');
  });

  it('are no more than is drawn: 10 MB', () => {
    const files = readdirSync(fonts()).filter((name) => name.endsWith('.woff2'));
    expect(files.reduce((sum, name) => sum + readFileSync(fonts(name)).length, 0)).toBeLessThan(10_000_000);
  });

  it('promise what the files draw, and not a sign more', async () => {
    for (const { path, ranges } of await slicesOf('@fontsource-variable/noto-sans-kr')) {
      const { default: decompress } = await import('woff2-encoder/decompress');
      const drawn = charactersOf(await decompress(readFileSync(path)));
      for (const [first, last] of ranges)
        for (let code = first; code <= last; code += 1) expect(drawn.has(code), code.toString(16)).toBe(true);
    }
  });

  it('name what cannot be drawn: a sign that no font has, a damaged file, a missing one, no fonts at all', async () => {
    const { ne, ko } = catalogue.languages;
    if (ne === undefined || ko === undefined) throw new Error('no Nepali or Korean in the catalogue');
    const withSign = { ...ne, texts: { ...ne.texts, help: `${ne.texts.help} \u{3134B}` } };
    const strange = { ...catalogue, languages: { ...catalogue.languages, ne: withSign } };
    expect([...(await undrawableLanguages(folder, strange))]).toEqual([['ne', 'no font has \u{3134B}']]);

    const damaged = 'noto-sans-devanagari-devanagari-wght-normal.woff2';
    appendFileSync(fonts(damaged), 'x');
    expect([...(await undrawableLanguages(folder, catalogue))]).toEqual([['ne', `${damaged} is missing or damaged`]]);
    const missing = 'noto-sans-kr-latin-wght-normal.woff2';
    for (const name of readdirSync(fonts()))
      if (name.startsWith('noto-sans-kr-') && name !== missing) rmSync(fonts(name));
    expect([...(await undrawableLanguages(folder, catalogue)).keys()].sort()).toEqual(['ko', 'ne']);
    rmSync(fonts('fonts.json'));
    expect([...(await undrawableLanguages(folder, catalogue)).keys()]).toEqual(Object.keys(catalogue.languages));
  });
});
