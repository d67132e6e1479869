import type { FailureCode } from './failure.ts';

/** Whose fault it is: where somebody looks first, and whom they telephone. */
export const parties = [
  'card',
  'terminal',
  'cable',
  'clinic-pc',
  'broker',
  'line',
  'jpki',
  'national-service',
  'receipt-folder',
] as const;
export type Party = (typeof parties)[number];

/** Who says so: a file that is damaged is that of whoever tells of it. */
export type Teller = 'terminal' | 'agent';

const card = 'card';
const terminal = 'terminal';
const clinicPc = 'clinic-pc';
const folder = 'receipt-folder';
/** Of whoever tells it */
const own = 'own';

/**
 * The one table: what a failure proves. null = it may be more than one's: nobody is named before it is known, for a wrong
 * telephone call costs a clinic its morning.
 */
const proves: Readonly<Record<FailureCode, Party | typeof own | null>> = {
  // The reader felt that something lies there, and it did not answer.
  'card.unreadable': card,
  'card.communication': null,
  'card.removed': null,
  'card.not-my-number': card,
  'card.old-juki': card,
  'card.phone-not-supported': null,
  'card.phone-not-android': null,
  'card.phone-unreadable': null,
  'card.phone-pin-blocked': card,
  'card.phone-certificate-unusable': card,
  'card.phone-removed': null,
  'card.left-behind': null,
  'card.pin-wrong': card,
  'card.pin-blocked': card,
  'card.pin-absent': card,
  'card.security-status-lost': null,
  'card.photo-absent': card,
  'card.photo-unreadable': card,
  // Dirt on the card, or on the camera above it.
  'card.number-b-unreadable': null,
  'card.number-b-wrong': null,
  'card.number-b-tries-low': card,
  'card.visual-proof-failed': card,
  'card.presence-proof-failed': null,
  // Or trust anchors of the clinic that are too old.
  'card.certificate-invalid': null,
  'card.certificate-expired': card,
  'card.certificate-revoked': card,
  'card.identity-mismatch': null,
  'reader.lost': terminal,
  'reader.service-down': terminal,
  'reader.service-hung': terminal,
  'reader.driver-missing': terminal,
  'camera.lost': terminal,
  'camera.frozen': terminal,
  'camera.black': terminal,
  'face.process-lost': terminal,
  'face.models-missing': terminal,
  'face.model-unverified': terminal,
  'face.model-not-accepted': terminal,
  'face.reference-unusable': card,
  'face.not-matched': null,
  'face.unsure': null,
  'face.attack-suspected': null,
  'keypad.lost': terminal,
  'light.lost': terminal,
  'screen.no-page': terminal,
  'eligibility.not-registered': null,
  'eligibility.not-found': null,
  'eligibility.unavailable': 'national-service',
  'eligibility.maintenance': 'national-service',
  'eligibility.no-answer': null,
  'eligibility.line-down': 'line',
  'eligibility.jpki-unavailable': 'jpki',
  'delivery.offline': null,
  'delivery.cable-unplugged': 'cable',
  'delivery.clinic-pc-away': clinicPc,
  'delivery.port-silent': clinicPc,
  'delivery.broker-away': 'broker',
  'delivery.line-down': 'line',
  'delivery.link-lost': terminal,
  'delivery.broker-untrusted': 'broker',
  'delivery.access-refused': 'broker',
  'delivery.refused': null,
  'delivery.expired': null,
  'delivery.no-challenge': null,
  'delivery.store-failed': terminal,
  'delivery.result-late': null,
  'agent.silent': clinicPc,
  'agent.disk-full': clinicPc,
  'agent.disk-read-only': clinicPc,
  'agent.disk-failed': clinicPc,
  'agent.database-away': clinicPc,
  'message.malformed': null,
  'message.forged': null,
  'message.stale': null,
  'consent.text-unknown': null,
  'consent.time-implausible': null,
  'catalogue.notice-refused': null,
  'settings.missing': null,
  'storage.newer': own,
  'storage.not-ours': own,
  'storage.damaged': own,
  'storage.unwritable': own,
  'storage.migration-failed': own,
  'storage.audit-broken': own,
  'storage.taken-away': own,
  'storage.rolled-back': own,
  'files.folder-full': folder,
  'files.folder-read-only': folder,
  'files.in-use': folder,
  'files.folder-missing': folder,
  'files.write-failed': folder,
  'files.request-unreadable': folder,
  'files.request-unknown': folder,
  'files.not-a-file': folder,
  'files.folder-holds-keys': clinicPc,
  'clock.wrong': own,
  'update.on-trial': null,
  'session.timed-out': null,
  'session.cancelled-by-staff': null,
  'session.shutdown': null,
};

/** The same at the other end of the network: its cable is that of the PC, and who is away there is the broker's machine. */
const atClinic: Readonly<Partial<Record<FailureCode, Party>>> = {
  'delivery.cable-unplugged': clinicPc,
  'delivery.clinic-pc-away': 'broker',
};

/** null: not known (yet) */
export const partyOf = (code: FailureCode, teller: Teller): Party | null => {
  const party = teller === 'agent' ? (atClinic[code] ?? proves[code]) : proves[code];
  if (party !== own) return party;
  return teller === 'agent' ? clinicPc : terminal;
};

/** For a QR code and a telephone: what is wrong, whose it is, at which counter, when. Nothing of a patient. */
export const telephoneText = (
  code: string,
  party: Party | null,
  { lane, wallMs }: { readonly lane: number | null; readonly wallMs: number },
): string =>
  [
    'uketsuke',
    code,
    party ?? 'not-known-yet',
    ...(lane === null ? [] : [`lane-${lane}`]),
    // 2026-11-21T08:30Z: whoever reads it is elsewhere.
    `${new Date(wallMs).toISOString().slice(0, 16)}Z`,
  ].join(' ');
