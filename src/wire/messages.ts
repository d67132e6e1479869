import { z } from 'zod';
import { writtenFacilitySettingsSchema } from './facility-settings.ts';
import { figuresSchema } from './figures.ts';
import { profiles } from './profile.ts';
import { selfTestSchema } from './self-test-report.ts';
import { aboutSchema, logLevels } from './terminal-about.ts';
import { resultFromV1, stateFromV1 } from './v1-names.ts';

/*
 * The payloads of all messages between terminal and agent. How each travels:
 *   state              plain JSON (a hint, never trusted)
 *   challenge-request  JWS by the device         challenge       JWS by the agent
 *   lookup             JWE(facility) of JWS      lookup-result   JWE(device) of JWS by the agent
 *   request            JWE(facility) of a general JWS: signature 1 by card, signature 2 by the device
 *   receipt            JWS by the agent          result          JWE(device) of JWS by the agent
 *   command            JWS by the agent          command-result  JWS by the device
 *   settings           JWS by the agent, retained
 * JWS are compact, ES256, with `typ: uketsuke-<leaf>` and `kid` in the protected header; every signed payload names the
 * facility and the device, so that nothing signed for one lane is of use on another.
 * Instants are ms since 1970 UTC. Binary fields are base64url.
 */

/** Facility, device and agent ids: also names in topics and certificates. */
export const identifier = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const uuid = z.uuid();
/** To the end of 2099: what a clock that was never set says is in it, what no clock says is not. */
export const instantMs = z.number().int().min(0).max(4_102_444_800_000);
/** One line for a person's eyes: no control character, nothing that turns the direction of reading. */
const line = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .regex(/^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u);
/** A state, a reason to wait or a refusal of src/core/update/update.ts; another release may say one that is unknown here. */
const updateWord = z.string().regex(/^[A-Za-z][A-Za-z-]{0,39}$/);
/** Version of software, catalogue or protocol */
const version = z.string().regex(/^[\w.+-]{1,40}$/);
const languageTag = z.string().regex(/^[A-Za-z][A-Za-z-]{1,11}$/);
const compactJws = z
  .string()
  .max(4_000)
  .regex(/^[\w.-]+$/);
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const hash = base64url.length(43);
const code = z
  .string()
  .max(80)
  .regex(/^[a-z0-9-]+\.[a-z0-9-]+$/);
const addressed = { facility: identifier, device: identifier };

/** No settings of a higher version are taken, so that nobody holds any. */
export const highestSettingsVersion = 2_147_483_647;

export const stateSchema = z.preprocess(
  stateFromV1,
  z.strictObject({
    device: identifier,
    lane: z.number().int().min(1).max(99),
    /** Its release, and the wire it speaks: `0.2.0+wire.2` (src/wire/versions.ts) */
    version,
    /** Wire 2 knows `test`, which wire 1 calls `demo` */
    profile: z.enum(profiles),
    status: z.enum(['idle', 'busy', 'out-of-service', 'offline']),
    /** The session's state by name, for the staff page; absent when offline */
    phase: z
      .string()
      .regex(/^[A-Za-z][A-Za-z-]{0,39}$/)
      .optional(),
    /** Present while a visit is going on: what a staff approval must name */
    session: uuid.optional(),
    /** Why it is out of service, or what the visit has come to */
    code: code.optional(),
    catalogueVersion: version,
    since: instantMs,
    /** Version of the settings that hold: below it none is taken. Wire 2. At most 2^40, so that no lie exhausts the count */
    settingsVersion: z
      .number()
      .int()
      .min(0)
      .max(2 ** 40)
      .optional(),
    /** Requests whose patients left without the answer (request ids): shown to staff as late. Wire 2 */
    late: z.array(uuid).max(8).optional(),
    /** The newest request of this terminal that an agent accepted, and when, as its receipt says. Wire 2 */
    lastAccepted: z.strictObject({ requestId: uuid, at: instantMs }).optional(),
    /** Somebody called the staff from this screen and nobody has answered. Wire 2 */
    helpCalledAt: instantMs.optional(),
    /** In which the visit goes on, as the catalogue names it. Wire 2 */
    language: z
      .string()
      .regex(/^[A-Za-z][A-Za-z-]{1,11}$/)
      .optional(),
    /** The last visit that its patient left before anything was received. Wire 2 */
    abandoned: z.strictObject({ session: uuid, at: instantMs, reason: code }).optional(),
    /** Of a terminal with two slots: what its update is about, and how the last one went. Wire 2 */
    update: z
      .strictObject({
        state: updateWord,
        wait: updateWord.optional(),
        next: version.optional(),
        last: z
          .strictObject({
            version: z.string().max(100),
            outcome: z.enum(['installed', 'fell-back', 'refused']),
            reason: updateWord.optional(),
            at: instantMs,
          })
          .optional(),
      })
      .optional(),
    /** The device's certificate for the broker ends soon: `days` is the warning that holds. Wire 2 */
    certificateWarning: z
      .strictObject({
        days: z.union([z.literal(60), z.literal(30), z.literal(14), z.literal(7)]),
        endsAt: instantMs,
      })
      .optional(),
    /** What its orders have come to. Wire 2 */
    about: aboutSchema.optional(),
    /** What it measures of itself, at most a minute old. Wire 2 */
    figures: figuresSchema.optional(),
  }),
);
export type StateMessage = z.infer<typeof stateSchema>;

export const challengeRequestSchema = z.strictObject({
  ...addressed,
  /** Named again in the answer, so that a recorded answer is of no use later */
  challengeRequestId: uuid,
  requestedAt: instantMs,
  /** 0: a sign of life is wanted, no challenge; the agent writes nothing down for it (since wire 2) */
  wanted: z.number().int().min(0).max(16),
});

const challengeSchema = z.strictObject({
  nonce: base64url.length(43),
  agent: identifier,
  issuedAt: instantMs,
  expiresAt: instantMs,
});
export type Challenge = z.infer<typeof challengeSchema>;
export const challengesSchema = z.strictObject({
  ...addressed,
  challengeRequestId: uuid,
  agentTime: instantMs,
  /** The agent has reason to doubt its own clock: what a calendar decides (an expired card) is left to the national service */
  timeDoubted: z.boolean().optional(),
  /** The agent cannot keep what it is told (`agent.…`), or not hand it on (`files.…`) */
  trouble: code.optional(),
  challenges: z.array(challengeSchema).max(16),
  /** The agent has lost its memory (an older journal, a new one): it knows none of its challenges of before this instant */
  voidBefore: instantMs.optional(),
  /** Newest wire that this agent speaks; absent: 1. Told only to terminals that speak more than 1 */
  wire: z.number().int().min(1).max(999).optional(),
});

export const lookupSchema = z.strictObject({
  ...addressed,
  lookupId: uuid,
  session: uuid,
  requestedAt: instantMs,
  /** DER */
  authCertificate: base64url.max(8_000),
});

export const pendingDocumentSchema = z.strictObject({
  id: line(64),
  title: line(80),
  from: line(80),
  date: line(20),
});

/** 同意項目 by its code (TKK 特定健診, YZK 薬剤 …). Only the form: which there are is the catalogue's to say, by date. */
export const consentCode = z.string().regex(/^[A-Z][A-Z0-9]{1,7}$/);
export type ConsentCode = z.infer<typeof consentCode>;

export const lookupResultSchema = z.strictObject({
  ...addressed,
  lookupId: uuid,
  registered: z.enum(['yes', 'no', 'unknown']),
  certificateStatus: z.enum(['good', 'revoked', 'unknown']),
  /** 医療費助成の受給者証 (PMH) */
  medicalSubsidy: z.boolean(),
  /** 特定疾病療養受療証: false = there is none, nothing is asked about it; left out: the service does not say. Wire 2 */
  specificDisease: z.boolean().optional(),
  prescription: z.strictObject({ use: z.number().int().min(0).max(9), timing: z.number().int().min(0).max(9) }),
  pendingDocuments: z.array(pendingDocumentSchema).max(20).optional(),
  maintenance: z.strictObject({ until: instantMs }).optional(),
  /** What this patient signed beforehand (pre-check-in-messages.ts), verified by the agent; sent where the facility has it on. Wire 2 */
  preCheckIn: z
    .strictObject({
      id: uuid,
      consents: z
        .array(z.strictObject({ code: consentCode, given: z.boolean() }))
        .min(1)
        .max(8),
      /** How long it may still be confirmed from now on: to its end, or that of its Japanese day. ms */
      lastsMs: z.number().int().min(1).max(86_400_000),
    })
    .optional(),
});
export type LookupResult = z.infer<typeof lookupResultSchema>;

export const consentSchema = z.strictObject({
  code: consentCode,
  given: z.boolean(),
  at: instantMs,
  catalogueVersion: version,
  /** SHA-256 of the text that was on the screen, in the language it was read in */
  textHash: hash,
  language: languageTag,
});
export type Consent = z.infer<typeof consentSchema>;

/** What staff sign for when they compared the printed photo with the person (目視確認): a JWS by the agent over this. */
export const staffApprovalSchema = z.strictObject({
  ...addressed,
  session: uuid,
  /** staffCode of the approver */
  approver: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,19}$/),
  approvedAt: instantMs,
  expiresAt: instantMs,
});
export type StaffApproval = z.infer<typeof staffApprovalSchema>;
/** Who "approves" a test visit: staff ids are lower case, and a request with this approver is a test or refused. */
export const testApprover = 'TEST';

export const requestSchema = z.strictObject({
  ...addressed,
  /** `test`: a test visit ordered by staff; about nobody, asked of nobody, counted nowhere */
  kind: z.enum(['eligibility', 'registration', 'test']),
  requestId: uuid,
  lane: z.number().int().min(1).max(99),
  session: uuid,
  agent: identifier,
  challenge: base64url.length(43),
  verificationMethod: z.enum(['face', 'pin', 'staff']),
  verificationOutcome: z.literal('verified'),
  /** DER; absent only on the staff path when the chip could not be read */
  authCertificate: base64url.max(8_000).optional(),
  /** Compact JWS of `staffApprovalSchema`, on the staff path only */
  staffApproval: compactJws.optional(),
  certificateState: z.enum(['valid', 'near-expiry', 'grace']).optional(),
  consents: z.array(consentSchema).max(8),
  /** 限度額適用認定証等: given without a question, on the basis of the 2024-10-07 notice */
  limitApplicationBasis: z.literal('notice-2024-10-07').optional(),
  medicalSubsidyUse: z.boolean().optional(),
  prescriptionForm: z.enum(['electronic', 'paper']).optional(),
  approvedDocuments: z.array(line(64)).max(20).optional(),
  /** The pre-check-in that stood on this visit's screen: used with it, whether it was confirmed or changed. Wire 2 */
  preCheckIn: uuid.optional(),
  catalogueVersion: version,
  issuedAt: instantMs,
  expiresAt: instantMs,
});
export type EligibilityRequest = z.infer<typeof requestSchema>;

export const receiptSchema = z.strictObject({
  ...addressed,
  requestId: uuid,
  /** SHA-256 of the signed document as it was sealed (the general JWS, UTF-8) */
  documentHash: hash,
  receivedAt: instantMs,
  agent: identifier,
  verdict: z.enum(['accepted', 'refused']),
  code: code.optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

export const resultSchema = z.preprocess(
  resultFromV1,
  z.strictObject({
    ...addressed,
    requestId: uuid,
    outcome: z.enum(['eligible', 'not-eligible', 'registered', 'failed', 'tested']),
    /** QualificationValidity 1 … 6 */
    qualificationValidity: z.number().int().min(1).max(6).optional(),
    /** Why, of the outcome `failed` */
    code: code.optional(),
  }),
);
export type ResultMessage = z.infer<typeof resultSchema>;

export const commandSchema = z.strictObject({
  ...addressed,
  commandId: uuid,
  nonce: base64url.length(43),
  issuedAt: instantMs,
  expiresAt: instantMs,
  command: z.discriminatedUnion('name', [
    z.strictObject({ name: z.literal('approve-staff-check'), session: uuid, approval: compactJws }),
    z.strictObject({ name: z.literal('cancel-session'), session: uuid }),
    z.strictObject({ name: z.literal('restart'), part: z.enum(['daemon', 'reader', 'face', 'screen']) }),
    /** Staff have seen the call for help and come. Wire 2 */
    z.strictObject({ name: z.literal('answer-help') }),
    /** The approval is good for a request of kind `test` alone */
    z.strictObject({ name: z.literal('test-visit'), session: uuid, approval: compactJws }),
    /**
     * 始業前点検: answered `done` when it begins and once more, with `selfTest`, when it ends. The approval is good for the
     * test request of its line alone. `byHand`: somebody stands at the terminal. Wire 2
     */
    z.strictObject({ name: z.literal('self-test'), session: uuid, approval: compactJws, byHand: z.boolean() }),
    /** The whole machine, not while a visit is going on. Wire 2 */
    z.strictObject({ name: z.literal('reboot') }),
    /** Of the event log, until the terminal begins anew. Wire 2 */
    z.strictObject({ name: z.literal('log-level'), level: z.enum(logLevels) }),
    /** Answered with `bundle`. Wire 2 */
    z.strictObject({ name: z.literal('support-bundle') }),
  ]),
});
export type CommandMessage = z.infer<typeof commandSchema>;

export const commandResultSchema = z.strictObject({
  ...addressed,
  commandId: uuid,
  outcome: z.enum(['done', 'refused']),
  code: code.optional(),
  /** Of a self-test that has ended. Wire 2 */
  selfTest: selfTestSchema.optional(),
  /** Of a support bundle: gzip of one JSON document without a trace of a person (src/log/support-bundle.ts). Wire 2 */
  bundle: base64url.max(64_000).optional(),
});
export type CommandResult = z.infer<typeof commandResultSchema>;

/** A P-256 public key with its RFC 7638 thumbprint as `kid`. */
export const publicJwkSchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: base64url.length(43),
  y: base64url.length(43),
  kid: base64url.length(43),
});
export type PublicJwk = z.infer<typeof publicJwkSchema>;

export const settingsMessageSchema = z.strictObject({
  ...addressed,
  version: z.number().int().min(1).max(highestSettingsVersion),
  validFrom: instantMs,
  facilitySettings: writtenFacilitySettingsSchema,
  facilityKeys: z.strictObject({ current: publicJwkSchema, next: publicJwkSchema.optional() }),
});
export type SettingsMessage = z.infer<typeof settingsMessageSchema>;
