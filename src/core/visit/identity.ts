import type { FailureCode } from '../failure.ts';

/** What lies on the bed, told by the label of the token, never by its ATR. */
export type TokenKind = 'my-number-card' | 'android-phone' | 'iphone';

/**
 * The state of the 利用者証明用電子証明書 by Japanese time. `grace`: expired, until 3 months after the end of the month
 * of expiry: 資格情報 only, no consents. Revocation is the agent's to tell and is not one of these.
 */
export type CertificateState = 'valid' | 'near-expiry' | 'grace' | 'dead';

/** The four-digit PIN (利用者証明用). `absent`: a 顔認証マイナンバーカード. */
export type PinState =
  | { readonly state: 'usable'; readonly triesLeft: number }
  | { readonly state: 'blocked' }
  | { readonly state: 'absent' };

/**
 * What proves, without the photo, that J-LIS signed the photo that was compared: TLVs of the 券面事項確認 AP as they
 * stand on the card, SHA-256 of (DF25‖DF26) and of DF27, the signature DF28 and the CV certificate of EF 0004.
 */
export type VisualEvidence = {
  readonly df22: Uint8Array;
  readonly df23: Uint8Array;
  readonly df24: Uint8Array;
  readonly hash2: Uint8Array;
  readonly hash3: Uint8Array;
  readonly df28: Uint8Array;
  readonly cvCertificate: Uint8Array;
};

/** Whether the chip gave its photo; the photo itself stays with the reading code and the face process. */
export type VisualState =
  /** The chip is being read on while the visit goes ahead. */
  | { readonly state: 'reading' }
  | { readonly state: 'read'; readonly evidence: VisualEvidence; readonly photoHash: string }
  | { readonly state: 'unavailable'; readonly code: FailureCode };

/** Who the card says it is. Lives as long as the session of this one insertion. */
export type Identity = {
  readonly kind: TokenKind;
  /** DER */
  readonly authCertificate: Uint8Array;
  /** Upper-case hexadecimal */
  readonly certificateSerial: string;
  readonly certificateNotAfterMs: number;
  readonly certificateState: CertificateState;
  readonly pin: PinState;
  readonly visual: VisualState;
};
