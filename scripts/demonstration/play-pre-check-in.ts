/**
 * npm run pre-check-in -- --json: consents signed beforehand on a (simulated) phone, then whole visits with broker, agent, link,
 * face process and terminal as processes of their own. A clinic that asks every consent and begins the face check by itself:
 *   confirmed   Hanako signed some of them and refused some: card down, face, one touch
 *   again       Hanako once more: what she signed has served, she is asked as ever, and answers the same
 *   forAnother  Taro signed for another clinic: asked as ever
 * The last line: touches and seconds at the desk. Exits 1 unless confirmed took one touch and at most 5 s from the screen that
 * shows what was signed to 受付完了 (the scripted patient's look included), and the others were asked.
 */

import { loadavg } from 'node:os';
import { join } from 'node:path';
import { makeCard } from '../../drivers/virtual/card-maker.ts';
import { isFaceId, loadFaceGrey } from '../../drivers/virtual/faces.ts';
import { personaById } from '../../drivers/virtual/personas.ts';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { serviceMemoryFile } from '../../src/agent/eligibility/service-memory-file.ts';
import { SimulatedEligibilityService } from '../../src/agent/eligibility/simulated-eligibility-service.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { readFacilitySettings } from '../../src/agent/settings/facility-settings-file.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { signOnPhone } from '../beds/phone-app.ts';
import { type ClinicDemo, startClinicDemo } from './clinic-demo.ts';
import { authorityFolder, keyFolder } from './facility.ts';
import { type Reactions, ScriptedPatient } from './scripted-patient.ts';
import { byFace, faceOf, touch } from './visits.ts';

const desk = { mostTouches: 1, mostSeconds: 5 } as const;
/** 健診 and 手術 are kept back: some of each */
const isGiven = (codes: readonly string[]): boolean => !codes.some((code) => code === 'TKK' || code === 'SHJ');

const cardOf = async (id: string) => {
  const persona = personaById(id);
  const photo = persona.face !== null && isFaceId(persona.face) ? await loadFaceGrey(persona.face) : null;
  const authority = await ensureTestAuthority(authorityFolder);
  return (await makeCard({ persona, authority, keyFolder, photo, wallMs: Date.now() })).card;
};

/** At home, before the clinic opened: two people sign, one of them for another clinic. */
const signBefore = async (agentDirectory: string): Promise<void> => {
  const settings = await readFacilitySettings(join(agentDirectory, 'facility-settings.yaml'));
  const memory = serviceMemoryFile(join(agentDirectory, 'simulated-service.json'));
  const service = new SimulatedEligibilityService({ records: [], memory, answerDelayMs: 0, wait: async () => {} });
  const wallMs = Date.now();
  const asked = { wallMs, catalogue: catalogueAt(wallMs), settings };
  for (const persona of ['hanako', 'taro'])
    service.leavePreCheckIn(
      await signOnPhone(
        {
          ...{ ...asked, persona, card: await cardOf(persona), answers: ({ codes }) => isGiven(codes) },
          ...(persona === 'taro' && { change: (honest) => ({ ...honest, medicalInstitutionCode: '1399999999' }) }),
        },
        personaById(persona).pins.auth?.secret,
      ),
    );
};

const asksConsent = /^(pre-check-in|consent|specific-disease|summary)/;

type Counted = {
  /** For consents alone: on a busy machine the face check may give way to the PIN, which is no matter of this */
  readonly touches: number;
  /** From the first screen that asks or shows consents to 受付完了 */
  readonly seconds: number;
  readonly screens: readonly string[];
  readonly consents: Readonly<Record<string, boolean>>;
};

const visit = async (
  demo: ClinicDemo,
  patient: ScriptedPatient,
  persona: string,
): Promise<Omit<Counted, 'consents'>> => {
  await patient.see('idle');
  const touched = new Set<string>();
  const screens: string[] = [];
  let sinceMs: number | null = null;
  const face = byFace(persona);
  const answers: Reactions = (model) => {
    if (screens.at(-1) !== model.screen) screens.push(model.screen);
    if (asksConsent.test(model.screen)) sinceMs ??= performance.now();
    switch (model.screen) {
      case 'choose-method':
      case 'face':
      case 'pin':
        return face(model);
      case 'pre-check-in':
      case 'summary':
        return touch('confirm');
      case 'consent-bundle':
        return touch('one-by-one');
      case 'consent-item':
      case 'specific-disease': {
        const kept = /健診|手術/.test(model.heading);
        return touch(kept ? 'decline' : 'agree');
      }
      default:
        return { do: 'wait' };
    }
  };
  const counting: Reactions = (model) => {
    const reaction = answers(model);
    if (reaction.do === 'touch' && asksConsent.test(model.screen)) touched.add(`${model.screen} ${model.heading}`);
    return reaction;
  };
  demo.setFace(faceOf(persona));
  demo.order({ type: 'insert', persona });
  const last = await patient.follow(counting, ['accepted', 'desk', 'out-of-service']);
  const seconds = (performance.now() - (sinceMs ?? performance.now())) / 1_000;
  demo.order({ type: 'pull' });
  demo.setFace(null);
  await patient.see('idle');
  if (last.screen !== 'accepted') throw new Error(`${persona} ended at ${last.screen}: ${last.heading}`);
  return { touches: touched.size, seconds: Math.round(seconds * 100) / 100, screens };
};

const told: string[] = [];
const demo = await startClinicDemo({
  ...{ screenPort: 0, staffPort: 0, answerDelayMs: 300, cameraDevice: null, before: signBefore },
  changes: {
    ...{ preCheckIn: true, faceAtOnce: true, languages: ['ja'] },
    ...{ medicalSubsidy: false, prescriptionUse: 0, referralDocuments: false },
  },
  onLog: (_source, line) => {
    if (line.event === 'agent.pre-check-in-refused') told.push(String(line.code));
  },
});
const journal = new Journal(demo.agent.journal);
const patient = await ScriptedPatient.before(demo.screenPort);
const counted: Record<string, Counted> = {};
try {
  for (const [name, persona] of [
    ['confirmed', 'hanako'],
    ['again', 'hanako'],
    ['forAnother', 'taro'],
  ] as const) {
    const { touches, seconds, screens } = await visit(demo, patient, persona);
    const consents = journal.visits().at(-1)?.consents ?? {};
    process.stdout.write(
      `${name}: ${touches} touches, ${seconds} s; ${screens.join(' → ')}; ${JSON.stringify(consents)}\n`,
    );
    counted[name] = { touches, seconds, screens, consents };
  }
} finally {
  patient.leave();
  journal.close();
  await demo.close();
}

const [confirmed, again, forAnother] = [counted.confirmed, counted.again, counted.forAnother];
const same = (one?: Counted): string => JSON.stringify(Object.entries(one?.consents ?? {}).sort());
const shows = (one?: Counted): boolean => one?.screens.includes('pre-check-in') === true;
const ok =
  confirmed !== undefined &&
  confirmed.touches <= desk.mostTouches &&
  confirmed.seconds <= desk.mostSeconds &&
  shows(confirmed) &&
  !shows(again) &&
  !shows(forAnother) &&
  same(confirmed) === same(again) &&
  told.join() === 'message.forged';
process.stdout.write(
  `${JSON.stringify({
    profile: 'demo',
    touches: confirmed?.touches,
    seconds: confirmed?.seconds,
    acts: 2,
    touchesAsked: again?.touches,
    secondsAsked: again?.seconds,
    consentsAsSigned: same(confirmed) === same(again),
    refused: told,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    ok,
  })}\n`,
);
process.exit(ok ? 0 : 1);
