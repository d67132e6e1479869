import { createVirtualCardFrontReader } from '../../drivers/virtual/virtual-card-front-reader.ts';
import { createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualKeypad } from '../../drivers/virtual/virtual-keypad.ts';
import { createVirtualStatusLight } from '../../drivers/virtual/virtual-status-light.ts';
import type { ServiceRecord } from '../../src/agent/eligibility/simulated-eligibility-service.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { ScreenModel, ScreenName } from '../../src/core/screen/screen-model.ts';
import type { ControlId } from '../../src/core/visit/control-ids.ts';
import type { StateName } from '../../src/core/visit/session.ts';
import { notMeantForMs } from '../../src/core/visit/session-buttons.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { FaceAttempt, FaceAttemptEvent, FaceVerifier } from '../../src/ports/face-verifier.ts';
import type { Keypad } from '../../src/ports/keypad.ts';
import type { Screen, ScreenEvent } from '../../src/ports/screen.ts';
import type { SmartphoneReader } from '../../src/ports/smartphone-reader.ts';
import type { Speaker } from '../../src/ports/speaker.ts';
import { createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { SessionRunner } from '../../src/terminal/visit/session-runner.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import { makeAgentBed } from './agent-bed.ts';
import { MemoryStore } from './memory-store.ts';
import { until } from './simulated-clock.ts';
import { pinBytes, testCard, trustedCvIssuers } from './test-cards.ts';

/** The face port under the story's hand: models and camera have tests of their own. */
class ToldFaceVerifier implements FaceVerifier {
  readonly references: Uint8Array[] = [];
  #tell: ((event: FaceAttemptEvent) => void) | null = null;
  #hasReference = false;
  #health: ((trouble: Failure | null) => void)[] = [];

  start({ referenceJp2 }: FaceAttempt, listener: (event: FaceAttemptEvent) => void) {
    this.#tell = listener;
    this.#hasReference = false;
    void Promise.resolve(referenceJp2).then((reference) => {
      if (this.#tell !== listener || reference === null) return;
      this.#hasReference = true;
      this.references.push(reference.slice());
    });
    return () => {
      if (this.#tell === listener) this.#tell = null;
    };
  }
  subscribeHealth(listener: (trouble: Failure | null) => void) {
    this.#health.push(listener);
    listener(null);
    return () => {
      this.#health = this.#health.filter((other) => other !== listener);
    };
  }
  async close() {}

  /** It looks, and has the photo to compare with. */
  get watching(): boolean {
    return this.#tell !== null && this.#hasReference;
  }
  say(event: FaceAttemptEvent): void {
    this.#tell?.(event);
  }
  ail(trouble: Failure | null): void {
    for (const listener of this.#health) listener(trouble);
  }
}

/** A page that keeps what it was shown and has one finger. */
class SeenScreen implements Screen {
  readonly shown: ScreenModel[] = [];
  preview: Screen['preview'] = () => {};
  /** A person looks before the finger comes down. */
  look: () => void = () => {};
  #listener: (event: ScreenEvent) => void = () => {};

  show(model: ScreenModel): void {
    this.shown.push(model);
  }
  subscribe(listener: (event: ScreenEvent) => void) {
    this.#listener = listener;
    return () => {};
  }
  async close() {}

  get now(): ScreenModel {
    const model = this.shown.at(-1);
    if (model === undefined) throw new Error('nothing was shown yet');
    return model;
  }
  touch(control: ControlId, value?: string): void {
    this.look();
    const { session, revision } = this.now;
    const touch = { session, revision, control, ...(value === undefined ? {} : { value }) };
    this.#listener({ type: 'touched', touch });
  }
  key(key: number): void {
    this.look();
    this.#listener({ type: 'pin-key', key });
  }
}

const enterKey = 0x0d;

/**
 * A whole visit on simulated time: session runner, clinic link, agent desk, journal, files and every signature are the
 * real ones; cards are virtual at APDU level; the broker is in memory and the face port is told what to say.
 */
export const openVisitBed = async (
  more: {
    readonly records?: (records: readonly ServiceRecord[]) => readonly ServiceRecord[];
    readonly speaker?: Speaker;
    readonly smartphoneReader?: SmartphoneReader;
    readonly keys?: Keypad['keys'];
    readonly catalogueDir?: string;
    readonly startMs?: number;
    readonly settings?: FacilitySettings;
  } = {},
) => {
  const agent = await makeAgentBed(more);
  const { clock, broker, testFacility } = agent;
  const { facility, device, lane } = testFacility.device;
  const logLines: string[] = [];
  const log = createEventLog({ format: 'json', level: 'debug', write: (line) => logLines.push(line) });
  const store = new MemoryStore();
  /** The terminal's own wall clock may be wrong; both ends count the same seconds. */
  let clockErrorMs = 0;
  const terminalClock: Clock = {
    now: () => ({ ...clock.now(), wallMs: clock.now().wallMs + clockErrorMs }),
    wakeAt: (atMs, wake) => clock.wakeAt(atMs, wake),
  };
  const clinic = createClinicLink({
    bus: broker.connect('front-1'),
    store,
    clock: terminalClock,
    log,
    keys: testFacility.device,
  });
  const reader = createVirtualCardReader();
  const cardFrontReader = createVirtualCardFrontReader();
  const face = new ToldFaceVerifier();
  const screen = new SeenScreen();
  const light = createVirtualStatusLight();
  const keypad = createVirtualKeypad(more.keys);
  const runner = new SessionRunner({
    terminal: { facility, device, lane, version: '0.0.0', profile: 'demo' },
    clock: terminalClock,
    log,
    cardReader: reader,
    cardFrontReader,
    faceVerifier: face,
    screen,
    smartphoneReader: more.smartphoneReader ?? null,
    keypad,
    statusLight: light,
    speaker: more.speaker ?? null,
    clinic,
    trustedCvIssuers,
    cryptography: cardCryptography,
    catalogueAt: (wallMs) => catalogueAt(wallMs, more.catalogueDir ?? catalogueDir),
    offerUnreviewedLanguages: false,
    newId: () => crypto.randomUUID(),
    restart: {},
  });
  screen.look = () => clock.skip(notMeantForMs(runner.session, clock.now()));
  const states: StateName[] = [];
  runner.subscribe((session) => {
    if (states.at(-1) !== session.state.name) states.push(session.state.name);
  });

  const bed = {
    agent,
    clock,
    broker,
    store,
    reader,
    face,
    screen,
    light,
    keypad,
    runner,
    states,
    logLines,
    get state() {
      return runner.session.state;
    },
    get code() {
      const { state } = runner.session;
      return 'failure' in state ? state.failure?.code : undefined;
    },
    see: (...names: readonly ScreenName[]): Promise<void> =>
      until(`${names.join(' or ')}, still ${screen.shown.at(-1)?.screen}`, () =>
        names.includes(screen.shown.at(-1)?.screen as ScreenName),
      ),
    insert: async (persona: string): Promise<void> => {
      const made = await testCard(persona, clock.now().wallMs);
      cardFrontReader.show(made.printedNumberB);
      reader.insert(made.card);
    },
    typePin: (digits: string): void => {
      for (const key of [...pinBytes(digits), enterKey]) screen.key(key);
    },
    /** From the method choice to a verified PIN. */
    enterPin: async (digits: string): Promise<void> => {
      await bed.see('choose-method', 'pin');
      if (screen.now.screen === 'choose-method') screen.touch('use-pin');
      bed.typePin(digits);
    },
    /** Until the face port has the photo and looks. */
    beginFace: async (): Promise<void> => {
      await bed.see('choose-method', 'face');
      if (screen.now.screen === 'choose-method') screen.touch('use-face');
      await until('the face step', () => face.watching);
    },
    verifyFace: async (): Promise<void> => {
      await bed.beginFace();
      face.say({ type: 'matched' });
    },
    /** Answers whatever is asked until the request is on its way. */
    answerAll: async (control: 'agree' | 'decline'): Promise<void> => {
      await bed.see('consent-bundle', 'consent-item', 'specific-disease', 'certificate-notice', 'summary');
      for (let turns = 0; turns < 20 && runner.session.state.name === 'askingConsent'; turns += 1) {
        const answers: Partial<Record<ScreenName, ControlId>> = {
          summary: 'confirm',
          'certificate-notice': 'next',
          'referral-documents': 'next',
          'medical-subsidy': control === 'agree' ? 'use' : 'do-not-use',
          'prescription-form': 'electronic',
        };
        screen.touch(answers[screen.now.screen] ?? control);
      }
    },
    takeCard: async (): Promise<void> => {
      reader.pull();
      // Thanks take seconds; a card pulled early is waited for, and told of, for half a minute.
      await clock.advance(10_000);
      if (screen.now.screen !== 'idle') await clock.advance(20_000);
      await bed.see('idle');
    },
    setClockError: (ms: number): void => {
      clockErrorMs = ms;
    },
    visits: () => agent.journal.visits(),
    close: async (): Promise<void> => {
      await runner.close();
      await clinic.close();
      agent.close();
    },
  };
  await bed.see('idle');
  return bed;
};

export type VisitBed = Awaited<ReturnType<typeof openVisitBed>>;
