import { failure } from '../../core/failure.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { AuditVerdict } from '../../storage/audit-chain.ts';
import type { Journal } from './journal.ts';

/** More than a year of 100 visits a day: verdict, hand-over, approvals, settings. */
const keptEntries = 150_000;

/** Tells what a look at the whole audit chain found; true: it is whole. */
export const heedAudit = (journal: Journal, log: EventLog, { entries, brokenAt }: AuditVerdict): boolean => {
  if (brokenAt === null) {
    journal.auditFault = null;
    log.event('audit.verified', { entries });
    return true;
  }
  journal.auditFault = failure('storage.audit-broken', `entry ${brokenAt}`);
  log.event('audit.broken', { number: brokenAt });
  return false;
};

/** The oldest entries beyond those that docs/privacy.md promises go, so many at once as hold up nobody. */
export const rotateAudit = (journal: Journal, keep = keptEntries): void => {
  if (journal.audit.length > keep) journal.atOnce(() => journal.audit.rotate(keep));
};
