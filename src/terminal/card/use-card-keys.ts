import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { CardSession } from '../../ports/card-reader.ts';
import {
  applications,
  computePresenceProof,
  computeSignature,
  files,
  readRetryCounter,
  selectApplication,
  selectFile,
  type VerifyOutcome,
} from '../../protocol/card/myna-card.ts';
import type { PinDigits } from '../../protocol/card/pin-digits.ts';
import { exchange, exclusively } from './card-access.ts';

export type PinOutcome =
  | VerifyOutcome
  /** One try is left and nobody said yes to spending it: no VERIFY was sent. */
  | { readonly type: 'last-try-not-confirmed' };

/**
 * The patient's PIN against the card: exactly one VERIFY or none, never repeated, whatever the answer. A card that goes
 * away meanwhile counts as a try spent. `digits` are overwritten before this returns.
 *
 * The counter is read just before, so that the last try goes only with `lastTryConfirmed`, whatever the caller believes:
 * 63C1 and no confirmation → `last-try-not-confirmed`.
 */
export const verifyPin = (
  session: CardSession,
  digits: PinDigits,
  { lastTryConfirmed = false }: { readonly lastTryConfirmed?: boolean } = {},
): Promise<Result<PinOutcome>> =>
  exclusively(session, () => verifyOnce(session, digits, lastTryConfirmed)).finally(() => digits.wipe());

/** Within `exclusively`; the caller overwrites `digits`. Selects JPKI AP. */
export const verifyOnce = async (
  session: CardSession,
  digits: PinDigits,
  lastTryConfirmed: boolean,
): Promise<Result<PinOutcome>> => {
  if (!digits.isWhole) return err(failure('card.pin-wrong', 'a PIN is four digits; the card was not asked'));
  for (const command of [selectApplication(applications.jpki), selectFile(files.jpki.authPin)]) {
    const selected = await exchange(session, command);
    if (!selected.ok) return selected;
    if (!selected.value) return err(failure('card.pin-absent'));
  }
  const counter = await exchange(session, readRetryCounter);
  if (!counter.ok) return counter;
  if (counter.value.state === 'blocked') return ok({ type: 'blocked' });
  if (counter.value.triesLeft === 1 && !lastTryConfirmed) return ok({ type: 'last-try-not-confirmed' });
  return exchange(session, digits.toCommand());
};

/**
 * SHA-256 in, RSASSA-PKCS1-v1_5 signature by the 利用者証明用 key out (256 bytes). Only after `verifyPin`, with no
 * application selected in between; when the card forgot the PIN: `card.security-status-lost`, and the PIN is asked again.
 */
export const signWithAuthKey = (session: CardSession, sha256: Uint8Array): Promise<Result<Uint8Array>> =>
  exclusively(session, async () => {
    const selected = await exchange(session, selectFile(files.jpki.authKey));
    if (!selected.ok) return selected;
    if (!selected.value) return err(failure('card.security-status-lost', 'no key file in the selected application'));
    return exchange(session, computeSignature(sha256));
  });

/** SHA-256 in, signature by the 券面 key (DF24) out: the genuine card is here now. Needs no PIN; ends a verified one. */
export const provePresence = (session: CardSession, sha256: Uint8Array): Promise<Result<Uint8Array>> =>
  exclusively(session, async () => {
    const selected = await exchange(session, selectApplication(applications.visual));
    if (!selected.ok) return selected;
    if (!selected.value) return err(failure('card.presence-proof-failed', 'no 券面事項確認 AP'));
    return exchange(session, computePresenceProof(sha256));
  });
