import type { AuditVerdict } from '../storage/audit-chain.ts';

/** `damage`: SQLite's words for broken pages; null: none, or no file of ours */
export type JournalCheck = { readonly damage: string | null; readonly audit: AuditVerdict };
/** The file, or the database with what opens it */
export type CheckStart =
  | { readonly file: string }
  | { readonly address: string; readonly directory: string; readonly facility: string };
