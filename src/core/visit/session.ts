import type { FacilitySettings } from '../../wire/facility-settings.ts';
import type { LookupResult } from '../../wire/messages.ts';
import type { Answers, Question } from '../catalogue/consent.ts';
import type { ConsentCatalogue } from '../catalogue/consent-catalogue.ts';
import type { Failure } from '../failure.ts';
import type { Moment } from '../moment.ts';
import type { ControlId } from '../visit/control-ids.ts';
import type { Identity, VisualState } from './identity.ts';
import type { FaceHint, VerificationMethod } from './verification.ts';

/** What is true around the terminal whether or not a patient stands there. */
export type Surroundings = {
  readonly reader: { readonly state: 'present' } | { readonly state: 'lost'; readonly failure: Failure };
  /** The card lying there, by its insertion, and the session a visit with it would get */
  readonly cardOnBed: { readonly insertion: string; readonly session: string } | null;
  /** Smartphones are laid where cards are: there is no other reader for them */
  readonly phonesOnBed: boolean;
  /** null = the face process can work */
  readonly faceTrouble: Failure | null;
  readonly connected: boolean;
  /** Monotonic ms since when the clinic cannot be reached; null while it can */
  readonly disconnectedSinceMs: number | null;
  /** Why: offline, a broker that is not trusted, access refused */
  readonly disconnection: Failure;
  /** A challenge with enough life for a visit lies ready */
  readonly challengesReady: boolean;
  /** Nobody answers at the clinic's end, or what is sent there could not be kept (`agent.…`) or handed on (`files.…`) */
  readonly agentTrouble: Failure | null;
  readonly settings: FacilitySettings | null;
  /** Of the settings; before any came, what the schema says */
  readonly timeouts: FacilitySettings['timeouts'];
  /** Visits that were signed before the terminal restarted, with what has been heard of them since */
  readonly earlier: readonly EarlierVisit[];
  /** Something is being said */
  readonly speaking: boolean;
  readonly consentCatalogue: ConsentCatalogue;
};

/**
 * A visit whose request was signed in an earlier run. The same card is shown its receipt and result; otherwise staff hear
 * that its patient left without them. It is never begun again.
 */
export type EarlierVisit = {
  readonly requestId: string;
  readonly session: string;
  readonly receipt: { readonly verdict: 'accepted' | 'refused'; readonly code: string | null } | null;
  readonly result: VisitResult | null;
};

/** How this patient wants the screen; back to the facility's choice after each visit. */
export type Display = {
  readonly language: string;
  readonly theme: 'default' | 'high-contrast' | 'dark';
  readonly textPercent: 100 | 150 | 200;
  /** `low`: everything to touch at the lower edge, for a hand that reaches from a wheelchair */
  readonly layout: 'standard' | 'low';
  /** `headings`: what may be said to a whole room; `all`: somebody asked for it */
  readonly voice: 'off' | 'headings' | 'all';
  /** Steps louder (up to 2) or softer (down to -2) than the terminal is set */
  readonly loudness: number;
};

type Lookup =
  | { readonly state: 'pending' }
  /** `atMs`: when the answer came; monotonic ms */
  | { readonly state: 'answered'; readonly result: LookupResult; readonly atMs: number }
  | { readonly state: 'unanswered' };

/**
 * How the person was verified. `standing`: the card still grants what the verification opened (PIN) or needs nothing
 * (face, staff); false after a removal or 6982 on the PIN path: the card forgot, the PIN is asked again.
 */
type Verification =
  | { readonly state: 'open' }
  | {
      readonly state: 'verified';
      readonly method: VerificationMethod;
      readonly standing: boolean;
      readonly staffApproval: string | null;
    };

type RegistrationProgress = 'not-needed' | 'agreed' | 'sent' | 'done';

/** Everything known of one patient's visit. It dies with the session. */
export type Visit = {
  readonly session: string;
  /** The insertion the card now on the bed belongs to; answers of an earlier insertion are dropped. */
  readonly insertion: string;
  readonly startedAt: Moment;
  readonly identity: Identity | null;
  readonly lookup: Lookup;
  readonly verification: Verification;
  readonly faceMisses: number;
  /** Why the face path is shut for this visit, if it is */
  readonly faceClosed: Failure | null;
  readonly registration: RegistrationProgress;
  readonly questions: readonly Question[] | null;
  readonly questionIndex: number;
  readonly answers: Answers;
  /** A smartphone lies or is held there; null: a card, as far as anybody knows */
  readonly phone: PhoneKind | null;
  /** What was answered beforehand and has stood on this visit's screen, by its id: its request, and no other, uses it up */
  readonly preCheckIn: string | null;
  /** Its 資格確認, once signed and durable */
  readonly requestId: string | null;
};

/** A patient-facing wait that a touch extends. `asked`: 「まだいらっしゃいますか」 is on the screen. */
export type Patience = { readonly asked: false } | { readonly asked: true; readonly sinceMs: number };

/** `incomplete`: 決定 before all four digits were in */
export type PinNotice = 'none' | 'wrong' | 'card-forgot' | 'face-closed' | 'incomplete';

/** The last try is spent only after its own yes. */
export type LastTry = 'not-the-last' | 'asking' | 'confirmed';

export type RequestKind = 'eligibility' | 'registration';

export type PhoneKind = 'iphone' | 'android';

/** `missed`: no phone came, or it went away too soon; nothing is held any more */
export type PhonePinNotice = 'none' | 'wrong' | 'missed' | 'incomplete';

/** `deadlineMs`: monotonic ms at which `DeadlinePassed` comes; null = none. One state, one screen. */
export type SessionState = { readonly deadlineMs: number | null } & (
  | { readonly name: 'idle' }
  | { readonly name: 'choosingPhone'; readonly patience: Patience }
  /** An Android's PIN is typed with nothing held to any reader. `triesLeft` null: no phone has told yet. */
  | {
      readonly name: 'enteringPhonePin';
      readonly patience: Patience;
      readonly entered: number;
      readonly triesLeft: number | null;
      readonly lastTry: LastTry;
      readonly notice: PhonePinNotice;
    }
  /** The phone is to be held to its reader now. An Android's PIN is kept until `deadlineMs` and no longer. */
  | {
      readonly name: 'awaitingPhone';
      readonly phone: PhoneKind;
      readonly lastTry: LastTry;
      /** As in `enteringPhonePin`: a PIN that is asked again is asked with what is known */
      readonly triesLeft: number | null;
    }
  /** An Android is there: its one VERIFY, then what the PIN opens is read. */
  | { readonly name: 'verifyingPhone'; readonly visit: Visit }
  | { readonly name: 'readingCard'; readonly visit: Visit; readonly resuming: Visit | null }
  | { readonly name: 'choosingMethod'; readonly visit: Visit; readonly patience: Patience }
  | {
      readonly name: 'verifyingFace';
      readonly visit: Visit;
      readonly patience: Patience;
      readonly hint: FaceHint | null;
      readonly sinceMs: number;
      /** PIN and 目視 are offered in large: misses or seconds have run up */
      readonly offerOthers: boolean;
      readonly trouble: Failure | null;
    }
  | {
      readonly name: 'enteringPin';
      readonly visit: Visit;
      readonly patience: Patience;
      readonly entered: number;
      readonly triesLeft: number;
      readonly lastTry: LastTry;
      readonly checking: boolean;
      readonly notice: PinNotice;
    }
  | { readonly name: 'awaitingStaffCheck'; readonly visit: Visit; readonly failure: Failure | null }
  | { readonly name: 'awaitingLookup'; readonly visit: Visit }
  | {
      readonly name: 'registering';
      readonly visit: Visit;
      readonly patience: Patience;
      readonly phase: 'asking' | 'signing' | 'sending';
      readonly requestId: string | null;
    }
  | { readonly name: 'askingConsent'; readonly visit: Visit; readonly patience: Patience }
  | { readonly name: 'signing'; readonly visit: Visit }
  | {
      readonly name: 'sending';
      readonly visit: Visit;
      readonly requestId: string;
      readonly sinceMs: number;
      readonly earlyResult: VisitResult | null;
    }
  | { readonly name: 'awaitingResult'; readonly visit: Visit; readonly requestId: string }
  | {
      readonly name: 'showingResult';
      readonly visit: Visit;
      readonly result: VisitResult;
      readonly atMs: number;
      readonly deadlineMs: number;
    }
  | {
      readonly name: 'awaitingCardRemoval';
      readonly visit: Visit;
      readonly sinceMs: number;
      readonly leftBehind: boolean;
    }
  /** `resume`: the card may come back and everything goes on; otherwise the patient goes to the desk. */
  | {
      readonly name: 'interrupted';
      readonly failure: Failure;
      readonly visit: Visit;
      readonly resume: boolean;
      /** Staff may still approve this patient from here (目視確認). */
      readonly approvable: boolean;
      readonly atMs: number;
    }
  | { readonly name: 'outOfService'; readonly failure: Failure; readonly sinceMs: number }
);

export type StateName = SessionState['name'];

/** `late`: accepted, but the clinic's system has not answered in time; staff see the result when it comes. */
export type VisitResult = {
  readonly outcome: 'eligible' | 'not-eligible' | 'failed' | 'late';
  readonly qualificationValidity: number | null;
  readonly code: string | null;
};

type At<E> = E & { readonly at: Moment };
type OfInsertion<E> = E & { readonly insertion: string };

export type SessionEvent = At<
  | { readonly type: 'CardInserted'; readonly insertion: string; readonly session: string }
  | { readonly type: 'CardUnreadable'; readonly failure: Failure; readonly session: string }
  /** A smartphone is there, at a reader of its own: it lies on no bed and nobody tells when it is gone. */
  | { readonly type: 'PhonePresented'; readonly insertion: string; readonly session: string }
  | { readonly type: 'CardRemoved' }
  | { readonly type: 'ReaderFound' }
  | { readonly type: 'ReaderLost'; readonly failure: Failure }
  /** `earlier`: the request that this card, or phone, signed before the terminal restarted */
  | OfInsertion<{ readonly type: 'CardRead'; readonly identity: Identity; readonly earlier?: string }>
  /** `phone`: which one lies where a card belongs */
  | OfInsertion<{ readonly type: 'CardReadFailed'; readonly failure: Failure; readonly phone?: PhoneKind }>
  /** The visual record (photo and passive proof) has been read, or is closed with its code */
  | OfInsertion<{ readonly type: 'VisualRead'; readonly visual: VisualState }>
  | OfInsertion<{ readonly type: 'LookupAnswered'; readonly result: LookupResult }>
  | OfInsertion<{ readonly type: 'LookupFailed'; readonly failure: Failure }>
  | OfInsertion<{ readonly type: 'FaceHinted'; readonly hint: FaceHint | null }>
  | OfInsertion<{ readonly type: 'FaceMatched' }>
  | OfInsertion<{ readonly type: 'FaceMissed' }>
  | OfInsertion<{ readonly type: 'FaceFailed'; readonly failure: Failure }>
  | { readonly type: 'FaceHealthChanged'; readonly trouble: Failure | null }
  /** `entered`: digits so far */
  | OfInsertion<{ readonly type: 'PinDigitsChanged'; readonly entered: number }>
  | OfInsertion<{ readonly type: 'PinSubmitted' }>
  | OfInsertion<{ readonly type: 'PinVerified' }>
  /** Of an Android's PIN, before there is a phone; `entered`: digits so far */
  | { readonly type: 'PhonePinDigitsChanged'; readonly entered: number }
  | { readonly type: 'PhonePinSubmitted' }
  /** The phone took the PIN, and told who it is. */
  | OfInsertion<{ readonly type: 'PhoneVerified'; readonly identity: Identity; readonly earlier?: string }>
  /** A phone was waited for, and it is a My Number card: it was sent no digit. */
  | OfInsertion<{ readonly type: 'PhoneWasCard' }>
  | OfInsertion<{ readonly type: 'PinRefused'; readonly triesLeft: number }>
  | OfInsertion<{ readonly type: 'PinCheckFailed'; readonly failure: Failure }>
  | {
      readonly type: 'Touched';
      readonly session: string | null;
      readonly control: ControlId;
      readonly value?: string;
      /** Chosen by keys after it had been said: no finger that came down on what lay there before */
      readonly said?: true;
    }
  /** Any key of a keypad: somebody is there. `asks`: and shall hear what is on the screen. */
  | { readonly type: 'KeyPressed'; readonly asks: boolean }
  /** Staff have seen the call and come. */
  | { readonly type: 'HelpAnswered' }
  | { readonly type: 'VoiceBegan' }
  | { readonly type: 'VoiceEnded' }
  | { readonly type: 'StaffApproved'; readonly session: string; readonly approval: string }
  | { readonly type: 'StaffCancelled'; readonly session: string }
  | OfInsertion<{ readonly type: 'RequestSigned'; readonly kind: RequestKind; readonly requestId: string }>
  | OfInsertion<{ readonly type: 'SigningFailed'; readonly kind: RequestKind; readonly failure: Failure }>
  | {
      readonly type: 'ReceiptArrived';
      readonly requestId: string;
      readonly verdict: 'accepted' | 'refused';
      readonly code: string | null;
    }
  | {
      readonly type: 'ResultArrived';
      readonly requestId: string;
      readonly outcome: 'eligible' | 'not-eligible' | 'registered' | 'failed';
      /** 1 … 6, a code of OQSiquc01 */
      readonly qualificationValidity: number | null;
      readonly code: string | null;
    }
  | { readonly type: 'RequestExpired'; readonly requestId: string }
  | { readonly type: 'EarlierVisitFound'; readonly requestId: string; readonly session: string }
  /** Nobody has come back for it. */
  | { readonly type: 'EarlierVisitGivenUp'; readonly requestId: string }
  | { readonly type: 'BusConnected' }
  | { readonly type: 'BusDisconnected'; readonly failure: Failure }
  | { readonly type: 'ChallengesChanged'; readonly ready: boolean }
  | { readonly type: 'AgentChanged'; readonly trouble: Failure | null }
  | { readonly type: 'SettingsChanged'; readonly settings: FacilitySettings }
  | { readonly type: 'CatalogueChanged'; readonly catalogue: ConsentCatalogue }
  | { readonly type: 'DeadlinePassed' }
  | { readonly type: 'ShutdownRequested' }
>;

/** What the world shall do. Screen, light and voice follow from the state and are no effects. */
export type Effect =
  /** The patient has left without the answer to this request: staff hear that it comes late. */
  | { readonly type: 'TellLate'; readonly requestId: string }
  /** Its patient has been told all there is, or is gone: nothing of the visit is kept for a restart. */
  | { readonly type: 'ReleaseRequest'; readonly requestId: string }
  | { readonly type: 'ReadCard'; readonly insertion: string }
  /** The photo is to be seen though no face is compared: a card verified by face has been put back. */
  | { readonly type: 'ReadVisual'; readonly insertion: string }
  | { readonly type: 'PresentPhone'; readonly phone: PhoneKind }
  /** No smartphone is waited for any more. */
  | { readonly type: 'DismissPhone' }
  /** Disconnect with reset, overwrite photo and PIN bytes, stop face and lookup of this insertion. */
  | { readonly type: 'EndCard'; readonly insertion: string }
  | { readonly type: 'StartLookup'; readonly insertion: string; readonly session: string; readonly identity: Identity }
  | { readonly type: 'StartFace'; readonly insertion: string }
  | { readonly type: 'StopFace' }
  | { readonly type: 'ClearPinEntry' }
  /** Exactly one VERIFY with what was typed; the bytes are overwritten before the answer comes. */
  | { readonly type: 'VerifyPin'; readonly insertion: string; readonly lastTryConfirmed: boolean }
  /** The same for the phone that is there now, if it is an Android; no card is ever sent a phone's PIN. */
  | { readonly type: 'VerifyPhonePin'; readonly insertion: string; readonly lastTryConfirmed: boolean }
  | { readonly type: 'SignRequest'; readonly insertion: string; readonly kind: RequestKind; readonly visit: Visit }
  | { readonly type: 'Chime'; readonly sound: 'contact' | 'accepted' | 'attention' | 'key' }
  /** The visit is over, and how; nothing of it colours the next. `signed`: its 資格確認 is on its way, or has been answered. */
  | { readonly type: 'VisitEnded'; readonly session: string; readonly outcome: string; readonly signed: boolean };

/** The whole of what the machine knows. */
export type Session = {
  readonly state: SessionState;
  readonly surroundings: Surroundings;
  readonly display: Display;
  /** Somebody called the staff from here and is still there; null: nobody did */
  readonly help: { readonly calledAtMs: number; readonly answered: boolean } | null;
  /** Monotonic ms when the buttons of another question last went away; null: none have been there */
  readonly othersGoneAtMs: number | null;
  /** Monotonic ms since when the screen asks the same and nobody has done anything */
  readonly unmovedSinceMs: number;
  /** Monotonic ms until which what was chosen at rest (display, help) stays there; null: nothing was, or a visit goes on */
  readonly chosenUntilMs: number | null;
};
export type Step = { readonly session: Session; readonly effects: readonly Effect[] };
