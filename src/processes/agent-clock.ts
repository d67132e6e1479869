import { X509Certificate } from 'node:crypto';
import { isClockSynchronised } from '../../drivers/host/clock-synchronisation.ts';
import { createTrustedClock } from '../../drivers/host/confirmed-trusted-clock.ts';
import type { Journal } from '../agent/journal/journal.ts';
import { keepTimeSeen } from '../agent/journal/keep-time-seen.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { TrustedClock } from '../ports/trusted-clock.ts';
import { releasedMs } from './release.ts';

type AgentClockOptions = {
  readonly clock: Clock;
  readonly journal: Journal;
  /** The agent's own, PEM: the true time is not before the day on which it was issued */
  readonly certificate: string;
  readonly log: EventLog;
  readonly changed: () => void;
  /** Whether the system sets its clock from the network; another answer in tests */
  readonly isSynchronised?: () => Promise<boolean>;
};

/**
 * The time at the clinic's end, which every terminal takes its own from: the machine's, as long as nothing contradicts it.
 * The journal keeps the last time seen, and learns how long the machine was off where two confirmed clocks say so.
 */
export const startAgentClock = (options: AgentClockOptions): TrustedClock => {
  const { clock, journal, certificate, log, changed, isSynchronised = isClockSynchronised } = options;
  const look = keepTimeSeen(journal, () => trusted.time);
  const trusted = createTrustedClock({
    clock,
    floorsMs: [releasedMs, new X509Certificate(certificate).validFromDate.getTime()],
    lastSeenMs: journal.timeSeen?.wallMs ?? null,
    doubtsLongGaps: true,
    isSynchronised,
  });
  const unsubscribe = trusted.subscribe(({ certainty, fault, machineAheadMs }) => {
    if (fault !== null) log.event('clock.wrong', { fault, offMs: Math.abs(machineAheadMs) });
    else if (certainty === 'confirmed') log.event('clock.confirmed', {});
    look();
    changed();
  });
  const round = setInterval(look, 10_000);
  return {
    get time() {
      return trusted.time;
    },
    now: () => trusted.now(),
    wakeAt: (monotonicMs, wake) => trusted.wakeAt(monotonicMs, wake),
    machineWallMs: () => trusted.machineWallMs(),
    hear: (wallMs, doubted) => trusted.hear(wallMs, doubted),
    subscribe: (listener) => trusted.subscribe(listener),
    close: () => {
      clearInterval(round);
      look();
      unsubscribe();
      trusted.close();
    },
  };
};
