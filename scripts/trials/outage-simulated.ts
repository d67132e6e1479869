import { createEventLog } from '../../src/log/event-log.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { type ClinicLink, createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import { makeAgentBed } from '../beds/agent-bed.ts';
import { LinkWatch, makeVisitor } from '../beds/delivery-bed.ts';
import { MemoryStore } from '../beds/memory-store.ts';
import type { SimulatedClock } from '../beds/simulated-clock.ts';
import type { Seen } from './outage-patterns.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

type SimulatedOutcome = {
  readonly visits: number;
  readonly lost: number;
  readonly twice: number;
  readonly mixed: number;
  /** Simulated ms */
  readonly recoveryMs: number;
  readonly told: string;
  readonly seen: Seen;
};

/** The same instants with a wall clock of its own. */
class ShiftedClock implements Clock {
  readonly #clock: SimulatedClock;
  shiftMs = 0;
  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }
  now() {
    const { monotonicMs, wallMs } = this.#clock.now();
    return { monotonicMs, wallMs: wallMs + this.shiftMs };
  }
  wakeAt(monotonicMs: number, wake: () => void) {
    return this.#clock.wakeAt(monotonicMs, wake);
  }
}

type Bed = Awaited<ReturnType<typeof makeAgentBed>>;
class SimulatedBed {
  readonly submitted = new Map<string, { readonly documentHash: string; readonly session: string }>();
  readonly bed: Bed;
  readonly terminalClock: ShiftedClock;
  readonly link: ClinicLink;
  readonly watch: LinkWatch;
  readonly #visitor: Awaited<ReturnType<typeof makeVisitor>>;

  constructor(bed: Bed, visitor: Awaited<ReturnType<typeof makeVisitor>>) {
    this.bed = bed;
    this.#visitor = visitor;
    this.terminalClock = new ShiftedClock(bed.clock);
    const log = createEventLog({ format: 'silent' });
    const bus = bed.broker.connect('front-1');
    this.link = createClinicLink({
      bus,
      store: new MemoryStore(),
      clock: this.terminalClock,
      log,
      keys: bed.testFacility.device,
    });
    this.watch = new LinkWatch(this.link);
  }

  static async build(): Promise<SimulatedBed> {
    const agent = await makeAgentBed();
    const built = new SimulatedBed(agent, await makeVisitor(agent.clock.now().wallMs));
    await built.pass(5 * second);
    return built;
  }

  /** Time stands still while real cryptography and files are at work: until nothing was published for some turns. */
  pass(ms: number): Promise<void> {
    const quiet = async (): Promise<void> => {
      for (let still = 0, before = -1; still < 6; ) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        const now = this.bed.broker.passed.length;
        still = now === before ? still + 1 : 0;
        before = now;
      }
    };
    return this.bed.clock.advance(ms, quiet);
  }

  async visit(): Promise<string | null> {
    const challenge = this.link.takeChallenge(5 * minute);
    if (challenge === null) return null;
    const signed = await this.#visitor.sign(this.link, challenge);
    const submitted = await this.link.submit(signed);
    if (!submitted.ok) return null;
    this.submitted.set(signed.requestId, signed);
    return signed.requestId;
  }

  settled(requestId: string): boolean {
    return this.watch.events.some(
      (event) =>
        (event.type === 'receipt' && event.receipt.requestId === requestId) ||
        (event.type === 'request-expired' && event.requestId === requestId),
    );
  }

  /** Simulated ms until a new visit is receipted. */
  async recovery(): Promise<number> {
    for (let passedMs = 0; passedMs <= 30 * second; passedMs += 250) {
      const id = await this.visit();
      await this.pass(0);
      if (id !== null && this.settled(id)) return passedMs;
      await this.pass(250);
    }
    throw new Error('not serving after 30 s');
  }

  /** Visits that have no receipt yet, an expiry counted as none. */
  unanswered(): Seen {
    const receipted = new Set(
      this.watch.events.flatMap((event) => (event.type === 'receipt' ? [event.receipt.requestId] : [])),
    );
    const times = [...this.submitted.keys()].filter((id) => !receipted.has(id)).length;
    return { what: 'visits without a receipt while it lasted', times };
  }

  async outcome(recoveryMs: number, seen: Seen): Promise<SimulatedOutcome> {
    await this.pass(15 * minute);
    const { journal } = this.bed;
    const rows = journal.visits();
    const counted = journal.usage().reduce((sum, { outcome, times }) => sum + (outcome === 'refused' ? 0 : times), 0);
    const finished = rows.filter(({ outcome }) => outcome !== null).length;
    let mixed = rows.filter(
      ({ requestId, documentHash }) => this.submitted.get(requestId)?.documentHash !== documentHash,
    ).length;
    let twice = counted - finished;
    const told = new Map<string, number>();
    for (const event of this.watch.events) {
      if (event.type !== 'receipt' && event.type !== 'request-expired' && event.type !== 'result') continue;
      const requestId =
        event.type === 'receipt'
          ? event.receipt.requestId
          : event.type === 'result'
            ? event.result.requestId
            : event.requestId;
      told.set(`${event.type} ${requestId}`, (told.get(`${event.type} ${requestId}`) ?? 0) + 1);
      const own = this.submitted.get(requestId);
      if (
        event.type === 'receipt' &&
        (own?.documentHash !== event.receipt.documentHash || own.session !== event.session)
      )
        mixed++;
      if (event.type === 'result' && rows.find((row) => row.requestId === requestId)?.outcome !== event.result.outcome)
        mixed++;
    }
    twice += [...told.values()].filter((times) => times > 1).length;
    const lost = [...this.submitted.keys()].filter((id) => !this.settled(id)).length;
    const count = (type: string): number => this.watch.events.filter((event) => event.type === type).length;
    await this.link.close();
    this.bed.close();
    return {
      visits: this.submitted.size,
      lost,
      twice,
      mixed,
      recoveryMs,
      told: `${count('receipt')} receipts, ${count('request-expired')} expired`,
      seen,
    };
  }
}

type SimulatedPattern = () => Promise<SimulatedOutcome>;

const away =
  (who: 'front-1' | 'agent-1', ms: number): SimulatedPattern =>
  async () => {
    const bed = await SimulatedBed.build();
    bed.bed.broker.setConnected(who, false);
    await bed.visit();
    await bed.pass(ms);
    const seen = bed.unanswered();
    bed.bed.broker.setConnected(who, true);
    return bed.outcome(await bed.recovery(), seen);
  };

const jump =
  (whose: 'terminal' | 'agent', ms: number): SimulatedPattern =>
  async () => {
    const bed = await SimulatedBed.build();
    bed.bed.broker.setConnected('front-1', false);
    await bed.visit();
    if (whose === 'terminal') bed.terminalClock.shiftMs += ms;
    else {
      bed.bed.clock.setWall(bed.bed.clock.now().wallMs + ms);
      bed.terminalClock.shiftMs -= ms;
    }
    await bed.pass(20 * second);
    const seen = bed.unanswered();
    bed.bed.broker.setConnected('front-1', true);
    return bed.outcome(await bed.recovery(), seen);
  };

type Tamper = Bed['broker']['tamper'];
const tampered =
  (make: (bed: Bed) => Tamper, ms: number): SimulatedPattern =>
  async () => {
    const bed = await SimulatedBed.build();
    const tamper = make(bed.bed);
    let changed = 0;
    bed.bed.broker.tamper = (passing) => {
      const passed = tamper(passing);
      if (passed.length !== 1 || passed[0] !== passing) changed += 1;
      return passed;
    };
    for (let visits = 0; visits < 6; visits++) {
      await bed.visit();
      await bed.pass(ms / 6);
    }
    bed.bed.broker.tamper = (passing) => [passing];
    return bed.outcome(await bed.recovery(), { what: 'messages meddled with', times: changed });
  };

/** A repeatable coin: the same losses in every run. */
const coin = (): (() => number) => {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
};

export const simulatedPatterns: Readonly<Record<string, SimulatedPattern>> = {
  'terminal offline for 35 s': away('front-1', 35 * second),
  'terminal offline for 2 min': away('front-1', 2 * minute),
  'terminal offline for 9 min': away('front-1', 9 * minute),
  'terminal offline for 11 min: expired': away('front-1', 11 * minute),
  'terminal offline for 1 h': away('front-1', hour),
  'terminal offline for 3 h': away('front-1', 3 * hour),
  'agent offline for 2 min': away('agent-1', 2 * minute),
  'agent offline for 1 h': away('agent-1', hour),
  "the terminal's clock jumps a day ahead": jump('terminal', day),
  "the terminal's clock jumps a day back": jump('terminal', -day),
  "the terminal's clock jumps ten years back": jump('terminal', -3_650 * day),
  "the agent's clock jumps two minutes ahead": jump('agent', 2 * minute),
  "the agent's clock jumps two minutes back": jump('agent', -2 * minute),
  'every message three times': tampered(() => (passing) => [passing, passing, passing], minute),
  'messages in threes, the last first': tampered((_bed) => {
    const held: Parameters<Tamper>[0][] = [];
    return (passing) => {
      held.push(passing);
      return held.length < 3 ? [] : held.splice(0).reverse();
    };
  }, minute),
  'half of all messages lost for 5 min': tampered(() => {
    const toss = coin();
    return (passing) => (toss() < 0.5 ? [] : [passing]);
  }, 5 * minute),
  'each message delayed by 2 s for 5 min': tampered(
    (bed) => (passing) => {
      bed.clock.wakeAt(bed.clock.now().monotonicMs + 2 * second, () =>
        bed.broker.deliver(passing.topic, passing.payload),
      );
      return [];
    },
    5 * minute,
  ),
};
