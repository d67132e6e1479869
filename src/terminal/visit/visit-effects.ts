import { createHash } from 'node:crypto';
import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { consentRecord } from '../../core/catalogue/consent.ts';
import { failure } from '../../core/failure.ts';
import { err, type Result } from '../../core/result.ts';
import { consentTextOf } from '../../core/screen/draw-screen-consent.ts';
import { buildRequest } from '../../core/visit/request.ts';
import type { Effect, PhoneKind, SessionEvent, Visit } from '../../core/visit/session.ts';
import type { CardSession } from '../../ports/card-reader.ts';
import type { FacilitySettings } from '../../wire/facility-settings.ts';
import { openCard, type VisualReading } from '../card/read-card.ts';
import { openPhone } from '../card/read-phone.ts';
import { type PinOutcome, provePresence, signWithAuthKey, verifyPin } from '../card/use-card-keys.ts';
import type { CardEvidence } from '../delivery/sign-request.ts';
import { visitMark } from '../delivery/visit-mark.ts';
import { ofPhone, type PinEntry } from './pin-entry.ts';
import type { SessionParts } from './session-parts.ts';
import type { VisitCard } from './visit-card.ts';

/** An event as the executors tell it; the runner adds when. */
export type Told = SessionEvent extends infer E ? (E extends SessionEvent ? Omit<E, 'at'> : never) : never;

/** What the executors need of the runner: the cards that lie or lay there, the PIN's bytes, and a place to tell. */
type VisitHand = {
  readonly cards: ReadonlyMap<string, VisitCard>;
  readonly pinEntry: PinEntry;
  readonly tell: (event: Told) => void;
  /** A smartphone's session: kept like a card's, and told */
  readonly take: (phone: CardSession) => void;
  /** The request that this card signed in an earlier run, if one is known */
  readonly earlierOf: (authCertificate: Uint8Array) => string | undefined;
  readonly letGo: (insertion: string) => void;
  readonly settings: () => FacilitySettings | null;
  readonly catalogue: () => Catalogue;
  /** The visit now going on, for the event log */
  readonly session: () => string | undefined;
};

type Executors = { readonly [Name in Effect['type']]: (effect: Extract<Effect, { type: Name }>) => void };

/** A challenge must outlive the way to the agent; the pool hands out far fresher ones. ms */
const leastChallengeLifeMs = 30_000;

/** A smartphone is waited for at its own reader. */
const waitForPhone = (parts: SessionParts, hand: VisitHand) => {
  const { tell } = hand;

  let phoneAwaited: AbortController | null = null;

  const presentPhone = async (phone: PhoneKind): Promise<void> => {
    const own = new AbortController();
    phoneAwaited = own;
    const presented =
      (await parts.smartphoneReader?.present(phone, own.signal)) ?? err(failure('card.phone-not-supported'));
    if (own.signal.aborted) return presented.ok ? presented.value.end() : undefined;
    if (presented.ok) return hand.take(presented.value);
    tell({ type: 'CardUnreadable', failure: presented.failure, session: parts.newId() });
  };

  return { present: presentPhone, dismiss: () => phoneAwaited?.abort() };
};

/** A card is read: certificate and PIN counter at once, its visual record when a face is to be compared. */
const readCards = (parts: SessionParts, hand: VisitHand) => {
  const { clock, log } = parts;
  const { tell } = hand;
  /** One wrong 照合番号B in a visit closes the face path for all of it, also when the card is put back. */
  let numberBWrong = false;

  const read = async (insertion: string): Promise<void> => {
    const card = hand.cards.get(insertion);
    if (card === undefined) return tell({ type: 'CardReadFailed', insertion, failure: failure('card.removed') });
    const beganMs = clock.now().monotonicMs;
    const opened = await openCard(card.session, {
      cardFrontReader: parts.cardFrontReader,
      numberBWrongBefore: numberBWrong,
      trustedCvIssuers: parts.trustedCvIssuers,
      cryptography: parts.cryptography,
      wallMs: clock.now().wallMs,
      datesCount: parts.datesCount?.() ?? true,
      signal: card.numberBSignal,
      letGo: card.signal,
    });
    if (!opened.ok) {
      const { phone, ...failed } = opened.failure;
      return tell({ type: 'CardReadFailed', insertion, failure: failed, ...(phone === undefined ? {} : { phone }) });
    }
    const { identity, numberTrouble, readVisual } = opened.value;
    card.offerVisual(async () => {
      const wantedMs = clock.now().monotonicMs;
      keepVisual(card, await readVisual(), wantedMs);
    });
    log.event('card.read', {
      session: hand.session(),
      token: identity.kind,
      certificate: identity.certificateState,
      pin: identity.pin.state,
      visual: identity.visual.state,
      ms: Math.round(clock.now().monotonicMs - beganMs),
    });
    const earlier = hand.earlierOf(identity.authCertificate);
    tell({ type: 'CardRead', insertion, identity, ...(earlier !== undefined && { earlier }) });
    // A face that could not be compared is offered to nobody.
    if (identity.visual.state !== 'reading' || (await numberTrouble) === null) return;
    if (!card.signal.aborted) await card.readVisual();
  };

  const keepVisual = (card: VisitCard, reading: Result<VisualReading>, wantedMs: number): void => {
    const insertion = card.session.id;
    const { visual, photoJp2 }: VisualReading = reading.ok
      ? reading.value
      : { visual: { state: 'unavailable', code: reading.failure.code }, photoJp2: null };
    const code = visual.state === 'unavailable' ? visual.code : undefined;
    if (code === 'card.number-b-wrong') numberBWrong = true;
    // A card that went away while it was read leaves no photo behind.
    if (card.signal.aborted) photoJp2?.fill(0);
    else card.keepPhoto(photoJp2);
    const ms = Math.round(clock.now().monotonicMs - wantedMs);
    log.event('card.visual-read', { session: hand.session(), code, ms });
    // A card that is gone is told by the reader, and the visit waits for it: the face path is not what failed.
    if (code !== 'card.removed') tell({ type: 'VisualRead', insertion, visual });
  };

  return {
    read,
    visitEnded: () => {
      numberBWrong = false;
    },
  };
};

/** Faces are compared, one attempt at a time. */
const compareFaces = (parts: SessionParts, hand: VisitHand) => {
  const { tell } = hand;

  const stopFaces = (): void => {
    for (const card of hand.cards.values()) card.stopFace();
    parts.screen.preview(null);
  };

  const startFace = (insertion: string): void => {
    const card = hand.cards.get(insertion);
    if (card === undefined) return tell({ type: 'FaceFailed', insertion, failure: failure('card.removed') });
    for (const other of hand.cards.values()) other.stopFace();
    // Camera and hints do not wait for the photo.
    const referenceJp2 = card.readVisual().then(() => card.photoJp2);
    const padStrength = hand.settings()?.padStrength ?? 'passive';
    const stop = parts.faceVerifier.start({ referenceJp2, padStrength }, (event) => {
      switch (event.type) {
        case 'preview':
          return parts.screen.preview(event.jpeg);
        case 'hint':
          return tell({ type: 'FaceHinted', insertion, hint: event.hint });
        case 'matched':
          return tell({ type: 'FaceMatched', insertion });
        case 'missed':
          return tell({ type: 'FaceMissed', insertion });
        case 'failed':
          return tell({ type: 'FaceFailed', insertion, failure: event.failure });
        default:
          return event satisfies never;
      }
    });
    card.keepFace(stop);
  };

  return { start: startFace, stop: stopFaces };
};

/** One VERIFY with what was typed. */
const checkPins = (parts: SessionParts, hand: VisitHand) => {
  const { log } = parts;
  const { tell } = hand;

  const refused = (insertion: string, outcome: Exclude<PinOutcome, { type: 'verified' }>): void => {
    const triesLeft = outcome.type === 'wrong' ? outcome.triesLeft : outcome.type === 'blocked' ? 0 : 1;
    log.event('pin.refused', { session: hand.session(), triesLeft });
    tell({ type: 'PinRefused', insertion, triesLeft });
  };

  const checkPin = async (insertion: string, lastTryConfirmed: boolean): Promise<void> => {
    const card = hand.cards.get(insertion);
    const digits = hand.pinEntry.take(insertion);
    if (card === undefined) {
      digits.wipe();
      return tell({ type: 'PinCheckFailed', insertion, failure: failure('card.removed') });
    }
    // The visual record must not be selected between VERIFY and SIGN. A number not yet found is not waited for.
    card.giveUpNumberB();
    await card.visualIdle;
    const outcome = await verifyPin(card.session, digits, { lastTryConfirmed });
    if (!outcome.ok) return tell({ type: 'PinCheckFailed', insertion, failure: outcome.failure });
    if (outcome.value.type === 'verified') tell({ type: 'PinVerified', insertion });
    else refused(insertion, outcome.value);
  };

  /** Taken before anything is waited for: from here on only this one use of them is left. */
  const checkPhonePin = async (insertion: string, lastTryConfirmed: boolean): Promise<void> => {
    const digits = hand.pinEntry.take(ofPhone);
    const phone = hand.cards.get(insertion);
    if (phone === undefined) {
      digits.wipe();
      return tell({ type: 'PinCheckFailed', insertion, failure: failure('card.removed') });
    }
    const { wallMs } = parts.clock.now();
    const datesCount = parts.datesCount?.() ?? true;
    const opened = await openPhone(phone.session, digits, { lastTryConfirmed, wallMs, datesCount });
    if (!opened.ok) return tell({ type: 'PinCheckFailed', insertion, failure: opened.failure });
    const outcome = opened.value;
    if (outcome.type === 'verified') {
      const { identity } = outcome;
      const earlier = hand.earlierOf(identity.authCertificate);
      tell({ type: 'PhoneVerified', insertion, identity, ...(earlier !== undefined && { earlier }) });
    } else if (outcome.type === 'card') tell({ type: 'PhoneWasCard', insertion });
    else refused(insertion, outcome);
  };

  return { check: checkPin, checkPhone: checkPhonePin };
};

/** What the card adds to a request; null: it is not there any more, or was not what the visit needs. */
const evidenceOf = ({ verification, identity }: Visit, session: CardSession | undefined): CardEvidence | null => {
  if (verification.state !== 'verified') return null;
  if (verification.method === 'staff') return { method: 'staff' };
  if (session === undefined || identity === null) return null;
  if (verification.method === 'pin')
    return {
      method: 'pin',
      authCertificate: identity.authCertificate,
      sign: (sha256) => signWithAuthKey(session, sha256),
    };
  return identity.visual.state === 'read'
    ? { method: 'face', visual: identity.visual.evidence, sign: (sha256) => provePresence(session, sha256) }
    : null;
};

/** What was verified and answered is signed by card and device and made durable. */
const signRequests = (parts: SessionParts, hand: VisitHand) => {
  const { clinic, clock } = parts;
  const { tell } = hand;

  const signAndSend = async ({ insertion, kind, visit }: Extract<Effect, { type: 'SignRequest' }>): Promise<void> => {
    const fail = (reason: ReturnType<typeof failure>) =>
      tell({ type: 'SigningFailed', insertion, kind, failure: reason });
    const evidence = evidenceOf(visit, hand.cards.get(insertion)?.session);
    const settings = hand.settings();
    if (evidence === null) return fail(failure('card.removed'));
    if (settings === null) return fail(failure('settings.missing'));
    const { verification } = visit;
    const approval = verification.state === 'verified' ? verification.staffApproval : null;
    const challenge = clinic.takeChallenge(leastChallengeLifeMs, approval);
    if (challenge === null) return fail(failure('delivery.no-challenge'));
    const catalogue = hand.catalogue();
    const textHashOf = (question: Parameters<typeof consentTextOf>[2], language: string): string =>
      createHash('sha256')
        .update(consentTextOf(catalogue, language, question, settings.institutionType))
        .digest('base64url');
    // A clock of ours that is wrong, or put right meanwhile, must not date what the patient said: the agent's clock does.
    const { wallMs, monotonicMs } = clock.now();
    const issuedAtMs = clinic.agentNowMs() ?? wallMs;
    const { facility, device, lane } = parts.terminal;
    const certificate = visit.identity?.authCertificate;
    const request = buildRequest({
      terminal: { facility, device, lane },
      kind,
      visit,
      requestId: parts.newId(),
      challenge,
      catalogueVersion: catalogue.version,
      consents: consentRecord(visit.answers, catalogue.version, textHashOf).map((consent) => ({
        ...consent,
        at: Math.max(0, Math.round(issuedAtMs - (monotonicMs - consent.at))),
      })),
      authCertificate: certificate === undefined ? null : Buffer.from(certificate).toString('base64url'),
      issuedAtMs: Math.round(issuedAtMs),
    });
    const signed = await clinic.sign(request, evidence);
    if (!signed.ok) return fail(signed.failure);
    const { requestId } = signed.value;
    // A registration is followed by a visit of its own, which asks the service anew.
    const mark = certificate === undefined ? '' : visitMark(visit.session, certificate);
    const stored = await clinic.submit(signed.value, kind === 'eligibility' ? mark : null);
    if (!stored.ok) {
      clinic.cancel(requestId);
      return fail(stored.failure);
    }
    parts.log.event('request.signed', { session: visit.session, request: requestId, kind });
    tell({ type: 'RequestSigned', insertion, kind, requestId });
  };

  return { sign: signAndSend };
};

/** The one table that turns effects into work. Whatever comes of it is told as an event with its insertion. */
export const visitExecutors = (parts: SessionParts, hand: VisitHand): Executors => {
  const { clinic } = parts;
  const { tell } = hand;
  const phones = waitForPhone(parts, hand);
  const cards = readCards(parts, hand);
  const faces = compareFaces(parts, hand);
  const pins = checkPins(parts, hand);
  const requests = signRequests(parts, hand);

  return {
    ReadCard: ({ insertion }) => void cards.read(insertion),
    ReadVisual: ({ insertion }) => void hand.cards.get(insertion)?.readVisual(),
    PresentPhone: ({ phone }) => void phones.present(phone),
    DismissPhone: () => phones.dismiss(),
    EndCard: ({ insertion }) => {
      hand.pinEntry.clear();
      parts.screen.preview(null);
      hand.letGo(insertion);
    },
    StartLookup: ({ insertion, session, identity }) => {
      const card = hand.cards.get(insertion);
      if (card === undefined) return;
      void clinic
        .lookup(session, identity.authCertificate, card.signal)
        .then((answer) =>
          tell(
            answer.ok
              ? { type: 'LookupAnswered', insertion, result: answer.value }
              : { type: 'LookupFailed', insertion, failure: answer.failure },
          ),
        );
    },
    StartFace: ({ insertion }) => faces.start(insertion),
    StopFace: faces.stop,
    ClearPinEntry: () => hand.pinEntry.clear(),
    VerifyPin: ({ insertion, lastTryConfirmed }) => void pins.check(insertion, lastTryConfirmed),
    VerifyPhonePin: ({ insertion, lastTryConfirmed }) => void pins.checkPhone(insertion, lastTryConfirmed),
    SignRequest: (effect) => void requests.sign(effect),
    TellLate: ({ requestId }) => parts.clinic.tellLate(requestId),
    ReleaseRequest: ({ requestId }) => parts.clinic.release(requestId),
    Chime: ({ sound }) => {
      parts.speaker?.chime(sound);
      if (sound !== 'key') parts.statusLight?.beep(sound === 'accepted' ? 'done' : sound);
    },
    VisitEnded: () => cards.visitEnded(),
  };
};
