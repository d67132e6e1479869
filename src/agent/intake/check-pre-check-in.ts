import { compactVerify, decodeProtectedHeader } from 'jose';
import { failure } from '../../core/failure.ts';
import { formatJapanDate, japanDate } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { dayMs } from '../../core/time-units.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import type { RsaPublicKey } from '../../protocol/card/digest-info.ts';
import {
  type PreCheckIn,
  preCheckInFormSchema,
  preCheckInSchema,
  preCheckInType,
} from '../../wire/pre-check-in-messages.ts';
import type { ConsentTexts } from './consent-texts.ts';
import { rsaKey } from './verify-evidence.ts';

type PreCheckInContext = {
  /** The certificate of the card or phone that lies there, its chain, dates and usage checked */
  readonly authCertificate: Uint8Array;
  readonly publicKey: RsaPublicKey;
  readonly medicalInstitutionCode: string;
  /** The agent's clock, which is sure of the time */
  readonly nowMs: number;
  readonly consentTexts: ConsentTexts;
  readonly isUsed: (id: string) => boolean;
};

/** A phone's clock may go ahead of ours by this much. ms */
const clockSkewMs = 5 * 60_000;

/** A document of one day is short; a service that sends more is not read. */
const mostCharacters = 16_000;

const forged = (detail: string) => err(failure('message.forged', detail));
const stale = (detail: string) => err(failure('message.stale', detail));

/** The payload, once the key of `authCertificate` is seen to have signed it as a pre-check-in. */
const verified = async (jws: string, { authCertificate, publicKey }: PreCheckInContext): Promise<Result<unknown>> => {
  if (jws.length > mostCharacters) return err(failure('message.malformed', 'pre-check-in: length'));
  try {
    const { typ, x5c, crit } = decodeProtectedHeader(jws);
    if (typ !== preCheckInType || crit !== undefined || x5c?.length !== 1) return forged('not a pre-check-in');
    if (!equalBytes(Buffer.from(x5c.join(), 'base64'), authCertificate))
      return forged('pre-check-in of another certificate');
    const { payload } = await compactVerify(jws, await rsaKey(publicKey), { algorithms: ['RS256'] });
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
  } catch {
    return forged('signature of the pre-check-in');
  }
};

const isInTime = ({ day, issuedAt, expiresAt }: PreCheckIn, nowMs: number): boolean =>
  day === formatJapanDate(japanDate(nowMs)) &&
  issuedAt <= nowMs + clockSkewMs &&
  expiresAt > nowMs &&
  expiresAt - issuedAt <= dayMs;

/**
 * A pre-check-in as the service brought it, for whoever lies on the bed now: theirs, for this facility and day, in time, not
 * used, each consent given to a text that is in force. It saves questions and gives nothing by itself: the patient confirms it.
 *
 * Failures, after each of which the visit asks what it always asks: `message.malformed` (a form of a later release, too),
 * `message.forged` (signature, another person, another facility), `message.stale` (another day, over, used),
 * `consent.text-unknown`.
 */
export const checkPreCheckIn = async (jws: string, context: PreCheckInContext): Promise<Result<PreCheckIn>> => {
  const opened = await verified(jws, context);
  if (!opened.ok) return opened;
  const form = preCheckInFormSchema.safeParse(opened.value);
  const parsed = preCheckInSchema.safeParse(opened.value);
  if (!parsed.success)
    return err(
      failure('message.malformed', form.success ? `pre-check-in of form ${form.data.preCheckIn}` : 'pre-check-in'),
    );
  const preCheckIn = parsed.data;
  if (preCheckIn.medicalInstitutionCode !== context.medicalInstitutionCode) return forged('for another facility');
  if (!isInTime(preCheckIn, context.nowMs)) return stale('another day, or over');
  if (context.isUsed(preCheckIn.id)) return stale('used');
  if (!preCheckIn.consents.every((consent) => context.consentTexts.isShown(consent)))
    return err(failure('consent.text-unknown', 'pre-check-in'));
  return ok(preCheckIn);
};
