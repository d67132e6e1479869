/**
 * What may be believed of a clock. Boards have no clock chip, clinics' networks no internet: a machine's wall clock may
 * stand at its build date, years ahead, or be set while it runs. Nothing is deleted, expired or refused on its word alone.
 *
 * `steadyMs` is a clock that nobody sets and that goes on while the machine sleeps (since power-on). Ages are counted on
 * it; the wall clock only dates.
 */
export type MachineTime = { readonly steadyMs: number; readonly wallMs: number };

/**
 * How far a time may be trusted:
 *   confirmed  the other end signed it, or the system says that its clock is synchronised
 *   plausible  within its bounds, and nothing contradicts it: good for dating and for what a calendar decides, not for deleting
 *   doubted    contradicted: it dates, as nothing better is there, and decides nothing
 */
export type Certainty = 'confirmed' | 'plausible' | 'doubted';

/**
 * Why a clock is called wrong.
 *   behind     before the floor (the software was made later, or a later time has been seen), or behind the signed word
 *   ahead      beyond the ceiling, or ahead of the signed word
 *   moved      set by somebody while the machine ran
 *   long-away  further from the last time seen than any closing of a clinic
 */
export type ClockFault = 'behind' | 'ahead' | 'moved' | 'long-away';

export type TimeKnowledge = {
  /** The true time is not before this: build date, certificates' first day, last time seen. ms since 1970 UTC */
  readonly floorMs: number;
  /** Nor after this: no device of ours is still in use then */
  readonly ceilingMs: number;
  /** Seen in an earlier run while the clock was not doubted; null: never, or it does not matter at this end */
  readonly lastSeenMs: number | null;
  /** Both clocks when this run began */
  readonly began: MachineTime;
  /** The other end's signed time, and when it was heard; its sender may doubt its own clock */
  readonly word: (MachineTime & { readonly doubted: boolean }) | null;
  /** The system says that somebody on the network sets its clock (NTP) */
  readonly synchronised: boolean;
};

export type TrustedTime = {
  readonly wallMs: number;
  /** The true time is not before this, whatever else is doubted. */
  readonly floorMs: number;
  readonly certainty: Certainty;
  readonly fault: ClockFault | null;
  /** By how much the machine's own clock is ahead of `wallMs`. ms */
  readonly machineAheadMs: number;
};

/** Two clocks that differ by less than this agree: people set clocks to the minute. ms */
export const toleratedMs = 5 * 60_000;
/** New Year and Golden Week close a clinic for ten days at most. ms */
const longestClosingMs = 14 * 24 * 60 * 60_000;
/** A device is in use for this long after its software was made. ms */
export const longestLifeMs = 15 * 365 * 24 * 60 * 60_000;

const told = (
  { machine, floorMs }: { readonly machine: MachineTime; readonly floorMs: number },
  wallMs: number,
  certainty: Certainty,
  fault: ClockFault | null,
): TrustedTime => ({
  wallMs: Math.round(wallMs),
  floorMs,
  certainty,
  fault,
  machineAheadMs: Math.round(machine.wallMs - wallMs),
});

/**
 * The best time that can be told now. Examples: a board that wakes in 1970 with a build date of 2026 tells 2026 and goes on
 * from there, doubted, until the clinic's agent has signed a time; a clock that is set a year ahead while the machine runs
 * changes nothing but the fault that is named; one that the system calls synchronised is believed as it stands.
 */
export const tellTime = (known: TimeKnowledge, machine: MachineTime): TrustedTime => {
  const { floorMs, ceilingMs, lastSeenMs, began, word, synchronised } = known;
  const by = { machine, floorMs };
  const within = machine.wallMs >= floorMs && machine.wallMs <= ceilingMs;
  if (word !== null) {
    const wallMs = word.wallMs + (machine.steadyMs - word.steadyMs);
    const aheadMs = machine.wallMs - wallMs;
    const fault = Math.abs(aheadMs) <= toleratedMs ? null : aheadMs < 0 ? 'behind' : 'ahead';
    return told(by, wallMs, word.doubted ? 'doubted' : 'confirmed', fault);
  }
  if (synchronised && within) return told(by, machine.wallMs, 'confirmed', null);
  const ranMs = machine.steadyMs - began.steadyMs;
  const beganWithin = began.wallMs >= floorMs && began.wallMs <= ceilingMs;
  // Of a clock that was wrong at first and is right now nothing is known but the bounds: its own time is taken again.
  if (!beganWithin && !within)
    return told(by, floorMs + ranMs, 'doubted', machine.wallMs < floorMs ? 'behind' : 'ahead');
  if (!beganWithin) return told(by, machine.wallMs, 'doubted', 'moved');
  const movedMs = machine.wallMs - (began.wallMs + ranMs);
  if (Math.abs(movedMs) > toleratedMs) return told(by, began.wallMs + ranMs, 'doubted', 'moved');
  if (lastSeenMs !== null && began.wallMs - lastSeenMs > longestClosingMs)
    return told(by, machine.wallMs, 'doubted', 'long-away');
  return told(by, machine.wallMs, 'plausible', null);
};

/** Whether a calendar date may refuse somebody: a card's certificate, a document's end. */
export const mayRefuseByDate = ({ certainty }: Pick<TrustedTime, 'certainty'>): boolean => certainty !== 'doubted';

/**
 * What of the time between two runs counts towards an age: the machine was off, so its steady clock knows nothing of it,
 * and two wall clocks measure it only where both were confirmed. ms
 */
export const timeOffMs = (
  lastSeen: { readonly wallMs: number; readonly confirmed: boolean } | null,
  began: { readonly wallMs: number; readonly confirmed: boolean },
): number =>
  lastSeen === null || !lastSeen.confirmed || !began.confirmed ? 0 : Math.max(0, began.wallMs - lastSeen.wallMs);
