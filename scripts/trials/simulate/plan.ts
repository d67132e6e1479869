import { personaIds } from './people.ts';
import { Rng } from './stand-ins/rng.ts';

/** What may go wrong, by name. Where a number is needed (a step, an APDU) the plan has it. */
export const faultNames = [
  'terminal killed',
  'terminal power cut',
  'terminal slow',
  'terminal disk full',
  'terminal disk stalls',
  'terminal clock jumps',
  'agent killed',
  'agent power cut',
  'agent slow',
  'agent paused',
  'agent disk full',
  'agent disk broken',
  'agent fsync stalls',
  'agent clock jumps',
  'folder refuses',
  'service away',
  'service slow',
  'broker loses what it acknowledged',
  'broker dies',
  'broker dies and forgets',
  'messages twice',
  'messages overtake',
  'old messages again',
  'terminal cut off',
  'terminal half-open',
  'terminal cut off and killed as somebody is given up',
  'agent cut off',
  'agent half-open',
  'card pulled and put back',
  'card pulled for good',
  'card swapped',
  'card left behind',
  'staff cancel the visit',
  'reader unplugged',
  'camera frozen',
  'face process dead',
] as const;
export type FaultName = (typeof faultNames)[number];

export type Fault = {
  readonly name: FaultName;
  /** After the patient's arrival */
  readonly atMs: number;
  readonly lastsMs: number;
  /** A step, an APDU, an amount: what the fault makes of it */
  readonly amount: number;
  /** Half of everything has two ways */
  readonly other: boolean;
};

export type VisitPlan = {
  readonly persona: string;
  readonly method: 'face' | 'pin' | 'staff';
  /** So many wrong PINs come before the right one */
  readonly wrongPins: number;
  readonly faceMisses: number;
  /** Where the patient's own choices come from: agree, decline, go back, leave */
  readonly whims: number;
  /** Stays until served, and says yes to everything */
  readonly isPatient: boolean;
  /** ms after the end before */
  readonly comesAfterMs: number;
  readonly faults: readonly Fault[];
};

export type WorldPlan = {
  /** What the world's own chances come from: ids, latencies */
  readonly words: string;
  readonly isReal: boolean;
  /** The agent is of the release before: it speaks the first wire */
  readonly agentIsOld: boolean;
  /** The facility asks everything there is; else what a clinic asks by default */
  readonly asksEverything: boolean;
  readonly visits: readonly VisitPlan[];
};

const second = 1_000;
/** How long each lasts, seconds; where it is no matter of time it is left out */
const lasting: Readonly<Partial<Record<FaultName, readonly [number, number]>>> = {
  'terminal slow': [20, 60],
  'terminal disk full': [2, 60],
  'terminal disk stalls': [2, 30],
  'agent slow': [10, 60],
  'agent paused': [1, 45],
  'agent disk full': [2, 60],
  'agent disk broken': [2, 60],
  'folder refuses': [1, 60],
  'service away': [2, 90],
  'service slow': [10, 60],
  'broker loses what it acknowledged': [2, 40],
  'broker dies': [1, 40],
  'broker dies and forgets': [1, 40],
  'messages twice': [10, 60],
  'messages overtake': [10, 60],
  'terminal cut off': [1, 60],
  'terminal half-open': [1, 60],
  'terminal cut off and killed as somebody is given up': [60, 240],
  'agent cut off': [1, 60],
  'agent half-open': [1, 60],
  'reader unplugged': [1, 20],
  'camera frozen': [2, 60],
  'face process dead': [1, 20],
};

const planFault = (rng: Rng): Fault => {
  const name = rng.pick(faultNames);
  const [least, most] = lasting[name] ?? [0, 0];
  const isLong = rng.chance(0.03) && (name.includes('cut off') || name.includes('paused'));
  return {
    name,
    atMs: rng.between(0, 11 * second),
    lastsMs: isLong ? rng.between(620, 900) * second : rng.between(least, most) * second,
    amount: rng.bits(),
    other: rng.chance(0.5),
  };
};

const planVisit = (rng: Rng): VisitPlan => {
  const persona = rng.chance(0.88) ? rng.pick(personaIds.often) : rng.pick(personaIds.seldom);
  const chosen = rng.fraction();
  const faults = rng.chance(0.5) ? 0 : rng.chance(0.7) ? 1 : rng.between(2, 3);
  return {
    persona,
    method: chosen < 0.5 ? 'face' : chosen < 0.92 ? 'pin' : 'staff',
    wrongPins: rng.chance(0.9) ? 0 : rng.between(1, 2),
    faceMisses: rng.chance(0.9) ? 0 : rng.between(1, 3),
    whims: rng.bits(),
    isPatient: false,
    comesAfterMs: rng.between(200, 3_000),
    faults: Array.from({ length: faults }, () => planFault(rng)),
  };
};

/** As the last of every world: nothing is wrong any more, and a patient is served. */
const lastVisit: VisitPlan = {
  ...{ persona: 'taro', method: 'face', wrongPins: 0, faceMisses: 0, whims: 0, isPatient: true },
  ...{ comesAfterMs: 1_000, faults: [] },
};

/** Visits of one world: one after the other at one counter, with the same disks. */
export const visitsOfWorld = 40;

export const planWorld = (seed: string, world: number, visits: number = visitsOfWorld): WorldPlan => {
  const words = `${seed}/${world}`;
  const rng = new Rng(`plan ${words}`);
  const agentIsOld = rng.chance(0.05);
  const asksEverything = rng.chance(0.3);
  const planned = Array.from({ length: visits - 1 }, () => planVisit(rng));
  // The release before tells its time with challenges alone: a clock that is set right is heard of with the next of them.
  const bearable = ({ name }: Fault): boolean => !agentIsOld || name !== 'agent clock jumps';
  return {
    ...{ words, isReal: world % 200 === 150, agentIsOld, asksEverything },
    visits: [...planned.map((visit) => ({ ...visit, faults: visit.faults.filter(bearable) })), lastVisit],
  };
};
