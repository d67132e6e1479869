import type { Bed, FaceBooth } from './counter.ts';
import type { Fault, FaultName } from './plan.ts';
import type { ServiceMood } from './simulated-agent.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import type { Machine } from './simulated-machine.ts';
import type { Patient } from './simulated-patient.ts';
import type { StoredRows } from './simulated-store.ts';
import type { Kernel, Life } from './stand-ins/kernel.ts';
import type { SimulatedDisk } from './stand-ins/machine-disk.ts';

/** What of a world a fault may lay hands on. */
type Stage = {
  readonly kernel: Kernel;
  readonly broker: SimulatedBroker;
  readonly disk: SimulatedDisk;
  readonly stored: StoredRows;
  readonly service: ServiceMood;
  readonly terminalMachine: Machine;
  readonly agentMachine: Machine;
  readonly bed: Bed;
  readonly booth: FaceBooth;
  readonly patient: Patient | null;
  readonly terminalLife: Life | null;
  readonly agentLife: Life | null;
  /** The terminal is about to say that somebody left without the answer; told once */
  onGivenUp: (() => void) | null;
  /** Still to be mended, and when that is */
  readonly mending: Map<FaultName, number>;
  terminalDied(backAfterMs: number): void;
  agentDied(backAfterMs: number): void;
  swapCard(amount: number, isQuick: boolean): void;
  cancelByStaff(): void;
};

const second = 1_000;
const year = 365 * 86_400 * second;

/** A fault that lasts: `mend` ends it. */
type Lasting = { readonly begin: (world: Stage, fault: Fault) => void; readonly mend: (world: Stage) => void };

/** A process dies within its next steps outside: at any of them, before or after it took effect. */
const killWithin = (world: Stage, life: Life | null, fault: Fault, died: () => void): void => {
  if (life === null || life.dead || life.killAt !== null) return;
  if (fault.other) {
    // Half of them around a request, where most is at stake: from its way on until all that follows is written.
    const aim = (): void => dieWithin(world, life, fault, 30, died);
    world.broker.onRequest = aim;
    // Nobody sends one: then at any other step.
    world.kernel.after(6 * second, null, () => {
      if (world.broker.onRequest !== aim) return;
      world.broker.onRequest = null;
      aim();
    });
    return;
  }
  dieWithin(world, life, fault, 90, died);
};

const dieWithin = (world: Stage, life: Life, fault: Fault, within: number, died: () => void): void => {
  if (life.dead || life.killAt !== null) return;
  life.killAt = { step: life.steps + 1 + (fault.amount % within), after: (fault.amount >>> 16) % 2 === 0, died };
  // A process that does nothing any more is killed where it stands.
  world.kernel.after(8 * second, null, () => {
    if (!life.dead && life.killAt !== null) world.kernel.die(life);
  });
};
const backAfterMs = ({ amount }: Fault): number => 800 + (amount % 4_000);

/** A clock that is set: hours, or ten years, either way. ms */
const jumpOf = ({ amount, other }: Fault): number =>
  (amount % 2 === 0 ? 10 * year : (1 + (amount % 48)) * 3_600 * second) * (other ? 1 : -1);

const once: Readonly<Partial<Record<FaultName, (world: Stage, fault: Fault) => void>>> = {
  'terminal killed': (world, fault) =>
    killWithin(world, world.terminalLife, fault, () => world.terminalDied(backAfterMs(fault))),
  'terminal power cut': (world, fault) =>
    killWithin(world, world.terminalLife, fault, () => {
      world.terminalDied(4_000 + backAfterMs(fault));
      world.bed.unplug();
      world.kernel.after(3_000, null, () => world.bed.plug());
    }),
  'agent killed': (world, fault) =>
    killWithin(world, world.agentLife, fault, () => world.agentDied(backAfterMs(fault))),
  'agent power cut': (world, fault) =>
    killWithin(world, world.agentLife, fault, () => {
      world.agentDied(4_000 + backAfterMs(fault));
      world.disk.cutPower();
    }),
  'agent fsync stalls': ({ disk }, { amount }) => {
    disk.stallsMs = 200 + (amount % 30_000);
  },
  'terminal clock jumps': ({ terminalMachine }, fault) => {
    terminalMachine.errorMs = jumpOf(fault);
  },
  'agent clock jumps': ({ agentMachine }, fault) => {
    agentMachine.errorMs = jumpOf(fault);
  },
  'old messages again': ({ broker, kernel }, { amount }) => {
    const { passed } = broker;
    for (let times = 0; times < 6 && passed.length > 0; times += 1) {
      const old = passed[(amount + times * 7) % passed.length];
      if (old !== undefined) kernel.after(times * 40, null, () => broker.replay(old));
    }
  },
  'card pulled and put back': (world, { amount, other }) => {
    const { patient, bed, kernel } = world;
    if (patient === null) return;
    bed.atApdu.set(bed.apdus + (amount % 9), () => patient.pull());
    kernel.after(2_000, null, () => {
      patient.pull();
      kernel.after(other ? 600 : 3_000, null, () => patient.putBack());
    });
  },
  'card pulled for good': (world, { amount }) => {
    const { patient, bed, kernel } = world;
    if (patient === null) return;
    bed.atApdu.set(bed.apdus + (amount % 9), () => patient.pull());
    kernel.after(1_500, null, () => patient.pull());
  },
  'card left behind': ({ patient }) => {
    if (patient !== null) patient.isForgetful = true;
  },
  'staff cancel the visit': (world) => world.cancelByStaff(),
  'card swapped': (world, { amount, other }) => world.swapCard(amount, other),
};

const cutOff = (name: string, isNoticed: boolean): Lasting => ({
  begin: ({ broker }) => broker.cut(name, isNoticed),
  mend: ({ broker }) => broker.heal(name),
});

const lasting: Readonly<Partial<Record<FaultName, Lasting>>> = {
  'terminal slow': {
    begin: ({ terminalLife }, { amount }) => {
      if (terminalLife !== null) terminalLife.stretchMs = 5 + (amount % 400);
    },
    mend: ({ terminalLife }) => {
      if (terminalLife !== null) terminalLife.stretchMs = 0;
    },
  },
  'terminal disk full': {
    begin: ({ stored }) => {
      stored.full = true;
    },
    mend: ({ stored }) => {
      stored.full = false;
    },
  },
  'terminal disk stalls': {
    begin: ({ stored }, { amount }) => {
      stored.stallsMs = 500 + (amount % 15_000);
    },
    mend: ({ stored }) => {
      stored.stallsMs = 0;
    },
  },
  'agent slow': {
    begin: ({ agentLife }, { amount }) => {
      if (agentLife !== null) agentLife.stretchMs = 5 + (amount % 1_500);
    },
    mend: ({ agentLife }) => {
      if (agentLife !== null) agentLife.stretchMs = 0;
    },
  },
  'agent paused': {
    begin: ({ agentLife, kernel }, { lastsMs }) => {
      if (agentLife !== null) agentLife.pausedUntilMs = Math.max(agentLife.pausedUntilMs, kernel.nowMs + lastsMs);
    },
    mend: () => {},
  },
  'agent disk full': {
    begin: ({ disk }) => {
      disk.refuses = 'ENOSPC';
    },
    mend: ({ disk }) => {
      disk.refuses = null;
    },
  },
  'agent disk broken': {
    begin: ({ disk }) => {
      disk.refuses = 'EIO';
    },
    mend: ({ disk }) => {
      disk.refuses = null;
    },
  },
  'folder refuses': {
    begin: ({ disk }, { amount }) => {
      disk.folderRefuses = ['EBUSY', 'EACCES', 'EROFS', 'ENOSPC'][amount % 4] ?? 'EIO';
    },
    mend: ({ disk }) => {
      disk.folderRefuses = null;
    },
  },
  'service away': {
    begin: ({ service }) => {
      service.isDown = true;
    },
    mend: ({ service }) => {
      service.isDown = false;
    },
  },
  'service slow': {
    begin: ({ service }, { amount }) => {
      service.answerMs = 2_000 + (amount % 12_000);
    },
    mend: ({ service }) => {
      service.answerMs = 300;
    },
  },
  'broker loses what it acknowledged': {
    begin: ({ broker }, { amount }) => {
      broker.weather.loses = 0.2 + (amount % 80) / 100;
    },
    mend: ({ broker }) => {
      broker.weather.loses = 0;
    },
  },
  'broker dies': { begin: ({ broker }) => broker.die(false), mend: ({ broker }) => broker.rise() },
  'broker dies and forgets': { begin: ({ broker }) => broker.die(true), mend: ({ broker }) => broker.rise() },
  'messages twice': {
    begin: ({ broker }) => {
      broker.weather.duplicates = 0.6;
    },
    mend: ({ broker }) => {
      broker.weather.duplicates = 0;
    },
  },
  'messages overtake': {
    begin: ({ broker }, { amount }) => {
      broker.weather.reordersMs = 20 + (amount % 3_000);
    },
    mend: ({ broker }) => {
      broker.weather.reordersMs = 0;
    },
  },
  'terminal cut off': cutOff('front-1', true),
  'terminal half-open': cutOff('front-1', false),
  // What it says of who left does not get through, and then it has forgotten that it wanted to say so.
  'terminal cut off and killed as somebody is given up': {
    begin: (world, fault) => {
      world.onGivenUp = () => {
        world.broker.cut('front-1', fault.other);
        world.kernel.after(1 + (fault.amount % 5_000), null, () => {
          if (world.terminalLife?.dead === false) world.terminalDied(backAfterMs(fault));
        });
      };
    },
    mend: (world) => {
      world.onGivenUp = null;
      world.broker.heal('front-1');
    },
  },
  'agent cut off': cutOff('agent-1', true),
  'agent half-open': cutOff('agent-1', false),
  'reader unplugged': { begin: ({ bed }) => bed.unplug(), mend: ({ bed }) => bed.plug() },
  'camera frozen': {
    begin: ({ booth }) => booth.setMood({ isFrozen: true }),
    mend: ({ booth }) => booth.setMood({ isFrozen: false }),
  },
  'face process dead': {
    begin: ({ booth }) => booth.setMood({ isDead: true }),
    mend: ({ booth }) => booth.setMood({ isDead: false }),
  },
};

/** What follows of it (a start, a clock that is set right) has its time, too. ms */
const afterwardsMs = 30 * second;

export const beginFault = (world: Stage, fault: Fault): void => {
  const { kernel, mending } = world;
  const { name, lastsMs } = fault;
  const short = once[name];
  const untilMs = kernel.nowMs + (short === undefined ? lastsMs : afterwardsMs);
  // One of the same kind that lasts longer is going on.
  if (short === undefined && (mending.get(name) ?? 0) > untilMs) return;
  kernel.note(`fault: ${name} ${lastsMs > 0 ? `for ${lastsMs / second} s` : ''}`);
  mending.set(name, Math.max(untilMs, mending.get(name) ?? 0));
  const long = lasting[name];
  short?.(world, fault);
  long?.begin(world, fault);
  if (short === undefined && long === undefined) throw new Error(`nobody knows how to begin: ${name}`);
  kernel.at(untilMs, null, () => {
    if ((mending.get(name) ?? 0) > untilMs) return;
    mendFault(world, name);
  });
};

/** Before its time, or at its end */
export const mendFault = (world: Stage, name: FaultName): void => {
  const long = lasting[name];
  if (!world.mending.delete(name) || long === undefined) return;
  world.kernel.note(`mended: ${name}`);
  long.mend(world);
};

/** Before the last visit the clocks are set right again, and a stall that has met no sync until now will meet none. */
export const mendClocksAndDisk = ({ terminalMachine, agentMachine, disk }: Stage): void => {
  for (const machine of [terminalMachine, agentMachine]) machine.errorMs = 0;
  disk.stallsMs = 0;
};
