import { z } from 'zod';
import { consentSchema, instantMs, uuid } from './messages.ts';

/*
 * Pre-check-in: consents that a patient answers beforehand on a phone. A PROPOSAL OF THIS PROJECT: no official service knows
 * it (docs/decisions/0057). It travels as a compact JWS, RS256 by the 利用者証明用 key of the phone, or of the card that the
 * phone reads; protected header `alg`, `typ`, `x5c` with exactly that one certificate.
 */

/** `typ` of the protected header */
export const preCheckInType = 'uketsuke-pre-check-in';

/** A receiver takes the forms that it knows; of any other it asks what it always asks. */
export const preCheckInForm = 1;

/** Of any form: what must be read before the rest is. */
export const preCheckInFormSchema = z.looseObject({ preCheckIn: z.number().int().min(1).max(999) });

export const preCheckInSchema = z.strictObject({
  preCheckIn: z.literal(preCheckInForm),
  /** Good for one visit */
  id: uuid,
  /** 医療機関等コード of the one facility that it is for */
  medicalInstitutionCode: z.string().regex(/^\d{10}$/),
  /** The one Japanese day that it is for, yyyyMMdd */
  day: z.string().regex(/^\d{8}$/),
  issuedAt: instantMs,
  expiresAt: instantMs,
  /** As in a request: what was answered, and the hash of the text that stood on the phone */
  consents: z.array(consentSchema).min(1).max(8),
});
export type PreCheckIn = z.infer<typeof preCheckInSchema>;
