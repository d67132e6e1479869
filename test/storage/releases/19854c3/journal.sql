PRAGMA user_version = 0;
PRAGMA application_id = 0;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE challenge (
    nonce TEXT PRIMARY KEY, device TEXT NOT NULL, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, request_id TEXT
  ) STRICT;
INSERT INTO challenge VALUES('c1','front-1',1795143600000,1795144200000,'request-1');
INSERT INTO challenge VALUES('c2','front-1',1795143600000,1795144200000,'request-2');
INSERT INTO challenge VALUES('c3','front-1',1795143600000,1795144200000,'request-3');
INSERT INTO challenge VALUES('c4','front-1',1795143600000,1795144200000,NULL);
CREATE TABLE request (
    request_id TEXT PRIMARY KEY, device TEXT NOT NULL, lane INTEGER NOT NULL, session TEXT NOT NULL, kind TEXT NOT NULL,
    document_hash TEXT NOT NULL, method TEXT NOT NULL, consents TEXT NOT NULL, verdict TEXT NOT NULL, code TEXT,
    issued_at INTEGER NOT NULL, received_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    outcome TEXT, outcome_code TEXT, qualification_validity INTEGER, finished_at INTEGER, file TEXT, handed_over_at INTEGER
  ) STRICT;
INSERT INTO request VALUES('request-1','front-1',1,'session-1','eligibility','hash-1','pin','{"TKK":true,"YZK":false}','accepted',NULL,1795143600000,1795143600001,1795144200000,'eligible',NULL,1,1795143600300,'OQSsiquc01res_face_1.xml',1795143600400);
INSERT INTO request VALUES('request-2','front-1',1,'session-2','eligibility','hash-2','pin','{"TKK":true,"YZK":false}','accepted',NULL,1795143600000,1795143600002,1795144200000,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO request VALUES('request-3','front-1',1,'session-3','eligibility','hash-3','pin','{"TKK":true,"YZK":false}','refused','card.certificate-revoked',1795143600000,1795143600003,1795144200000,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE personal (
    request_id TEXT PRIMARY KEY, content TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
INSERT INTO personal VALUES('request-2','{"authCertificate":"AAAA","certificateSerial":"5E570002","limitApplication":true,"approvedDocuments":[],"consentTimes":[{"code":"TKK","given":true,"at":1795143600000}]}',1795230000000);
CREATE TABLE today (
    request_id TEXT PRIMARY KEY, reference_number TEXT NOT NULL, notices TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
INSERT INTO today VALUES('request-1','100001','["several-qualifications"]',1795186799999);
CREATE TABLE bulk_inquiry (
    reception_number TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, questions TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
INSERT INTO bulk_inquiry VALUES('900001','OQSmuquc01req_1.xml','[]',1795230000000);
CREATE TABLE month_key (month TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT;
INSERT INTO month_key VALUES('202611',X'c625fb6fd7d3afb956aa742b9773838cc1b63f06aab01f9af949a9de21cb9322');
CREATE TABLE card_seen (month TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (month, who)) STRICT;
INSERT INTO card_seen VALUES('202611','sYIzvw4Z3IdSYi0F48gVQJOkMAHnI-xGLk7aEctSkJI');
CREATE TABLE rejection (
    day TEXT NOT NULL, device TEXT NOT NULL, code TEXT NOT NULL, times INTEGER NOT NULL, last_at INTEGER NOT NULL,
    PRIMARY KEY (day, device, code)
  ) STRICT;
INSERT INTO rejection VALUES('20261120','front-1','message.malformed',2,1795143600000);
CREATE TABLE approval (
    session TEXT NOT NULL, device TEXT NOT NULL, approver TEXT NOT NULL, approved_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, PRIMARY KEY (session, approved_at)
  ) STRICT;
INSERT INTO approval VALUES('session-2','front-1','nurse-1',1795143600000,1795144200000);
CREATE TABLE usage (
    month TEXT NOT NULL, lane INTEGER NOT NULL, kind TEXT NOT NULL, method TEXT NOT NULL, outcome TEXT NOT NULL,
    code TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (month, lane, kind, method, outcome, code)
  ) STRICT;
INSERT INTO usage VALUES('202611',1,'eligibility','pin','refused','card.certificate-revoked',1);
INSERT INTO usage VALUES('202611',1,'eligibility','pin','eligible','',1);
CREATE TABLE official_usage (
    month TEXT PRIMARY KEY, card_uses INTEGER NOT NULL, confirmations INTEGER NOT NULL, entered_at INTEGER NOT NULL
  ) STRICT;
INSERT INTO official_usage VALUES('202610',600,900,1795143600000);
CREATE TABLE disaster_area (since INTEGER PRIMARY KEY) STRICT;
INSERT INTO disaster_area VALUES(1795143600000);
CREATE TABLE settings_version (
    facility TEXT PRIMARY KEY, version INTEGER NOT NULL, content_hash TEXT NOT NULL
  ) STRICT;
INSERT INTO settings_version VALUES('clinic-0001',3,'three');
CREATE INDEX request_received_at ON request (received_at);
COMMIT;
