/** Who must act before things go on. */
export type Actor = 'patient' | 'staff' | 'technician';

type Rule = { readonly actor: Actor; readonly retriable: boolean };

const patient = (retriable: boolean): Rule => ({ actor: 'patient', retriable });
const staff = (retriable: boolean): Rule => ({ actor: 'staff', retriable });
const technician = (retriable: boolean): Rule => ({ actor: 'technician', retriable });

/**
 * Every failure the terminal or the agent can name: one dotted word, the same in code, log, topic, screen and test.
 * `retriable`: the same thing tried again may succeed without anybody changing something.
 * Texts for patient, staff and technician stand in the catalogue under the same code.
 */
export const failureRules = {
  'card.unreadable': patient(true),
  'card.communication': patient(true),
  'card.removed': patient(true),
  'card.not-my-number': patient(false),
  'card.old-juki': patient(false),
  'card.phone-not-supported': patient(false),
  'card.phone-not-android': patient(false),
  'card.phone-unreadable': patient(true),
  'card.phone-pin-blocked': staff(false),
  'card.phone-certificate-unusable': staff(false),
  'card.phone-removed': patient(true),
  'card.left-behind': staff(false),
  'card.pin-wrong': patient(true),
  'card.pin-blocked': staff(false),
  'card.pin-absent': staff(false),
  'card.security-status-lost': patient(true),
  'card.photo-absent': staff(false),
  'card.photo-unreadable': staff(false),
  'card.number-b-unreadable': patient(true),
  'card.number-b-wrong': staff(false),
  'card.number-b-tries-low': staff(false),
  'card.visual-proof-failed': staff(false),
  'card.presence-proof-failed': staff(false),
  'card.certificate-invalid': staff(false),
  'card.certificate-expired': staff(false),
  'card.certificate-revoked': staff(false),
  'card.identity-mismatch': staff(false),
  'reader.lost': staff(true),
  'reader.service-down': technician(true),
  'reader.service-hung': technician(true),
  'reader.driver-missing': technician(false),
  'camera.lost': staff(true),
  'camera.frozen': staff(true),
  'camera.black': staff(true),
  'face.process-lost': technician(true),
  'face.models-missing': technician(false),
  'face.model-unverified': technician(false),
  'face.model-not-accepted': technician(false),
  'face.reference-unusable': staff(false),
  'face.not-matched': patient(true),
  'face.unsure': staff(false),
  'face.attack-suspected': staff(false),
  'keypad.lost': staff(true),
  'light.lost': staff(true),
  'screen.no-page': staff(true),
  'eligibility.not-registered': staff(false),
  'eligibility.not-found': staff(false),
  'eligibility.unavailable': staff(true),
  'eligibility.maintenance': staff(true),
  'eligibility.no-answer': staff(true),
  'eligibility.line-down': staff(true),
  'eligibility.jpki-unavailable': staff(true),
  'delivery.offline': staff(true),
  'delivery.cable-unplugged': staff(true),
  'delivery.clinic-pc-away': staff(true),
  'delivery.port-silent': technician(true),
  'delivery.broker-away': technician(true),
  'delivery.line-down': staff(true),
  'delivery.link-lost': technician(true),
  'delivery.broker-untrusted': technician(true),
  'delivery.access-refused': technician(true),
  'delivery.refused': staff(false),
  'delivery.expired': staff(false),
  'delivery.no-challenge': staff(true),
  'delivery.store-failed': technician(true),
  'delivery.result-late': staff(true),
  'agent.silent': staff(true),
  'update.on-trial': staff(true),
  'agent.disk-full': technician(true),
  'agent.disk-read-only': technician(true),
  'agent.disk-failed': technician(true),
  'agent.database-away': technician(true),
  'message.malformed': technician(false),
  'message.forged': technician(false),
  'message.stale': technician(false),
  'consent.text-unknown': technician(false),
  'consent.time-implausible': technician(false),
  'catalogue.notice-refused': technician(false),
  'settings.missing': technician(true),
  'storage.newer': technician(false),
  'storage.not-ours': technician(false),
  'storage.damaged': technician(false),
  'storage.unwritable': technician(true),
  'storage.migration-failed': technician(true),
  'storage.audit-broken': technician(false),
  'storage.taken-away': technician(false),
  'storage.rolled-back': technician(false),
  'files.folder-full': technician(true),
  'files.folder-read-only': technician(true),
  'files.in-use': staff(true),
  'files.folder-missing': technician(true),
  'files.write-failed': technician(true),
  'files.request-unreadable': technician(false),
  'files.request-unknown': technician(false),
  'files.not-a-file': technician(false),
  'files.folder-holds-keys': technician(false),
  'clock.wrong': technician(true),
  'session.timed-out': patient(true),
  'session.cancelled-by-staff': staff(false),
  'session.shutdown': staff(true),
} as const satisfies Record<string, Rule>;

export type FailureCode = keyof typeof failureRules;

/** A code may come from another release, whose failures we need not know. */
export const isFailureCode = (code: string | null | undefined): code is FailureCode =>
  code != null && Object.hasOwn(failureRules, code);

/** A refusal of the world, as data. `detail` is for technicians: never a name, a number of a person, a digit of a PIN. */
export type Failure = {
  readonly code: FailureCode;
  readonly actor: Actor;
  readonly retriable: boolean;
  readonly detail?: string;
};

export const failure = (code: FailureCode, detail?: string): Failure => ({
  code,
  ...failureRules[code],
  ...(detail === undefined ? {} : { detail }),
});

/** A code from the clinic's end as a failure we know; an unknown one is a refusal whose code goes to staff as it is. */
export const failureOf = (code: string | null): Failure =>
  isFailureCode(code) ? failure(code) : failure('delivery.refused', code ?? undefined);
