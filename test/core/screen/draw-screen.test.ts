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
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import { type ScreenModel, screenNames } from '../../../src/core/screen/screen-model.ts';
import type { Display } from '../../../src/core/visit/session.ts';

const catalogue = catalogueAt(galleryNow.wallMs);
const context = { catalogue, now: galleryNow, offerUnproved: true };
const displayIn = (language: string): Display => ({ ...galleryDisplay, language });
type Drawn = Omit<ScreenModel, 'revision'>;
const exhibits = (language: string, settings = gallerySettings): readonly Exhibit[] =>
  gallery(settings, catalogue, displayIn(language));
const draw = (exhibit: Exhibit): Drawn => drawScreen(exhibit.session, exhibitContext(catalogue, exhibit));
const drawn = (language: string, settings = gallerySettings): readonly { name: string; screen: Drawn }[] =>
  exhibits(language, settings).map((exhibit) => ({ name: exhibit.name, screen: draw(exhibit) }));
/** Only this one is drawn: all of them take two hundred times as long. */
const exhibited = (name: string, language: string, settings = gallerySettings): Drawn | undefined => {
  const exhibit = exhibits(language, settings).find((each) => each.name === name);
  return exhibit === undefined ? undefined : draw(exhibit);
};
const named = (name: string, language = 'ja', settings = gallerySettings): Drawn => {
  const found = exhibited(name, language, settings);
  if (found === undefined) throw new Error(`no exhibit ${name}`);
  return found;
};

describe('the screens', () => {
  it('are all shown in the gallery', () => {
    expect(new Set(drawn('ja').map(({ screen }) => screen.screen))).toEqual(new Set(screenNames));
  });

  const keys = Object.keys(catalogue.languages.ja?.texts ?? {}).filter((key) => key.length > 12);
  it.each(Object.keys(catalogue.languages))('leave no gap and no key name in %s', (language) => {
    for (const { name, screen } of drawn(language)) {
      const text = JSON.stringify([
        screen.heading,
        screen.lead,
        screen.note,
        screen.remaining,
        screen.controls,
        screen.speech,
      ]);
      expect(text, name).not.toMatch(/\{[a-z]+\}/);
      expect(
        keys.filter((key) => text.includes(key)),
        name,
      ).toEqual([]);
      expect(screen.heading, name).not.toBe('');
    }
  });

  it.each(Object.keys(catalogue.languages))(
    'say in %s what serves beside a card that cannot be checked, and only to whom it serves',
    (language) => {
      const portal = catalogue.languages[language]?.texts['desk.portal'];
      expect(portal).toMatch(/Mynaportal|マイナポータル|마이나포털/);
      const codes = ['card.certificate-expired', 'card.unreadable', 'eligibility.no-answer', 'delivery.offline'];
      for (const name of [...codes.map((code) => `desk.${code}`), 'outage'])
        expect([name, exhibited(name, language)?.note]).toEqual([name, portal]);
      for (const code of ['eligibility.not-registered', 'session.cancelled-by-staff', 'session.timed-out'])
        expect(exhibited(`desk.${code}`, language)?.note ?? null).toBeNull();
    },
  );

  it('say what they show: heading, every line, every choice', () => {
    for (const { name, screen } of drawn('ja')) {
      const said = screen.speech.map(({ text }) => text).join('\n');
      for (const words of [
        // Who does not see the picture is told where the camera is, not of a circle on the screen; the time is not said.
        name === 'face.others' || name === 'face.hint-no-face' || name === 'accepted.card-gone' ? null : screen.heading,
        ...screen.lead,
        // What is for the receptionist is nobody's to hear.
        name === 'idle.told-to-staff' || name === 'staff-check.pin-blocked' ? null : screen.note,
        screen.remaining,
        // Papers are said by kind and day.
        ...screen.controls.filter(({ weight }) => weight !== 'row').map((each) => each.label),
      ])
        if (words !== null) expect(said, `${name}: ${words}`).toContain(words);
    }
  });

  it('show what waits for staff at rest, and say it to nobody', () => {
    const { note, speech } = named('idle.told-to-staff');
    expect(note).toMatch(/^受付の方へ：/);
    expect(speech.map(({ text }) => text).join()).not.toContain('受付の方へ');
  });

  it('pre-select nothing, and make free choices alike', () => {
    for (const name of [
      'consent-bundle',
      'consent-item.surgery',
      'consent-item.specific-disease',
      'medical-subsidy',
      'prescription-form',
      'registration',
      'pin-last-try',
      'choose-method',
      'choose-phone',
    ]) {
      const { controls } = named(name);
      const free = controls.slice(0, 2);
      expect(
        free.map((each) => each.weight),
        name,
      ).toEqual(['equal', 'equal']);
      expect(
        controls.some((each) => each.pressed === true),
        name,
      ).toBe(false);
    }
    expect(named('referral-documents').controls.some((each) => each.pressed === true)).toBe(false);
  });

  it('keep the ways to verify where they are, from the choice through the face check, whatever is said above them', () => {
    const ways = (name: string, settings = gallerySettings) =>
      named(name, 'ja', settings).controls.map(({ id, label, weight }) => ({ id, label, weight }));
    expect(ways('choose-method').map(({ id }) => id)).toEqual(['use-face', 'use-pin', 'call-staff']);
    expect(named('choose-method').body.kind).toBe(named('face').body.kind);
    for (const name of ['face', 'face.others', 'face.hint-nearer'])
      expect(ways(name), name).toEqual(ways('choose-method'));
  });

  it('tell whoever sits, is small or very tall what they can do, and what else serves, as soon as they are out of reach', () => {
    const others = 'ほかの方法でも受付できます。';
    for (const hint of ['move-up', 'move-down'])
      expect(named(`face.hint-${hint}`).lead, hint).toEqual(['座ったままでできます。', others]);
    expect(named('face.hint-no-face').lead).toEqual(['入らないときは、少し後ろへ。', others]);
    // Who lies back cannot look into the camera.
    for (const hint of ['nearer', 'look-here']) expect(named(`face.hint-${hint}`).lead, hint).toEqual([others]);
    // Nobody can move up in a chair: each of these can be followed there.
    for (const hint of ['move-up', 'move-down']) expect(named(`face.hint-${hint}`).heading, hint).toMatch(/後ろへ/);
    expect(named('face').lead).not.toContain(others);
  });

  it('end with the card, and leave nothing of what was answered on a screen that is walked away from', () => {
    for (const name of ['accepted', 'accepted.all', 'accepted.card-gone'])
      expect(JSON.stringify(named(name)), name).not.toMatch(/手術|特定疾病|医療費助成/);
    expect(named('accepted')).toMatchObject({
      heading: '受付できました。カードをお取りください',
      body: { kind: 'picture', picture: 'take-card' },
    });
    expect(named('accepted.card-gone').lead[0]).toBe('ありがとうございました。お呼びするまでお待ちください。');
  });

  it('say that nothing has been received when the card was taken too early, with the time that is left', () => {
    for (const name of ['card-pulled', 'card-pulled.begin-again'])
      expect(named(name), name).toMatchObject({ heading: '受付は終わっていません', body: { kind: 'countdown' } });
    expect(named('card-pulled.begin-again').lead).toEqual(['カードをもう一度置いてください']);
  });

  it('say on the screen before the camera looks what becomes of its picture, and what else serves', () => {
    const kept = '顔写真は機器に保存されません。';
    expect(named('choose-method').lead).toEqual(['顔認証または4桁の暗証番号を入力してください。', kept]);
    const words = [kept, '顔認証のほか、暗証番号や受付の人でも本人確認ができます。'];
    expect(named('face', 'ja', { ...gallerySettings, faceAtOnce: true }).lead).toEqual(expect.arrayContaining(words));
  });

  it('offer a smartphone only where the facility has one read', () => {
    expect(named('idle.phone-reader').controls.map((each) => each.id)).toEqual(['use-smartphone']);
    // Where cards and phones have one place nothing is chosen: that one may lie there is said.
    expect([named('idle').controls, named('idle').lead.length]).toEqual([[], 2]);
    const without = { ...gallerySettings, smartphone: false };
    expect([named('idle', 'ja', without).controls, named('idle', 'ja', without).lead.length]).toEqual([[], 1]);
    expect(named('idle.reconnecting', 'ja', without).controls).toEqual([]);
    expect(drawn('ja', without).some(({ screen }) => /phone/.test(screen.screen))).toBe(false);
  });

  it('out of reach, say what happens meanwhile: a countdown while a visit can still begin, then the other ways', () => {
    const reconnecting = named('idle.reconnecting');
    expect(reconnecting.body).toEqual({ kind: 'countdown', remainingMs: 5_000, totalMs: 10_000 });
    expect(reconnecting.heading).toBe(named('idle').heading);
    expect(reconnecting.lead).toContain('通信が切れています。自動でつなぎ直しています。');
    expect(named('outage').lead).toContain('つながると、この画面は自動で元に戻ります。');
  });

  it('ask one question each and say how many are left', () => {
    expect(named('consent-bundle').remaining).toBe('質問は あと6つ');
    expect(named('referral-documents').remaining).toBe('最後の質問です');
    expect(named('summary').remaining).toBeNull();
  });

  it('say that refusing is free, in the words of the house that asks', () => {
    expect(named('consent-bundle').note).toBe('同意しなくても、受診できます。');
    const pharmacy = named('consent-bundle', 'ja', { ...gallerySettings, institutionType: 'pharmacy' });
    expect(pharmacy.heading).toContain('当薬局の薬剤師など');
    expect(pharmacy.note).toBe('同意しなくても、お薬を受け取れます。');
  });

  it('never offer face or PIN where the card or the camera cannot do it', () => {
    const blocked = named('staff-check.pin-blocked').controls.map((each) => each.id);
    expect(blocked).not.toContain('use-pin');
  });

  it('show the reason code with the time, and neither steps nor a person', () => {
    const { body } = named('desk.card.certificate-expired');
    expect(body).toEqual({
      kind: 'code',
      title: '受付の方へ',
      code: '【006:利用者証明用電子証明書の失効・有効期限切れ】',
      lines: ['電子証明書の期限切れ(猶予期間も終了) 14:03', '患者さまのカード'],
      qr: null,
    });
  });

  it('ask for the right card, or for the same one laid better, with one order', () => {
    for (const code of ['card.unreadable', 'card.not-my-number']) {
      const { heading, lead } = named(`desk.${code}`);
      expect(heading, code).toBe('マイナンバーカードを 置き直してください');
      expect(lead, code).toHaveLength(1);
      expect(lead[0], code).not.toContain('お取りください');
    }
  });

  it('tell staff at a visit that nobody answered whose fault it is, with a code to read out', () => {
    const { body } = named('desk.eligibility.jpki-unavailable');
    expect(body).toMatchObject({
      kind: 'code',
      lines: [expect.any(String), '公的個人認証サービス（JPKI）'],
      qr: expect.stringMatching(/^uketsuke eligibility\.jpki-unavailable jpki 20/),
    });
  });

  it('carry the reason as a QR code where the terminal itself is at fault', () => {
    const faults = drawn('ja').filter(({ screen }) => ['outage', 'out-of-service'].includes(screen.screen));
    expect(faults.length).toBeGreaterThan(1);
    for (const { name, screen } of faults)
      expect(screen.body, name).toMatchObject({
        kind: 'code',
        qr: expect.stringMatching(/^uketsuke [a-z-]+\.[a-z-]+ [a-z-]+ \d{4}-\d\d-\d\dT\d\d:\d\dZ$/),
      });
  });

  it('name the counter in every code to read out, where the terminal knows its own', () => {
    const codes = gallery(gallerySettings, catalogue, galleryDisplay).flatMap((exhibit) => {
      const { body } = drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), lane: 3 });
      return body.kind === 'code' && body.qr !== null ? [body.qr] : [];
    });
    expect(codes.length).toBeGreaterThan(3);
    for (const code of codes) expect(code).toMatch(/ lane-3 \d{4}-/);
  });

  it('name the session on every screen of a visit and none between visits', () => {
    for (const { name, screen } of drawn('ja')) {
      const between =
        ['pin-last-try.phone', 'still-there.phone'].includes(name) ||
        ['starting', 'idle', 'choose-phone', 'phone-pin', 'present-phone', 'outage', 'out-of-service'].includes(
          screen.screen,
        );
      expect(screen.session === null, name).toBe(between);
    }
  });

  it('announce maintenance beforehand, in its area only', () => {
    const from = galleryNow.wallMs + 3_600_000;
    const window = { areas: ['13'], fromMs: from, untilMs: from + 7_200_000, announceMs: 86_400_000 };
    const idle = gallery(gallerySettings, catalogue, displayIn('ja')).find(({ name }) => name === 'idle');
    if (idle === undefined) throw new Error('no idle exhibit');
    const note = (areas: readonly string[], wallMs = galleryNow.wallMs): string | null =>
      drawScreen(idle.session, {
        ...context,
        catalogue: { ...catalogue, maintenance: [{ ...window, areas }] },
        now: { ...galleryNow, wallMs },
      }).note;
    expect(note(['13'])).toContain('15:03から17:03まで');
    expect(note([])).toContain('15:03');
    expect(note(['47'])).toBeNull();
    expect(note(['13'], from - 86_400_001)).toBeNull();
    expect(note(['13'], from)).toContain('いま');
    expect(note(['13'], window.untilMs)).toBeNull();
  });

  it('offer a language by its grade, whatever the facility says, and the first always', () => {
    const idle = gallery({ ...gallerySettings, offerUnreviewedLanguages: true }, catalogue, displayIn('ja')).find(
      ({ name }) => name === 'idle',
    );
    if (idle === undefined) throw new Error('no idle exhibit');
    const grades = { ja: null, vi: 'backTranslated', ne: 'native' } as const;
    const graded = Object.entries(catalogue.languages).map(([code, texts]) => [
      code,
      { ...texts, grade: grades[code as keyof typeof grades] ?? null },
    ]);
    const inForce = { ...context, catalogue: { ...catalogue, languages: Object.fromEntries(graded) } };
    const offered = (offerUnproved: boolean) =>
      drawScreen(idle.session, { ...inForce, offerUnproved }).languages.map(({ code }) => code);
    expect(offered(false)).toEqual(['ja', 'vi', 'ne']);
    expect(offered(true)).toEqual(gallerySettings.languages);
  });

  it('never offer a language that the screen has no font for', () => {
    const idle = gallery(gallerySettings, catalogue, displayIn('ja')).find(({ name }) => name === 'idle');
    if (idle === undefined) throw new Error('no idle exhibit');
    const offered = (undrawable: readonly string[]) =>
      drawScreen(idle.session, { ...context, undrawable: new Set(undrawable) }).languages.map(({ code }) => code);
    expect(offered(['ne', 'ko'])).toEqual(offered([]).filter((code) => code !== 'ne' && code !== 'ko'));
    expect(offered([])).toContain('ne');
    // The first language of the facility stands, or nothing could be shown.
    expect(offered(offered([]))).toEqual(offered([]).slice(0, 1));
  });
});

describe('the text of a consent', () => {
  const questionOf = (name: string) => {
    const exhibit = gallery(gallerySettings, catalogue, displayIn('ja')).find((each) => each.name === name);
    const state = exhibit?.session.state;
    const question = state?.name === 'askingConsent' ? state.visit.questions?.[state.visit.questionIndex] : undefined;
    if (question === undefined) throw new Error(`no question on ${name}`);
    return question;
  };

  it.each(['consent-bundle', 'consent-item.surgery', 'consent-item.specific-disease'])(
    'is what stands on the screen: %s',
    (name) => {
      const screen = named(name);
      const text = consentTextOf(catalogue, 'ja', questionOf(name), 'medical');
      const items = screen.body.kind === 'items' ? screen.body.items.flatMap(({ label, note }) => [label, note]) : [];
      // What refusing costs stands beside what is agreed to, and is no part of it.
      const cost = catalogue.languages.ja?.texts['cost.specific-disease'] ?? '';
      const note = screen.note?.replace(` ${cost}`, '') ?? '';
      for (const shown of [screen.heading, ...screen.lead, ...items, note, screen.footer[0]])
        expect(text.split('\n')).toContain(shown);
    },
  );

  it('differs by language, question and house, so that the hash tells what was read', () => {
    const texts = [
      consentTextOf(catalogue, 'ja', questionOf('consent-bundle'), 'medical'),
      consentTextOf(catalogue, 'en', questionOf('consent-bundle'), 'medical'),
      consentTextOf(catalogue, 'ja', questionOf('consent-bundle'), 'dental'),
      consentTextOf(catalogue, 'ja', questionOf('consent-item.surgery'), 'medical'),
    ];
    expect(new Set(texts).size).toBe(4);
  });

  it('does not exist for a question that asks for no consent', () => {
    expect(() => consentTextOf(catalogue, 'ja', { kind: 'summary' }, 'medical')).toThrow(
      'no consent is given on summary',
    );
  });
});
