import { z } from 'zod';
import { type Failure, type FailureCode, failure, failureRules } from '../../src/core/failure.ts';

/** What terminal and link say to each other over their socket. Bytes (a sealed request, a payload) are parts of the frame. */
export const linkProtocol = 'uketsuke-link/1';

const callId = z.int().nonnegative();
const topic = z.string().min(1).max(200);
const id = z.string().min(1).max(100);
const instant = z.number();

const failureSchema = z.strictObject({
  code: z.enum(Object.keys(failureRules) as [FailureCode, ...FailureCode[]]),
  detail: z.string().max(500).optional(),
});
export const toldOf = ({ code, detail }: Failure): z.infer<typeof failureSchema> => ({
  code,
  ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }),
});
export const failureOf = ({ code, detail }: z.infer<typeof failureSchema>): Failure => failure(code, detail);

/** An outbox row without what is sealed: that is the frame's part. */
const rowSchema = z.strictObject({
  requestId: id,
  session: id,
  documentHash: id,
  createdAtMs: instant,
  expiresAtMs: instant,
  visitMark: z.string().max(64).nullable(),
});
const auditEntrySchema = z.strictObject({
  atMs: instant,
  event: z.enum([
    'request-stored',
    'receipt-accepted',
    'receipt-refused',
    'request-expired',
    'request-cancelled',
    'settings-raised',
  ]),
  subject: id,
  code: z.string().max(60).optional(),
});

const storeCallSchema = z.discriminatedUnion('method', [
  /** Part: the sealed request */
  z.strictObject({ method: z.literal('addOutboxRow'), row: rowSchema }),
  z.strictObject({ method: z.literal('outboxRows') }),
  z.strictObject({ method: z.literal('removeOutboxRow'), requestId: id, entry: auditEntrySchema }),
  /** Part: the signed settings */
  z.strictObject({ method: z.literal('raiseSettings'), version: z.int(), atMs: instant }),
  z.strictObject({ method: z.literal('readSettings') }),
  z.strictObject({ method: z.literal('lastAccepted') }),
  z.strictObject({ method: z.literal('rememberNonce'), nonce: id, expiresAtMs: instant, nowMs: instant }),
  z.strictObject({ method: z.literal('firstBrokenAuditEntry') }),
]);
export type StoreCall = z.infer<typeof storeCallSchema>;

export const toLinkSchema = z.discriminatedUnion('type', [
  /** Part: the payload. Second part, if there is one: the correlation */
  z.strictObject({
    type: z.literal('publish'),
    id: callId,
    topic,
    retain: z.boolean().optional(),
    expirySeconds: z.int().min(0).max(0xffff_ffff).optional(),
    responseTopic: topic.optional(),
  }),
  z.strictObject({ type: z.literal('subscribe'), filter: topic }),
  z.strictObject({ type: z.literal('unsubscribe'), filter: topic }),
  /** The agent's signed time as it is now: the link judges the broker's certificate by it, and keeps it over a restart */
  z.strictObject({ type: z.literal('time'), wallMs: instant }),
  z.strictObject({ type: z.literal('store'), id: callId, call: storeCallSchema }),
]);
export type ToLink = z.infer<typeof toLinkSchema>;

const warning = z.union([z.literal(60), z.literal(30), z.literal(14), z.literal(7)]);

export const fromLinkSchema = z.discriminatedUnion('type', [
  /** When the device's certificate ends, and how many days before that it is warned of now */
  z.strictObject({ type: z.literal('certificate'), endsMs: instant, days: warning.nullable() }),
  z.strictObject({ type: z.literal('connection'), connected: z.boolean(), cause: failureSchema.optional() }),
  /** Part: the payload */
  z.strictObject({ type: z.literal('delivered'), filter: topic, topic, retained: z.boolean() }),
  /** One of the rows that a call of `outboxRows` is answered with. Part: the sealed request */
  z.strictObject({ type: z.literal('row'), id: callId, row: rowSchema }),
  /** Part, for `readSettings`: the signed settings; for `lastAccepted`: the request's id */
  z.strictObject({
    type: z.literal('answer'),
    id: callId,
    value: z.union([z.number(), z.boolean(), z.null()]).optional(),
  }),
  z.strictObject({ type: z.literal('failed'), id: callId, failure: failureSchema }),
]);
export type FromLink = z.infer<typeof fromLinkSchema>;
