import { createHash } from 'node:crypto';

/**
 * Which card a visit is of, for a terminal that restarts in the midst of it: salted with the visit's random session, so
 * that two visits of one card have nothing in common, and gone with the visit's row.
 */
export const visitMark = (session: string, authCertificate: Uint8Array): string =>
  createHash('sha256').update(session).update(authCertificate).digest('base64url');
