/**
 * Listens to every screen, by the lengths of the real sound files and on the machine's real deadlines:
 *
 *   npm run listen -- --json
 *
 * Each screen is heard twice: as the room hears it (headings) and as who asked for the voice hears it (all). A deadline
 * that passes before the last word, a sentence cut though nobody did anything, a health item or a name that the room
 * hears, and a sentence that no voice can say are counted; the exit status is 1 if there is one.
 */
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import {
  type Exhibit,
  exhibitContext,
  gallery,
  galleryDisplay,
  galleryNow,
  gallerySettings,
} from '../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import { dictionaryOf } from '../../src/core/screen/draw-screen-words.ts';
import { forEar, isSameQuestion } from '../../src/core/screen/speech.ts';
import { delays } from '../../src/core/visit/delays.ts';
import type { Session } from '../../src/core/visit/session.ts';
import { transition } from '../../src/core/visit/session-machine.ts';
import { listenMs } from '../../src/core/visit/session-voice.ts';
import type { Utterance } from '../../src/ports/speaker.ts';
import { facilityKinds } from '../../src/wire/facility-settings.ts';
import { spokenLengths } from '../beds/timed-ear.ts';
import { listenToVisits } from './listen-to-visits.ts';

const pauseMs = 350;
const languages = ['ja', 'ja-easy'] as const;
const keypads = [null, 'digits', 'four-keys'] as const;

/** Words that tell the room what somebody has, had, or is asked about because of it. */
const healthWords = (catalogue: Catalogue, language: string): readonly string[] => {
  const d = dictionaryOf(catalogue, language);
  const texts = catalogue.languages[language]?.texts ?? {};
  const subjects = Object.keys(texts).filter((key) => key.startsWith('subject.'));
  const holdersOnly = ['medical-subsidy', 'specific-disease', 'referral-documents', 'waiting-prescriptions'];
  const asked = Object.keys(texts).filter((key) =>
    holdersOnly.some((kind) => key === `${kind}.heading` || key === `${kind}.lead`),
  );
  return [...subjects, ...asked].map((key) => d.text(key)).filter((text) => text.length > 1);
};

const textsOf = (words: readonly { readonly text: string }[]): string => words.map(({ text }) => text).join('\n');

const wrong: string[] = [];
const counts = { cutSentences: 0, deadlineBeforeSpeech: 0, privateAloud: 0, withoutRecording: 0 };
const found = (kind: keyof typeof counts, what: string): void => {
  counts[kind] += 1;
  if (wrong.length < 40) wrong.push(`${kind}: ${what}`);
};

const lengthOf = spokenLengths();
const lengthsOf = async (utterances: readonly Utterance[], where: string): Promise<number> => {
  let sum = 0;
  for (const utterance of utterances) {
    const ms = await lengthOf(utterance);
    if (ms === null) found('withoutRecording', `${where}: ${utterance.text}`);
    sum += (ms ?? 0) + pauseMs;
  }
  return sum;
};

/** Runs the screen's own deadlines while so much is said: whether it still stands there at the end. */
const standsFor = ({ session, ...exhibit }: Exhibit, catalogue: Catalogue, speechMs: number): boolean => {
  const draw = (of: Session, monotonicMs: number) =>
    drawScreen(of, { ...exhibitContext(catalogue, { ...exhibit, session }), now: { ...galleryNow, monotonicMs } });
  const startMs = galleryNow.monotonicMs;
  const at = (monotonicMs: number) => ({ monotonicMs, wallMs: galleryNow.wallMs });
  const { state, surroundings } = session;
  const ownMs = listenMs(session) ?? (state.name === 'interrupted' ? surroundings.timeouts.cardReturnMs : null);
  if (state.deadlineMs === null || ownMs === null) return true;
  const begun: Session = { ...session, state: { ...state, deadlineMs: startMs + ownMs } };
  const first = draw(begun, startMs);
  let now = transition(begun, { type: 'VoiceBegan', at: at(startMs) }).session;
  const endMs = startMs + speechMs;
  while (now.state.deadlineMs !== null && now.state.deadlineMs < endMs) {
    const dueMs = now.state.deadlineMs;
    now = transition(now, { type: 'DeadlinePassed', at: at(dueMs) }).session;
    if (!isSameQuestion(first, draw(now, dueMs))) return false;
  }
  return true;
};

const screens = new Set<string>();
const sentences = new Set<string>();
let longestMs = 0;
for (const language of languages) {
  const catalogue = catalogueAt(galleryNow.wallMs);
  const health = healthWords(catalogue, language);
  const display = { ...galleryDisplay, language };
  for (const institutionType of facilityKinds)
    for (const exhibit of gallery({ ...gallerySettings, institutionType }, catalogue, display))
      for (const keypad of keypads) {
        const model = drawScreen(exhibit.session, { ...exhibitContext(catalogue, exhibit), keypad });
        const where = `${exhibit.name} ${language} ${institutionType} ${keypad ?? 'no keys'}`;
        screens.add(exhibit.name);
        const spoken = model.controls.flatMap(({ spoken: words }) =>
          words === undefined ? [] : [{ ...words, language }],
        );
        await lengthsOf(spoken, where);
        for (const ear of ['headings', 'all'] as const) {
          const words = forEar(model.speech, ear, new Set()).map((each) => ({ ...each, language }));
          for (const { text } of words) sentences.add(`${language} ${text}`);
          const speechMs = await lengthsOf(words, where);
          longestMs = Math.max(longestMs, speechMs);
          if (!standsFor(exhibit, catalogue, speechMs))
            found('deadlineBeforeSpeech', `${where} ${ear} ${Math.round(speechMs)} ms`);
          if (ear === 'headings' && health.some((word) => textsOf(words).includes(word)))
            found('privateAloud', `${where}: ${textsOf(words)}`);
        }
      }
}
if (longestMs > delays.longestSpeechMs) found('deadlineBeforeSpeech', `a screen of ${longestMs} ms`);

for (const visit of await listenToVisits(lengthOf)) {
  for (const sentence of visit.cut) found('cutSentences', `${visit.name}: ${sentence}`);
  for (const state of visit.deadlineBeforeSpeech) found('deadlineBeforeSpeech', `${visit.name}: ${state}`);
  process.stderr.write(`listen: ${visit.name}: ${Math.round(visit.seconds)} s\n`);
}

for (const line of wrong) process.stderr.write(`listen: ${line}\n`);
process.stdout.write(
  `${JSON.stringify({ profile: 'demo', screens: screens.size, sentences: sentences.size, ...counts, longestSeconds: Math.round(longestMs / 100) / 10 })}\n`,
);
process.exitCode = Object.values(counts).every((count) => count === 0) ? 0 : 1;
