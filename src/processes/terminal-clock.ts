import { X509Certificate } from 'node:crypto';
import { isClockSynchronised } from '../../drivers/host/clock-synchronisation.ts';
import { createTrustedClock } from '../../drivers/host/confirmed-trusted-clock.ts';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { readLastTime, writeLastTime } from '../../drivers/host/time-file.ts';
import { hourMs } from '../core/time-units.ts';
import type { EventLog } from '../log/event-log.ts';
import type { TrustedClock } from '../ports/trusted-clock.ts';
import { releasedMs } from './release.ts';

/** A floor that is this old serves as well; flash has better things to write. ms */
const rememberEveryMs = hourMs;

const logged = (clock: TrustedClock, log: EventLog): TrustedClock => {
  clock.subscribe(({ certainty, fault, machineAheadMs }) => {
    if (fault !== null) log.event('clock.wrong', { fault, offMs: Math.abs(machineAheadMs) });
    else if (certainty === 'confirmed') log.event('clock.confirmed', {});
  });
  return clock;
};

/** The time at the counter: the machine's until the agent has signed one. */
export const startTerminalClock = (log: EventLog): TrustedClock =>
  logged(
    createTrustedClock({ clock: createSystemClock(), floorsMs: [releasedMs], isSynchronised: isClockSynchronised }),
    log,
  );

type LinkClockOptions = {
  /** PEM; the true time is not before the day on which it was issued */
  readonly certificate: string;
  /** Where the last confirmed time stands over a restart */
  readonly timeFile: string;
  readonly log: EventLog;
};

/** The link's: what the terminal tells it of the agent's time, and before that never earlier than what was known. */
export const startLinkClock = ({ certificate, timeFile, log }: LinkClockOptions): TrustedClock => {
  const trusted = logged(
    createTrustedClock({
      clock: createSystemClock(),
      floorsMs: [releasedMs, new X509Certificate(certificate).validFromDate.getTime()],
      lastSeenMs: readLastTime(timeFile),
      isSynchronised: isClockSynchronised,
    }),
    log,
  );
  let rememberedMs = 0;
  trusted.subscribe(({ certainty, wallMs }) => {
    if (certainty !== 'confirmed' || wallMs - rememberedMs < rememberEveryMs) return;
    rememberedMs = wallMs;
    writeLastTime(timeFile, wallMs);
  });
  return trusted;
};
