import { personaById } from '../../drivers/virtual/personas.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';
import type { ClinicDemo } from './clinic-demo.ts';
import type { Reaction, Reactions, ScriptedPatient } from './scripted-patient.ts';

/** How a visit must end, to be compared with what stands in the agent's journal. */
export type Expectation = {
  readonly method: 'face' | 'pin' | 'staff';
  readonly outcome: 'accepted' | 'refused' | 'sent-to-desk';
  /** Every consent that must stand in the journal, by code */
  readonly consents: Readonly<Record<string, boolean>>;
  /** PINs that the card refused on the way */
  readonly refusedPins: number;
  /** A state the visit must have gone through */
  readonly through?: string;
  /** A registration request of its own must have been accepted before */
  readonly registration: boolean;
};

export type ScriptedVisit = {
  readonly name: string;
  readonly expects: Expectation;
  readonly play: (demo: ClinicDemo, patient: ScriptedPatient) => Promise<void>;
};

const wait: Reaction = { do: 'wait' };
export const touch = (control: Extract<Reaction, { do: 'touch' }>['control']): Reaction => ({ do: 'touch', control });
const typePin = (pin: string): Reaction => ({ do: 'type-pin', digits: new TextEncoder().encode(pin) });
const pinOf = (persona: string): string => personaById(persona).pins.auth?.secret ?? '';
export const faceOf = (persona: string): string | null => personaById(persona).face;

/** The wrong PIN of a patient who mixes up two digits. */
const mistyped = (pin: string): string => `${pin.slice(0, 3)}${(Number(pin[3]) + 1) % 10}`;

type Manner = {
  readonly persona: string;
  readonly consent: 'agree' | 'decline';
  readonly method: Reactions;
};

/** Answers every question in one manner. */
export const manner =
  ({ consent, method }: Omit<Manner, 'persona'>): Reactions =>
  (model) => {
    switch (model.screen) {
      case 'choose-method':
      case 'face':
        return method(model);
      case 'pin':
        return model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking ? method(model) : wait;
      case 'registration':
        return touch('agree');
      case 'consent-bundle':
      case 'consent-item':
      case 'specific-disease':
        return touch(consent);
      case 'medical-subsidy':
        return touch(consent === 'agree' ? 'use' : 'do-not-use');
      case 'prescription-form':
        return touch('electronic');
      case 'referral-documents':
      case 'waiting-prescriptions':
      case 'certificate-notice':
        return touch('next');
      case 'summary':
        return touch('confirm');
      default:
        return wait;
    }
  };

/** Whom the screen sends to the PIN all the same (a face process that is late) types it. */
export const by =
  (method: 'face' | 'pin', pin: string): Reactions =>
  ({ screen, controls }) => {
    if (screen === 'pin') return typePin(pin);
    if (method === 'face' && screen !== 'choose-method') return wait;
    return touch(controls.some(({ id }) => id === `use-${method}`) ? `use-${method}` : 'use-pin');
  };
export const byFace = (persona: string): Reactions => by('face', pinOf(persona));
export const byPin = (persona: string): Reactions => by('pin', pinOf(persona));

/** Lays the card down, goes through the screens, takes the card, and steps back. */
const visit = async (
  demo: ClinicDemo,
  patient: ScriptedPatient,
  how: Manner & { readonly face: string | null },
): Promise<ScreenModel> => {
  await patient.see('idle');
  demo.setFace(how.face);
  demo.order({ type: 'insert', persona: how.persona });
  const last = await patient.follow(manner(how), ['accepted', 'desk', 'out-of-service']);
  demo.order({ type: 'pull' });
  demo.setFace(null);
  await patient.see('idle');
  return last;
};

const all = (given: boolean): Record<string, boolean> => ({
  TKK: given,
  YZK: given,
  SRJ: given,
  SHJ: given,
  TSR: given,
});
const accepted = (method: Expectation['method'], given = true): Expectation => ({
  method,
  outcome: 'accepted',
  consents: all(given),
  registration: false,
  refusedPins: 0,
});

/** 手術 is kept back: only where some is given and some is not does the screen ask once more before it is signed. */
const inParts =
  (reactions: Reactions): Reactions =>
  (model) =>
    model.screen === 'consent-item' ? touch('decline') : reactions(model);
const someOfEach = { ...all(true), SHJ: false };

export const scriptedVisits: readonly ScriptedVisit[] = [
  {
    name: 'face',
    expects: accepted('face'),
    play: async (demo, patient) => {
      await visit(demo, patient, {
        persona: 'hanako',
        face: faceOf('hanako'),
        consent: 'agree',
        method: byFace('hanako'),
      });
    },
  },
  {
    name: 'pin',
    expects: accepted('pin'),
    play: async (demo, patient) => {
      await visit(demo, patient, { persona: 'taro', face: null, consent: 'agree', method: byPin('taro') });
    },
  },
  {
    name: 'refuse-every-consent',
    expects: accepted('pin', false),
    play: async (demo, patient) => {
      await visit(demo, patient, { persona: 'hanako', face: null, consent: 'decline', method: byPin('hanako') });
    },
  },
  {
    name: 'wrong-pin-then-right',
    expects: { ...accepted('pin'), refusedPins: 1 },
    play: async (demo, patient) => {
      let mistakes = 1;
      const method: Reactions = (model) => {
        if (model.screen !== 'pin') return touch('use-pin');
        return typePin(mistakes-- > 0 ? mistyped(pinOf('taro')) : pinOf('taro'));
      };
      await visit(demo, patient, { persona: 'taro', face: null, consent: 'agree', method });
    },
  },
  {
    name: 'impostor-then-pin',
    expects: { ...accepted('pin'), through: 'verifyingFace' },
    play: async (demo, patient) => {
      // Somebody else stands before the camera; once the screen offers other ways, the PIN is taken.
      const method: Reactions = (model) => {
        if (model.screen === 'choose-method') return touch('use-face');
        if (model.screen === 'pin') return typePin(pinOf('hanako'));
        const offered = model.controls.find((control) => control.id === 'use-face')?.pressed;
        return offered === false ? touch('use-pin') : wait;
      };
      await visit(demo, patient, { persona: 'hanako', face: faceOf('taro'), consent: 'agree', method });
    },
  },
  {
    name: 'card-pulled-while-consenting',
    expects: { ...accepted('pin'), through: 'interrupted' },
    play: async (demo, patient) => {
      await patient.see('idle');
      demo.order({ type: 'insert', persona: 'hanako' });
      const answers = manner({ consent: 'agree', method: byPin('hanako') });
      await patient.follow(answers, ['consent-item']);
      demo.order({ type: 'pull' });
      await patient.see('card-pulled');
      demo.order({ type: 'insert', persona: 'hanako' });
      let askedAgain = false;
      const last = await patient.follow(
        (model) => {
          if (model.screen === 'consent-bundle') askedAgain = true;
          return answers(model);
        },
        ['accepted', 'desk', 'out-of-service'],
      );
      if (askedAgain) throw new Error('an answer already given was asked for again');
      if (last.screen !== 'accepted') throw new Error(`ended at ${last.screen}`);
      demo.order({ type: 'pull' });
      await patient.see('idle');
    },
  },
  {
    name: 'first-registration',
    expects: { ...accepted('pin'), registration: true },
    play: async (demo, patient) => {
      const method = byPin('unregistered');
      await visit(demo, patient, { persona: 'unregistered', face: null, consent: 'agree', method });
    },
  },
  {
    name: 'broker-cut-while-sending',
    expects: { ...accepted('pin'), consents: someOfEach },
    play: async (demo, patient) => {
      await patient.see('idle');
      demo.order({ type: 'insert', persona: 'taro' });
      const answers = inParts(manner({ consent: 'agree', method: byPin('taro') }));
      await patient.follow(answers, ['summary']);
      await demo.broker.cut();
      const restored = new Promise<void>((resolve) => setTimeout(resolve, 3_000)).then(() => demo.broker.restore());
      await patient.follow(answers, ['accepted', 'desk', 'out-of-service']);
      await restored;
      demo.order({ type: 'pull' });
      await patient.see('idle');
    },
  },
  {
    name: 'link-killed-while-consenting-and-sending',
    expects: { ...accepted('pin'), consents: someOfEach },
    play: async (demo, patient) => {
      await patient.see('idle');
      demo.order({ type: 'insert', persona: 'taro' });
      const answers = inParts(manner({ consent: 'agree', method: byPin('taro') }));
      await patient.follow(answers, ['consent-bundle']);
      demo.kill('link');
      await patient.follow(answers, ['summary']);
      // The confirmation meets a link that has just died, or that dies with the request in its hands.
      demo.kill('link');
      await patient.follow(answers, ['accepted', 'desk', 'out-of-service']);
      demo.order({ type: 'pull' });
      await patient.see('idle');
    },
  },
];
