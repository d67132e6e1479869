import { dayMs } from '../../core/time-units.ts';
import type { NameElement } from '../../protocol/oqs/oqs-names.ts';
import type { LastingRows } from './lasting-rows.ts';

/** Names as staff entered them, by element of the file. Personal. */
export type NamesByElement = Partial<Record<NameElement, string>>;

/** A name nobody has used for so long is of nobody who comes here. ms of the journal's age */
const lifeMs = 400 * dayMs;

/** The right characters of names that the service sends with ●, by 照会番号: entered once, used until nobody comes any more. */
export class KeptNames {
  readonly #rows: LastingRows;

  constructor(rows: LastingRows) {
    this.#rows = rows;
  }

  of(referenceNumber: string): NamesByElement {
    const key = this.#key(referenceNumber);
    const cell = this.#rows.get('SELECT content FROM kept_name WHERE reference_number = ?', key)?.content;
    const content = typeof cell === 'string' ? this.#rows.cells.open(`kept_name.content ${key}`, cell) : null;
    return content === null ? {} : (JSON.parse(content) as NamesByElement);
  }

  /** Names of other elements stay. */
  keep(referenceNumber: string, names: NamesByElement): void {
    const { atOnce, cells, livedMs, write } = this.#rows;
    atOnce(() => {
      const content = JSON.stringify({ ...this.of(referenceNumber), ...names });
      const key = this.#key(referenceNumber);
      write(
        'INSERT OR REPLACE INTO kept_name (reference_number, content, delete_at, who) VALUES (?, ?, ?, ?)',
        ...[key, cells.seal(`kept_name.content ${key}`, content), livedMs() + lifeMs],
        cells.seal(`kept_name.who ${key}`, referenceNumber),
      );
    });
    this.#rows.deleted();
  }

  used(referenceNumber: string): void {
    this.#rows.run(
      'UPDATE kept_name SET delete_at = ? WHERE reference_number = ?',
      ...[this.#rows.livedMs() + lifeMs, this.#key(referenceNumber)],
    );
  }

  /** true = there was one */
  forget(referenceNumber: string): boolean {
    this.#rows.deleted();
    return this.#rows.run('DELETE FROM kept_name WHERE reference_number = ?', this.#key(referenceNumber)) > 0;
  }

  #key(referenceNumber: string): string {
    return this.#rows.cells.index('kept_name', referenceNumber);
  }

  get count(): number {
    return Number(this.#rows.get('SELECT count(*) AS times FROM kept_name')?.times);
  }
}
