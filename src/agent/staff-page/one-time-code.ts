import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/* One-time codes as authenticator apps make them: RFC 6238, SHA-1, six digits, 30 s. */

const stepMs = 30_000;
const digits = 6;
/** The phone's clock may be off by one step either way. */
const stepsTolerated = 1;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 160 bits, base64url. */
export const newOneTimeSecret = (): string => randomBytes(20).toString('base64url');

export const stepAt = (wallMs: number): number => Math.floor(wallMs / stepMs);

export const oneTimeCode = (secret: string, step: number): string => {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', Buffer.from(secret, 'base64url')).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0x0f) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
};

/** The step whose code this is, later than `after`; null: none, or one that was used. */
export const stepOfCode = (secret: string, code: string, wallMs: number, after: number): number | null => {
  const given = Buffer.from(code);
  const now = stepAt(wallMs);
  for (let step = Math.max(now - stepsTolerated, after + 1); step <= now + stepsTolerated; step += 1) {
    const right = Buffer.from(oneTimeCode(secret, step));
    if (given.length === right.length && timingSafeEqual(given, right)) return step;
  }
  return null;
};

/** What an authenticator app takes as a QR code. */
export const oneTimeAddress = (secret: string, approver: string): string => {
  let bits = '';
  for (const byte of Buffer.from(secret, 'base64url')) bits += byte.toString(2).padStart(8, '0');
  const text = (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('');
  return `otpauth://totp/Uketsuke:${encodeURIComponent(approver)}?secret=${text}&issuer=Uketsuke`;
};
