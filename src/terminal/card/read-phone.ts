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
  /** A My Number card: it was sent nothing */
  | { readonly type: 'card' }
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
 * An Android phone that has just been laid down or held to its reader: which token it is, its counter, one VERIFY or none, then
 * the certificate that the PIN opens; the phone stays ready to sign. `digits` are overwritten before this returns. Whatever else
 * is there, a card before all, is never sent them: `card.phone-not-android` (an iPhone), those of `readToken` (no My Number at
 * all). Other failures are those of `verifyPin` and of a certificate's reading.
 */
export const openPhone = (
  session: CardSession,
  digits: PinDigits,
  options: PhoneOptions,
): Promise<Result<PhoneOutcome>> =>
  exclusively(session, async (): Promise<Result<PhoneOutcome>> => {
    const token = await readToken(session);
    if (!token.ok) return token;
    if (token.value === 'iphone') return err(failure('card.phone-not-android'));
    if (token.value === 'my-number-card') return ok({ type: 'card' });
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
