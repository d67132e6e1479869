import { type Catalogue, nextAnnouncementMs } from '../../core/catalogue/catalogue.ts';
import { type Failure, failure } from '../../core/failure.ts';
import type { Touch } from '../../core/screen/screen-model.ts';
import { hourMs } from '../../core/time-units.ts';
import type { Session, SessionEvent } from '../../core/visit/session.ts';
import { isVisitors, notMeantForMs } from '../../core/visit/session-buttons.ts';
import { initialSession, transition } from '../../core/visit/session-machine.ts';
import { facilityDisplay, visitOf } from '../../core/visit/session-steps.ts';
import type { CardReaderEvent } from '../../ports/card-reader.ts';
import type { PinKey } from '../../ports/keypad.ts';
import { isDigitKey } from '../../protocol/card/pin-digits.ts';
import { firstTimeouts } from '../../wire/facility-settings.ts';
import type { ClinicEvent } from '../delivery/clinic-link.ts';
import { EarlierVisits } from './earlier-visits.ts';
import { KeypadGuide } from './keypad-guide.ts';
import { watchPage } from './page-watch.ts';
import { enterKey, ofPhone, PinEntry, pinOwnerOf } from './pin-entry.ts';
import { Presentation } from './presentation.ts';
import type { SessionParts } from './session-parts.ts';
import { StaffOrders } from './staff-orders.ts';
import { StageLog } from './stage-log.ts';
import { VisitCard } from './visit-card.ts';
import { type Told, visitExecutors } from './visit-effects.ts';

/** A clock that is set while the terminal runs is noticed within this time. ms */
const lookAgainMs = hourMs;
/** The mark of a release on trial is gone a moment after its test request. ms */
const lookAtTrialMs = 1_000;

/** How a visit ends that its patient has left. */
const isLeft = (outcome: string): outcome is 'card.removed' | 'session.timed-out' =>
  outcome === 'card.removed' || outcome === 'session.timed-out';

/**
 * Runs the session machine on the real parts: one event after the other, each followed by its effects, the next
 * deadline, and what patient and staff are shown. Owns the cards on the bed and the PIN's bytes; decides nothing.
 */
export class SessionRunner {
  readonly #parts: SessionParts;
  readonly #presentation: Presentation;
  readonly #pinEntry = new PinEntry();
  readonly #cards = new Map<string, VisitCard>();
  readonly #waiting: SessionEvent[] = [];
  readonly #unsubscribes: (() => void)[];
  readonly #executors: ReturnType<typeof visitExecutors>;
  readonly #listeners = new Set<(session: Session, event: SessionEvent) => void>();
  readonly #stages: StageLog;
  readonly #guide: KeypadGuide;
  readonly #earlier: EarlierVisits;
  readonly #orders: StaffOrders;
  #session: Session;
  #catalogue: Catalogue;
  #cancelDeadline: (() => void) | null = null;
  #cancelNextLook: () => void = () => {};
  #cancelTrialLook: () => void = () => {};
  #agentTrouble: Failure | null = null;
  #running = false;
  #closed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#presentation = new Presentation(parts, (speaking) =>
      this.tell({ type: speaking ? 'VoiceBegan' : 'VoiceEnded' }),
    );
    this.#stages = new StageLog(parts.log);
    this.#guide = new KeypadGuide({
      model: () => this.#presentation.model,
      touch: (touch, said) => this.#touched(touch, said),
      pinKey: (key) => this.#pinKey(key),
      focus: (index) => {
        this.#presentation.focus(index);
        this.#show();
      },
      repeat: () => this.#presentation.repeat(),
    });
    this.#catalogue = parts.catalogueAt(parts.clock.now().wallMs);
    const display = facilityDisplay({ settings: null });
    const phonesOnBed = parts.smartphoneReader === null;
    this.#session = initialSession(this.#catalogue.consents, display, firstTimeouts, phonesOnBed);
    this.#orders = new StaffOrders(parts, {
      session: () => this.#session,
      catalogueVersion: () => this.#catalogue.version,
      tell: (event) => this.tell(event),
      shine: (pattern) => this.#presentation.shine(pattern),
    });
    this.#earlier = new EarlierVisits(
      parts.clock,
      (requestId) => this.tell({ type: 'EarlierVisitGivenUp', requestId }),
      (found) => this.tell({ type: 'EarlierVisitFound', ...found }),
    );
    this.#executors = visitExecutors(parts, {
      cards: this.#cards,
      pinEntry: this.#pinEntry,
      tell: (event) => this.tell(event),
      earlierOf: (certificate) => this.#earlier.of(certificate),
      take: (phone) => {
        this.#cards.set(phone.id, new VisitCard(phone));
        this.tell({ type: 'PhonePresented', insertion: phone.id, session: parts.newId() });
      },
      letGo: (insertion) => this.#letGo(insertion),
      settings: () => this.#session.surroundings.settings,
      catalogue: () => this.#catalogue,
      session: () => visitOf(this.#session.state)?.session,
    });
    const page = watchPage(parts.clock, (trouble) => this.#pageNoticed(trouble));
    this.#unsubscribes = [
      parts.cardReader.subscribe((event) => this.#cardEvent(event)),
      parts.faceVerifier.subscribeHealth((trouble) => this.tell({ type: 'FaceHealthChanged', trouble })),
      parts.clinic.subscribe((event) => this.#clinicEvent(event)),
      parts.screen.subscribe((event) => {
        if (event.type === 'pin-key' && notMeantForMs(this.#session, parts.clock.now()) === 0) this.#pinKey(event.key);
        if (event.type === 'touched') this.#touched(event.touch);
        page.hear(event);
      }),
      page.close,
      parts.keypad?.subscribe((event) => {
        if ((event.type === 'key' || event.type === 'move') && !this.#orders.takesKey(event)) this.#keyed(event);
      }) ?? (() => {}),
      parts.statusLight?.subscribe((event) => {
        if (event.type === 'presence') this.#presentation.near(event.near, this.#session);
      }) ?? (() => {}),
    ];
    parts.speaker?.onEarphone((inserted) => this.#presentation.earphone(inserted));
    this.#show();
    this.#lookAgain();
    this.#awaitEndOfTrial();
  }

  get session(): Session {
    return this.#session;
  }

  /** Every transition, after its effects have begun: for health, tests and the demo's timeline. */
  subscribe(listener: (session: Session, event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes an event in; answered before this returns unless another one is just being answered. */
  tell(event: Told): void {
    if (this.#closed) return;
    this.#waiting.push({ ...event, at: this.#parts.clock.now() } as SessionEvent);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#answer(next);
    } finally {
      this.#running = false;
    }
  }

  async close(): Promise<void> {
    this.tell({ type: 'ShutdownRequested' });
    this.#closed = true;
    this.#orders.close();
    this.#cancelDeadline?.();
    this.#cancelNextLook();
    this.#cancelTrialLook();
    this.#earlier.close();
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#pinEntry.clear();
    await Promise.all([...this.#cards.values()].map((card) => card.end()));
    this.#cards.clear();
  }

  #answer(event: SessionEvent): void {
    const before = this.#session;
    const { session, effects } = transition(before, event);
    this.#session = session;
    if (visitOf(session.state) !== null) this.#orders.visitBegan();
    if (session.state.name !== before.state.name)
      this.#parts.log.event('session.transition', {
        session: visitOf(session.state)?.session ?? visitOf(before.state)?.session,
        from: before.state.name,
        to: session.state.name,
        cause: event.type,
        code: 'failure' in session.state ? session.state.failure?.code : undefined,
      });
    for (const effect of effects) {
      if (effect.type === 'VisitEnded' && !effect.signed && isLeft(effect.outcome))
        this.#presentation.abandoned(effect.session, effect.outcome);
    }
    for (const effect of effects) (this.#executors[effect.type] as (known: typeof effect) => void)(effect);
    // A timer may ring a fraction of a millisecond early: then the same deadline is waited for once more.
    if (session.state.deadlineMs !== before.state.deadlineMs || event.type === 'DeadlinePassed')
      this.#setDeadline(session.state.deadlineMs);
    if (session.state.name === 'idle' && before.state.name !== 'idle') this.#renewCatalogue();
    this.#show(isVisitors(event));
    this.#stages.follow(before, session, event.at.monotonicMs);
    for (const listener of this.#listeners) listener(session, event);
  }

  #setDeadline(deadlineMs: number | null): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline =
      deadlineMs === null ? null : this.#parts.clock.wakeAt(deadlineMs, () => this.tell({ type: 'DeadlinePassed' }));
  }

  /** Between visits a notice whose date has come takes effect. */
  #renewCatalogue(): void {
    const catalogue = this.#parts.catalogueAt(this.#parts.clock.now().wallMs);
    if (catalogue === this.#catalogue) return;
    this.#catalogue = catalogue;
    this.tell({ type: 'CatalogueChanged', catalogue: catalogue.consents });
  }

  /** Of a release on trial nobody is served; the doubt ends when its mark is gone. */
  #tellAgent(): void {
    const isOnTrial = this.#parts.onTrial?.() === true;
    this.tell({ type: 'AgentChanged', trouble: isOnTrial ? failure('update.on-trial') : this.#agentTrouble });
  }

  #awaitEndOfTrial(): void {
    if (this.#parts.onTrial?.() !== true) return;
    this.#tellAgent();
    const look = (): void => {
      this.#tellAgent();
      if (this.#parts.onTrial?.() === true)
        this.#cancelTrialLook = this.#parts.clock.wakeAt(this.#parts.clock.now().monotonicMs + lookAtTrialMs, look);
    };
    this.#cancelTrialLook = this.#parts.clock.wakeAt(this.#parts.clock.now().monotonicMs + lookAtTrialMs, look);
  }

  /** The newest test request since the start */
  get lastTest(): StaffOrders['lastTest'] {
    return this.#orders.lastTest;
  }

  /** For the doctor: each part does once what a patient needs of it; not while one is here. */
  tryParts(): ReturnType<StaffOrders['tryParts']> {
    return this.#orders.tryParts();
  }

  /** What the calendar changes (an announced interruption, a new notice) is seen though nobody touches anything. */
  #lookAgain(): void {
    const { wallMs, monotonicMs } = this.#parts.clock.now();
    const { maintenance, nextChangeMs } = this.#catalogue;
    // One that began in mid-visit takes effect when the terminal is idle again.
    const noticeMs = nextChangeMs > wallMs ? nextChangeMs : Number.POSITIVE_INFINITY;
    const nextMs = Math.min(nextAnnouncementMs(maintenance, wallMs), noticeMs);
    const waitMs = Math.min(lookAgainMs, nextMs - wallMs);
    this.#cancelNextLook = this.#parts.clock.wakeAt(monotonicMs + waitMs, () => {
      if (this.#session.state.name === 'idle') this.#renewCatalogue();
      this.#show();
      this.#lookAgain();
    });
  }

  #show(acted = false): void {
    this.#presentation.show(this.#session, this.#catalogue, acted);
  }

  #pageNoticed(trouble: Failure | null): void {
    const { log } = this.#parts;
    if (trouble === null) log.event('part.found', { part: 'screen' });
    else log.event('part.lost', { part: 'screen', code: trouble.code });
    this.#presentation.page(trouble);
    this.#show();
  }

  #cardEvent(event: CardReaderEvent): void {
    switch (event.type) {
      case 'reader-found':
        return this.tell({ type: 'ReaderFound' });
      case 'reader-lost':
        return this.tell({ type: 'ReaderLost', failure: event.failure });
      case 'card-unreadable':
        return this.tell({ type: 'CardUnreadable', failure: event.failure, session: this.#parts.newId() });
      case 'card-removed':
        return this.tell({ type: 'CardRemoved' });
      case 'card-faltered':
        // The visit hears it from the APDU that failed.
        return;
      case 'card-inserted': {
        const { session } = event;
        if (this.#session.state.name === 'idle') this.#renewCatalogue();
        for (const insertion of this.#cards.keys())
          if (insertion !== visitOf(this.#session.state)?.insertion) this.#letGo(insertion);
        this.#cards.set(session.id, new VisitCard(session));
        return this.tell({ type: 'CardInserted', insertion: session.id, session: this.#parts.newId() });
      }
      default:
        return event satisfies never;
    }
  }

  #letGo(insertion: string): void {
    const card = this.#cards.get(insertion);
    this.#cards.delete(insertion);
    void card?.end();
  }

  #touched({ session, control, value }: Touch, said = false): void {
    const what = { session, control, ...(value === undefined ? {} : { value }) };
    const hadVoice = this.#session.display.voice === 'all';
    // Who has an earphone in hears it once more there; the room's voice is not turned on by it.
    if (control === 'repeat' && this.#presentation.hasEarphone) {
      this.tell({ type: 'KeyPressed', asks: false });
      return this.#presentation.repeat();
    }
    this.tell({ type: 'Touched', ...what, ...(said ? { said } : {}) });
    if (control === 'repeat' && hadVoice) this.#presentation.repeat();
    if (control === 'softer' || control === 'louder') this.#presentation.volumeChanged();
  }

  /**
   * The first key asks for the voice and does nothing else: what it would choose has not been heard. On the PIN screen it
   * is a digit, unless it can only be a question.
   */
  #keyed(event: Parameters<KeypadGuide['press']>[0]): void {
    const { display, state } = this.#session;
    const pressed = event.type === 'key' ? isDigitKey(event.key) || event.key === enterKey : false;
    const isPin = state.name === 'enteringPin' || state.name === 'enteringPhonePin';
    const types = isPin && (pressed || state.entered > 0);
    const asks = display.voice !== 'all' && !this.#presentation.hasEarphone && !types;
    this.tell({ type: 'KeyPressed', asks });
    if (!asks) this.#guide.press(event);
  }

  /** Keys count only while a PIN is waited for: a key pressed at any other time is thrown away unread. */
  #pinKey(key: PinKey): void {
    const owner = pinOwnerOf(this.#session.state);
    if (owner === null) return;
    const pressed = this.#pinEntry.press(key, owner);
    const { entered } = this.#pinEntry;
    const isPhones = owner === ofPhone;
    if (pressed === 'changed') {
      // One sound for every key: whoever listens learns how many, never which.
      this.#parts.speaker?.chime('key');
      if (isPhones) this.tell({ type: 'PhonePinDigitsChanged', entered });
      else this.tell({ type: 'PinDigitsChanged', insertion: owner, entered });
    }
    if (pressed !== 'submitted' && pressed !== 'incomplete') return;
    if (isPhones) this.tell({ type: 'PhonePinSubmitted' });
    else this.tell({ type: 'PinSubmitted', insertion: owner });
  }

  #clinicEvent(event: ClinicEvent): void {
    switch (event.type) {
      case 'connected':
        return this.tell({ type: 'BusConnected' });
      case 'disconnected':
        return this.tell({ type: 'BusDisconnected', failure: event.failure });
      case 'challenges-ready':
        return this.tell({ type: 'ChallengesChanged', ready: event.ready });
      case 'receipt': {
        const { requestId, verdict, code } = event.receipt;
        return this.tell({ type: 'ReceiptArrived', requestId, verdict, code: code ?? null });
      }
      case 'result': {
        const { requestId, outcome, qualificationValidity, code } = event.result;
        // A test is nobody's visit: `testVisit` waits for it.
        if (outcome === 'tested') return;
        return this.tell({
          type: 'ResultArrived',
          requestId,
          outcome,
          qualificationValidity: qualificationValidity ?? null,
          code: code ?? null,
        });
      }
      case 'request-expired':
        return this.tell({ type: 'RequestExpired', requestId: event.requestId });
      case 'settings':
        return this.tell({ type: 'SettingsChanged', settings: event.message.facilitySettings });
      case 'agent':
        this.#agentTrouble = event.trouble;
        return this.#tellAgent();
      case 'earlier-visit':
        return this.#earlier.found(event);
      case 'time':
        // An agent was heard: which words of consents it knows may be another matter now.
        if (this.#session.state.name === 'idle') this.#renewCatalogue();
        return;
      case 'command':
        return this.#orders.carryOut(event.message);
      case 'store':
        // Told as a closed way to the clinic, too: that is what a visit must know.
        return;
      default:
        return event satisfies never;
    }
  }
}
