import { Worker } from 'node:worker_threads';
import { heedAudit, rotateAudit } from '../agent/journal/heed-audit.ts';
import type { Journal } from '../agent/journal/journal.ts';
import { failure } from '../core/failure.ts';
import { dayMs } from '../core/time-units.ts';
import { describeError, type EventLog } from '../log/event-log.ts';
import { noteDoubted } from '../storage/known-whole.ts';
import type { CheckStart, JournalCheck } from './check-journal-messages.ts';

/** Terminals that waited for the agent are served first. ms */
const firstMs = 2_000;

type Parts = {
  readonly journal: Journal;
  readonly log: EventLog;
  /** Tells the staff page */
  readonly changed: () => void;
  /** Ends this process, whose next start mends what was found; absent: it is told alone */
  readonly endNow?: (() => void) | undefined;
};

/**
 * All of the journal is looked at once the agent runs, and daily: its pages, where it is a file, and its audit chain. On a
 * thread of its own, for it takes the longer the more there is. Broken pages end the process: the next start sets the file
 * aside and takes over what can be read of it.
 */
export const watchJournal = (start: CheckStart, { journal, log, changed, endNow }: Parts, afterMs = firstMs) => {
  let worker: Worker | null = null;
  let isWhole = false;
  const heed = ({ damage, audit }: JournalCheck): void => {
    if (damage === null) isWhole = heedAudit(journal, log, audit);
    else if ('file' in start) {
      journal.damage = failure('storage.damaged', `${start.file}: ${damage}`);
      log.event('store.damaged', { code: 'storage.damaged' });
      noteDoubted(start.file);
      endNow?.();
    }
    changed();
  };
  const look = (): void => {
    if (worker !== null) return;
    const made = new Worker(new URL('./check-journal-worker.ts', import.meta.url), { workerData: start });
    worker = made;
    made.unref();
    made.on('message', heed);
    // What could not be looked at now is looked at tomorrow.
    made.on('error', (error) => log.event('process.error', describeError(error)));
    made.on('exit', () => {
      worker = null;
    });
  };
  const first = setTimeout(look, afterMs).unref();
  const daily = setInterval(look, dayMs).unref();
  return {
    /** Lets the oldest entries of a chain that is whole go, some of them: to be called every few seconds */
    rotate: (): void => {
      if (isWhole) rotateAudit(journal);
    },
    close: (): void => {
      clearTimeout(first);
      clearInterval(daily);
      void worker?.terminate();
    },
  };
};
