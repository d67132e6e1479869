import { createVirtualCardFrontReader } from '../../drivers/virtual/virtual-card-front-reader.ts';
import { createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualKeypad } from '../../drivers/virtual/virtual-keypad.ts';
import { createVirtualStatusLight } from '../../drivers/virtual/virtual-status-light.ts';
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
import type { Microphone } from '../../src/ports/microphone.ts';
import type { Screen, ScreenEvent } from '../../src/ports/screen.ts';
import type { SmartphoneReader } from '../../src/ports/smartphone-reader.ts';
import type { Speaker } from '../../src/ports/speaker.ts';
import { createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { SessionParts } from '../../src/terminal/visit/session-parts.ts';
import { SessionRunner } from '../../src/terminal/visit/session-runner.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import { type AgentBed, makeAgentBed } from './agent-bed.ts';
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
  /** An attempt has begun, with a photo or without one. */
  get asked(): boolean {
    return this.#tell !== null;
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
  readonly #listeners = new Set<(event: ScreenEvent) => void>();

  show(model: ScreenModel): void {
    this.shown.push(model);
  }
  subscribe(listener: (event: ScreenEvent) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async close() {}

  #tell(event: ScreenEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get now(): ScreenModel {
    const model = this.shown.at(-1);
    if (model === undefined) throw new Error('nothing was shown yet');
    return model;
  }
  touch(control: ControlId, value?: string): void {
    this.look();
    const { session, revision } = this.now;
    const touch = { session, revision, control, ...(value === undefined ? {} : { value }) };
    this.#tell({ type: 'touched', touch });
  }
  /** Its browser comes or goes. */
  page(type: 'connected' | 'disconnected'): void {
    this.#tell({ type });
  }
  key(key: number): void {
    this.look();
    this.#tell({ type: 'pin-key', key });
  }
}

const enterKey = 0x0d;

type VisitBedOptions = NonNullable<Parameters<typeof makeAgentBed>[0]> & {
  readonly speaker?: Speaker;
  readonly smartphoneReader?: SmartphoneReader;
  readonly keys?: Keypad['keys'];
  readonly microphone?: Microphone;
  readonly inspect?: SessionParts['inspect'];
  readonly onTrial?: SessionParts['onTrial'];
  readonly restart?: SessionParts['restart'];
  /** `log`: the bed's own */
  readonly machine?: Omit<NonNullable<SessionParts['machine']>, 'log'>;
};

/**
 * A whole visit on simulated time: session runner, clinic link, agent desk, journal, files and every signature are the
 * real ones; cards are virtual at APDU level; the broker is in memory and the face port is told what to say.
 */
export class VisitBed {
  readonly agent: AgentBed;
  readonly clock: AgentBed['clock'];
  readonly broker: AgentBed['broker'];
  readonly logLines: string[] = [];
  readonly log: ReturnType<typeof createEventLog>;
  readonly store = new MemoryStore();
  /** The terminal's own wall clock may be wrong; both ends count the same seconds. */
  #clockErrorMs = 0;
  readonly clinic: ReturnType<typeof createClinicLink>;
  readonly reader = createVirtualCardReader();
  readonly #cardFrontReader = createVirtualCardFrontReader();
  readonly face = new ToldFaceVerifier();
  readonly screen = new SeenScreen();
  readonly light = createVirtualStatusLight();
  readonly keypad: ReturnType<typeof createVirtualKeypad>;
  readonly runner: SessionRunner;
  readonly states: StateName[] = [];

  constructor(agent: AgentBed, more: VisitBedOptions) {
    this.agent = agent;
    const { clock, broker, testFacility } = this.agent;
    this.clock = clock;
    this.broker = broker;
    const { facility, device, lane } = testFacility.device;
    const log = createEventLog({ format: 'json', level: 'debug', write: (line) => this.logLines.push(line) });
    this.log = log;
    const terminalClock: Clock = {
      now: () => ({ ...this.clock.now(), wallMs: this.clock.now().wallMs + this.#clockErrorMs }),
      wakeAt: (atMs, wake) => this.clock.wakeAt(atMs, wake),
    };
    this.clinic = createClinicLink({
      bus: this.broker.connect('front-1'),
      store: this.store,
      clock: terminalClock,
      log,
      keys: testFacility.device,
    });
    this.keypad = createVirtualKeypad(more.keys);
    this.runner = new SessionRunner({
      terminal: { facility, device, lane, version: '0.0.0', profile: 'demo' },
      clock: terminalClock,
      log,
      cardReader: this.reader,
      cardFrontReader: this.#cardFrontReader,
      faceVerifier: this.face,
      screen: this.screen,
      smartphoneReader: more.smartphoneReader ?? null,
      keypad: this.keypad,
      statusLight: this.light,
      speaker: more.speaker ?? null,
      clinic: this.clinic,
      trustedCvIssuers,
      cryptography: cardCryptography,
      catalogueAt: (wallMs) => catalogueAt(wallMs, more.catalogueDir ?? catalogueDir),
      newId: () => crypto.randomUUID(),
      restart: more.restart ?? {},
      ...(more.machine && { machine: { ...more.machine, log } }),
      ...(more.microphone && { microphone: more.microphone }),
      ...(more.inspect && { inspect: more.inspect }),
      ...(more.onTrial && { onTrial: more.onTrial }),
    });
    this.screen.look = () => this.clock.skip(notMeantForMs(this.runner.session, this.clock.now()));
    this.runner.subscribe((session) => {
      if (this.states.at(-1) !== session.state.name) this.states.push(session.state.name);
    });
  }

  get state() {
    return this.runner.session.state;
  }

  get code() {
    const { state } = this.runner.session;
    return 'failure' in state ? state.failure?.code : undefined;
  }

  see(...names: readonly ScreenName[]): Promise<void> {
    return until(`${names.join(' or ')}, still ${this.screen.shown.at(-1)?.screen}`, () =>
      names.includes(this.screen.shown.at(-1)?.screen as ScreenName),
    );
  }

  async insert(persona: string): Promise<void> {
    const made = await testCard(persona, this.clock.now().wallMs);
    this.#cardFrontReader.show(made.printedNumberB);
    this.reader.insert(made.card);
  }

  typePin(digits: string): void {
    for (const key of [...pinBytes(digits), enterKey]) this.screen.key(key);
  }

  /** From the method choice to a verified PIN. */
  async enterPin(digits: string): Promise<void> {
    await this.see('choose-method', 'pin');
    if (this.screen.now.screen === 'choose-method') this.screen.touch('use-pin');
    this.typePin(digits);
  }

  /** Until the face port has the photo and looks. */
  async beginFace(): Promise<void> {
    await this.see('choose-method', 'face');
    if (this.screen.now.screen === 'choose-method') this.screen.touch('use-face');
    await until('the face step', () => this.face.watching);
  }

  async verifyFace(): Promise<void> {
    await this.beginFace();
    this.face.say({ type: 'matched' });
  }

  /** Answers whatever is asked until the request is on its way. */
  async answerAll(control: 'agree' | 'decline'): Promise<void> {
    await this.see('consent-bundle', 'consent-item', 'specific-disease', 'certificate-notice', 'summary');
    for (let turns = 0; turns < 20 && this.runner.session.state.name === 'askingConsent'; turns += 1) {
      const answers: Partial<Record<ScreenName, ControlId>> = {
        summary: 'confirm',
        'certificate-notice': 'next',
        'referral-documents': 'next',
        'medical-subsidy': control === 'agree' ? 'use' : 'do-not-use',
        'prescription-form': 'electronic',
      };
      this.screen.touch(answers[this.screen.now.screen] ?? control);
    }
  }

  /**
   * Time passes for both ends, and between two of its moments all real work (cryptography on other threads) comes to its
   * end: on a busy machine an answer that is on its way would else be late by the simulated clock.
   */
  pass(ms: number): Promise<void> {
    return this.clock.advance(ms, () => this.agent.quiet());
  }

  async takeCard(): Promise<void> {
    this.reader.pull();
    // Thanks take seconds; a card pulled early is waited for, and told of, for half a minute.
    await this.pass(10_000);
    if (this.screen.now.screen !== 'idle') await this.pass(20_000);
    await this.see('idle');
  }

  setClockError(ms: number): void {
    this.#clockErrorMs = ms;
  }

  visits() {
    return this.agent.journal.visits();
  }

  async close(): Promise<void> {
    await this.runner.close();
    await this.clinic.close();
    this.agent.close();
  }
}

/** With the first screen shown. */
export const openVisitBed = async (more: VisitBedOptions = {}): Promise<VisitBed> => {
  const bed = new VisitBed(await makeAgentBed(more), more);
  await bed.see(more.onTrial?.() === true ? 'out-of-service' : 'idle');
  return bed;
};
