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
  CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, code TEXT,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  INSERT OR IGNORE INTO audit_head VALUES (1, 0, '');`,
    },
  ],
};
