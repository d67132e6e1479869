import type { ClinicDemo } from '../demonstration/clinic-demo.ts';
import type { Reactions, ScriptedPatient } from '../demonstration/scripted-patient.ts';
import { byFace, byPin, faceOf, manner, scriptedVisits, touch } from '../demonstration/visits.ts';

/** What a visit needs of a clinic: of the demo's real processes, or of the page. */
export type AnyClinic = Pick<ClinicDemo, 'order' | 'setFace'> & {
  readonly broker: Pick<ClinicDemo['broker'], 'cut' | 'restore'>;
};
export type ComparedVisit = {
  readonly name: string;
  readonly play: (clinic: AnyClinic, patient: ScriptedPatient) => Promise<void>;
};

const ends = ['accepted', 'desk', 'out-of-service', 'staff-check'] as const;

/** Whoever cannot take the way that was meant calls staff. */
const orStaff =
  (reactions: Reactions, wanted: 'use-pin' | 'use-face'): Reactions =>
  (model) =>
    model.screen === 'choose-method' && !model.controls.some(({ id }) => id === wanted)
      ? touch('call-staff')
      : reactions(model);

const wholeVisit = (persona: string, way: 'pin' | 'face', face: string | null): ComparedVisit => ({
  name: `${persona} by ${way}`,
  play: async (clinic, patient) => {
    await patient.see('idle');
    clinic.setFace(face);
    clinic.order({ type: 'insert', persona });
    const method = way === 'pin' ? byPin(persona) : byFace(persona);
    await patient.follow(orStaff(manner({ consent: 'agree', method }), `use-${way}`), ends);
    clinic.order({ type: 'pull' });
    clinic.setFace(null);
    await patient.see('idle');
  },
});

const readerUnplugged: ComparedVisit = {
  name: 'reader unplugged while consenting',
  play: async (clinic, patient) => {
    await patient.see('idle');
    clinic.order({ type: 'insert', persona: 'taro' });
    await patient.follow(manner({ consent: 'agree', method: byPin('taro') }), ['consent-item']);
    clinic.order({ type: 'unplug-reader' });
    await patient.see('desk', 'out-of-service', 'card-pulled');
    clinic.order({ type: 'pull' });
    clinic.order({ type: 'plug-reader' });
    await patient.see('idle');
  },
};

/** A page is one process: there is no link of its own to kill. */
const needsProcesses = ['link-killed-while-consenting-and-sending'];

const others = ['near-expiry', 'grace', 'no-photo', 'pin-blocked', 'revoked', 'dead', 'old-juki', 'driving-licence'];

/** Persona and fault by persona and fault: the demo's own visits, and those who come seldom. */
export const comparedVisits: readonly ComparedVisit[] = [
  ...scriptedVisits
    .filter(({ name }) => !needsProcesses.includes(name))
    // What they ask of a clinic is no more than this.
    .map(({ name, play }) => ({ name, play: play as unknown as ComparedVisit['play'] })),
  ...[...others, 'residence-card', 'android-phone'].map((persona) => wholeVisit(persona, 'pin', null)),
  wholeVisit('face-only', 'face', faceOf('face-only')),
  readerUnplugged,
];
