import { z } from 'zod';
import type { TopicLeaf } from './topics.ts';

/*
 * Version 1 of the wire: every payload as release 19854c3 said and took it, strict to the last key. FROZEN: nothing here
 * follows the product. What the product has learnt or renamed since is translated at the edge (`translate.ts`).
 * Meanings, units and ranges: `messages.ts`, `facility-settings.ts`.
 */

const identifier = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const uuid = z.uuid();
const instantMs = z.number().int().min(0);
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const hash = base64url.length(43);
const code = z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/);
const addressed = { facility: identifier, device: identifier };

const stateSchema = z.strictObject({
  device: identifier,
  lane: z.number().int().min(1).max(99),
  version: z.string().max(40),
  profile: z.enum(['release', 'demo']),
  status: z.enum(['idle', 'busy', 'out-of-service', 'offline']),
  phase: z.string().max(40).optional(),
  session: uuid.optional(),
  failureCode: code.optional(),
  catalogueVersion: z.string().max(40),
  since: instantMs,
});

const challengeRequestSchema = z.strictObject({
  ...addressed,
  challengeRequestId: uuid,
  requestedAt: instantMs,
  wanted: z.number().int().min(1).max(16),
});

const challengeSchema = z.strictObject({
  nonce: base64url.length(43),
  agent: identifier,
  issuedAt: instantMs,
  expiresAt: instantMs,
});
const challengesSchema = z.strictObject({
  ...addressed,
  challengeRequestId: uuid,
  agentTime: instantMs,
  challenges: z.array(challengeSchema).max(16),
});

const lookupSchema = z.strictObject({
  ...addressed,
  lookupId: uuid,
  session: uuid,
  requestedAt: instantMs,
  authCertificate: base64url.max(8_000),
});

const pendingDocumentSchema = z.strictObject({
  id: z.string().max(64),
  title: z.string().max(80),
  from: z.string().max(80),
  date: z.string().max(20),
});

const lookupResultSchema = z.strictObject({
  ...addressed,
  lookupId: uuid,
  registered: z.enum(['yes', 'no', 'unknown']),
  certificateStatus: z.enum(['good', 'revoked', 'unknown']),
  medicalSubsidy: z.boolean(),
  prescription: z.strictObject({ use: z.number().int(), timing: z.number().int() }),
  pendingDocuments: z.array(pendingDocumentSchema).max(20).optional(),
  maintenance: z.strictObject({ until: instantMs }).optional(),
});

const consentCodes = ['TKK', 'YZK', 'SRJ', 'SHJ', 'TSR'] as const;

const consentSchema = z.strictObject({
  code: z.enum(consentCodes),
  given: z.boolean(),
  at: instantMs,
  catalogueVersion: z.string().max(40),
  textHash: hash,
  language: z.string().max(12),
});

const requestSchema = z.strictObject({
  ...addressed,
  kind: z.enum(['eligibility', 'registration', 'test']),
  requestId: uuid,
  lane: z.number().int().min(1).max(99),
  session: uuid,
  agent: identifier,
  challenge: base64url.length(43),
  verificationMethod: z.enum(['face', 'pin', 'staff']),
  verificationOutcome: z.literal('verified'),
  authCertificate: base64url.max(8_000).optional(),
  staffApproval: z.string().max(4_000).optional(),
  certificateState: z.enum(['valid', 'near-expiry', 'grace']).optional(),
  consents: z.array(consentSchema).max(8),
  limitApplicationBasis: z.literal('notice-2024-10-07').optional(),
  medicalSubsidyUse: z.boolean().optional(),
  prescriptionForm: z.enum(['electronic', 'paper']).optional(),
  approvedDocuments: z.array(z.string().max(64)).max(20).optional(),
  catalogueVersion: z.string().max(40),
  issuedAt: instantMs,
  expiresAt: instantMs,
});

const receiptSchema = z.strictObject({
  ...addressed,
  requestId: uuid,
  documentHash: hash,
  receivedAt: instantMs,
  agent: identifier,
  verdict: z.enum(['accepted', 'refused']),
  code: code.optional(),
});

const resultSchema = z.strictObject({
  ...addressed,
  requestId: uuid,
  outcome: z.enum(['eligible', 'not-eligible', 'registered', 'failed', 'tested']),
  qualificationValidity: z.number().int().min(1).max(6).optional(),
  messageCode: code.optional(),
});

const commandSchema = z.strictObject({
  ...addressed,
  commandId: uuid,
  nonce: base64url.length(43),
  issuedAt: instantMs,
  expiresAt: instantMs,
  command: z.discriminatedUnion('name', [
    z.strictObject({ name: z.literal('approve-staff-check'), session: uuid, approval: z.string().max(4_000) }),
    z.strictObject({ name: z.literal('cancel-session'), session: uuid }),
    z.strictObject({ name: z.literal('restart'), part: z.enum(['daemon', 'reader', 'face', 'screen']) }),
    z.strictObject({ name: z.literal('test-visit'), session: uuid, approval: z.string().max(4_000) }),
  ]),
});

const commandResultSchema = z.strictObject({
  ...addressed,
  commandId: uuid,
  outcome: z.enum(['done', 'refused']),
  code: code.optional(),
});

const publicJwkSchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: base64url.length(43),
  y: base64url.length(43),
  kid: base64url.length(43),
});

const facilitySettingsSchema = z.strictObject({
  facilityName: z.string().min(1).max(60),
  medicalInstitutionCode: z.string().regex(/^\d{10}$/),
  area: z.string().max(20).default('13'),
  institutionType: z.enum(['medical', 'dental', 'pharmacy']),
  askTKK: z.boolean(),
  askYZK: z.boolean(),
  askSRJ: z.boolean(),
  askSHJ: z.boolean(),
  askTSR: z.boolean(),
  medicalSubsidy: z.boolean(),
  prescriptionUse: z.number().int().min(0).max(9),
  prescriptionTiming: z.number().int().min(0).max(9),
  referralDocuments: z.boolean(),
  smartphone: z.boolean().default(false),
  languages: z.array(z.string().min(2).max(12)).min(1).max(12),
  padStrength: z.enum(['off', 'passive', 'active']),
  theme: z.enum(['default', 'high-contrast', 'dark']).default('default'),
  textPercent: z.union([z.literal(100), z.literal(150), z.literal(200)]).default(100),
  layout: z.enum(['standard', 'low']).default('standard'),
  offerUnreviewedLanguages: z.boolean().default(false),
  timeouts: z
    .strictObject({
      answerMs: z.number().int().min(10_000).max(600_000).default(60_000),
      cardReturnMs: z.number().int().min(1_000).max(30_000).default(5_000),
      faceMs: z.number().int().min(5_000).max(120_000).default(20_000),
      offlineMs: z.number().int().min(5_000).max(300_000).default(30_000),
    })
    .prefault({}),
});

const settingsMessageSchema = z.strictObject({
  ...addressed,
  version: z.number().int().min(1),
  validFrom: instantMs,
  facilitySettings: facilitySettingsSchema,
  facilityKeys: z.strictObject({ current: publicJwkSchema, next: publicJwkSchema.optional() }),
});

/** What version 1 says on each topic. */
export const v1Schemas: Readonly<Record<TopicLeaf, z.ZodType>> = {
  state: stateSchema,
  'challenge-request': challengeRequestSchema,
  challenge: challengesSchema,
  lookup: lookupSchema,
  'lookup-result': lookupResultSchema,
  request: requestSchema,
  receipt: receiptSchema,
  result: resultSchema,
  command: commandSchema,
  'command-result': commandResultSchema,
  settings: settingsMessageSchema,
};
