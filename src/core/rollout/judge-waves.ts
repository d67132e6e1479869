import type { RolloutKind, RolloutOrder } from '../../wire/rollout-papers.ts';

/*
 * The operator's side of a rollout: from what the facilities' figures say, whether the next wave may begin, whether all of it
 * must stop, or who is waited for. It never lifts a stop.
 */

/** What the chain's Prometheus knows of a facility now. One without a word is not there. */
export type FacilityHealth = {
  /** Number of the order that is in force there, by kind */
  readonly taken: Readonly<Partial<Record<RolloutKind, number>>>;
  /** The same, once its terminals have followed: what they run has been seen to serve */
  readonly done: Readonly<Partial<Record<RolloutKind, number>>>;
  /** It keeps its own */
  readonly kept: readonly RolloutKind[];
  /** Critical alerts that ring, each by its name and what it is about */
  readonly alerts: readonly string[];
  /** Releases that a terminal of it has gone back from, or could not write */
  readonly failed: readonly string[];
};
export type Health = ReadonlyMap<string, FacilityHealth>;

export type WaveLimits = {
  /** Of a wave, so many may be unwell. Percent, rounded down: 5 of 15 is nobody */
  readonly unwellPercent: number;
  /** Of a wave, so many must have carried it out before the next begins. Percent, rounded up */
  readonly donePercent: number;
  /** A facility without a word for so long is unwell. ms */
  readonly silentMs: number;
  /** A wave is watched for so long before the next begins. ms */
  readonly watchMs: number;
};

/** What the operator's machine remembers of an order, over its looks. Instants: ms since 1970 UTC. `wave`: number of the one that is open */
type WaveMemory = {
  readonly wave: number;
  /** Since when that wave may take it */
  readonly openedAt: number;
  /** When each facility told something last */
  readonly heardAt: Readonly<Record<string, number>>;
  /** Alerts that rang in each facility when its wave began: not this order's doing */
  readonly before: Readonly<Record<string, readonly string[]>>;
  /** Whom a person has let pass as they are, when they signed that it goes on */
  readonly excused: readonly string[];
};

type UnwellReason = 'silent' | 'alert' | 'fell-back';
export type Unwell = {
  readonly facility: string;
  /** Number of its wave, 1 … */
  readonly wave: number;
  readonly reason: UnwellReason;
  /** The alert, or the release */
  readonly what: string;
};

export type WaveVerdict =
  | { readonly step: 'stop'; readonly unwell: readonly Unwell[] }
  /** `for`: who has not carried it out yet; `soak`: only time is missing; `silent`: too many of the next wave say nothing */
  | { readonly step: 'wait'; readonly why: 'for' | 'soak' | 'silent'; readonly facilities: readonly string[] }
  /** `wave`: the number of the one that may begin */
  | { readonly step: 'open'; readonly wave: number }
  | { readonly step: 'finished' };

const percentOf = (percent: number, of: number): number => (percent * of) / 100;

export const freshMemory: WaveMemory = { wave: 0, openedAt: 0, heardAt: {}, before: {}, excused: [] };

/** What is known after one more look. */
export const withHeard = (memory: WaveMemory, health: Health, nowMs: number): WaveMemory => ({
  ...memory,
  heardAt: { ...memory.heardAt, ...Object.fromEntries([...health.keys()].map((facility) => [facility, nowMs])) },
});

/** Silence is counted from when its wave began: before, nobody was asked. */
const silentForMs = ({ heardAt, openedAt }: WaveMemory, facility: string, nowMs: number): number => {
  const heard = Object.hasOwn(heardAt, facility) ? heardAt[facility] : undefined;
  return nowMs - Math.max(heard ?? openedAt, openedAt);
};

const unwellOf = (
  { kind, number, version }: RolloutOrder,
  facility: string,
  by: { memory: WaveMemory; health: Health; limits: WaveLimits; nowMs: number },
): Omit<Unwell, 'facility' | 'wave'> | null => {
  const { memory, health, limits, nowMs } = by;
  if (memory.excused.includes(facility)) return null;
  const told = health.get(facility);
  if (told === undefined)
    return silentForMs(memory, facility, nowMs) > limits.silentMs ? { reason: 'silent', what: '' } : null;
  if (version !== undefined && told.failed.includes(version)) return { reason: 'fell-back', what: version };
  // What has not taken it cannot be ill of it; a wave is open for as long as this is so.
  if (told.taken[kind] !== number) return null;
  const alert = told.alerts.find((each) => memory.before[facility]?.includes(each) !== true);
  return alert === undefined ? null : { reason: 'alert', what: alert };
};

/**
 * The next step of an order. Every wave that is open is looked at, the earlier ones, too. Example: wave 2 of 15 facilities, 5 %
 * may be unwell (nobody, then), and in one of them a terminal has gone back to its former release → stop.
 */
export const judgeWaves = (
  order: RolloutOrder,
  memory: WaveMemory,
  health: Health,
  limits: WaveLimits,
  nowMs: number,
): WaveVerdict => {
  const by = { memory, health, limits, nowMs };
  const open = order.waves.slice(0, memory.wave);
  const tooMany = open.flatMap((wave, index) => {
    const unwell = wave.flatMap((facility): Unwell[] => {
      const found = unwellOf(order, facility, by);
      return found === null ? [] : [{ facility, wave: index + 1, ...found }];
    });
    return unwell.length > Math.floor(percentOf(limits.unwellPercent, wave.length)) ? unwell : [];
  });
  if (tooMany.length > 0) return { step: 'stop', unwell: tooMany };
  const current = open.at(-1) ?? [];
  const counted = current.filter((facility) => health.get(facility)?.kept.includes(order.kind) !== true);
  const missing = counted.filter((facility) => health.get(facility)?.done[order.kind] !== order.number);
  const needed = Math.ceil(percentOf(limits.donePercent, counted.length));
  if (counted.length - missing.length < needed) return { step: 'wait', why: 'for', facilities: missing };
  if (memory.wave > 0 && nowMs - memory.openedAt < limits.watchMs) return { step: 'wait', why: 'soak', facilities: [] };
  const next = order.waves[memory.wave];
  if (next === undefined) return { step: 'finished' };
  const silent = next.filter((facility) => !health.has(facility));
  if (silent.length > Math.floor(percentOf(limits.unwellPercent, next.length)))
    return { step: 'wait', why: 'silent', facilities: silent };
  return { step: 'open', wave: memory.wave + 1 };
};

/** Once that wave is open. */
export const withOpened = (
  memory: WaveMemory,
  { waves }: RolloutOrder,
  wave: number,
  health: Health,
  nowMs: number,
): WaveMemory => {
  const opened = waves.slice(wave - 1, wave).flat();
  const rang = opened.map((facility) => [facility, health.get(facility)?.alerts ?? []] as const);
  return { ...memory, wave, openedAt: nowMs, before: { ...memory.before, ...Object.fromEntries(rang) } };
};
