import type { Sql } from '../../storage/sql-engine.ts';

/** Wrong codes of one approver in a row, and until when the next are refused unread (ms since 1970). */
export type Guesses = {
  readonly approver: string;
  readonly wrong: number;
  readonly lockedUntil: number;
  readonly lastAt: number;
};

/** What was guessed at staff codes; on the disk before the code is looked at, so that a restart gives no new tries. */
export class CodeGuesses {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** `key`: approver and salt, so that a new code begins anew. */
  of(key: string): Guesses | undefined {
    return this.#sql.get(
      'SELECT approver, wrong, locked_until AS lockedUntil, last_at AS lastAt FROM code_guess WHERE key = ?',
      key,
    ) as Guesses | undefined;
  }

  set(key: string, { approver, wrong, lockedUntil, lastAt }: Guesses): void {
    this.#sql.run(
      'INSERT OR REPLACE INTO code_guess VALUES (?, ?, ?, ?, ?)',
      ...[key, approver, wrong, lockedUntil, lastAt],
    );
  }

  forget(key: string): void {
    this.#sql.run('DELETE FROM code_guess WHERE key = ?', key);
  }

  /** The last one-time code of an approver's second factor that was used: none counts twice. */
  lastOneTimeCode(key: string): number {
    return Number(this.#sql.get('SELECT counter FROM one_time_code WHERE key = ?', key)?.counter ?? 0);
  }

  useOneTimeCode(key: string, counter: number): void {
    this.#sql.run('INSERT OR REPLACE INTO one_time_code VALUES (?, ?)', key, counter);
  }
}
