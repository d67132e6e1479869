import type { Sql } from '../../storage/sql-engine.ts';
import { type SelfTest, selfTestSchema } from '../../wire/self-test-report.ts';

/** 始業前点検 of one terminal. `report` null: begun, and nothing has come of it (yet). */
export type KeptSelfTest = {
  readonly device: string;
  readonly lane: number;
  readonly at: number;
  readonly report: SelfTest | null;
};

/** What was found of each terminal's parts, dated and kept as long as requests are. About machines alone. */
export class SelfTests {
  readonly #sql: Sql;
  readonly #livedMs: () => number;

  constructor(sql: Sql, livedMs: () => number) {
    this.#sql = sql;
    this.#livedMs = livedMs;
  }

  began(device: string, lane: number, at: number): void {
    this.#sql.run('INSERT OR IGNORE INTO self_test VALUES (?, ?, ?, NULL, ?)', device, at, lane, this.#livedMs());
  }

  /** 予備, or broken: put away, its silence is no fault. Turned on again it serves as ever. */
  putAway(device: string, isAway: boolean, at: number): void {
    if (isAway) this.#sql.run('INSERT OR REPLACE INTO put_away VALUES (?, ?)', device, at);
    else this.#sql.run('DELETE FROM put_away WHERE device = ?', device);
  }

  isAway(device: string): boolean {
    return this.#sql.get('SELECT 1 FROM put_away WHERE device = ?', device) !== undefined;
  }

  /** Also what a person has added to it: heard, seen. */
  keep(device: string, at: number, report: SelfTest): void {
    this.#sql.run('UPDATE self_test SET report = ? WHERE device = ? AND at = ?', JSON.stringify(report), device, at);
  }

  newest(device: string): KeptSelfTest | undefined {
    return this.#kept('device = ? ORDER BY at DESC LIMIT 1', device)[0];
  }

  /** Newest first. */
  since(device: string, at: number): readonly KeptSelfTest[] {
    return this.#kept('device = ? AND at >= ? ORDER BY at DESC', device, at);
  }

  #kept(where: string, ...values: (string | number)[]): readonly KeptSelfTest[] {
    return this.#sql.all(`SELECT device, lane, at, report FROM self_test WHERE ${where}`, ...values).map((row) => ({
      device: String(row.device),
      lane: Number(row.lane),
      at: Number(row.at),
      report: row.report === null ? null : selfTestSchema.parse(JSON.parse(String(row.report))),
    }));
  }
}
