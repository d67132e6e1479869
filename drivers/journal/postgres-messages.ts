import type { MessagePort } from 'node:worker_threads';
import type { SqlRow, SqlValue } from '../../src/storage/sql-engine.ts';

/** `name`: prepared under it */
export type Statement = { readonly name: string; readonly text: string; readonly values: readonly SqlValue[] };

export type Question = {
  readonly id: number;
  /** Begins the transaction to which all of it belongs; what its last statement answers is told, too. null: it has begun, or there is none */
  readonly begin: string | null;
  /** Carried out before it, in this order; the first that fails is the answer */
  readonly before: readonly Statement[];
  /** null: several statements without values */
  readonly name: string | null;
  readonly text: string;
  readonly values: readonly SqlValue[];
  /** It belongs to what was begun before it */
  readonly needsSession: boolean;
};
export type Answer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly rows: SqlRow[];
      readonly changes: number;
      readonly began: SqlRow | null;
    }
  /** `code`: of PostgreSQL (SQLSTATE) or of the system */
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };
export type WorkerStart = {
  readonly port: MessagePort;
  readonly answered: Int32Array;
  readonly address: string;
  readonly setUp: string;
  readonly connectMs: number;
};
