import type { Catalogue } from '../catalogue/catalogue.ts';
import { deskToken } from '../catalogue/desk-order.ts';
import type { Failure, FailureCode } from '../failure.ts';
import type { Moment } from '../moment.ts';
import { partyOf, telephoneText } from '../party.ts';
import { control, type Part, part } from './draw-screen-part.ts';
import { clockTime, type Dictionary, type Words } from './draw-screen-words.ts';
import type { ScreenBody } from './screen-model.ts';

/** Failures that end by themselves: the terminal is well, what lies behind it is away. */
const outages: ReadonlySet<FailureCode> = new Set([
  'delivery.offline',
  'delivery.cable-unplugged',
  'delivery.clinic-pc-away',
  'delivery.port-silent',
  'delivery.broker-away',
  'delivery.line-down',
  'delivery.link-lost',
  'delivery.no-challenge',
  'agent.silent',
  'agent.disk-full',
  'agent.disk-read-only',
  'agent.disk-failed',
  'agent.database-away',
  'eligibility.unavailable',
  'eligibility.maintenance',
  'eligibility.no-answer',
  'eligibility.line-down',
  'eligibility.jpki-unavailable',
  'settings.missing',
]);

const reasonOf = (catalogue: Catalogue, d: Dictionary, failure: Failure): Words =>
  d.words(`failure.${catalogue.failures[failure.code].patientText}`);

/** What stands before words that are the receptionist's. */
export const forStaff = (catalogue: Catalogue): string => catalogue.languages.ja?.texts['desk.for-staff'] ?? '';

/** Which words, and the number of the counter where it is known */
type Where = { readonly catalogue: Catalogue; readonly lane?: number | null };

/** What staff read over the patient's shoulder: 【006:…】 or the dotted code, what it is, whose it is, when. No name, no number. */
export const codeBody = (
  { catalogue, lane = null }: Where,
  failure: Failure,
  wallMs: number,
): Extract<ScreenBody, { readonly kind: 'code' }> => {
  const entry = catalogue.failures[failure.code];
  const party = partyOf(failure.code, 'terminal');
  return {
    kind: 'code',
    title: forStaff(catalogue),
    code: entry.notice ?? failure.code,
    lines: [`${entry.staff.summary} ${clockTime(wallMs)}`, ...(party === null ? [] : [catalogue.parties[party].name])],
    // Of the patient's own card nobody telephones; a code there would only be photographed.
    qr: party === null || party === 'card' ? null : telephoneText(failure.code, party, { lane, wallMs }),
  };
};

/** Laid down anew, or the right one: that is asked for before anybody is called. */
const cardAgain: ReadonlySet<FailureCode> = new Set(['card.unreadable', 'card.not-my-number', 'card.old-juki']);

/** Nobody can show these of Mynaportal: who is not registered has none there, and who was sent away by staff is with them. */
const withoutPortal: ReadonlySet<FailureCode> = new Set([
  'eligibility.not-registered',
  'eligibility.not-found',
  'session.cancelled-by-staff',
]);

/**
 * What the patient may have ready on the way to the desk: its first step where a card cannot be checked (the card and the screen
 * of Mynaportal), in their own language, wherever the catalogue sends staff to that order.
 */
const portalNote = ({ failures }: Catalogue, d: Dictionary, { code }: Failure): Words | null =>
  failures[code].staff.steps.includes(deskToken) && !withoutPortal.has(code) ? d.words('desk.portal') : null;

/** For staff, in one line of a screen that serves patients: what waits for somebody elsewhere, and at whose end. */
export const staffNote = (catalogue: Catalogue, failure: Failure): Words => {
  const party = partyOf(failure.code, 'terminal') ?? 'not-known-yet';
  return {
    text: `${forStaff(catalogue)}：${catalogue.failures[failure.code].staff.summary}（${catalogue.parties[party].name}）`,
  };
};

/** 「受付の方に お声がけください」, why, and the code for staff. */
export const drawDesk = (
  where: Where,
  d: Dictionary,
  failure: Failure,
  at: { readonly wallMs: number; readonly cardOnBed: boolean; readonly approvable: boolean },
): Part => {
  // Nobody is called for a visit that ended because nothing was touched any more.
  const quiet = failure.code === 'session.timed-out';
  // One order: to lay the card down anew is to take it.
  const again = cardAgain.has(failure.code);
  const isPhones = failure.code.startsWith('card.phone-');
  const takeCard = at.cardOnBed && !isPhones && !quiet && !again ? [d.words('desk.take-card')] : [];
  return part('desk', null, d, d.words(quiet ? 'take-card.heading' : again ? 'desk.card-again' : 'desk.heading'), {
    tone: 'attention',
    lead: [reasonOf(where.catalogue, d, failure), ...takeCard],
    note: portalNote(where.catalogue, d, failure),
    controls: at.approvable ? [control('call-staff', 'secondary', d.words('control.call-staff'))] : [],
    body: quiet ? { kind: 'picture', picture: 'take-card' } : codeBody(where, failure, at.wallMs),
  });
};

/** Between visits: nothing can be done here now, why, and what happens meanwhile. */
export const drawOutOfService = (
  { catalogue, lane = null, now: { wallMs } }: Where & { readonly now: Moment },
  d: Dictionary,
  failure: Failure,
): Part => {
  const outage = outages.has(failure.code);
  return part(
    outage ? 'outage' : 'out-of-service',
    null,
    d,
    d.words(outage ? 'outage.heading' : 'out-of-service.heading'),
    {
      tone: 'attention',
      note: portalNote(catalogue, d, failure),
      lead: outage
        ? [d.words('outage.lead'), d.words('outage.rights'), d.words('outage.meanwhile')]
        : [reasonOf(catalogue, d, failure), d.words('out-of-service.lead')],
      body: {
        ...codeBody({ catalogue }, failure, wallMs),
        qr: telephoneText(failure.code, partyOf(failure.code, 'terminal'), { lane, wallMs }),
      },
    },
  );
};
