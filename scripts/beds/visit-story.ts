import { firstFacilitySettings, withEveryQuestion } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { identity } from '../../src/cli/preview-gallery.ts';
import type { ConsentCatalogue } from '../../src/core/catalogue/consent-catalogue.ts';
import type { ControlId } from '../../src/core/visit/control-ids.ts';
import type { Identity } from '../../src/core/visit/identity.ts';
import type { Effect, Session, SessionEvent, SessionState, StateName, Visit } from '../../src/core/visit/session.ts';
import { notMeantForMs } from '../../src/core/visit/session-buttons.ts';
import { initialSession, transition } from '../../src/core/visit/session-machine.ts';
import { visitOf } from '../../src/core/visit/session-steps.ts';
import { type FacilitySettings, firstTimeouts } from '../../src/wire/facility-settings.ts';
import type { LookupResult } from '../../src/wire/messages.ts';

const { consents: inForce } = catalogueAt(Date.parse('2026-11-29T00:00:00Z'));

const consents: ConsentCatalogue = {
  ...inForce,
  kinds: { ...inForce.kinds, medical: { ...inForce.kinds.medical, order: [] } },
  version: '2024-10-07.1',
  validityMs: 86_400_000,
  items: (['SRJ', 'YZK', 'TKK', 'SHJ', 'TSR'] as const).map((code) => ({
    code,
    officialName: code,
    carries: [],
    facilityDefault: true,
  })),
  questions: [
    {
      id: 'treatment-and-drugs',
      screen: 'consent',
      codes: ['SRJ', 'YZK'],
      bundled: true,
      subjects: { 'SRJ+YZK': 'records', YZK: 'drugs' },
    },
    { id: 'check-ups', screen: 'consent', codes: ['TKK'], bundled: true, subjects: { TKK: 'check-ups' } },
    { id: 'operations', screen: 'consent', codes: ['SHJ'], bundled: false, subjects: { SHJ: 'operations' } },
    {
      id: 'specific-disease',
      screen: 'specific-disease',
      codes: ['TSR'],
      bundled: false,
      subjects: { TSR: 'disease' },
    },
  ],
};

export const settings: FacilitySettings = {
  ...withEveryQuestion(consents, firstFacilitySettings(consents, 'medical', 'さくら内科クリニック', '1319999999')),
  padStrength: 'off',
};

export { identity };

export const lookup: LookupResult = {
  facility: 'clinic',
  device: 'lane-1',
  lookupId: '7a3c5cf8-94a8-4d07-9d5c-3d1d4f2f7f0e',
  registered: 'yes',
  certificateStatus: 'good',
  medicalSubsidy: false,
  prescription: { use: 0, timing: 0 },
};

type WithoutTime<E> = E extends SessionEvent ? Omit<E, 'at'> : never;
export type Happening = WithoutTime<SessionEvent>;

const wallEpochMs = Date.UTC(2026, 10, 21, 5, 0);

/** A session told event by event on a clock that only the story moves. */
export class VisitStory {
  session: Session;
  nowMs = 0;
  readonly effects: Effect[] = [];
  #cards = 0;

  /** `phonesOnBed`: of a terminal without a reader of their own for them */
  constructor(phonesOnBed = false) {
    const display = { language: 'ja', theme: 'default', textPercent: 100, voice: 'headings', loudness: 0 } as const;
    this.session = initialSession(consents, { ...display, layout: 'standard' }, firstTimeouts, phonesOnBed);
  }

  static atRest(phonesOnBed = false): VisitStory {
    const story = new VisitStory(phonesOnBed);
    story.tell({ type: 'ReaderFound' });
    story.tell({ type: 'FaceHealthChanged', trouble: null });
    story.tell({ type: 'SettingsChanged', settings });
    story.tell({ type: 'ChallengesChanged', ready: true });
    story.tell({ type: 'BusConnected' });
    return story;
  }

  get state(): SessionState {
    return this.session.state;
  }

  get name(): StateName {
    return this.state.name;
  }

  get visit(): Visit {
    const visit = visitOf(this.state);
    if (visit === null) throw new Error(`no visit in ${this.name}`);
    return visit;
  }

  tell(event: Happening): readonly Effect[] {
    const at = { monotonicMs: this.nowMs, wallMs: wallEpochMs + this.nowMs };
    const step = transition(this.session, { ...event, at } as SessionEvent);
    this.session = step.session;
    this.effects.push(...step.effects);
    return step.effects;
  }

  /** Lets time pass; the deadline comes when it is due. */
  pass(ms: number): void {
    const until = this.nowMs + ms;
    for (let turns = 0; turns < 1_000; turns += 1) {
      const { deadlineMs } = this.state;
      if (deadlineMs === null || deadlineMs > until) break;
      this.nowMs = Math.max(this.nowMs, deadlineMs);
      this.tell({ type: 'DeadlinePassed' });
    }
    this.nowMs = until;
  }

  insert(): string {
    this.#cards += 1;
    const insertion = `insertion-${this.#cards}`;
    this.tell({ type: 'CardInserted', insertion, session: `session-${this.#cards}` });
    return insertion;
  }

  /** Insertion, reading and the lookup's answer. */
  present(read: Partial<Identity> = {}, answer: Partial<LookupResult> = {}): void {
    this.insert();
    this.tell({ type: 'CardRead', insertion: this.visit.insertion, identity: { ...identity, ...read } });
    this.tell({
      type: 'LookupAnswered',
      insertion: visitOf(this.state)?.insertion ?? '',
      result: { ...lookup, ...answer },
    });
  }

  /** As a person does: after a look at what is asked. `hit` is the finger that does not look. */
  touch(control: ControlId, value?: string): readonly Effect[] {
    this.pass(notMeantForMs(this.session, { monotonicMs: this.nowMs, wallMs: 0 }));
    return this.hit(control, value);
  }

  hit(control: ControlId, value?: string): readonly Effect[] {
    const session = visitOf(this.state)?.session ?? null;
    return this.tell({ type: 'Touched', session, control, ...(value === undefined ? {} : { value }) });
  }

  typePin(): readonly Effect[] {
    const { insertion } = this.visit;
    this.tell({ type: 'PinDigitsChanged', insertion, entered: 4 });
    return this.tell({ type: 'PinSubmitted', insertion });
  }

  enterPin(): void {
    this.touch('use-pin');
    this.typePin();
    this.tell({ type: 'PinVerified', insertion: this.visit.insertion });
  }

  answerAll(control: 'agree' | 'decline'): void {
    for (let left = 20; left > 0 && this.name === 'askingConsent'; left -= 1) {
      const question = this.visit.questions?.[this.visit.questionIndex];
      this.touch(question?.kind === 'summary' ? 'confirm' : question?.kind === 'certificate-notice' ? 'next' : control);
    }
  }

  /** From the signature to the closing screen. */
  deliver(): void {
    const requestId = `request-of-${this.visit.session}`;
    this.tell({ type: 'RequestSigned', insertion: this.visit.insertion, kind: 'eligibility', requestId });
    this.tell({ type: 'ReceiptArrived', requestId, verdict: 'accepted', code: null });
    this.tell({ type: 'ResultArrived', requestId, outcome: 'eligible', qualificationValidity: 1, code: null });
  }

  did(type: Effect['type']): number {
    return this.effects.filter((effect) => effect.type === type).length;
  }
}
