import type { MadeCard } from '../../../drivers/virtual/card-maker.ts';
import type { VirtualCard } from '../../../drivers/virtual/virtual-card.ts';
import { serviceMemory } from '../../../src/agent/eligibility/service-memory.ts';
import { parseServiceRecords } from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import { ConsentTextsInForce } from '../../../src/agent/intake/consent-texts.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { readAgentKeys, readDeviceRegistry } from '../../../src/agent/provisioning/agent-keys.ts';
import { readCardTrust } from '../../../src/agent/provisioning/card-trust.ts';
import { StaffCodes, type StaffMember } from '../../../src/agent/staff-page/staff-codes.ts';
import { startStaffPage } from '../../../src/agent/staff-page/start-staff-page.ts';
import { catalogueAt, catalogueOfVersion } from '../../../src/catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../../../src/catalogue/released-texts.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { readDeviceKeys } from '../../beds/device-keys.ts';
import { beginFault, mendFault } from '../../trials/simulate/bring-fault.ts';
import { Bed, FaceBooth } from '../../trials/simulate/counter.ts';
import type { FaultName } from '../../trials/simulate/plan.ts';
import {
  oqsFolder,
  type RunningAgent,
  type ServiceMood,
  startAgentEnd,
} from '../../trials/simulate/simulated-agent.ts';
import { SimulatedBroker } from '../../trials/simulate/simulated-broker.ts';
import { Machine } from '../../trials/simulate/simulated-machine.ts';
import { StoredRows } from '../../trials/simulate/simulated-store.ts';
import { type RunningTerminal, startTerminalEnd } from '../../trials/simulate/simulated-terminal.ts';
import { Kernel, Life } from '../../trials/simulate/stand-ins/kernel.ts';
import { mount, SimulatedDisk } from '../../trials/simulate/stand-ins/machine-disk.ts';
import { cards } from './made-cards.ts';
import { baked } from './node/baked.ts';
import { loadSqlite } from './node/sqlite.ts';
import { PageGlass } from './page-glass.ts';

const device = 'front-1';
const agentId = 'agent-1';
const second = 1_000;

const fileOf = (path: string): string => {
  const text = baked.files[path];
  if (text === undefined) throw new Error(`${path} was not baked`);
  return text;
};

const emptyJournal = (kernel: Kernel): Uint8Array => {
  const disk = new SimulatedDisk(kernel, null);
  mount(disk);
  new Journal('journal.sqlite', { steadyMs: () => 0 }).close();
  return disk.database.serialize();
};

const layGround = async () => {
  const trust = await readCardTrust(`${baked.folders.agent}/card-trust`);
  let wallMs = baked.startMs;
  const catalogues = { at: catalogueAt, ofVersion: catalogueOfVersion, released: readReleasedTexts() };
  const clock = { now: () => ({ monotonicMs: 0, wallMs }), wakeAt: () => () => {} };
  const texts = new ConsentTextsInForce({ catalogues, clock });
  const facility = {
    device: await readDeviceKeys(baked.folders.device),
    agent: await readAgentKeys(baked.folders.agent),
    registry: new Map(
      [...(await readDeviceRegistry(baked.folders.agent))].map(([id, entry]) => [
        id,
        { ...entry, addedAt: baked.startMs },
      ]),
    ),
  };
  return {
    facility,
    catalogues,
    records: parseServiceRecords(
      fileOf('/src/agent/eligibility/simulated-eligibility-service.records.json'),
      baked.startMs,
    ),
    trust,
    trustedCvIssuers: trust.visualIssuers,
    textsAt: (at: number) => {
      wallMs = at;
      return texts.now();
    },
  };
};

type SeenLog = { readonly event: string; readonly fields: Readonly<Record<string, unknown>> };
export type PassedMessage = { readonly topic: string; readonly payload: Uint8Array; readonly atMs: number };

/** A counter with its terminal, the clinic's PC with its agent, the network between: the simulator's, by the clock on the wall. */
export class Clinic {
  readonly kernel = new Kernel('playground', true);
  readonly broker = new SimulatedBroker(this.kernel);
  readonly bed = new Bed(this.kernel);
  readonly booth: FaceBooth;
  readonly glass = new PageGlass(this.kernel);
  readonly stored = new StoredRows();
  readonly service: ServiceMood = { answerMs: 300, isDown: false };
  readonly terminalMachine = new Machine(this.kernel, baked.startMs, true);
  readonly agentMachine = new Machine(this.kernel, baked.startMs, true);
  readonly mending = new Map<FaultName, number>();
  readonly disk: SimulatedDisk;
  readonly ground: Awaited<ReturnType<typeof layGround>>;
  readonly #laid = new Map<string, VirtualCard>();
  readonly #memory = serviceMemory();
  readonly #listeners = new Set<() => void>();
  readonly passed: PassedMessage[] = [];
  onLog: (line: SeenLog) => void = () => {};
  onPassed: () => void = () => {};
  patient = null;
  onGivenUp = null;
  terminalLife: Life | null = null;
  agentLife: Life | null = null;
  terminal: RunningTerminal | null = null;
  agent: RunningAgent | null = null;
  #lives = 0;

  static async open(): Promise<Clinic> {
    await loadSqlite();
    return new Clinic(await layGround());
  }

  constructor(ground: Awaited<ReturnType<typeof layGround>>) {
    this.ground = ground;
    const { kernel } = this;
    this.disk = new SimulatedDisk(kernel, emptyJournal(kernel));
    mount(this.disk);
    for (const folder of ['face', 'req', 'res']) this.disk.makeFolder(`${oqsFolder}/${folder}`);
    const photoKey = (photo: Uint8Array): string => Buffer.from(photo).toString('latin1');
    const photos = new Map([...cards.values()].map(({ photoJp2, persona }) => [photoKey(photoJp2), persona.id]));
    this.booth = new FaceBooth(kernel, (photo) => photos.get(photoKey(photo)) ?? null);
    this.broker.connect('onlooker', null).subscribe('#', ({ topic, payload }) => {
      this.passed.push({ topic, payload, atMs: kernel.nowMs });
      if (this.passed.length > 200) this.passed.shift();
      this.onPassed();
    });
  }

  get wallMs(): number {
    return baked.startMs + this.kernel.nowMs - second;
  }

  #newLife(process: string): Life {
    this.#lives += 1;
    return new Life(process, this.#lives);
  }
  #logOf(life: Life): EventLog {
    return { event: (name, fields) => void (life.dead || this.onLog({ event: name, fields })) };
  }
  readonly #changed = (): void => {
    for (const listener of [...this.#listeners]) listener();
  };

  startTerminal(): void {
    const { kernel, terminalMachine: machine, broker, ground, stored: disk, bed, booth, glass } = this;
    const life = this.#newLife('terminal');
    this.terminalLife = life;
    const log = this.#logOf(life);
    kernel.after(0, life, () => {
      this.terminal = startTerminalEnd({
        ...{ kernel, life, machine, broker, ground, disk, bed, booth, glass, log },
        onGivenUp: () => {},
      });
    });
  }
  startAgent(): void {
    const { kernel, agentMachine: machine, broker, ground, service } = this;
    const life = this.#newLife('agent');
    this.agentLife = life;
    const log = this.#logOf(life);
    kernel.after(0, life, () => {
      this.agent = startAgentEnd({
        ...{ kernel, life, machine, broker, ground, service, log, memory: this.#memory, settings: baked.settings },
        ...{ isOld: false, onCheck: () => {}, changed: this.#changed },
      });
      void this.#startStaffPage(this.agent);
    });
  }
  async #startStaffPage({ context, desk, journal }: RunningAgent): Promise<void> {
    const staff = JSON.parse(fileOf(`${baked.folders.agent}/staff.json`)) as readonly StaffMember[];
    await startStaffPage({
      port: 0,
      ...{ context, desk, certificates: { warnings: () => [] }, staff: () => staff },
      catalogue: () => catalogueAt(context.clock.now().wallMs),
      staffCodes: new StaffCodes(() => staff, journal.guesses, { minimumLength: 4, secondFactor: false }),
      folderFaults: () => (desk.handOver.folderFault === null ? [] : [desk.handOver.folderFault]),
      problems: () => [],
      inJapanese: (english) => english,
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    });
  }

  #died(client: string, life: Life | null, backAfterMs: number, start: () => void): void {
    if (life === null) return;
    life.dead = true;
    this.broker.drop(client, life);
    this.kernel.after(backAfterMs, null, start);
  }
  terminalDied(backAfterMs: number): void {
    this.terminal = null;
    this.#died(device, this.terminalLife, backAfterMs, () => this.startTerminal());
  }
  agentDied(backAfterMs: number): void {
    this.agent = null;
    this.#died(agentId, this.agentLife, backAfterMs, () => this.startAgent());
  }
  swapCard(): void {}
  cancelByStaff(): void {}

  /** Cards keep their counters while the page is open, as in a patient's pocket. */
  lay(persona: string): void {
    const made = this.#made(persona);
    const card = this.#laid.get(persona) ?? made.asMade();
    this.#laid.set(persona, card);
    this.bed.lay(made, card);
  }
  pull(): void {
    this.bed.pull();
  }
  #made(persona: string): MadeCard {
    const made = cards.get(persona);
    if (made === undefined) throw new Error(`nobody is called ${persona}`);
    return made;
  }

  /** Lasts until `mend`. */
  break(name: FaultName): void {
    beginFault(this, { name, atMs: 0, lastsMs: 3_600 * second, amount: 0, other: false });
  }

  mend(name: FaultName): void {
    mendFault(this, name);
  }

  files(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
    const entries = this.disk.folder(`${oqsFolder}/face`)?.now ?? new Map();
    return [...entries].filter(([name]) => name.endsWith('.xml')).map(([name, { now }]) => ({ name, bytes: now }));
  }

  /** By the clock on the wall from now on: what is due is done, and between two of them all promises come to their end. */
  run(): void {
    this.startAgent();
    this.startTerminal();
    const beganMs = performance.now() - this.kernel.nowMs;
    const { port1, port2 } = new MessageChannel();
    const turn = (): Promise<void> =>
      new Promise((resolve) => {
        port1.onmessage = () => resolve();
        port2.postMessage(null);
      });
    const live = async (): Promise<never> => {
      for (;;) {
        const untilMs = performance.now() - beganMs;
        while (this.kernel.step(untilMs)) await turn();
        this.kernel.nowMs = Math.max(this.kernel.nowMs, untilMs);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    void live();
  }
}
