import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { testSettings } from '../../../scripts/beds/test-facility.ts';
import { failureSteps, meanwhile } from '../../../src/agent/staff-page/desk-order-view.ts';
import type { PageModel } from '../../../src/agent/staff-page/page-model.ts';
import { declarationPage } from '../../../src/agent/staff-page/printed-forms.ts';
import { noticeText } from '../../../src/agent/staff-page/words.ts';
import { catalogueAt } from '../../../src/catalogue/load-catalogue.ts';
import { gallery, galleryDisplay, gallerySettings } from '../../../src/cli/preview-gallery.ts';
import type { FailureCode } from '../../../src/core/failure.ts';
import { drawScreen } from '../../../src/core/screen/draw-screen.ts';

const nowMs = Date.parse('2026-11-29T03:00:00Z');
const catalogue = catalogueAt(nowMs);
const modelOf = (more: Partial<typeof testSettings> = {}): PageModel =>
  ({
    context: { settings: () => ({ ...testSettings, ...more }) },
    catalogue: () => catalogue,
    nowMs: () => nowMs,
  }) as unknown as PageModel;
const codes = Object.keys(catalogue.failures) as FailureCode[];
const sourceOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** What each step of the official order is known by, in its order. */
const inOrder = ['マイナポータル', '資格情報のお知らせ', '口頭で確認', '申立書', '資格確認書をお持ちの方'];
const isInOrder = (text: string): boolean => {
  const places = inOrder.map((word) => text.indexOf(word));
  return places.every((place, index) => place >= 0 && (index === 0 || place > (places[index - 1] ?? 0)));
};

describe('the order at the desk', () => {
  test('stands in one place: no failure text says it again', () => {
    const { failures } = JSON.parse(sourceOf('src/catalogue/failures/2024-10-07.json')) as {
      failures: Record<string, { staff: { steps: string[] } }>;
    };
    for (const [code, { staff }] of Object.entries(failures))
      expect(staff.steps.join(), code).not.toMatch(/資格確認書|申立書|10割|居宅同意取得型|資格確認アプリ/);
  });

  test.each(codes)('%s leads to it in one step, and to the printed form', (code) => {
    const text = failureSteps(modelOf(), catalogue.failures[code].staff.steps, code).text;
    expect(isInOrder(text)).toBe(true);
    expect(text).toContain(`/declaration?code=${code}`);
    expect(text).not.toContain('@desk');
    const page = declarationPage(modelOf(), new URLSearchParams({ code })).text;
    expect(page).toContain(catalogue.failures[code].staff.summary);
    expect(page).toContain(testSettings.facilityName);
    expect(page).toContain('2026年11月29日');
  });

  test('an ended certificate leads to its own slip, a revoked one to another', () => {
    for (const code of codes)
      expect(/\/renewal\?state=(\w+)/.exec(failureSteps(modelOf(), [], code).text)?.[1] ?? null, code).toBe(
        { 'card.certificate-expired': 'expired', 'card.certificate-revoked': 'revoked' }[code as string] ?? null,
      );
  });

  test('● is asked of what is valid today, never of a card that is not any more', () => {
    expect(noticeText('name-character:sent-as-placeholder:U+25CF')).toMatch(/マイナポータル.*資格情報のお知らせ/);
    expect(noticeText('name-character:sent-as-placeholder:U+25CF')).not.toMatch(/被保険者証|健康保険証を|保険証の字/);
  });

  test('資格確認書 never comes first, and ways that are not set up are on no screen', () => {
    expect(catalogue.desk.steps[0]?.id).toBe('card-and-portal');
    const without = meanwhile(modelOf(), true).text;
    expect(without).not.toMatch(/居宅同意取得型|マイナ資格確認アプリ/);
    const having = meanwhile(modelOf({ homeConsent: true, qualificationApp: true })).text;
    expect(having).toMatch(/居宅同意取得型[\s\S]*マイナ資格確認アプリ/);
    // The emergency function is opened centrally: only an outage of the whole country names it.
    expect(without).toContain('緊急時医療情報・資格確認機能');
    expect(having).not.toContain('緊急時医療情報・資格確認機能');
  });

  test('the staff guide tells the same steps', () => {
    const guide = sourceOf('docs/staff-guide.md');
    const told = guide.slice(guide.indexOf('## カードで確認できないとき'));
    const texts = catalogue.desk.steps.map(({ text }) => told.indexOf(text));
    expect(texts.every((place) => place > 0)).toBe(true);
    expect([...texts].sort((a, b) => a - b)).toEqual(texts);
    expect(told).toContain(catalogue.desk.never);
    expect(guide.replace(told, '')).not.toMatch(/資格確認書|居宅同意取得型/);
  });

  const pairs = codes.flatMap((code) => Object.keys(catalogue.languages).map((language) => [code, language] as const));
  const textOf = (code: FailureCode, language: string): string =>
    failureSteps(modelOf({ languages: Object.keys(catalogue.languages) }), catalogue.failures[code].staff.steps, code)
      .text.split('<a href="')
      .find((link) => link.startsWith(`/declaration?code=${code}&language=${language}"`)) ?? '';

  /** A text as it stands in a page; one that is missing stands in none. */
  const drawn = (text: string | undefined): string => (text ?? '\0').replaceAll("'", '&#39;');

  test('every failure in every language: one step to the order, and from it to the printed form in that language', () => {
    const whole = pairs.filter(([code, language]) => {
      const model = modelOf({ languages: Object.keys(catalogue.languages) });
      const page = declarationPage(model, new URLSearchParams({ code, language })).text;
      const texts: Readonly<Record<string, string>> = catalogue.languages[language]?.texts ?? {};
      const words = ['lead', 'reason', 'name', 'insurance-national', 'unknown', 'share', 'signature', 'note'];
      return (
        (language === 'ja' || textOf(code, language) !== '') &&
        page.includes(catalogue.failures[code].staff.summary) &&
        page.includes(testSettings.facilityName) &&
        page.includes('2026年11月29日') &&
        !page.includes('undefined') &&
        (language === 'ja' || page.includes(drawn(texts[`failure.${catalogue.failures[code].patientText}`]))) &&
        words.every((word) => page.includes(drawn(texts[`declaration.${word}`])))
      );
    });
    expect(pairs.length).toBe(codes.length * 10);
    expect(whole.length / pairs.length).toBe(1);
  });

  test('a language that the catalogue does not have is printed in Japanese alone', () => {
    const page = declarationPage(modelOf(), new URLSearchParams({ code: 'camera.lost', language: '__proto__' })).text;
    expect(page).toContain('フリガナ');
    expect(page).not.toContain('<small lang');
  });

  const failed = (language: string) =>
    gallery(gallerySettings, catalogue, { ...galleryDisplay, language, voice: 'off' } as const)
      .filter(({ session }) => session.state.name === 'interrupted')
      .map((exhibit) =>
        drawScreen(exhibit.session, {
          catalogue,
          now: { monotonicMs: 0, wallMs: nowMs },
          offerUnproved: true,
        }),
      );

  test.each(Object.keys(catalogue.languages))(
    'every failure in %s sends the patient to the desk, with the code for staff',
    (language) => {
      const screens = failed(language);
      expect(screens.length).toBeGreaterThanOrEqual(20);
      const texts = catalogue.languages[language]?.texts ?? {};
      // A card that cannot be read is first asked for once more, with the desk beside it.
      const headings = [texts['desk.heading'], texts['take-card.heading'], texts['desk.card-again']];
      for (const screen of screens.filter(({ screen: name }) => name === 'desk'))
        expect(headings).toContain(screen.heading);
      for (const code of codes) expect(texts[`failure.${catalogue.failures[code].patientText}`], code).toBeTruthy();
    },
  );
});
