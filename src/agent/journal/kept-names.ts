import type { NameElement } from '../../protocol/oqs/oqs-names.ts';
import type { Sql } from './sql.ts';

/** Names as staff entered them, by element of the file. Personal. */
export type NamesByElement = Partial<Record<NameElement, string>>;

/** A name nobody has used for so long is of nobody who comes here. ms of the journal's age */
const lifeMs = 400 * 24 * 60 * 60_000;

/** The right characters of names that the service sends with ●, by 照会番号: entered once, used until nobody comes any more. */
export class KeptNames {
  readonly #sql: Sql;
  readonly #livedMs: () => number;
  readonly #deleted: () => void;

  /** `deleted`: a name has gone, and must go from the write-ahead log, too */
  constructor(sql: Sql, livedMs: () => number, deleted: () => void) {
    this.#sql = sql;
    this.#livedMs = livedMs;
    this.#deleted = deleted;
  }

  of(referenceNumber: string): NamesByElement {
    const content = this.#sql.get('SELECT content FROM kept_name WHERE reference_number = ?', referenceNumber)?.content;
    return typeof content === 'string' ? (JSON.parse(content) as NamesByElement) : {};
  }

  /** Names of other elements stay. */
  keep(referenceNumber: string, names: NamesByElement): void {
    const content = JSON.stringify({ ...this.of(referenceNumber), ...names });
    this.#sql.run(
      'INSERT OR REPLACE INTO kept_name (reference_number, content, delete_at) VALUES (?, ?, ?)',
      ...[referenceNumber, content, this.#livedMs() + lifeMs],
    );
    this.#deleted();
  }

  used(referenceNumber: string): void {
    this.#sql.run(
      'UPDATE kept_name SET delete_at = ? WHERE reference_number = ?',
      ...[this.#livedMs() + lifeMs, referenceNumber],
    );
  }

  /** true = there was one */
  forget(referenceNumber: string): boolean {
    this.#deleted();
    return this.#sql.run('DELETE FROM kept_name WHERE reference_number = ?', referenceNumber) > 0;
  }

  get count(): number {
    return Number(this.#sql.get('SELECT count(*) AS times FROM kept_name')?.times ?? 0);
  }
}
