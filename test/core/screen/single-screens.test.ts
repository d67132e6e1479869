import { describe, expect, it } from 'vitest';
import { lookup, settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { questionsToBegin } from '../../../src/core/catalogue/answered-before.ts';
import { failure } from '../../../src/core/failure.ts';
import { type DrawContext, drawScreen } from '../../../src/core/screen/draw-screen.ts';
import { consentTextOf } from '../../../src/core/screen/draw-screen-consent.ts';
import type { Control } from '../../../src/core/screen/screen-model.ts';
import { phone, situations } from '../visit/situations.ts';
import { catalogue, japanese, keysIn } from './named-texts.ts';

/* Screens that depend on what happened before them, each by the names of its texts. */

const draw = (story: VisitStory, more: Partial<DrawContext> = {}) =>
  drawScreen(story.session, { catalogue, now: { monotonicMs: story.nowMs, wallMs: 0 }, ...more });
const idsOf = (controls: readonly Control[]) => controls.map(({ id }) => id);
const withSettings = (more: Partial<typeof settings>, story = VisitStory.atRest()): VisitStory => {
  story.tell({ type: 'SettingsChanged', settings: { ...settings, ...more } });
  return story;
};
const blocked = { pin: { state: 'blocked' } } as const;

describe('the face check', () => {
  const looking = (more: Partial<typeof settings> = {}, card = {}) => {
    const story = withSettings(more);
    story.present(card);
    if (story.name === 'choosingMethod') story.touch('use-face');
    return story;
  };
  const hinted = (story: VisitStory, hint: 'no-face' | 'move-up' | null) => {
    story.tell({ type: 'FaceHinted', insertion: story.visit.insertion, hint });
    return draw(story);
  };

  it('tells what becomes of the picture before the camera looks, and what else serves whoever has no PIN', () => {
    const story = VisitStory.atRest();
    story.present(blocked);
    expect(draw(story).lead.flatMap(keysIn)).toEqual(['promise.photo', 'help']);
    expect(idsOf(draw(story).controls)).toEqual(['use-face', 'call-staff']);
  });

  it('that begins at once tells it while it looks, also beside a hint and when others are offered', () => {
    const story = looking({ faceAtOnce: true });
    const notice = ['promise.photo', 'choose-method.free'];
    expect(draw(story).lead.flatMap(keysIn)).toEqual([...notice, 'face.mask']);
    expect(hinted(story, 'move-up').lead.flatMap(keysIn)).toEqual(['face.reach', 'face.others', ...notice]);
    hinted(story, null);
    story.pass(settings.timeouts.faceMs);
    expect(draw(story).lead.flatMap(keysIn)).toEqual(['face.others', ...notice, 'face.mask']);
  });

  it('that was chosen tells how to look, until others are offered in its place', () => {
    const story = looking();
    expect(draw(story).lead.flatMap(keysIn)).toEqual(['face.lead', 'face.mask']);
    expect(draw(story).controls[0]).toMatchObject({ id: 'use-face', pressed: true });
    story.pass(settings.timeouts.faceMs);
    expect(draw(story).lead.flatMap(keysIn)).toEqual(['face.others', 'face.mask']);
    expect(draw(story).controls[0]).toMatchObject({ id: 'use-face', pressed: false });
  });

  it('tells whoever is not in the picture where the camera is, by word of mouth', () => {
    for (const cameraPlace of ['left', 'below'] as const)
      expect(hinted(looking({ cameraPlace }), 'no-face').speech[0]?.text).toContain('face.spoken.no-face');
    expect(hinted(looking(), 'move-up').speech[0]?.text).toContain('face.hint.move-up');
  });
});

describe('the PIN', () => {
  it('counts the tries that are left, the last one in words of its own', () => {
    const story = situations['PIN is checked']();
    expect(draw(story).note).toBeNull();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 2 });
    expect(keysIn(draw(story).note)).toEqual(['pin.tries']);
    story.typePin();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 1 });
    expect(draw(story)).toMatchObject({ screen: 'pin-last-try' });
    story.touch('last-try-yes');
    expect(keysIn(draw(story).note)).toEqual(['pin.tries-last']);
  });

  it('offers the face beside it only where one can be compared', () => {
    const story = situations['PIN, nothing typed']();
    expect(idsOf(draw(story).controls)).toEqual(['use-face', 'call-staff']);
    story.tell({ type: 'FaceHealthChanged', trouble: failure('camera.lost') });
    expect(idsOf(draw(story).controls)).toEqual(['call-staff']);
  });
});

describe('staff', () => {
  const helpOf = (story: VisitStory) => draw(story).tools.find(({ id }) => id === 'call-help');

  it('are called by a tool that tells whether they were, and whether they come', () => {
    const story = situations.consent();
    expect(keysIn(helpOf(story)?.label)).toEqual(['tool.call-help']);
    story.touch('call-help');
    expect(helpOf(story)).toMatchObject({ pressed: true, label: expect.stringContaining('help.called') });
    story.tell({ type: 'HelpAnswered' });
    expect(helpOf(story)).toMatchObject({ pressed: false, label: expect.stringContaining('help.coming') });
  });

  it('are called by the question itself where it offers them, and by no second button', () => {
    for (const name of ['which way', 'face', 'PIN, nothing typed', 'staff are called'] as const)
      expect(helpOf(situations[name]()), name).toBeUndefined();
    for (const name of ['at rest', 'reading', 'signing', 'result', 'card is pulled'] as const)
      expect(helpOf(situations[name]()), name).toBeDefined();
  });

  it('at the desk: an approval is asked for where it may be given', () => {
    const story = situations['desk, chip unread']();
    expect(idsOf(draw(story).controls)).toEqual(['call-staff']);
    expect(draw(situations.desk()).controls).toEqual([]);
  });

  it('are told the reason of a check that has one, and the patient why', () => {
    const story = situations['PIN is checked']();
    story.tell({ type: 'PinRefused', insertion: story.visit.insertion, triesLeft: 0 });
    const blockedHere = draw(story);
    expect(blockedHere.lead.flatMap(keysIn)).toEqual(['failure.pin-blocked', 'staff-check.wait']);
    expect(blockedHere.note).toContain('desk.for-staff');
    expect(blockedHere.speech.map(({ text }) => text).join()).not.toContain('desk.for-staff');
    const asked = draw(situations['staff are called']());
    expect(asked.lead.flatMap(keysIn)).toEqual(['staff-check.lead']);
    expect(keysIn(asked.note)).toEqual(['staff-check.told']);
  });

  it('of a check where nothing else serves: there is no way back', () => {
    const story = situations['staff are called']();
    expect(idsOf(draw(story).controls)).toEqual(['back']);
    story.tell({ type: 'FaceHealthChanged', trouble: failure('camera.lost') });
    expect(idsOf(draw(story).controls)).toEqual(['back']);
    const none = VisitStory.atRest();
    none.tell({ type: 'FaceHealthChanged', trouble: failure('camera.lost') });
    none.present(blocked);
    expect(none.name).toBe('awaitingStaffCheck');
    expect(draw(none).controls).toEqual([]);
  });
});

describe('the tools', () => {
  it('are those that do something here: no voice where none speaks, no choice of one language', () => {
    const story = VisitStory.atRest();
    const all = idsOf(draw(story).tools);
    const silent = idsOf(draw(story, { speaks: () => false }).tools);
    expect(all.filter((id) => !silent.includes(id))).toEqual(['voice', 'repeat', 'softer', 'louder']);
    expect(idsOf(draw(story, { speaks: (language) => language === 'ja' }).tools)).toEqual(all);
    const one = draw(withSettings({ languages: ['ja'] }));
    expect(all.filter((id) => !idsOf(one.tools).includes(id))).toEqual(['language']);
    expect(one.languages.map(({ code }) => code)).toEqual(['ja']);
  });

  it('show what is on: the voice that was asked for, the layout for a hand from below', () => {
    const story = VisitStory.atRest();
    const pressed = () =>
      draw(story)
        .tools.filter((tool) => tool.pressed === true)
        .map(({ id }) => id);
    expect(pressed()).toEqual([]);
    story.touch('layout');
    expect(pressed()).toEqual(['layout']);
    story.touch('voice');
    expect(pressed()).toEqual(['voice', 'layout']);
  });
});

describe('a phone', () => {
  it('is to stay where it is while it is asked and while it signs; a card has its own words', () => {
    const story = VisitStory.atRest(true);
    withSettings({ smartphone: true }, story);
    const insertion = story.insert();
    story.tell({ type: 'CardReadFailed', insertion, failure: failure('card.phone-not-supported'), phone: 'android' });
    story.tell({ type: 'PhonePinDigitsChanged', entered: 4 });
    story.tell({ type: 'PhonePinSubmitted' });
    story.tell({ type: 'CardRemoved' });
    story.insert();
    story.tell({ type: 'PhoneVerified', insertion: story.visit.insertion, identity: phone });
    expect([story.name, draw(story).lead.flatMap(keysIn)]).toEqual(['awaitingLookup', ['phone.keep-there']]);
    story.tell({ type: 'LookupAnswered', insertion: story.visit.insertion, result: lookup });
    story.answerAll('agree');
    expect([story.name, draw(story).lead.flatMap(keysIn)]).toEqual(['signing', ['phone.keep-there']]);
    expect(draw(situations.lookup()).lead.flatMap(keysIn)).toEqual(['reading.lead']);
    expect(draw(situations.signing()).lead.flatMap(keysIn)).toEqual(['signing.lead']);
  });
});

it('a request that cannot be sent for the moment tells so, with the time that is left, until the clinic is back', () => {
  const story = situations.sending();
  const told = () => [draw(story).lead.flatMap(keysIn), draw(story).body.kind];
  expect(told()).toEqual([['sending.lead'], 'picture']);
  story.tell({ type: 'BusDisconnected', failure: failure('delivery.offline') });
  expect(told()).toEqual([['sending.trouble'], 'countdown']);
  story.tell({ type: 'BusConnected' });
  expect(told()).toEqual([['sending.lead'], 'picture']);
});

describe('papers to choose from', () => {
  const documents = [
    { id: 'd1', title: '紹介状', from: '別の医院', date: '2026-10-30' },
    { id: 'd2', title: '検査結果', from: '別の医院', date: '2026-10-30' },
  ];
  const asked = (language?: string) => {
    const story = withSettings({
      asks: Object.fromEntries(['SRJ', 'YZK', 'TKK', 'SHJ', 'TSR'].map((c) => [c, false])),
    });
    story.present({}, { pendingDocuments: documents });
    if (language !== undefined) story.touch('language', language);
    story.enterPin();
    return story;
  };
  const rows = (story: VisitStory) => draw(story).controls.filter(({ weight }) => weight === 'row');

  it('are marked as chosen by a touch, and as not chosen by the next', () => {
    const story = asked();
    const marks = () => rows(story).map(({ pressed, note }) => [pressed, keysIn(note)[0]]);
    const not = [false, 'referral-documents.not-chosen'];
    expect(marks()).toEqual([not, not]);
    story.touch('toggle-document', 'd2');
    expect(marks()).toEqual([not, [true, 'referral-documents.chosen']]);
    story.touch('toggle-document', 'd2');
    expect(marks()).toEqual([not, not]);
  });

  it('are said by their title where the voice is Japanese, and by their number elsewhere', () => {
    const said = (language?: string) =>
      draw(asked(language), { catalogue: { ...catalogue, languages: { ...catalogue.languages, ja: japanese } } })
        .controls.filter(({ weight }) => weight === 'row')
        .map(({ spoken }) => spoken?.text ?? '');
    const [first, second] = said();
    expect([first, second]).toEqual([expect.stringContaining('紹介状'), expect.stringContaining('検査結果')]);
    expect(said('ja-easy')[0]).toContain('紹介状');
    const foreign = said('en');
    // By the number it is chosen with.
    const numbers = foreign.map((text) => text.match(/\b[12]\b/g));
    expect(numbers).toEqual([
      ['1', '1'],
      ['2', '2'],
    ]);
    expect(foreign.join()).not.toContain('紹介状');
  });
});

describe('what was answered beforehand', () => {
  const { consentCatalogue } = VisitStory.atRest().session.surroundings;
  const consents = [...['SRJ', 'YZK', 'TKK'].map((code) => ({ code, given: true })), { code: 'SHJ', given: false }];
  const preCheckIn = { id: 'p', consents, lastsMs: 60_000 };
  /** This bed's subjects are no texts of the catalogue: they show themselves. */
  const bare = (text: string) => text.replace(/[⟦⟧ ]/g, '');
  const shown = () => {
    const story = withSettings({ preCheckIn: true });
    story.present({}, { preCheckIn });
    story.enterPin();
    return draw(story);
  };

  it('stands there as it would be sent: what is provided, what is not', () => {
    const { body, screen } = shown();
    expect(screen).toBe('pre-check-in');
    if (body.kind !== 'summary') throw new Error(body.kind);
    expect([body.provided, body.withheld].map((texts) => texts.map(bare))).toEqual([
      ['subject.records', 'subject.check-ups'],
      ['subject.operations'],
    ]);
  });

  it('has one text for all of it, line by line as it stood, each with what becomes of it', () => {
    const [question] = questionsToBegin(
      consentCatalogue,
      { ...settings, preCheckIn: true },
      { ...lookup, preCheckIn },
      'valid',
    );
    if (question === undefined) throw new Error('no question');
    const lines = consentTextOf(catalogue, 'ja', question, 'medical').split('\n').map(bare);
    expect(lines.slice(2, -4)).toEqual([
      ...['summary.provided', 'subject.records', 'summary.provided', 'subject.check-ups'],
      ...['summary.withheld', 'subject.operations'],
    ]);
    const screen = shown();
    expect(lines).toEqual(
      expect.arrayContaining(
        [screen.heading, ...screen.lead, screen.note ?? '', ...screen.controls.map((c) => c.label)].map(bare),
      ),
    );
  });
});

describe('before the clinic’s settings are there', () => {
  it('it is starting, unless something else keeps it from it', () => {
    const story = new VisitStory();
    expect(draw(story)).toMatchObject({ screen: 'starting', facilityName: '', session: null });
    story.tell({ type: 'ReaderFound' });
    expect(draw(story).screen).toBe('outage');
    story.tell({ type: 'ShutdownRequested' });
    expect(draw(story).screen).toBe('out-of-service');
  });
});

it('an interruption that hits a few is for the desk to know, not for the waiting room', () => {
  const window = { areas: [], fromMs: 1_000, untilMs: 9_000, announceMs: 1_000 };
  const noteOf = (hits: 'everyone' | 'freshly-renewed' | undefined) =>
    keysIn(
      draw(VisitStory.atRest(), {
        catalogue: { ...catalogue, maintenance: [{ ...window, ...(hits !== undefined && { hits }) }] },
        now: { monotonicMs: 0, wallMs: 2_000 },
      }).note,
    );
  expect([noteOf(undefined), noteOf('everyone'), noteOf('freshly-renewed')]).toEqual([
    ...[['idle.maintenance-now'], ['idle.maintenance-now'], []],
  ]);
});
