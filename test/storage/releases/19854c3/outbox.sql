PRAGMA user_version = 0;
PRAGMA application_id = 0;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE outbox (
    request_id TEXT PRIMARY KEY, session TEXT NOT NULL, document_hash TEXT NOT NULL, sealed BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
  ) STRICT;
INSERT INTO outbox VALUES('request-2','session-2','hash-2',X'020203',1795143600002,1795144200000);
INSERT INTO outbox VALUES('request-3','session-3','hash-3',X'030203',1795143600003,1795144200000);
CREATE TABLE settings (
    only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, document BLOB NOT NULL
  ) STRICT;
INSERT INTO settings VALUES(1,3,X'0707');
CREATE TABLE nonce (nonce TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO nonce VALUES('nonce-1',1795143615000);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, subject TEXT NOT NULL, code TEXT,
    hash TEXT NOT NULL
  ) STRICT;
INSERT INTO audit VALUES(1,1795143600001,'request-stored','request-1',NULL,'CPrZUyOSbuOOjrkOfDq33fSs6RmAlpchx9AFtoOQw7E');
INSERT INTO audit VALUES(2,1795143600002,'request-stored','request-2',NULL,'mobLToo_NkxTo1oNpfuByCvWMf1mzq9bcrE17fR-jn0');
INSERT INTO audit VALUES(3,1795143600003,'request-stored','request-3',NULL,'z6Zoc-5mYMedcYLeVxR-uXkhUAEMErRkd1DUNNLFew4');
INSERT INTO audit VALUES(4,1795143600050,'receipt-accepted','request-1',NULL,'TrK2AcCDvqFf5rTRfJkrCzdECHsZHySm0khzVOnb4GI');
INSERT INTO audit VALUES(5,1795143600060,'settings-raised','3',NULL,'GNeNxSbT63hnrC0yeQT05szRzCNuorLf44kHTdTkOEQ');
CREATE TABLE audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL, hash TEXT NOT NULL
  ) STRICT;
INSERT INTO audit_head VALUES(1,5,'GNeNxSbT63hnrC0yeQT05szRzCNuorLf44kHTdTkOEQ');
COMMIT;
