import type { PersonalTable } from '../../storage/sql-engine.ts';

/** Every column that is about a person: sealed where deleted rows cannot be wiped. Nothing else of the journal may hold any. */
export const personalTables: readonly PersonalTable[] = [
  { table: 'personal', key: 'request_id', cells: ['content'] },
  { table: 'today', key: 'request_id', cells: ['reference_number', 'notices', 'open_names'] },
  { table: 'bulk_inquiry', key: 'reception_number', cells: ['questions'] },
  { table: 'kept_name', key: 'reference_number', cells: ['content', 'who'], index: true },
  { table: 'certificate_end', key: 'reference_number', cells: ['who'], index: true },
  { table: 'month_key', key: 'month', cells: ['key'] },
  // No patient's: hashes of short codes, and secrets of authenticator apps.
  { table: 'facility_file', key: 'name', cells: ['content'] },
  { table: 'approval_use', key: 'session', cells: ['certificate'] },
];
