import { dayMs } from '../../core/time-units.ts';
import type { LastingRows } from './lasting-rows.ts';

/** Whose certificate ends within months, or has ended: by 照会番号, from the day the card was seen. ms since 1970 */
type CertificateEnd = { readonly referenceNumber: string; readonly endsAt: number; readonly seenAt: number };

/** Known for the month of the visit and the one after, so that whoever comes once a month is told twice. ms */
const lifeMs = 62 * dayMs;

/** The clinic's list of whose card wants renewing. Only of those who came, and only where the end is near. */
export class CertificateEnds {
  readonly #rows: LastingRows;

  constructor(rows: LastingRows) {
    this.#rows = rows;
  }

  /** `endsAt` null: this card is good for long, renewed perhaps. */
  see(referenceNumber: string, endsAt: number | null, seenAt: number): void {
    const { atOnce, cells, deleted, livedMs, write } = this.#rows;
    atOnce(() => {
      const key = cells.index('certificate_end', referenceNumber);
      if (endsAt === null) {
        write('DELETE FROM certificate_end WHERE reference_number = ?', key);
        return deleted();
      }
      write(
        'INSERT OR REPLACE INTO certificate_end (reference_number, ends_at, seen_at, delete_at, who) VALUES (?, ?, ?, ?, ?)',
        ...[key, Math.round(endsAt), Math.round(seenAt), livedMs() + lifeMs],
        cells.seal(`certificate_end.who ${key}`, referenceNumber),
      );
    });
  }

  /** How many `since` gives, without the trouble of reading each */
  countSince(seenFromMs: number): number {
    return Number(
      this.#rows.get('SELECT count(*) AS times FROM certificate_end WHERE seen_at >= ?', seenFromMs)?.times,
    );
  }

  /** Those seen from an instant on, the earliest end first */
  since(seenFromMs: number): CertificateEnd[] {
    const rows = this.#rows.all(
      `SELECT reference_number AS key, who, ends_at AS endsAt, seen_at AS seenAt FROM certificate_end
        WHERE seen_at >= ? ORDER BY ends_at, reference_number`,
      seenFromMs,
    );
    return rows.flatMap(({ key, who, endsAt, seenAt }) => {
      // Of a release that kept the number itself alone.
      const opened = who === null ? key : this.#rows.cells.open(`certificate_end.who ${key}`, String(who));
      return opened === null
        ? []
        : [{ referenceNumber: String(opened), endsAt: Number(endsAt), seenAt: Number(seenAt) }];
    });
  }
}
