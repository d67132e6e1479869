import { firstFacilitySettings } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { galleryNow } from '../../src/cli/preview-gallery.ts';
import type { StateName } from '../../src/core/visit/session.ts';
import { visitOf } from '../../src/core/visit/session-steps.ts';
import type { Utterance } from '../../src/ports/speaker.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import { until } from '../beds/simulated-clock.ts';
import { createTimedEar, type TimedEar } from '../beds/timed-ear.ts';
import { openVisitBed, type VisitBed } from '../beds/visit-bed.ts';
import { spokenTexts } from '../generate/speech-texts.ts';

type Heard = {
  readonly name: string;
  /** Sentences cut though the visitor had done nothing */
  readonly cut: readonly string[];
  /** States that ended by their deadline while they were still being spoken about */
  readonly deadlineBeforeSpeech: readonly string[];
  readonly seconds: number;
};

type Visitor = { readonly bed: VisitBed; readonly ear: TimedEar };

const enter = 0x0d;
const digit = (value: number): number => 0x30 + value;

const busy: readonly StateName[] = ['readingCard', 'awaitingLookup', 'signing', 'sending', 'awaitingResult'];
const isBusy = ({ state }: VisitBed): boolean =>
  busy.includes(state.name) ||
  visitOf(state)?.lookup.state === 'pending' ||
  (state.name === 'enteringPin' && state.checking) ||
  (state.name === 'registering' && state.phase !== 'asking');

/** Time passes in steps of a listener's attention until the condition holds. */
const passUntil = async ({ bed }: Visitor, what: string, condition: () => boolean): Promise<void> => {
  for (let steps = 0; !condition(); steps += 1) {
    // Signatures are real work: no time passes for whoever waits while the machine is at it.
    await until('the machine', () => condition() || !isBusy(bed));
    if (condition()) return;
    if (steps > 4_000) throw new Error(`never: ${what}, at ${bed.state.name}`);
    await bed.clock.advance(100);
  }
};

/** Until nothing is said any more. */
const listen = (visitor: Visitor): Promise<void> => passUntil(visitor, 'silence', () => !visitor.ear.speaking);

/** By number, as a blind visitor: the number, the choice as it is said again, enter. */
const choose = async (visitor: Visitor, label: string): Promise<void> => {
  const { bed, ear } = visitor;
  const index = bed.screen.now.controls.findIndex((each) => each.label === label);
  if (index < 0) throw new Error(`${label} is not offered on ${bed.screen.now.screen}`);
  ear.act(() => bed.keypad.press(digit(index + 1)));
  await listen(visitor);
  ear.act(() => bed.keypad.press(enter));
};

const begin = async (visitor: Visitor, asks: boolean): Promise<void> => {
  const { bed, ear } = visitor;
  if (asks) ear.act(() => bed.keypad.press(digit(5)));
  await listen(visitor);
  await ear.act(() => bed.insert('hanako'));
  await passUntil(visitor, 'the choice', () => bed.state.name === 'choosingMethod');
  await listen(visitor);
};

const stories: Readonly<Record<string, (visitor: Visitor) => Promise<void>>> = {
  'everything heard, by PIN': async (visitor) => {
    const { bed, ear } = visitor;
    await begin(visitor, true);
    await choose(visitor, '暗証番号');
    await listen(visitor);
    for (const value of [9, 9]) ear.act(() => bed.keypad.press(digit(value)));
    ear.act(() => bed.keypad.press(enter));
    await listen(visitor);
    for (const value of [9, 9]) ear.act(() => bed.keypad.press(digit(value)));
    ear.act(() => bed.keypad.press(enter));
    await passUntil(visitor, 'the wrong PIN', () => bed.state.name === 'enteringPin' && !bed.state.checking);
    await listen(visitor);
    for (const value of [1, 2, 3, 4]) ear.act(() => bed.keypad.press(digit(value)));
    ear.act(() => bed.keypad.press(enter));
    await passUntil(visitor, 'the questions', () => bed.state.name === 'askingConsent');
    while (bed.state.name === 'askingConsent') {
      await listen(visitor);
      const labels = bed.screen.now.controls.map(({ label }) => label);
      const answer = ['これで受付する', '同意する', '提供しない', '利用しない', '紙の処方箋', 'わかりました', 'つぎへ'];
      await choose(visitor, answer.find((each) => labels.includes(each)) ?? '');
      await bed.clock.advance(0);
    }
    await passUntil(visitor, 'the end', () => bed.state.name === 'showingResult');
    await listen(visitor);
    ear.act(() => bed.reader.pull());
    await passUntil(visitor, 'rest', () => bed.state.name === 'idle');
  },
  'hints of the face check': async (visitor) => {
    const { bed, ear } = visitor;
    await begin(visitor, true);
    await choose(visitor, '顔認証');
    await passUntil(visitor, 'the camera', () => bed.face.watching);
    for (const hint of ['no-face', 'nearer', 'farther', 'look-here', 'hold-still'] as const) {
      bed.face.say({ type: 'hint', hint });
      await bed.clock.advance(700);
    }
    bed.face.say({ type: 'matched' });
    await listen(visitor);
    ear.act(() => bed.reader.pull());
    await passUntil(visitor, 'rest', () => bed.state.name === 'idle');
  },
  'nothing done, card left': async (visitor) => {
    await begin(visitor, true);
    await passUntil(visitor, 'the end of patience', () => visitor.bed.state.name === 'awaitingCardRemoval');
    await visitor.bed.clock.advance(60_000);
    visitor.ear.act(() => visitor.bed.reader.pull());
    await passUntil(visitor, 'rest', () => visitor.bed.state.name === 'idle');
  },
  'headings alone, card pulled': async (visitor) => {
    const { bed, ear } = visitor;
    await begin(visitor, false);
    ear.act(() => bed.screen.touch('use-pin'));
    await listen(visitor);
    ear.act(() => bed.reader.pull());
    await passUntil(visitor, 'rest', () => bed.state.name === 'idle');
  },
};

/** Heading and choices, as far as they have not been heard on this screen; the rest is for who does not know it. */
const hearChoices = async (visitor: Visitor): Promise<void> => {
  const { bed, ear } = visitor;
  const from = ear.heard.length;
  const last = bed.screen.now.speech.findLast(({ part }) => part === 'choice' || part === 'heading')?.text ?? '';
  await passUntil(visitor, last, () => ear.heard.slice(from).includes(last) || !ear.speaking);
};

/** A whole visit by PIN and keypad, screen dark: card in → 「受付できました」 heard. */
const blindVisit = async (visitor: Visitor): Promise<void> => {
  const { bed, ear } = visitor;
  ear.act(() => bed.keypad.press(digit(5)));
  await hearChoices(visitor);
  await ear.act(() => bed.insert('hanako'));
  await passUntil(visitor, 'the choice', () => bed.state.name === 'choosingMethod');
  await hearChoices(visitor);
  await choose(visitor, '暗証番号');
  await hearChoices(visitor);
  for (const value of [1, 2, 3, 4]) {
    ear.act(() => bed.keypad.press(digit(value)));
    await bed.clock.advance(700);
  }
  ear.act(() => bed.keypad.press(enter));
  const isAsked = () => bed.state.name === 'askingConsent';
  await passUntil(visitor, 'the questions', () => isAsked() || bed.state.name === 'showingResult');
  while (isAsked()) {
    await hearChoices(visitor);
    const labels = bed.screen.now.controls.map(({ label }) => label);
    const answer = ['これで受付する', '同意する', '提供しない', '利用しない', '紙の処方箋', 'わかりました', 'つぎへ'];
    await choose(visitor, answer.find((each) => labels.includes(each)) ?? '');
    await bed.clock.advance(0);
  }
  await passUntil(visitor, 'the end', () => bed.state.name === 'showingResult');
  await hearChoices(visitor);
};

/** Seconds from the first key to the last word that matters. `ordinary`: the catalogue's defaults for 医科. */
export const blindVisitSeconds = async (
  lengthOf: (utterance: Utterance) => Promise<number | null>,
): Promise<{ readonly ordinary: number; readonly every: number }> => {
  const lengths = await knownLengths(lengthOf);
  const secondsWith = async (change: Partial<FacilitySettings>): Promise<number> => {
    const { visitor, close } = await standBefore(lengths);
    const { settings } = visitor.bed.runner.session.surroundings;
    if (settings === null) throw new Error('no settings');
    visitor.bed.runner.tell({ type: 'SettingsChanged', settings: { ...settings, ...change } });
    const startMs = visitor.bed.clock.now().monotonicMs;
    await blindVisit(visitor);
    const seconds = (visitor.bed.clock.now().monotonicMs - startMs) / 1_000;
    await close();
    return Math.round(seconds * 10) / 10;
  };
  const consents = catalogueAt(galleryNow.wallMs).consents;
  const { asks, medicalSubsidy, prescriptionUse, referralDocuments } = firstFacilitySettings(
    consents,
    'medical',
    '-',
    '0000000000',
  );
  return {
    ordinary: await secondsWith({ asks, medicalSubsidy, prescriptionUse, referralDocuments }),
    every: await secondsWith({}),
  };
};

const knownLengths = async (
  lengthOf: (utterance: Utterance) => Promise<number | null>,
): Promise<ReadonlyMap<string, number>> => {
  const lengths = new Map<string, number>();
  for (const text of spokenTexts(catalogueAt(galleryNow.wallMs), 'ja'))
    lengths.set(text, (await lengthOf({ language: 'ja', text })) ?? 0);
  return lengths;
};

/** Somebody before a terminal, with an ear for its voice. */
const standBefore = async (lengths: ReadonlyMap<string, number>) => {
  let bed: VisitBed | null = null;
  const clock = () => {
    if (bed === null) throw new Error('nothing is said before there is a terminal');
    return bed.clock;
  };
  // A paper's day is about as long as a sentence.
  const ear = createTimedEar(clock, ({ text }) => lengths.get(text) ?? 3_000);
  bed = await openVisitBed({ speaker: ear.speaker });
  const opened = bed;
  return { visitor: { bed: opened, ear }, close: () => opened.close() };
};

/** Whole visits on simulated time, each sentence as long as its sound file, deadlines and rules the real ones. */
export const listenToVisits = async (
  lengthOf: (utterance: Utterance) => Promise<number | null>,
): Promise<readonly Heard[]> => {
  const lengths = await knownLengths(lengthOf);
  const heard: Heard[] = [];
  for (const [name, story] of Object.entries(stories)) {
    const { visitor, close } = await standBefore(lengths);
    const { bed, ear } = visitor;
    const deadlineBeforeSpeech: string[] = [];
    let before: { readonly name: StateName; readonly isSaid: boolean } = { name: bed.state.name, isSaid: false };
    bed.runner.subscribe((session, event) => {
      const left = before.name !== session.state.name && before.isSaid && event.type === 'DeadlinePassed';
      // The answers of a pulled card live no longer because of what is said; its screen stands on.
      if (left && before.name !== 'interrupted') deadlineBeforeSpeech.push(before.name);
      before = { name: session.state.name, isSaid: session.surroundings.speaking };
    });
    const startMs = bed.clock.now().monotonicMs;
    await story(visitor);
    const seconds = (bed.clock.now().monotonicMs - startMs) / 1_000;
    heard.push({ name, cut: ear.cut, deadlineBeforeSpeech, seconds });
    await close();
  }
  return heard;
};
