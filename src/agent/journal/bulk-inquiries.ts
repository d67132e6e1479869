import type { BulkInquiry } from './journal-schema.ts';
import type { LastingRows } from './lasting-rows.ts';

const placeOf = (receptionNumber: string): string => `bulk_inquiry.questions ${receptionNumber}`;

/** 一括照会 in work. */
export class BulkInquiries {
  readonly #rows: LastingRows;

  constructor(rows: LastingRows) {
    this.#rows = rows;
  }

  /** Answers the number under which it stands: the one given before where this source was received already. In a transaction */
  receive({ receptionNumber, source, questions }: BulkInquiry, lifeMs: number): string {
    const { cells, get, run, livedMs } = this.#rows;
    run(
      'INSERT OR IGNORE INTO bulk_inquiry (reception_number, source, questions, delete_at) VALUES (?, ?, ?, ?)',
      ...[receptionNumber, source, cells.seal(placeOf(receptionNumber), questions), livedMs() + lifeMs],
    );
    return String(get('SELECT reception_number FROM bulk_inquiry WHERE source = ?', source)?.reception_number);
  }

  get all(): BulkInquiry[] {
    const rows = this.#rows.all('SELECT reception_number AS receptionNumber, source, questions FROM bulk_inquiry');
    return (rows as BulkInquiry[]).flatMap((row) => {
      const questions = this.#rows.cells.open(placeOf(row.receptionNumber), row.questions);
      return questions === null ? [] : [{ ...row, questions }];
    });
  }

  forget(receptionNumber: string): void {
    this.#rows.run('DELETE FROM bulk_inquiry WHERE reception_number = ?', receptionNumber);
    this.#rows.deleted();
  }
}
