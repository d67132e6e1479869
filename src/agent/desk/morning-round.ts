import { japanDate, minuteOfDay, startOfJapanDay } from '../../core/japan-time.ts';
import type { AgentContext } from '../agent-context.ts';
import type { KeptSelfTest } from '../journal/self-tests.ts';
import type { AgentDesk } from './agent-desk.ts';

/** A terminal that could not begin, or not end (a patient was there, no answer) is asked again after this. ms */
const againMs = 5 * 60_000;

/** A test that a patient cut short has found out nothing; one of which nothing was heard, neither. */
const wentThrough = ({ report }: KeptSelfTest): boolean =>
  report?.parts.every(({ outcome }) => outcome !== 'skipped') === true;

/** HH:MM in Japan → the instant of today, by the day of `wallMs`. */
const instantOf = (time: string, wallMs: number): number =>
  startOfJapanDay(japanDate(wallMs)) + minuteOfDay(time) * 60_000;

/**
 * 始業前点検 without anybody: each terminal once a day from `time` on, as soon as it is there and serves nobody. Nothing sounds
 * (unless a microphone listens), nothing shines, a card ends it at once. Call it now and then, and when something changed.
 */
export const createMorningRound = (context: AgentContext, desk: AgentDesk, time: string): (() => void) => {
  const asked = new Map<string, number>();
  return () => {
    // Of several agents one asks: the one that gives out the settings.
    if (!context.options.publishesSettings) return;
    const { wallMs, monotonicMs } = context.clock.now();
    const due = instantOf(time, wallMs);
    if (wallMs < due) return;
    for (const { device, state } of desk.lanes.all()) {
      // A release on trial has its own test request to pass, and little time.
      const isOut = state?.status === 'out-of-service' && state.code !== 'update.on-trial';
      const isFree = state?.status === 'idle' || isOut;
      if (!isFree || desk.lanes.wireOf(device) < 2) continue;
      if (monotonicMs - (asked.get(device) ?? Number.NEGATIVE_INFINITY) < againMs) continue;
      if (context.journal.selfTests.since(device, due).some(wentThrough)) continue;
      asked.set(device, monotonicMs);
      void desk.commands.selfTest(device, false).catch(() => {});
    }
  };
};
