import { type Failure, type FailureCode, failure } from '../../core/failure.ts';
import { japanDate } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { dayMs } from '../../core/time-units.ts';
import { certificateStateAt } from '../../core/visit/certificate-state.ts';
import type { Identity, PinState, TokenKind, VisualState } from '../../core/visit/identity.ts';
import type { PhoneKind } from '../../core/visit/session.ts';
import type { CardFrontReader } from '../../ports/card-front-reader.ts';
import type { CardSession } from '../../ports/card-reader.ts';
import { toHex } from '../../protocol/bytes.ts';
import { checkAuthCertificate, parseCertificate } from '../../protocol/card/certificate.ts';
import type { CardCryptography } from '../../protocol/card/digest-info.ts';
import {
  applications,
  files,
  foreignApplications,
  readBinary,
  readRetryCounter,
  readTokenLabel,
  selectApplication,
  selectFile,
  verify,
} from '../../protocol/card/myna-card.ts';
import { numberBTriesKept, plausibleVerificationNumberB } from '../../protocol/card/verification-number.ts';
import { type CvIssuer, checkCardExpiry, checkVisualEvidence, parseVisual } from '../../protocol/card/visual-ap.ts';
import { exchange, exclusively, longestFile, readObjectFile } from './card-access.ts';

export type ReadCardOptions = {
  /** null: no second camera, so no photo and no face path. */
  readonly cardFrontReader: CardFrontReader | null;
  /** One wrong number was spent in this visit already: none is tried again. */
  readonly numberBWrongBefore?: boolean;
  /** EF 000B too (about 1.5 KB more to read). */
  readonly withIssuerCertificate?: boolean;
  /** Whose CV certificates are trusted to sign the visual record. */
  readonly trustedCvIssuers: readonly CvIssuer[];
  readonly cryptography: CardCryptography;
  /** Wall clock, ms. */
  readonly wallMs: number;
  /** That clock may refuse a card by its dates; default true. Otherwise the clinic's end decides. */
  readonly datesCount?: boolean;
  /** Ends waiting for the card-front reader; what is asked of the card ends with its removal. */
  readonly signal: AbortSignal;
  /** The card is let go: a printed number that was found and never used is overwritten. */
  readonly letGo?: AbortSignal;
};

type CardReading = {
  readonly identity: Identity;
  /** DER, when asked for. */
  readonly issuerCertificate: Uint8Array | null;
  /** The photo for the face process; null whenever `identity.visual` is not `read`. The caller overwrites it. */
  readonly photoJp2: Uint8Array | null;
};

/** A clock that runs behind by a day is more likely than a certificate from the future. */
const notBeforeToleranceMs = dayMs;

const certificateLimit = 4096;

/** Failures after which nothing more can be asked of this card; every other one closes only the path it belongs to. */
const endsVisit = (code: FailureCode): boolean =>
  code === 'card.removed' || code === 'card.communication' || code.startsWith('reader.');

/** SELECT, with a missing file or application as `missing`. */
const select = async (
  session: CardSession,
  command: ReturnType<typeof selectFile>,
  missing: Failure,
): Promise<Result<void>> => {
  const selected = await exchange(session, command);
  if (!selected.ok) return selected;
  return selected.value ? ok(undefined) : err(missing);
};

const readCertificateFile = async (session: CardSession, fid: number): Promise<Result<Uint8Array>> => {
  const selected = await select(session, selectFile(fid), failure('card.unreadable', 'certificate file missing'));
  return selected.ok ? readObjectFile(session, certificateLimit) : selected;
};

/** What lies there instead, for a message that helps. */
const nameForeignCard = async (session: CardSession): Promise<Result<never>> => {
  for (const { name, aid } of foreignApplications) {
    const selected = await exchange(session, selectApplication(aid));
    if (!selected.ok && endsVisit(selected.failure.code)) return selected;
    if (selected.ok && selected.value) return err(failure('card.not-my-number', name));
  }
  return err(failure('card.not-my-number'));
};

/** Whose token lies there. Selects JPKI AP. */
export const readToken = async (session: CardSession): Promise<Result<TokenKind>> => {
  const jpki = await exchange(session, selectApplication(applications.jpki));
  if (!jpki.ok) return jpki;
  if (!jpki.value) return nameForeignCard(session);
  const selected = await select(
    session,
    selectFile(files.jpki.tokenInformation),
    failure('card.not-my-number', 'no token label'),
  );
  if (!selected.ok) return selected;
  const information = await exchange(session, readBinary(0, 32));
  if (!information.ok) return information;
  const label = readTokenLabel(information.value);
  switch (label.kind) {
    case 'my-number-card':
    case 'android-phone':
    case 'iphone':
      return ok(label.kind);
    case 'old-juki':
      return err(failure('card.old-juki'));
    case 'unknown':
      return err(failure('card.not-my-number', 'unknown token label'));
  }
};

/** Tries of the four-digit PIN, without spending one. Expects JPKI AP to be selected. */
const readSelectedPinState = async (session: CardSession): Promise<Result<PinState>> => {
  const selected = await exchange(session, selectFile(files.jpki.authPin));
  if (!selected.ok) return selected;
  // A 顔認証マイナンバーカード: what its card answers is not public; a missing file is our reading.
  if (!selected.value) return ok({ state: 'absent' });
  return exchange(session, readRetryCounter);
};

/** Tries of the four-digit PIN, without spending one. Selects JPKI AP, which ends a verified PIN. */
export const readPinState = (session: CardSession): Promise<Result<PinState>> =>
  exclusively(session, async () => {
    const jpki = await select(session, selectApplication(applications.jpki), failure('card.not-my-number'));
    return jpki.ok ? readSelectedPinState(session) : jpki;
  });

/** EF 000A, parsed and checked; expects JPKI AP to be selected. */
export const readAuthCertificate = async (
  session: CardSession,
  { datesCount, wallMs }: Pick<ReadCardOptions, 'datesCount' | 'wallMs'>,
) => {
  const authCertificate = await readCertificateFile(session, files.jpki.authCertificate);
  if (!authCertificate.ok) return authCertificate;
  const parsed = parseCertificate(authCertificate.value);
  const certificate = parsed.ok ? checkAuthCertificate(parsed.value) : parsed;
  if (!certificate.ok) return certificate;
  if (datesCount !== false && certificate.value.notBeforeMs > wallMs + notBeforeToleranceMs)
    return err(failure('card.certificate-invalid', 'not valid yet, or the clock of this terminal is wrong'));
  return ok({ authCertificate: authCertificate.value, certificate: certificate.value });
};

/** Everything of JPKI AP that is free to read. */
const readJpki = async (session: CardSession, options: ReadCardOptions) => {
  const token = await readToken(session);
  if (!token.ok) return token;
  // On a phone the certificate opens only with the PIN, or its owner is authenticated on it.
  if (token.value !== 'my-number-card') {
    const phone: PhoneKind = token.value === 'iphone' ? 'iphone' : 'android';
    return err({ ...failure(phone === 'iphone' ? 'card.phone-not-android' : 'card.phone-not-supported'), phone });
  }
  const read = await readAuthCertificate(session, options);
  if (!read.ok) return read;
  let issuerCertificate: Uint8Array | null = null;
  if (options.withIssuerCertificate === true) {
    const issuer = await readCertificateFile(session, files.jpki.authIssuerCertificate);
    if (!issuer.ok) return issuer;
    issuerCertificate = issuer.value;
  }
  const pin = await readSelectedPinState(session);
  if (!pin.ok) return pin;
  return ok({ ...read.value, issuerCertificate, pin: pin.value });
};

/**
 * Opens the photo with the printed 照合番号B and proves it. The counter is read first; at most one VERIFY, and none with
 * `numberBTriesKept` tries left or fewer.
 */
const readVisual = async (
  session: CardSession,
  options: ReadCardOptions,
  printedNumber: Promise<Result<Uint8Array>>,
  certificateNotAfterMs: number,
): Promise<Result<VisualReading>> => {
  const selected = await select(
    session,
    selectApplication(applications.visual),
    failure('card.photo-unreadable', 'no 券面事項確認 AP'),
  );
  if (!selected.ok) return selected;
  const certificateFile = await select(
    session,
    selectFile(files.visual.cvCertificate),
    failure('card.visual-proof-failed', 'no CV certificate'),
  );
  if (!certificateFile.ok) return certificateFile;
  const cvCertificate = await readObjectFile(session, 1024);
  if (!cvCertificate.ok) return cvCertificate;

  const numberFile = await select(
    session,
    selectFile(files.visual.verificationNumberB),
    failure('card.photo-unreadable', 'no 照合番号B'),
  );
  if (!numberFile.ok) return numberFile;
  const counter = await exchange(session, readRetryCounter);
  if (!counter.ok) return counter;
  if (counter.value.state === 'blocked' || counter.value.triesLeft <= numberBTriesKept)
    return err(failure('card.number-b-tries-low'));

  const number = await printedNumber;
  if (!number.ok) return number;
  if (!plausibleVerificationNumberB(number.value, japanDate(options.wallMs).year))
    return err(failure('card.number-b-unreadable', 'no plausible number'));
  const outcome = await exchange(session, verify(number.value));
  if (!outcome.ok) return outcome;
  if (outcome.value.type !== 'verified') return err(failure('card.number-b-wrong'));

  const recordFile = await select(
    session,
    selectFile(files.visual.record),
    failure('card.photo-unreadable', 'no visual record'),
  );
  if (!recordFile.ok) return recordFile;
  const bytes = await readObjectFile(session, longestFile);
  if (!bytes.ok) return bytes;
  const record = parseVisual(bytes.value, cvCertificate.value, options.cryptography.sha256);
  bytes.value.fill(0);
  if (!record.ok) return record;
  const { photoJp2, evidence, expiryDate } = record.value;
  const proven = checkVisualEvidence(evidence, options.trustedCvIssuers, options.cryptography);
  const verdict = proven.ok ? checkCardExpiry(certificateNotAfterMs, expiryDate) : proven;
  if (!verdict.ok) {
    photoJp2.fill(0);
    return verdict;
  }
  if (photoJp2.length === 0) return err(failure('card.photo-absent'));
  return ok({ visual: { state: 'read', evidence, photoHash: toHex(evidence.hash3) }, photoJp2 });
};

/** The visual record as far as the chip gave it; `photoJp2` is null whenever `visual` is not `read`. */
export type VisualReading = { readonly visual: VisualState; readonly photoJp2: Uint8Array | null };

type OpenedCard = {
  /** `visual` is `reading` until `readVisual` has come to its end. */
  readonly identity: Identity;
  /** DER, when asked for. */
  readonly issuerCertificate: Uint8Array | null;
  /** Why the photo will not open, as far as the printed number tells without the card; null: nothing is known against it. */
  readonly numberTrouble: Promise<FailureCode | null>;
  /**
   * The photo and its passive proof, once; other work with the card waits for it. A closed face path is a reading with its
   * code, not a failure; failures are those after which nothing more can be asked of the card.
   */
  readonly readVisual: () => Promise<Result<VisualReading>>;
};

/** Looks for the printed number from the first moment; `overwrite` whoever asked for it, also when it was never needed. */
const lookForNumber = (options: ReadCardOptions, closed: FailureCode | null) => {
  const waiting = new AbortController();
  const found: Promise<Result<Uint8Array>> =
    closed === null && options.cardFrontReader !== null
      ? options.cardFrontReader.readVerificationNumberB(AbortSignal.any([options.signal, waiting.signal]))
      : Promise.resolve(err(failure('card.number-b-unreadable')));
  const overwrite = (): void => {
    waiting.abort('unwanted');
    void found.then((number) => {
      if (number.ok) number.value.fill(0);
    });
  };
  options.letGo?.addEventListener('abort', overwrite, { once: true });
  return { found, overwrite };
};

const unavailable = (code: FailureCode): VisualReading => ({
  visual: { state: 'unavailable', code: visualCode(code) },
  photoJp2: null,
});

/**
 * Reads what is free of JPKI AP (token kind, authCertificate, PIN tries). The visual record with the photo, nine tenths of
 * all that a card can tell, is read only when asked for: who takes the PIN has no use for it.
 *
 * Failures: `card.not-my-number`, `card.old-juki`, `card.phone-…` (with which phone), `card.certificate-invalid`,
 * `card.unreadable`, `card.communication`, `card.removed`, `reader.*`.
 */
export const openCard = async (
  session: CardSession,
  options: ReadCardOptions,
): Promise<Result<OpenedCard, Failure & { readonly phone?: PhoneKind }>> => {
  const closed: FailureCode | null =
    options.numberBWrongBefore === true
      ? 'card.number-b-wrong'
      : options.cardFrontReader === null
        ? 'card.number-b-unreadable'
        : null;
  const number = lookForNumber(options, closed);
  const jpki = await exclusively(session, () => readJpki(session, options));
  if (!jpki.ok) {
    number.overwrite();
    return jpki;
  }
  const { authCertificate, certificate, issuerCertificate, pin } = jpki.value;
  let trouble: FailureCode | null = closed;
  const numberTrouble = number.found.then((found) => {
    trouble ??= found.ok ? null : found.failure.code;
    return trouble;
  });
  const readVisualOnce = async (): Promise<Result<VisualReading>> => {
    if (trouble !== null) return ok(unavailable(trouble));
    const visual = await exclusively(session, () =>
      readVisual(session, options, number.found, certificate.notAfterMs),
    ).finally(number.overwrite);
    if (visual.ok) return visual;
    return endsVisit(visual.failure.code) ? visual : ok(unavailable(visual.failure.code));
  };
  return ok({
    identity: {
      kind: 'my-number-card',
      authCertificate,
      certificateSerial: certificate.serial,
      certificateNotAfterMs: certificate.notAfterMs,
      certificateState:
        options.datesCount === false
          ? 'valid'
          : certificateStateAt('my-number-card', certificate.notAfterMs, options.wallMs),
      pin,
      visual: closed === null ? { state: 'reading' } : unavailable(closed).visual,
    },
    issuerCertificate,
    numberTrouble,
    readVisual: readVisualOnce,
  });
};

/** The whole reading in one: `openCard`, and its visual record waited for. */
export const readCard = async (session: CardSession, options: ReadCardOptions): Promise<Result<CardReading>> => {
  const opened = await openCard(session, options);
  if (!opened.ok) return opened;
  const record = await opened.value.readVisual();
  if (!record.ok) return record;
  const { identity, issuerCertificate } = opened.value;
  const { visual, photoJp2 } = record.value;
  return ok({ identity: { ...identity, visual }, issuerCertificate, photoJp2 });
};

/** A file of the visual record that cannot be read closes the face path under one name. */
const visualCode = (code: FailureCode): FailureCode => (code === 'card.unreadable' ? 'card.photo-unreadable' : code);
