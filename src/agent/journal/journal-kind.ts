import { auditStartTable, auditTables } from '../../storage/audit-chain.ts';
import type { StoreKind } from '../../storage/store-kind.ts';

/**
 * Every form the agent's journal has had. Only `personal`, `today`, `bulk_inquiry`, `kept_name` and
 * `certificate_end` hold anything about a person, each with the instant at which it must be gone; everything else is about
 * requests, devices and counts. docs/privacy.md says how long what stays. A new column is a new step at the end; a step
 * that was released never changes.
 */
export const journalKind: StoreKind = {
  name: 'journal',
  applicationId: 0x55_4b_54_4a,
  unversionedTables: ['challenge', 'request', 'personal'],
  migrations: [
    {
      version: 1,
      name: 'as released at 19854c3, whose files say no version',
      sql: `
  CREATE TABLE IF NOT EXISTS challenge (
    nonce TEXT PRIMARY KEY, device TEXT NOT NULL, issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, request_id TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS request (
    request_id TEXT PRIMARY KEY, device TEXT NOT NULL, lane INTEGER NOT NULL, session TEXT NOT NULL, kind TEXT NOT NULL,
    document_hash TEXT NOT NULL, method TEXT NOT NULL, consents TEXT NOT NULL, verdict TEXT NOT NULL, code TEXT,
    issued_at INTEGER NOT NULL, received_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    outcome TEXT, outcome_code TEXT, qualification_validity INTEGER, finished_at INTEGER, file TEXT, handed_over_at INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS request_received_at ON request (received_at);
  CREATE TABLE IF NOT EXISTS personal (
    request_id TEXT PRIMARY KEY, content TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS today (
    request_id TEXT PRIMARY KEY, reference_number TEXT NOT NULL, notices TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS bulk_inquiry (
    reception_number TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, questions TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS month_key (month TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS card_seen (month TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (month, who)) STRICT;
  CREATE TABLE IF NOT EXISTS rejection (
    day TEXT NOT NULL, device TEXT NOT NULL, code TEXT NOT NULL, times INTEGER NOT NULL, last_at INTEGER NOT NULL,
    PRIMARY KEY (day, device, code)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS approval (
    session TEXT NOT NULL, device TEXT NOT NULL, approver TEXT NOT NULL, approved_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, PRIMARY KEY (session, approved_at)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS usage (
    month TEXT NOT NULL, lane INTEGER NOT NULL, kind TEXT NOT NULL, method TEXT NOT NULL, outcome TEXT NOT NULL,
    code TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (month, lane, kind, method, outcome, code)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS official_usage (
    month TEXT PRIMARY KEY, card_uses INTEGER NOT NULL, confirmations INTEGER NOT NULL, entered_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS disaster_area (since INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS settings_version (
    facility TEXT PRIMARY KEY, version INTEGER NOT NULL, content_hash TEXT NOT NULL
  ) STRICT;`,
    },
    {
      version: 2,
      name: 'the sweep and the stock of challenges find their rows by an index; settings have a version for each terminal',
      sql: `
  CREATE INDEX challenge_expires_at ON challenge (expires_at);
  CREATE INDEX challenge_open ON challenge (device) WHERE request_id IS NULL;
  CREATE TABLE settings_issue (
    device TEXT PRIMARY KEY, version INTEGER NOT NULL, content_hash TEXT NOT NULL, valid_from INTEGER NOT NULL
  ) STRICT;`,
    },
    {
      version: 3,
      name: 'what an approval is good for, and wrong staff codes, outlive a restart',
      sql: `
  CREATE INDEX request_session ON request (session);
  CREATE TABLE IF NOT EXISTS approval_use (
    session TEXT PRIMARY KEY, certificate TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS code_guess (
    key TEXT PRIMARY KEY, approver TEXT NOT NULL, wrong INTEGER NOT NULL, locked_until INTEGER NOT NULL,
    last_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS one_time_code (key TEXT PRIMARY KEY, counter INTEGER NOT NULL) STRICT;`,
    },
    {
      version: 4,
      name: 'ages are counted in hours the journal was kept, not by a calendar; what was given up is not handed over',
      // `lived_at`, `delete_at`: the journal's own age. Whatever an earlier release dated gets its whole time again.
      sql: `
  CREATE TABLE age (
    only INTEGER PRIMARY KEY CHECK (only = 1), lived_ms INTEGER NOT NULL, seen_at INTEGER, seen_confirmed INTEGER NOT NULL
  ) STRICT;
  ALTER TABLE challenge ADD COLUMN lived_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE request ADD COLUMN lived_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE request ADD COLUMN given_up_at INTEGER;
  ALTER TABLE month_key ADD COLUMN lived_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rejection ADD COLUMN lived_at INTEGER NOT NULL DEFAULT 0;
  DROP INDEX IF EXISTS challenge_expires_at;
  CREATE INDEX challenge_lived_at ON challenge (lived_at);
  CREATE INDEX request_lived_at ON request (lived_at);
  UPDATE personal SET delete_at = 86400000;
  UPDATE today SET delete_at = 86400000;
  UPDATE bulk_inquiry SET delete_at = 86400000;
  UPDATE approval_use SET delete_at = 86400000;`,
    },
    {
      version: 5,
      name: 'what was accepted, refused, approved and handed over stands in a hash chain',
      sql: auditTables + auditStartTable,
    },
    {
      version: 6,
      name: 'which patients had left before their answer came',
      sql: 'ALTER TABLE request ADD COLUMN late_at INTEGER;',
    },
    {
      version: 7,
      name: 'a refusal and a failed outcome say why in one column: no request has both',
      sql: `
  UPDATE request SET code = outcome_code WHERE code IS NULL;
  ALTER TABLE request DROP COLUMN outcome_code;`,
    },
    {
      version: 8,
      name: 'the right characters of names sent with ●; whose certificate ends soon, and in which state it was shown',
      sql: `
  CREATE TABLE kept_name (
    reference_number TEXT PRIMARY KEY, content TEXT NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE certificate_end (
    reference_number TEXT PRIMARY KEY, ends_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, delete_at INTEGER NOT NULL
  ) STRICT;
  ALTER TABLE today ADD COLUMN open_names TEXT;
  ALTER TABLE request ADD COLUMN certificate TEXT;`,
    },
    {
      version: 9,
      name: 'visits that were left before anything was received, and calls for help with the time until their answer',
      sql: `
  CREATE TABLE abandoned (
    session TEXT PRIMARY KEY, device TEXT NOT NULL, lane INTEGER NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
    lived_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX abandoned_at ON abandoned (at);
  CREATE TABLE help_call (
    device TEXT NOT NULL, called_at INTEGER NOT NULL, lane INTEGER NOT NULL, answered_at INTEGER, lived_at INTEGER NOT NULL,
    PRIMARY KEY (device, called_at)
  ) STRICT;`,
    },
    {
      version: 10,
      name: 'the share by レセプト, as typed in from the portal',
      sql: `
  CREATE TABLE receipt_share (
    month TEXT PRIMARY KEY, people INTEGER NOT NULL, receipts INTEGER NOT NULL, entered_at INTEGER NOT NULL
  ) STRICT;`,
    },
    {
      version: 11,
      name: 'what the test before opening found of each terminal',
      sql: `
  CREATE TABLE self_test (
    device TEXT NOT NULL, at INTEGER NOT NULL, lane INTEGER NOT NULL, report TEXT, lived_at INTEGER NOT NULL,
    PRIMARY KEY (device, at)
  ) STRICT;`,
    },
    {
      version: 12,
      name: 'terminals that are put away: their silence is no fault',
      sql: 'CREATE TABLE put_away (device TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT;',
    },
    {
      version: 13,
      name: 'where a row about a person is found by an index of the 照会番号, the number itself stands beside it',
      sql: `
  ALTER TABLE kept_name ADD COLUMN who TEXT;
  ALTER TABLE certificate_end ADD COLUMN who TEXT;`,
    },
    {
      version: 14,
      name: 'several agents on one journal: which of them is there, and which works on what',
      sql: `
  CREATE TABLE agent_seen (agent TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
  CREATE TABLE lease (
    request_id TEXT PRIMARY KEY, agent TEXT NOT NULL, fence INTEGER NOT NULL, marked INTEGER, file TEXT
  ) STRICT;`,
    },
    {
      version: 15,
      name: 'approvers and settings of the facility, for all of its agents',
      sql: `
  CREATE TABLE facility_file (
    name TEXT PRIMARY KEY, content TEXT NOT NULL, version INTEGER NOT NULL
  ) STRICT;`,
    },
    {
      version: 16,
      name: 'what is kept for weeks and years has its time found by an index: each sweep looked through all of it',
      sql: `
  CREATE INDEX abandoned_lived_at ON abandoned (lived_at);
  CREATE INDEX help_call_lived_at ON help_call (lived_at);
  CREATE INDEX help_call_called_at ON help_call (called_at);
  CREATE INDEX self_test_lived_at ON self_test (lived_at);
  CREATE INDEX kept_name_delete_at ON kept_name (delete_at);
  CREATE INDEX certificate_end_delete_at ON certificate_end (delete_at);
  CREATE INDEX certificate_end_seen_at ON certificate_end (seen_at);`,
    },
  ],
};
