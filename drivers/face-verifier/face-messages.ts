import { z } from 'zod';
import { type FailureCode, failure, failureRules } from '../../src/core/failure.ts';
import { faceHints } from '../../src/core/visit/verification.ts';

/** What terminal and face process say to each other over their socket. Photo and preview are parts of the frame. */
export const faceProtocol = 'uketsuke-face/1';

const attempt = z.int().nonnegative();

export const toFaceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('begin'), attempt, padStrength: z.enum(['off', 'passive', 'active']) }),
  /** The card's photo is the part; none, or an empty one: there is none */
  z.strictObject({ type: z.literal('reference'), attempt }),
  z.strictObject({ type: z.literal('stop'), attempt }),
  /** Staff ask for a new process: this one ends, the service manager begins another. */
  z.strictObject({ type: z.literal('restart') }),
]);
export type ToFace = z.infer<typeof toFaceSchema>;

const failureSchema = z
  .strictObject({
    code: z.enum(Object.keys(failureRules) as [FailureCode, ...FailureCode[]]),
    detail: z.string().max(1_000).optional(),
    actor: z.string(),
    retriable: z.boolean(),
  })
  .transform(({ code, detail }) => failure(code, detail));

export const fromFaceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('health'), trouble: failureSchema.nullable() }),
  z.strictObject({
    type: z.literal('event'),
    attempt,
    event: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('hint'), hint: z.enum(faceHints).nullable() }),
      z.strictObject({ type: z.literal('matched') }),
      z.strictObject({ type: z.literal('missed') }),
      /** The picture is the part */
      z.strictObject({ type: z.literal('preview') }),
      z.strictObject({ type: z.literal('failed'), failure: failureSchema }),
    ]),
  }),
  z.strictObject({ type: z.literal('wiped'), attempt, afterMs: z.number() }),
]);
export type FromFace = z.infer<typeof fromFaceSchema>;
