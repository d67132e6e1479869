import type { Sql } from '../../storage/sql-engine.ts';

type Abandoned = {
  readonly session: string;
  readonly device: string;
  readonly lane: number;
  readonly at: number;
  readonly reason: string;
};
type HelpCall = {
  readonly device: string;
  readonly lane: number;
  readonly calledAt: number;
  /** null: nobody has answered */
  readonly answeredAt: number | null;
};

/** What happened at a terminal without a request: visits that were left, calls for help. Nothing of a person is in it. */
export class DeskEvents {
  readonly #sql: Sql;
  readonly #livedMs: () => number;

  constructor(sql: Sql, livedMs: () => number) {
    this.#sql = sql;
    this.#livedMs = livedMs;
  }

  /** A visit that its patient left before anything was received; told again, it is the same one. true = it was news */
  abandoned({ session, device, lane, at, reason }: Abandoned): boolean {
    const values = [session, device, lane, at, reason, this.#livedMs()];
    return this.#sql.run('INSERT OR IGNORE INTO abandoned VALUES (?, ?, ?, ?, ?, ?)', ...values) > 0;
  }

  /** Without those whose request came after all: a disk that hung kept it when its patient had already gone. */
  abandonedSince(at: number): Abandoned[] {
    return this.#sql.all(
      `SELECT session, device, lane, at, reason FROM abandoned WHERE at >= ? AND NOT EXISTS
        (SELECT 1 FROM request WHERE request.session = abandoned.session AND request.kind = 'eligibility') ORDER BY at`,
      at,
    ) as never;
  }

  called(device: string, lane: number, calledAt: number): boolean {
    const values = [device, calledAt, lane, null, this.#livedMs()];
    return this.#sql.run('INSERT OR IGNORE INTO help_call VALUES (?, ?, ?, ?, ?)', ...values) > 0;
  }

  /** This call alone: one that nobody answered stays one that nobody answered. Said again, the first time counts. */
  answered(device: string, calledAt: number, at: number): void {
    this.#sql.run(
      'UPDATE help_call SET answered_at = ? WHERE device = ? AND called_at = ? AND answered_at IS NULL',
      ...[at, device, calledAt],
    );
  }

  callsSince(at: number): HelpCall[] {
    return this.#sql.all(
      `SELECT device, lane, called_at AS calledAt, answered_at AS answeredAt FROM help_call
        WHERE called_at >= ? ORDER BY called_at`,
      at,
    ) as never;
  }
}
