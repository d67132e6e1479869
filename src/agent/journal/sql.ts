import type { SQLInputValue } from 'node:sqlite';

/** The journal's database as its parts use it: prepared once, within whatever transaction is open. */
export type Sql = {
  readonly get: (sql: string, ...values: SQLInputValue[]) => Record<string, unknown> | undefined;
  readonly all: (sql: string, ...values: SQLInputValue[]) => Record<string, unknown>[];
  /** Answers how many rows changed */
  readonly run: (sql: string, ...values: SQLInputValue[]) => number;
};
