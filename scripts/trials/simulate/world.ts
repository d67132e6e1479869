import { serviceMemory } from '../../../src/agent/eligibility/service-memory.ts';
import type { SessionEvent } from '../../../src/core/visit/session.ts';
import { visitOf } from '../../../src/core/visit/session-steps.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import type { OutboxRow } from '../../../src/ports/store.ts';
import { testSettings } from '../../beds/test-facility.ts';
import { beginFault, mendClocksAndDisk } from './bring-fault.ts';
import { Bed, FaceBooth, Glass } from './counter.ts';
import { type Ground, ordinarySettings } from './ground.ts';
import { Judge, type Violation } from './judge.ts';
import { personaIds, startMs } from './people.ts';
import type { FaultName, VisitPlan, WorldPlan } from './plan.ts';
import { oqsFolder, type RunningAgent, type ServiceMood, startAgentEnd } from './simulated-agent.ts';
import { SimulatedBroker } from './simulated-broker.ts';
import { Machine } from './simulated-machine.ts';
import { Patient } from './simulated-patient.ts';
import { StoredRows } from './simulated-store.ts';
import { type RunningTerminal, startTerminalEnd } from './simulated-terminal.ts';
import { Kernel, Life, setKernel } from './stand-ins/kernel.ts';
import { mount, SimulatedDisk } from './stand-ins/machine-disk.ts';

export type Outcome = {
  readonly hash: string;
  readonly violations: readonly Violation[];
  readonly accepted: number;
  readonly events: number;
  readonly tape: readonly string[] | null;
};

/** A terminal takes up to this to come to rest once nobody stands there. ms */
const restMs = 420_000;
/** A signed request lives ten minutes; then it has been told that it ended, or what came of it. ms */
const settleMs = 960_000;

/** What the log says that nobody planned: an error without a name. */
const plannedErrors: readonly string[] = ['ERR_SQLITE_ERROR', 'ENOSPC', 'EIO', 'EBUSY', 'EACCES', 'EROFS'];

/** One counter with its terminal, one agent, the network between, and whoever comes. */
export class World {
  readonly kernel: Kernel;
  readonly plan: WorldPlan;
  readonly ground: Ground;
  readonly judge: Judge;
  readonly broker: SimulatedBroker;
  readonly disk: SimulatedDisk;
  readonly stored = new StoredRows();
  readonly service: ServiceMood = { answerMs: 300, isDown: false };
  readonly terminalMachine: Machine;
  readonly agentMachine: Machine;
  readonly bed: Bed;
  readonly booth: FaceBooth;
  readonly glass: Glass;
  readonly #memory = serviceMemory();
  readonly #personaBySerial = new Map<string, string>();
  /** Whatever follows the terminal's own events, beside the judge */
  onRunner: (terminal: RunningTerminal) => void = () => {};
  /** Whoever reads the logs of both ends */
  onLogged: ((line: string) => void) | null = null;
  /** A patient has gone, and the terminal rests */
  onRest: () => void = () => {};
  terminalLife: Life | null = null;
  agentLife: Life | null = null;
  terminal: RunningTerminal | null = null;
  agent: RunningAgent | null = null;
  patient: Patient | null = null;
  onGivenUp: (() => void) | null = null;
  #lives = 0;
  #visit = 0;
  #isOver = false;
  #isMended = false;

  constructor(ground: Ground, plan: WorldPlan) {
    this.ground = ground;
    this.plan = plan;
    this.kernel = new Kernel(`world ${plan.words}`, plan.isReal);
    const { kernel } = this;
    this.judge = new Judge(kernel, !plan.agentIsOld);
    this.broker = new SimulatedBroker(kernel);
    const has = (wanted: FaultName): boolean =>
      plan.visits.some(({ faults }) => faults.some(({ name }) => name === wanted));
    this.broker.keepsPassed = has('old messages again');
    this.disk = new SimulatedDisk(kernel, ground.emptyJournal);
    for (const folder of ['face', 'req', 'res']) this.disk.makeFolder(`${oqsFolder}/${folder}`);
    this.terminalMachine = new Machine(kernel, startMs, !has('terminal clock jumps'));
    this.agentMachine = new Machine(kernel, startMs, !has('agent clock jumps'));
    this.bed = new Bed(kernel);
    const photos = new Map<string, string>();
    this.booth = new FaceBooth(kernel, (photo) => photos.get(photoKey(photo)) ?? null);
    for (const [id, { persona, photoJp2 }] of ground.people) {
      this.#personaBySerial.set(persona.serial, id);
      if (photoJp2.length > 0) photos.set(photoKey(photoJp2), id);
    }
    this.glass = new Glass(kernel);
    this.#watchCounter();
  }

  #watchCounter(): void {
    const { bed, booth, glass, judge } = this;
    bed.onVerify = (verify) => judge.verified(verify, bed.lying?.persona.pins.auth?.secret ?? '', this.#sessionNow());
    booth.onMatch = () => judge.proven(this.#sessionNow(), 'face');
    booth.onCompare = (photoOf) => judge.compared(photoOf, bed.lying?.persona.id ?? null);
    glass.onShown = () => this.patient?.shown();
    const { rows } = this.stored;
    const set = rows.set.bind(rows);
    rows.set = (id: string, row: OutboxRow) => {
      judge.stored(row);
      return set(id, row);
    };
    this.stored.onRemoved = ({ event, subject }) => {
      if (event === 'request-cancelled') judge.cancelled(subject);
    };
  }

  #logOf(life: Life): EventLog {
    return {
      event: (name, fields) => {
        this.onLogged?.(JSON.stringify({ event: name, ...fields }));
        if (name !== 'process.error' || life.dead) return;
        const { error, errorCode, place } = fields as { error?: string; errorCode?: string; place?: string };
        if (!plannedErrors.includes(errorCode ?? ''))
          this.judge.broken('a fault without a name', `${life.process}: ${error} ${errorCode ?? ''} ${place ?? ''}`);
      },
    };
  }

  #newLife(process: string): Life {
    this.#lives += 1;
    return new Life(process, this.#lives);
  }

  startTerminal(): void {
    const { kernel, terminalMachine: machine, broker, ground, stored: disk, bed, booth, glass, judge } = this;
    const life = this.#newLife('terminal');
    this.terminalLife = life;
    kernel.note('terminal starts');
    const onGivenUp = (): void => {
      const told = this.onGivenUp;
      this.onGivenUp = null;
      told?.();
    };
    kernel.after(0, life, () => {
      const log = this.#logOf(life);
      const counter = { bed, booth, glass, onGivenUp };
      const terminal = startTerminalEnd({ kernel, life, machine, broker, ground, disk, log, ...counter });
      this.terminal = terminal;
      terminal.clinic.subscribe((event) => judge.clinicTold(event));
      terminal.runner.subscribe((session, event: SessionEvent) =>
        judge.followed(session, event, bed.lying?.persona.id ?? null, this.disk),
      );
      this.onRunner(terminal);
    });
  }

  startAgent(): void {
    const { kernel, agentMachine: machine, broker, ground, service, judge } = this;
    const life = this.#newLife('agent');
    this.agentLife = life;
    kernel.note('agent starts');
    kernel.after(0, life, () => {
      try {
        this.agent = startAgentEnd({
          ...{ kernel, life, machine, broker, ground, service, log: this.#logOf(life), memory: this.#memory },
          isOld: this.plan.agentIsOld,
          settings: this.plan.asksEverything ? testSettings : ordinarySettings,
          onCheck: (card, choices) =>
            judge.checked(card.requestId, this.#personaBySerial.get(card.certificateSerial) ?? '', choices),
        });
      } catch (error) {
        if (life.dead) throw error;
        // A disk that refuses: the service manager tries again.
        kernel.note(`agent does not start: ${error instanceof Error ? error.message : ''}`);
        life.dead = true;
        kernel.after(3_000, null, () => this.startAgent());
      }
    });
  }

  /** The process is gone; the service manager starts it again. */
  terminalDied(backAfterMs: number): void {
    const { kernel, terminalLife: life } = this;
    if (life === null) return;
    life.dead = true;
    this.terminal = null;
    kernel.note('terminal died');
    this.broker.drop('front-1', life);
    kernel.after(backAfterMs, null, () => {
      if (this.terminalLife === life) this.startTerminal();
    });
  }
  agentDied(backAfterMs: number): void {
    const { kernel, agentLife: life } = this;
    if (life === null) return;
    life.dead = true;
    this.agent = null;
    kernel.note('agent died');
    this.broker.drop('agent-1', life);
    kernel.after(backAfterMs, null, () => {
      if (this.agentLife === life) this.startAgent();
    });
  }

  #sessionNow(): string | null {
    const state = this.terminal?.runner.session.state;
    return state === undefined ? null : (visitOf(state)?.session ?? null);
  }

  #approve(session: string): void {
    this.judge.proven(session, 'staff');
    this.#order((desk) => desk.commands.approve('front-1', session, 'tanaka'));
  }
  cancelByStaff(): void {
    const session = this.#sessionNow();
    if (session !== null) this.#order((desk) => desk.commands.send('front-1', { name: 'cancel-session', session }));
  }

  /** What staff do on the page of the agent; a disk that refuses it is told there. */
  #order(give: (desk: RunningAgent['desk']) => Promise<unknown>): void {
    const { agentLife } = this;
    if (agentLife === null || agentLife.dead) return;
    this.kernel.after(1, agentLife, () => {
      const { agent } = this;
      if (agent === null) return;
      give(agent.desk).catch((error: { code?: string }) => {
        if (error.code !== 'ERR_SQLITE_ERROR' && !agentLife.dead)
          this.judge.broken('a fault without a name', `order of staff: ${error}`);
      });
    });
  }

  #isAtRest(): boolean {
    const name = this.terminal?.runner.session.state.name;
    return name === 'idle' || name === 'outOfService';
  }

  /** One after the other: the next comes when the one before is gone and the terminal rests, or is late in doing so. */
  #next(): void {
    const plan = this.plan.visits[this.#visit];
    if (plan === undefined) return this.#settle(this.kernel.nowMs + settleMs);
    const isLast = this.#visit === this.plan.visits.length - 1;
    this.#visit += 1;
    // What was to go wrong in the visit before has begun by the time of the last.
    this.kernel.after(isLast ? 12_000 : plan.comesAfterMs, null, () => this.#visitOf(plan, isLast));
  }

  #visitOf(plan: VisitPlan, isLast: boolean): void {
    const { kernel, bed, booth, glass, judge } = this;
    const made = this.ground.people.get(plan.persona);
    if (made === undefined) throw new Error(`nobody is called ${plan.persona}`);
    if (isLast && (this.mending.size > 0 || !this.#isMended)) {
      // Whatever was wrong, half a minute after its end a patient is served.
      mendClocksAndDisk(this);
      this.#isMended = this.mending.size === 0;
      const mendedMs = Math.max(kernel.nowMs, ...this.mending.values());
      const againMs = mendedMs + (this.#isMended ? 30_000 : 1);
      return void kernel.at(againMs, null, () => this.#visitOf(plan, isLast));
    }
    kernel.note(`visit of ${plan.persona}`);
    const before = judge.visitsAccepted;
    const counter = {
      ...{ kernel, bed, booth, glass, judge },
      session: () => this.terminal?.runner.session ?? null,
      approve: (session: string) => this.#approve(session),
    };
    const gone = (): void => {
      this.patient = null;
      this.#awaitRest(kernel.nowMs + restMs, () => {
        this.onRest();
        if (isLast && judge.visitsAccepted === before)
          judge.broken('not serving after all is well', `${this.terminal?.runner.session.state.name}`);
        this.#next();
      });
    };
    if (plan.faults.some(({ name }) => name === 'agent power cut')) this.disk.tracks = true;
    this.patient = new Patient(counter, plan, { made, card: made.asMade() }, gone);
    for (const fault of plan.faults) kernel.after(fault.atMs, null, () => beginFault(this, fault));
    this.patient.arrive();
  }

  /** Something is still to be mended: the last patient comes after it. */
  readonly mending = new Map<FaultName, number>();

  /** Somebody else's card lies there in a moment, between two APDUs or a second later. */
  swapCard(amount: number, isQuick: boolean): void {
    const { bed, kernel, ground } = this;
    const { often } = personaIds;
    const made = ground.people.get(often[amount % often.length] ?? often[0]);
    if (made === undefined) return;
    const stranger = made.asMade();
    let isDone = false;
    const swap = (): void => {
      if (bed.lying === null || isDone) return;
      isDone = true;
      this.patient?.pull();
      bed.lay(made, stranger);
      // Whoever laid it there takes it again.
      kernel.after(isQuick ? 4_000 : 20_000, null, () => {
        if (bed.lyingCard === stranger) bed.pull();
      });
    };
    if (isQuick) bed.atApdu.set(bed.apdus + (amount % 11), swap);
    kernel.after(3_000, null, swap);
  }

  #awaitRest(untilMs: number, then: () => void): void {
    const { kernel, judge } = this;
    if (this.#isAtRest()) return then();
    if (kernel.nowMs > untilMs) {
      judge.broken('a visit that does not end', `${this.terminal?.runner.session.state.name ?? 'no terminal'}`);
      return then();
    }
    kernel.after(500, null, () => this.#awaitRest(untilMs, then));
  }

  #settle(untilMs: number): void {
    const { kernel, judge, disk } = this;
    if (kernel.nowMs <= untilMs && judge.isOutstanding(disk))
      return void kernel.after(2_000, null, () => this.#settle(untilMs));
    kernel.after(4_000, null, () => {
      const birthdates = new Map(this.ground.records.map(({ persona, birthdate }) => [persona, birthdate]));
      judge.settle(disk, `${oqsFolder}/face`, birthdates);
      this.#isOver = true;
    });
  }

  async run(): Promise<Outcome> {
    const { kernel, judge } = this;
    setKernel(kernel);
    mount(this.disk);
    current = this;
    kernel.after(0, null, () => this.startAgent());
    kernel.after(5, null, () => this.startTerminal());
    kernel.after(3_000, null, () => this.#next());
    await kernel.run(() => this.#isOver || judge.violations.length > 0);
    for (const life of [this.agentLife, this.terminalLife]) if (life !== null) life.dead = true;
    current = null;
    setKernel(null);
    mount(null);
    this.disk.close();
    const { hash, events, tape } = kernel;
    return { hash, violations: judge.violations, accepted: judge.visitsAccepted, events, tape };
  }
}

/** Long enough to tell small pictures apart */
const photoKey = (photo: Uint8Array): string => Buffer.from(photo).toString('latin1');

let current: World | null = null;
/** A promise that failed and that nobody heard of is a fault without a name. */
process.on('unhandledRejection', (reason) => {
  const life = current?.kernel.current;
  if (current === null || life?.dead) return;
  current.judge.broken(
    'a fault without a name',
    `${reason instanceof Error ? (reason.stack ?? reason.message) : reason}`,
  );
});
