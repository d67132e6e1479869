import type { EventLog } from '../log/event-log.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { Journal } from './journal/journal.ts';

type Parts = {
  readonly journal: Pick<Journal, 'place' | 'noteMishap'>;
  readonly disk: Pick<DiskWatch, 'failed'>;
  readonly log: EventLog;
  readonly wallMs: () => number;
  /** This process must end now, and begin again with the file that lies there. */
  readonly endNow: () => void;
};

/**
 * Whether the journal was taken away, to be looked at every second: it is put back, and the process ends. Where nothing can
 * be put there (a full disk, a folder that refuses) it is tried again each time, and told once.
 */
export const keepJournalPlace = ({ journal, disk, log, wallMs, endNow }: Parts): (() => void) => {
  let isNoted = false;
  let isRefused = false;
  return () => {
    const { place } = journal;
    if (place === null) return;
    if (!place.isTakenAway()) {
      // Brought back by hand, too: another taking away is another mishap.
      isNoted = false;
      isRefused = false;
      return;
    }
    try {
      // Before it is copied: what is put back says so itself.
      if (!isNoted) journal.noteMishap('storage.taken-away', wallMs());
      isNoted = true;
      log.event('store.put-back', { code: place.putBack().code });
    } catch (error) {
      if (!isRefused) disk.failed(error);
      isRefused = true;
      return;
    }
    endNow();
  };
};
