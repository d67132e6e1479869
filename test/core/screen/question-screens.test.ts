import { beforeEach, describe, expect, it } from 'vitest';
import { settings, VisitStory } from '../../../scripts/beds/visit-story.ts';
import { exhibitContext, gallery, galleryDisplay, gallerySettings } from '../../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../../src/core/screen/draw-screen.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import type { LookupResult } from '../../../src/wire/messages.ts';
import { catalogue, keysIn } from './named-texts.ts';

/* The screen of each question: what is asked in which words, what can be answered, what is said aloud, how many are left. */

type Drawn = Omit<ScreenModel, 'revision'>;
let screens: ReadonlyMap<string, Drawn> = new Map();
beforeEach(() => {
  const exhibits = gallery(gallerySettings, catalogue, galleryDisplay);
  screens = new Map(
    exhibits.map(({ name, ...of }) => [name, drawScreen(of.session, exhibitContext(catalogue, { name, ...of }))]),
  );
});
const screenOf = (name: string): Drawn => {
  const screen = screens.get(name);
  if (screen === undefined) throw new Error(`no exhibit ${name}`);
  return screen;
};
const choicesOf = ({ controls }: Drawn) => controls.map(({ id, label }) => `${id}: ${keysIn(label)[0]}`);

describe('a consent', () => {
  it('names what it is about, by name and in a sentence, and is given or refused', () => {
    const bundle = screenOf('consent-bundle');
    expect(keysIn(bundle.heading)).toEqual(['consent.heading.medical']);
    const subjects = ['subject.records', 'subject.records.note', 'subject.checkup', 'subject.checkup.note'];
    expect(keysIn(bundle.body)).toEqual(subjects);
    expect(choicesOf(bundle).slice(0, 2)).toEqual(['agree: control.agree', 'decline: control.decline']);
    const item = screenOf('consent-item.surgery');
    expect(keysIn(item.heading)).toEqual(['consent.item-heading.medical', 'subject.surgery']);
    expect(choicesOf(item).slice(0, 2)).toEqual(['agree: control.agree', 'decline: control.decline']);
  });

  it('to 特定疾病 has words of its own, and says what refusing costs', () => {
    const disease = screenOf('consent-item.specific-disease');
    expect(keysIn(disease.heading)).toEqual(['specific-disease.heading']);
    expect(keysIn(disease.lead)).toEqual(['specific-disease.lead']);
    expect(keysIn(disease.note)).toEqual(['consent.free.medical', 'cost.specific-disease']);
    expect(choicesOf(disease).slice(0, 2)).toEqual(['agree: control.provide', 'decline: control.withhold']);
    expect(disease.screen).toBe('specific-disease');
    expect(keysIn(screenOf('consent-item.surgery').note)).toEqual(['consent.free.medical']);
  });

  it('can be split into its parts where there are several, and begun anew once something was answered', () => {
    expect(choicesOf(screenOf('consent-bundle')).slice(2)).toEqual(['one-by-one: control.one-by-one']);
    expect(choicesOf(screenOf('consent-item.records')).slice(2)).toEqual([]);
    expect(choicesOf(screenOf('consent-item.surgery')).slice(2)).toEqual(['start-over: control.start-over']);
  });
});

it('what names a health item, or shows papers, is not said to the room', () => {
  const isPrivate = (name: string) => screenOf(name).speech[0]?.aloud !== undefined;
  for (const name of ['consent-item.surgery', 'medical-subsidy', 'referral-documents', 'waiting-prescriptions'])
    expect(isPrivate(name), name).toBe(true);
  for (const name of ['consent-bundle', 'prescription-form', 'certificate-notice', 'summary'])
    expect(isPrivate(name), name).toBe(false);
});

describe('the summary', () => {
  it('says what is provided and what is not, as it stands there, and is confirmed or begun anew', () => {
    const { speech, body, ...summary } = screenOf('summary');
    const said = speech.filter(({ part }) => part === 'why').flatMap(({ text }) => keysIn(text));
    expect(said).toEqual([...keysIn(body), 'summary.prescription.electronic']);
    expect(said.indexOf('subject.surgery')).toBeLessThan(said.indexOf('summary.withheld'));
    expect(said.indexOf('subject.checkup')).toBeGreaterThan(said.indexOf('summary.withheld'));
    expect(choicesOf({ ...summary, speech, body })).toEqual([
      ...['confirm: control.confirm', 'start-over: control.start-over'],
    ]);
  });

  it('tells the form of a prescription only where one was chosen', () => {
    expect(keysIn(screenOf('summary.paper').lead)).toEqual(['summary.prescription.paper']);
    expect(screenOf('pre-check-in').lead.flatMap(keysIn)).toEqual(['pre-check-in.lead']);
    const story = VisitStory.atRest();
    story.present();
    story.enterPin();
    for (const answer of ['agree', 'decline', 'agree'] as const) story.touch(answer);
    const drawn = drawScreen(story.session, { catalogue, now: { monotonicMs: story.nowMs, wallMs: 0 } });
    expect([drawn.screen, drawn.lead]).toEqual(['summary', []]);
  });
});

it('a certificate that ends soon and one that has ended are told in words of their own', () => {
  const keys = ({ heading, lead }: Drawn) => keysIn([heading, lead]);
  const notice = 'certificate-notice';
  expect(keys(screenOf(notice))).toEqual([`${notice}.heading`, `${notice}.lead`, `${notice}.today`]);
  const grace = `${notice}.grace`;
  expect(keys(screenOf(grace))).toEqual([`${grace}.heading`, `${grace}.lead`, `${grace}.renew`]);
});

describe('how many questions are left', () => {
  /** Told on each screen of a visit, one after the other. */
  const told = (more: Partial<typeof settings>, answer: Partial<LookupResult>): readonly (readonly string[])[] => {
    const story = VisitStory.atRest();
    story.tell({ type: 'SettingsChanged', settings: { ...settings, ...more } });
    story.present({}, answer);
    story.enterPin();
    const seen: (readonly string[])[] = [];
    for (let left = 9; left > 0 && story.name === 'askingConsent'; left -= 1) {
      const drawn = drawScreen(story.session, { catalogue, now: { monotonicMs: story.nowMs, wallMs: 0 } });
      seen.push(keysIn(drawn.remaining));
      story.touch(drawn.screen === 'summary' ? 'confirm' : left % 2 === 0 ? 'agree' : 'decline');
    }
    return seen;
  };
  const only = (...codes: readonly string[]) => ({
    asks: Object.fromEntries(['SRJ', 'YZK', 'TKK', 'SHJ', 'TSR'].map((code) => [code, codes.includes(code)])),
  });

  it('is told until the last, which is told as such, and not where all is looked over', () => {
    expect(told({}, {})).toEqual([['remaining'], ['remaining'], ['remaining.last'], []]);
    expect(told(only('SHJ', 'TSR'), {})).toEqual([['remaining'], ['remaining.last'], []]);
  });

  it('is not told where there is one alone', () => {
    expect(told(only('SHJ'), {})).toEqual([[]]);
  });
});
