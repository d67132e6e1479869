import { z } from 'zod';
import { identifier, instantMs, publicJwkSchema } from './messages.ts';

/*
 * What the operator of a chain publishes, one file for each kind: `release.rollout.json` and the like, with the content beside
 * it. Nobody is asked for anything and nothing of ours listens: each facility's agent looks into a folder.
 *
 *   order    by the chain's key, a person's: who is in which wave, and exactly what is rolled out
 *   word     by the watch's key, which the order names, again and again: up to which wave it may be taken now, or that it is
 *            stopped. It is of use for an hour or two, so that an old copy of the folder lets nobody go on
 *   consent  by the chain's key, a person's: lifts one stop. Without it no word of the watch goes on after a stop
 *
 * Each is a compact JWS (src/trust/seal.ts), `typ: uketsuke-rollout-…`. Instants are ms since 1970 UTC.
 */

/** `keys`: the next keys of the chain itself */
export const rolloutKinds = ['release', 'settings', 'keys'] as const;
export type RolloutKind = (typeof rolloutKinds)[number];

/** SHA-256 of a file, hex */
const fileHash = z.string().regex(/^[0-9a-f]{64}$/);
/** SHA-256 of the order's JWS, base64url */
const orderHash = z.string().regex(/^[\w-]{43}$/);
const count = z.number().int().min(1).max(2_147_483_647);
const life = { issuedAt: instantMs, expiresAt: instantMs };
const about = { chain: identifier, kind: z.enum(rolloutKinds), number: count };

export const rolloutContentSchema = z.strictObject({
  /** What it is called where it is taken: `uketsuke-terminal-arm64.raucb`. It is published under its hash */
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/),
  sha256: fileHash,
  bytes: z.number().int().min(1).max(16_000_000_000),
});

export type RolloutContent = z.infer<typeof rolloutContentSchema>;

export const rolloutOrderSchema = z.strictObject({
  ...about,
  ...life,
  /** Of a release */
  version: z
    .string()
    .regex(/^\d[0-9A-Za-z.+-]{0,39}$/)
    .optional(),
  content: z.array(rolloutContentSchema).min(1).max(8),
  /** Facilities by name; the first wave goes first */
  waves: z.array(z.array(identifier).min(1)).min(1).max(99),
  /** Wave 2 begins no sooner than so long after the order was issued, wave 3 twice so long …, whatever the watch says */
  paceMs: z.number().int().min(0).max(2_592_000_000),
  /** Whose words count for it */
  watch: publicJwkSchema,
});
export type RolloutOrder = z.infer<typeof rolloutOrderSchema>;

export const rolloutWordSchema = z.strictObject({
  ...about,
  ...life,
  order: orderHash,
  /** Rises with each word of an order */
  sequence: count,
  /** Waves 1 … this may take it; 0: nobody yet */
  wave: z.number().int().min(0).max(99),
  /** Nobody may take it, whatever the wave */
  stopped: z.boolean(),
});
export type RolloutWord = z.infer<typeof rolloutWordSchema>;

export const rolloutConsentSchema = z.strictObject({
  ...about,
  ...life,
  order: orderHash,
  /** The word that stopped, and every one before it */
  lifts: count,
});
export type RolloutConsent = z.infer<typeof rolloutConsentSchema>;

const paper = z
  .string()
  .max(1_000_000)
  .regex(/^[\w.-]+$/);
/** The published file: replaced whole. A copy that is cut is no JSON. */
export const rolloutFileSchema = z.strictObject({ order: paper, word: paper, consent: paper.nullable() });
export type RolloutFile = z.infer<typeof rolloutFileSchema>;

export const rolloutFileOf = (kind: RolloutKind): string => `${kind}.rollout.json`;

/** Whom a facility believes; its agent's directory holds it, a technician laid it there. Two keys while one follows the other */
export const rolloutTrustSchema = z.strictObject({ chain: identifier, keys: z.array(publicJwkSchema).min(1).max(4) });
export type RolloutTrust = z.infer<typeof rolloutTrustSchema>;
