import { identity, lookup, type VisitStory } from '../../../scripts/beds/visit-story.ts';
import { type FailureCode, failure } from '../../../src/core/failure.ts';
import type { Effect, SessionState } from '../../../src/core/visit/session.ts';
import { visitOf } from '../../../src/core/visit/session-steps.ts';
import { insertionOf, phone, requestId } from './situations.ts';

/* What can happen at a terminal, told to whatever screen stands there, and what came of it in a line. */

export type Told = Parameters<VisitStory['tell']>[0];
type Happen = (story: VisitStory) => readonly Effect[];

const of =
  (event: Told | Record<string, unknown>): Happen =>
  (story) =>
    story.tell({ ...event, insertion: insertionOf(story) } as Told);
const told =
  (event: Told): Happen =>
  (story) =>
    story.tell(event);

export const offline: Told = { type: 'BusDisconnected', failure: failure('delivery.offline') };
export const trouble = (code: FailureCode): Told => ({ type: 'AgentChanged', trouble: failure(code) });

const closed = { state: 'unavailable', code: 'card.number-b-unreadable' } as const;

export const happenings = {
  'a card is laid down': told({ type: 'CardInserted', insertion: 'next-card', session: 'next-session' }),
  'something unreadable is laid down': told({
    type: 'CardUnreadable',
    failure: failure('card.unreadable'),
    session: 'session-x',
  }),
  'the card is taken': told({ type: 'CardRemoved' }),
  'the reader is lost': told({ type: 'ReaderLost', failure: failure('reader.lost') }),
  'a phone is held to its reader': told({ type: 'PhonePresented', insertion: 'phone-9', session: 'session-p' }),
  'the card is read': of({ type: 'CardRead', identity }),
  'an expired card is read': of({ type: 'CardRead', identity: { ...identity, certificateState: 'dead' } }),
  'the card is not read': of({ type: 'CardReadFailed', failure: failure('card.communication') }),
  'the card goes while it is read': of({ type: 'CardReadFailed', failure: failure('card.removed') }),
  'the photo cannot be had': of({ type: 'VisualRead', visual: closed }),
  'the lookup answers': of({ type: 'LookupAnswered', result: lookup }),
  'the lookup knows of a revocation': of({
    type: 'LookupAnswered',
    result: { ...lookup, certificateStatus: 'revoked' },
  }),
  'the lookup knows of maintenance': of({
    type: 'LookupAnswered',
    result: { ...lookup, maintenance: { untilMs: 1 } },
  }),
  'the lookup fails': of({ type: 'LookupFailed', failure: failure('eligibility.unavailable') }),
  'the face matches': of({ type: 'FaceMatched' }),
  'the face process dies': of({ type: 'FaceFailed', failure: failure('face.process-lost') }),
  'the camera is lost': of({ type: 'FaceFailed', failure: failure('camera.lost') }),
  'the face process is back': told({ type: 'FaceHealthChanged', trouble: null }),
  'a PIN is submitted': of({ type: 'PinSubmitted' }),
  'the PIN is right': of({ type: 'PinVerified' }),
  'the PIN is wrong': of({ type: 'PinRefused', triesLeft: 2 }),
  'the PIN is wrong, one try left': of({ type: 'PinRefused', triesLeft: 1 }),
  'the PIN is blocked': of({ type: 'PinRefused', triesLeft: 0 }),
  'the PIN was blocked before': of({ type: 'PinCheckFailed', failure: failure('card.pin-blocked') }),
  'the card goes while the PIN is checked': of({ type: 'PinCheckFailed', failure: failure('card.removed') }),
  'the PIN is not checked': of({ type: 'PinCheckFailed', failure: failure('card.communication') }),
  'a phone PIN is submitted': told({ type: 'PhonePinSubmitted' }),
  'the phone takes the PIN': of({ type: 'PhoneVerified', identity: phone }),
  'staff approve': (story) =>
    story.tell({ type: 'StaffApproved', session: visitOf(story.state)?.session ?? '', approval: 'jws' }),
  'staff call it off': (story) => story.tell({ type: 'StaffCancelled', session: visitOf(story.state)?.session ?? '' }),
  'the request is durable': of({ type: 'RequestSigned', kind: 'eligibility', requestId: 'signed-now' }),
  'the card goes while it signs': of({
    type: 'SigningFailed',
    kind: 'eligibility',
    failure: failure('card.removed'),
  }),
  'the card forgot the PIN': of({
    type: 'SigningFailed',
    kind: 'eligibility',
    failure: failure('card.security-status-lost'),
  }),
  'nothing is signed': of({ type: 'SigningFailed', kind: 'eligibility', failure: failure('card.communication') }),
  'the clinic accepts': told({ type: 'ReceiptArrived', requestId, verdict: 'accepted', code: null }),
  'the clinic refuses': told({
    type: 'ReceiptArrived',
    requestId,
    verdict: 'refused',
    code: 'card.certificate-revoked',
  }),
  'the service answers': told({
    type: 'ResultArrived',
    requestId,
    outcome: 'eligible',
    qualificationValidity: 1,
    code: null,
  }),
  'the service has registered': told({
    type: 'ResultArrived',
    requestId,
    outcome: 'registered',
    qualificationValidity: null,
    code: null,
  }),
  'the request is given up': told({ type: 'RequestExpired', requestId }),
  'another’s request is given up': told({ type: 'RequestExpired', requestId: 'of-another' }),
  'the clinic accepts another’s': told({
    type: 'ReceiptArrived',
    requestId: 'of-another',
    verdict: 'accepted',
    code: null,
  }),
  'the service answers for another': told({
    type: 'ResultArrived',
    requestId: 'of-another',
    outcome: 'eligible',
    qualificationValidity: 1,
    code: null,
  }),
  'staff approve another': told({ type: 'StaffApproved', session: 'of-another', approval: 'jws' }),
  'staff call another’s off': told({ type: 'StaffCancelled', session: 'of-another' }),
  'the terminal is switched off': told({ type: 'ShutdownRequested' }),
} satisfies Record<string, Happen>;

export type Happening = keyof typeof happenings;
export const eachHappening = Object.entries(happenings) as [Happening, Happen][];

/** The screen by name, with why, and what stands in it that a person would notice. */
export const shown = (state: SessionState): string => {
  const parts: string[] = [state.name];
  if ('failure' in state && state.failure !== null) parts.push(state.failure.code);
  if ('notice' in state && state.notice !== 'none') parts.push(state.notice);
  if ('lastTry' in state && state.lastTry !== 'not-the-last') parts.push(`last-try-${state.lastTry}`);
  if ('triesLeft' in state && state.triesLeft !== null) parts.push(`${state.triesLeft}-left`);
  if ('entered' in state && state.entered > 0) parts.push(`${state.entered}-typed`);
  if ('checking' in state && state.checking) parts.push('checking');
  if ('phase' in state) parts.push(state.phase);
  if ('resume' in state && state.resume) parts.push('may-come-back');
  if ('resuming' in state && state.resuming !== null) parts.push('put-back');
  if ('approvable' in state && state.approvable) parts.push('approvable');
  if ('trouble' in state && state.trouble !== null) parts.push(state.trouble.code);
  if ('offerOthers' in state && state.offerOthers) parts.push('others-offered');
  if ('leftBehind' in state && state.leftBehind) parts.push('left-behind');
  if ('result' in state) parts.push(state.result.outcome);
  if ('earlyResult' in state && state.earlyResult !== null) parts.push(`early-${state.earlyResult.outcome}`);
  if ('patience' in state && state.patience.asked) parts.push('still-there?');
  return parts.join(' ');
};

export const screenOf = (story: VisitStory): string => shown(story.state);

export const did = (effect: Effect): string => {
  switch (effect.type) {
    case 'Chime':
      return `Chime ${effect.sound}`;
    case 'VisitEnded':
      return `VisitEnded ${effect.outcome}${effect.signed ? ' signed' : ''}`;
    case 'SignRequest':
      return `SignRequest ${effect.kind}`;
    case 'VerifyPin':
    case 'VerifyPhonePin':
      return effect.lastTryConfirmed ? `${effect.type} with its yes` : effect.type;
    case 'PresentPhone':
      return `PresentPhone ${effect.phone}`;
    default:
      return effect.type;
  }
};
