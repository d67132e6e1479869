import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { Failure } from '../../core/failure.ts';
import { endOfJapanDay, japanDate } from '../../core/japan-time.ts';
import { hourMs } from '../../core/time-units.ts';
import type { Identity } from '../../core/visit/identity.ts';
import type { Session, SessionEvent } from '../../core/visit/session.ts';
import { stateWord, type TapeHead, type TapeLine, TapePlayer, tapedVisual, tapeVersion } from './visit-tape.ts';

/** A tape is of a visit or a few, not of a week. */
const mostLines = 20_000;

/** Says the same for the same and tells nothing else of it: `card-1`, `card-2` in the order in which they come. */
class Names {
  readonly #known = new Map<string, string>();
  of(kind: string, what: string): string {
    const key = `${kind} ${what}`;
    const count = [...this.#known.keys()].filter((each) => each.startsWith(`${kind} `)).length;
    const name = this.#known.get(key) ?? `${kind}-${count + 1}`;
    this.#known.set(key, name);
    return name;
  }
}

/** An event with nothing of a person in it. Exhaustive: a new event has to say here what may be kept of it. */
const redact = (event: SessionEvent, names: Names): TapeLine['event'] => {
  const { type } = event;
  const word = (of: Failure): string => of.code;
  const insertion = 'insertion' in event ? { insertion: names.of('insertion', event.insertion) } : {};
  switch (event.type) {
    case 'CardInserted':
    case 'PhonePresented':
      return { type, ...insertion, session: names.of('session', event.session) };
    case 'CardUnreadable':
      return { type, failure: word(event.failure), session: names.of('session', event.session) };
    case 'CardRead':
    case 'PhoneVerified':
      return {
        ...{ type, ...insertion, identity: redactIdentity(event.identity, names) },
        ...(event.earlier !== undefined && { earlier: names.of('request', event.earlier) }),
      };
    case 'VisualRead':
      return { type, ...insertion, visual: tapedVisual(event.visual, (hash) => names.of('photo', hash)) };
    case 'LookupAnswered': {
      const { registered, certificateStatus, medicalSubsidy, specificDisease, prescription, pendingDocuments } =
        event.result;
      const { maintenance, preCheckIn } = event.result;
      const documents = pendingDocuments?.map(({ id }) => {
        const name = names.of('document', id);
        return { id: name, title: name, from: 'clinic', date: '2026-01-01' };
      });
      const result = { facility: 'clinic', device: 'terminal', lookupId: 'lookup' };
      return {
        type,
        ...insertion,
        result: {
          ...result,
          ...{ registered, certificateStatus, medicalSubsidy, prescription },
          ...(documents === undefined ? {} : { pendingDocuments: documents }),
          ...(specificDisease === undefined ? {} : { specificDisease }),
          ...(maintenance === undefined ? {} : { maintenance }),
          ...(preCheckIn === undefined
            ? {}
            : { preCheckIn: { ...preCheckIn, id: names.of('pre-check-in', preCheckIn.id) } }),
        },
      };
    }
    case 'CardReadFailed': {
      const { phone } = event;
      return { type, ...insertion, failure: word(event.failure), ...(phone === undefined ? {} : { phone }) };
    }
    case 'LookupFailed':
    case 'FaceFailed':
    case 'PinCheckFailed':
      return { type, ...insertion, failure: word(event.failure) };
    case 'ReaderLost':
    case 'BusDisconnected':
      return { type, failure: word(event.failure) };
    case 'FaceHinted':
      return { type, ...insertion, hint: event.hint };
    case 'FaceHealthChanged':
      return { type, trouble: event.trouble === null ? null : word(event.trouble) };
    case 'PhonePinDigitsChanged':
    case 'PinDigitsChanged':
      return { type, ...insertion, entered: event.entered };
    case 'PinRefused':
      return { type, ...insertion, triesLeft: event.triesLeft };
    case 'Touched': {
      const { session, control, value, said } = event;
      const kept =
        value === undefined ? {} : { value: control === 'toggle-document' ? names.of('document', value) : value };
      return {
        type,
        session: session === null ? null : names.of('session', session),
        control,
        ...kept,
        ...(said ? { said } : {}),
      };
    }
    case 'StaffApproved':
      return { type, session: names.of('session', event.session), approval: 'approval' };
    case 'StaffCancelled':
      return { type, session: names.of('session', event.session) };
    case 'RequestSigned':
      return { type, ...insertion, kind: event.kind, requestId: names.of('request', event.requestId) };
    case 'SigningFailed':
      return { type, ...insertion, kind: event.kind, failure: word(event.failure) };
    case 'ReceiptArrived':
      return { type, requestId: names.of('request', event.requestId), verdict: event.verdict, code: event.code };
    case 'ResultArrived': {
      const { outcome, qualificationValidity, code } = event;
      return { type, requestId: names.of('request', event.requestId), outcome, qualificationValidity, code };
    }
    case 'RequestExpired':
      return { type, requestId: names.of('request', event.requestId) };
    case 'EarlierVisitFound':
      return { type, requestId: names.of('request', event.requestId), session: names.of('session', event.session) };
    case 'EarlierVisitGivenUp':
      return { type, requestId: names.of('request', event.requestId) };
    case 'AgentChanged':
      return { type, trouble: event.trouble === null ? null : word(event.trouble) };
    case 'ChallengesChanged':
      return { type, ready: event.ready };
    case 'KeyPressed':
      return { type, asks: event.asks };
    case 'SettingsChanged':
      return { type, settings: withoutName(event.settings) };
    case 'CardRemoved':
    case 'ReaderFound':
    case 'FaceMatched':
    case 'FaceMissed':
    case 'PinSubmitted':
    case 'PhonePinSubmitted':
    case 'PhoneWasCard':
    case 'VoiceBegan':
    case 'HelpAnswered':
    case 'VoiceEnded':
    case 'PinVerified':
    case 'BusConnected':
    case 'CatalogueChanged':
    case 'DeadlinePassed':
    case 'ShutdownRequested':
      return { type, ...insertion };
    default:
      return event satisfies never;
  }
};

const redactIdentity = ({ kind, authCertificate, certificateState, pin, visual }: Identity, names: Names) => ({
  kind,
  card: names.of('card', Buffer.from(authCertificate).toString('base64')),
  certificateState,
  pin,
  visual: tapedVisual(visual, (hash) => names.of('photo', hash)),
});

const withoutName = <T extends object>(settings: T): T => ({
  ...settings,
  facilityName: 'クリニック',
  medicalInstitutionCode: '0000000000',
});

const headOf = (
  { state, surroundings, display, chosenUntilMs }: Session,
  at: SessionEvent['at'],
  catalogue: Catalogue,
): TapeHead => {
  const before = (instantMs: number | null): number | null => (instantMs === null ? null : instantMs - at.monotonicMs);
  const { reader, faceTrouble, connected, disconnectedSinceMs, disconnection, challengesReady, phonesOnBed, settings } =
    surroundings;
  return {
    visitTape: tapeVersion,
    dayMs: endOfJapanDay(japanDate(at.wallMs)) - 12 * hourMs,
    catalogueVersion: catalogue.version,
    rest: {
      outOfService: state.name === 'outOfService' ? state.failure.code : null,
      sinceMs: state.name === 'outOfService' ? before(state.sinceMs) : null,
      deadlineMs: before(state.deadlineMs),
      chosenUntilMs: before(chosenUntilMs),
      readerLost: reader.state === 'lost' ? reader.failure.code : null,
      faceTrouble: faceTrouble?.code ?? null,
      connected,
      disconnectedSinceMs: before(disconnectedSinceMs),
      disconnection: disconnection.code,
      challengesReady,
      ...(phonesOnBed && { phonesOnBed }),
      settings: settings === null ? null : withoutName(settings),
      display,
    },
  };
};

/** What a session runner tells of itself. */
type Recorded = {
  readonly session: Session;
  subscribe(listener: (session: Session, event: SessionEvent) => void): () => void;
};

/**
 * Follows a session runner and tells what it does, redacted before anything is written: first the head, then a line an
 * event. Begins as soon as nobody's visit is going on. `strayed` is told once should the redacted story part from the
 * real one: the tape is then of no use, and it is our fault.
 */
export const recordVisits = (
  runner: Recorded,
  catalogueAt: (wallMs: number) => Catalogue,
  write: (line: TapeHead | TapeLine) => void,
  strayed: (atMs: number) => void,
): (() => void) => {
  const names = new Names();
  let before = runner.session;
  let tape: { player: TapePlayer; beganMs: number } | null = null;
  let lines = 0;
  let hasStrayed = false;
  return runner.subscribe((session, event) => {
    const isAtRest = before.state.name === 'idle' || before.state.name === 'outOfService';
    if (tape === null && isAtRest && before.surroundings.cardOnBed === null) {
      const catalogue = catalogueAt(event.at.wallMs);
      const head = headOf(before, event.at, catalogue);
      tape = { player: new TapePlayer(head, catalogue), beganMs: event.at.monotonicMs };
      write(head);
    }
    before = session;
    if (tape === null || lines >= mostLines) return;
    lines += 1;
    const atMs = event.at.monotonicMs - tape.beganMs;
    const line = tape.player.play({ atMs, event: redact(event, names) });
    write(line);
    if (!hasStrayed && line.state !== stateWord(session, event.at.monotonicMs)) {
      hasStrayed = true;
      strayed(atMs);
    }
  });
};
