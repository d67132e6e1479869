import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { certificateStateAt } from '../../core/visit/certificate-state.ts';
import type { Identity } from '../../core/visit/identity.ts';
import type { CardSession } from '../../ports/card-reader.ts';
import type { PinDigits } from '../../protocol/card/pin-digits.ts';
import { exclusively } from './card-access.ts';
import { readAuthCertificate, readToken } from './read-card.ts';
import { type PinOutcome, verifyOnce } from './use-card-keys.ts';

type PhoneOutcome =
  | { readonly type: 'verified'; readonly identity: Identity }
  | Exclude<PinOutcome, { readonly type: 'verified' }>;

type PhoneOptions = {
  readonly lastTryConfirmed: boolean;
  /** Wall clock, ms. */
  readonly wallMs: number;
  /** That clock may refuse a phone by its dates. */
  readonly datesCount: boolean;
};

/** A right PIN sets the counter back to this. */
const freshTries = 3;

/**
 * An Android phone that has just been held to its reader: which token it is, its counter, one VERIFY or none, then the
 * certificate that the PIN opens; the phone stays ready to sign. `digits` are overwritten before this returns. Whatever else lies on that reader, a card before all, is never sent them:
 * `card.phone-not-supported` (another phone), `card.unreadable` (a card: it belongs on the bed). Other failures are those of
 * `verifyPin` and of a certificate's reading.
 */
export const openPhone = (
  session: CardSession,
  digits: PinDigits,
  options: PhoneOptions,
): Promise<Result<PhoneOutcome>> =>
  exclusively(session, async (): Promise<Result<PhoneOutcome>> => {
    const token = await readToken(session);
    if (!token.ok) return token;
    if (token.value === 'iphone') return err(failure('card.phone-not-supported', token.value));
    if (token.value !== 'android-phone') return err(failure('card.unreadable', 'a card at the reader for phones'));
    const outcome = await verifyOnce(session, digits, options.lastTryConfirmed);
    if (!outcome.ok) return outcome;
    if (outcome.value.type !== 'verified') return ok(outcome.value);
    const read = await readAuthCertificate(session, options);
    if (!read.ok) return read;
    const { authCertificate, certificate } = read.value;
    return ok({
      type: 'verified',
      identity: {
        kind: token.value,
        authCertificate,
        certificateSerial: certificate.serial,
        certificateNotAfterMs: certificate.notAfterMs,
        certificateState: options.datesCount
          ? certificateStateAt(token.value, certificate.notAfterMs, options.wallMs)
          : 'valid',
        pin: { state: 'usable', triesLeft: freshTries },
        visual: { state: 'unavailable', code: 'card.photo-absent' },
      },
    });
  }).finally(() => digits.wipe());
