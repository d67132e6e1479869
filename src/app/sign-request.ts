import type { VisualEvidence } from '../core/identity.ts';
import type { Result } from '../core/result.ts';
import type { EligibilityRequest } from '../protocol/messages.ts';

/** What makes signature 1. `sign` takes the SHA-256 of the JWS signing input and answers 256 bytes (RS256). */
export type CardEvidence =
  /** JPKI auth key after VERIFY: `80 2A 00 80` */
  | { readonly method: 'pin'; readonly authCertificate: Uint8Array; readonly sign: CardSign }
  /** 券面 key, no PIN: `80 2A 00 00` */
  | { readonly method: 'face'; readonly visual: VisualEvidence; readonly sign: CardSign }
  /** No card signature: the agent's signed approval is in the payload. */
  | { readonly method: 'staff' };
export type CardSign = (sha256: Uint8Array) => Promise<Result<Uint8Array>>;

export type SignedRequest = {
  readonly requestId: string;
  readonly session: string;
  /** By the agent's clock */
  readonly expiresAt: number;
  /** SHA-256 of the general JWS, base64url */
  readonly documentHash: string;
  readonly sealed: Uint8Array;
};
export type { EligibilityRequest };
