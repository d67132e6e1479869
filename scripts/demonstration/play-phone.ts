/**
 * npm run phone -- --json: card and phone at one place, with broker, agent, link, face process and terminal as processes of
 * their own and simulated phones (what a real one does is not public in all: docs/screens.md). One clinic, one day:
 *   phone    an Android is laid down, its PIN typed, laid down once more: nothing is chosen beforehand
 *   swapped  the PIN is typed for a phone, and a My Number card is laid down: the card's own visit, by its own PIN
 *   card     a card, as ever
 *   iphone, emptyPhone   told in words of their own, at once or where the phone was waited for
 * An act: something is laid down, or a PIN is typed. `touches`: fingers on the screen beside the PIN's keys, before the consents.
 * The last line is one JSON object; exits 1 unless an Android takes at most 3 acts and no touch, and the journal has each visit
 * as whose it was.
 */
import { personaById } from '../../drivers/virtual/personas.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';
import { type ClinicDemo, startClinicDemo } from './clinic-demo.ts';
import { type Reactions, ScriptedPatient } from './scripted-patient.ts';
import { manner, touch } from './visits.ts';

const most = { acts: 3, touches: 0 } as const;

type Count = { acts: number; touches: number; screens: string[] };
type Act = (count: Count) => void;

const ends = ['accepted', 'desk', 'out-of-service'] as const;
const asksConsent = /^(consent|specific-disease|summary)/;

const typed = (persona: string) =>
  ({ do: 'type-pin', digits: new TextEncoder().encode(personaById(persona).pins.auth?.secret ?? '') }) as const;

const laid = (demo: ClinicDemo, persona: string): Act => {
  return (count) => {
    count.acts += 1;
    demo.order({ type: 'insert', persona });
  };
};

/** `again`: what is laid down where the phone is waited for. */
const visit = async (demo: ClinicDemo, patient: ScriptedPatient, persona: string, again: string | null) => {
  const count: Count = { acts: 0, touches: 0, screens: [] };
  const pinOf = again !== null && personaById(again).type === 'my-number-card' ? again : persona;
  const consents = manner({ consent: 'agree', method: () => touch('use-pin') });
  const answers: Reactions = (model: ScreenModel) => {
    if (count.screens.at(-1) !== model.screen) count.screens.push(model.screen);
    const isEmpty = model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking;
    switch (model.screen) {
      case 'phone-pin':
        if (isEmpty) count.acts += 1;
        return isEmpty ? typed(persona) : { do: 'wait' };
      case 'pin':
        if (isEmpty) count.acts += 1;
        return isEmpty ? typed(pinOf) : { do: 'wait' };
      default:
        return consents(model);
    }
  };
  const counting: Reactions = (model) => {
    const isNew = count.screens.at(-1) !== model.screen;
    const reaction = answers(model);
    if (reaction.do === 'touch' && isNew && !asksConsent.test(model.screen)) count.touches += 1;
    return reaction;
  };
  await patient.see('idle');
  laid(demo, persona)(count);
  let last = await patient.follow(counting, [...ends, 'present-phone']);
  if (last.screen === 'present-phone' && again !== null) {
    count.screens.push('present-phone');
    demo.order({ type: 'pull' });
    laid(demo, again)(count);
    last = await patient.follow(counting, ends);
  }
  demo.order({ type: 'pull' });
  await patient.see('idle');
  return { ...count, last: last.screen, words: last.lead.join(' ') };
};

const demo = await startClinicDemo({
  ...{ screenPort: 0, staffPort: 0, answerDelayMs: 300, cameraDevice: null, questions: 'ordinary', onLog: () => {} },
  changes: { smartphone: true, languages: ['ja'] },
});
const journal = new Journal(demo.agent.journal);
const patient = await ScriptedPatient.before(demo.screenPort);
const seen: Record<string, Awaited<ReturnType<typeof visit>>> = {};
const methods: Record<string, string | undefined> = {};
try {
  for (const [name, persona, again] of [
    ['phone', 'android-phone', 'android-phone'],
    ['swapped', 'android-phone', 'taro'],
    ['card', 'hanako', null],
    ['iphone', 'iphone', null],
    ['emptyPhone', 'android-phone', 'empty-phone'],
  ] as const) {
    const before = journal.visits().length;
    const one = await visit(demo, patient, persona, again);
    const visits = journal.visits();
    methods[name] = visits.length === before + 1 ? visits.at(-1)?.method : undefined;
    process.stdout.write(
      `${name}: ${one.acts} acts, ${one.touches} touches; ${one.screens.join(' → ')} → ${one.last}; ${one.words}\n`,
    );
    seen[name] = one;
  }
} finally {
  patient.leave();
  journal.close();
  await demo.close();
}

const { phone, swapped, card, iphone, emptyPhone } = seen;
const recognised = {
  phone: phone?.last === 'accepted' && methods.phone === 'pin',
  swapped: swapped?.last === 'accepted' && swapped.screens.includes('pin') && methods.swapped === 'pin',
  card: card?.last === 'accepted' && !card.screens.includes('phone-pin') && methods.card === 'pin',
  iphone: iphone?.last === 'desk' && iphone.words.includes('iPhone') && methods.iphone === undefined,
  emptyPhone: emptyPhone?.last === 'desk' && emptyPhone.words.includes('ロック') && methods.emptyPhone === undefined,
};
const ok =
  Object.values(recognised).every(Boolean) &&
  (phone?.acts ?? Number.POSITIVE_INFINITY) <= most.acts &&
  (phone?.touches ?? Number.POSITIVE_INFINITY) <= most.touches;
process.stdout.write(
  `${JSON.stringify({ profile: 'demo', acts: phone?.acts, touches: phone?.touches, recognised, simulatedPhone: true, ok })}\n`,
);
process.exit(ok ? 0 : 1);
