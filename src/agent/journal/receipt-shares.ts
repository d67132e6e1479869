import type { Sql } from '../../storage/sql-engine.ts';

/** What the portal tells of a month (yyyyMM): people, each once, and レセプト. No more people than レセプト. */
export type ReceiptShare = { readonly month: string; readonly people: number; readonly receipts: number };

/** The share that the 加算 ask for, as staff typed it in from the portal. Counts alone. */
export class ReceiptShares {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  set({ month, people, receipts }: ReceiptShare, at: number): void {
    this.#sql.run(
      'INSERT OR REPLACE INTO receipt_share (month, people, receipts, entered_at) VALUES (?, ?, ?, ?)',
      ...[month, people, receipts, at],
    );
  }

  /** Oldest first. */
  get all(): readonly ReceiptShare[] {
    return this.#sql.all('SELECT month, people, receipts FROM receipt_share ORDER BY month') as never;
  }
}
