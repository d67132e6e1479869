import { addMonths, compareDates, daysInMonth, endOfJapanDay, japanDate } from '../japan-time.ts';
import type { CertificateState, TokenKind } from './identity.ts';

/** The last instant at which a card's expired certificate still gives 資格情報: the end of the third month after its own. */
export const graceEndMs = (notAfterMs: number): number => {
  const month = addMonths({ ...japanDate(notAfterMs), day: 1 }, 3);
  return endOfJapanDay({ ...month, day: daysInMonth(month.year, month.month) });
};

/**
 * The state of the 利用者証明用電子証明書 at an instant, counted in Japanese days.
 *
 * `near-expiry` from the day three months before the last one; `grace` until three months after the end of the month
 * of expiry (expired 15 January → until 30 April 23:59:59 JST); a phone's certificate has no grace.
 * Worked example: notAfter 31 May 23:59:59 JST → near-expiry from 28 (29) February, grace to 31 August, dead from 1 September.
 */
export const certificateStateAt = (kind: TokenKind, notAfterMs: number, wallMs: number): CertificateState => {
  // notAfter names a whole second, which still belongs to the certificate's life.
  if (wallMs >= notAfterMs + 1000)
    return kind === 'my-number-card' && wallMs <= graceEndMs(notAfterMs) ? 'grace' : 'dead';
  const noticeFrom = addMonths(japanDate(notAfterMs), -3);
  return compareDates(japanDate(wallMs), noticeFrom) >= 0 ? 'near-expiry' : 'valid';
};
