import { auditStartTable, auditTables } from '../../src/storage/audit-chain.ts';
import type { StoreKind } from '../../src/storage/store-kind.ts';

/** Every form the terminal's store has had. A new column is a new step at the end; a step that was released never changes. */
export const outboxKind: StoreKind = {
  name: 'outbox',
  applicationId: 0x55_4b_54_4f,
  unversionedTables: ['outbox', 'settings', 'audit'],
  migrations: [
    {
      version: 1,
      name: 'as released at 19854c3, whose files say no version',
      sql: `
  CREATE TABLE IF NOT EXISTS outbox (
    request_id TEXT PRIMARY KEY, session TEXT NOT NULL, document_hash TEXT NOT NULL, sealed BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS settings (
    only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, document BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
${auditTables}`,
    },
    { version: 2, name: 'the audit chain may begin later than at its first entry', sql: auditStartTable },
    {
      version: 3,
      name: 'which card a request is of, so that a visit goes on after a restart',
      sql: 'ALTER TABLE outbox ADD COLUMN visit_mark TEXT;',
    },
  ],
};
