import { failure } from '../../core/failure.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Journal } from './journal.ts';

/** More than a year of 100 visits a day: verdict, hand-over, approvals, settings. */
const keptEntries = 150_000;

type AuditWatch = {
  /** Some 0.3 s for a year's entries: for the night */
  readonly check: () => void;
};

/** Verifies the audit chain and lets the oldest entries go, as docs/privacy.md promises; a broken chain stays as it is. */
export const watchAudit = (journal: Journal, log: EventLog): AuditWatch => {
  return {
    check: () => {
      const { entries, brokenAt } = journal.audit.verify();
      if (brokenAt === null) {
        journal.auditFault = null;
        log.event('audit.verified', { entries });
        journal.atOnce(() => journal.audit.rotate(keptEntries));
        return;
      }
      journal.auditFault = failure('storage.audit-broken', `entry ${brokenAt}`);
      log.event('audit.broken', { number: brokenAt });
    },
  };
};
