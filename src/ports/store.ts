import type { Result } from '../core/result.ts';

/** One signed and sealed request on its way. Both instants by the agent's clock, whatever ours says. */
export type OutboxRow = {
  readonly requestId: string;
  readonly session: string;
  readonly documentHash: string;
  readonly sealed: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /**
   * Of a visit whose patient waits for the answer: which card it was (`visitMark`), '' where the chip could not be read.
   * Such a row stays until the visit has ended, so that a terminal that restarts goes on with it. null: nobody waits
   */
  readonly visitMark: string | null;
};

/** What is written down for good: event by name, never a person. */
export type AuditEntry = {
  readonly atMs: number;
  readonly event:
    | 'request-stored'
    | 'receipt-accepted'
    | 'receipt-refused'
    | 'request-expired'
    | 'request-cancelled'
    | 'settings-raised';
  readonly subject: string;
  readonly code?: string;
};

/** The terminal's small durable memory. Every ok means: on the disk. Failures are `delivery.store-failed`, nothing half done. */
export interface Store {
  /** The row and its audit entry in one transaction. The same request id again is a no-op. */
  addOutboxRow(row: OutboxRow): Promise<Result<void>>;
  outboxRows(): Promise<Result<readonly OutboxRow[]>>;
  /** false = there was no such row (any more); the audit entry is written only when there was. */
  removeOutboxRow(requestId: string, entry: AuditEntry): Promise<Result<boolean>>;
  /** The settings message as it was signed; a version below the stored one is not written and answers false. */
  raiseSettings(version: number, document: Uint8Array, atMs: number): Promise<Result<boolean>>;
  /** The newest request whose receipt said accepted, of some hundreds of visits back, and when; null: none */
  lastAccepted(): Promise<Result<{ readonly requestId: string; readonly at: number } | null>>;
  readSettings(): Promise<Result<{ readonly version: number; readonly document: Uint8Array } | null>>;
  /** true = seen for the first time. Forgotten once `expiresAtMs` lies before `nowMs`. */
  rememberNonce(nonce: string, expiresAtMs: number, nowMs: number): Promise<Result<boolean>>;
  /** Checks the hash chain: null = whole, else the number of the first entry that does not fit. */
  firstBrokenAuditEntry(): Promise<Result<number | null>>;
  close(): Promise<void>;
}
