import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { AgentProcess, furnishAgent } from '../beds/delivery-bed.ts';
import { endChild } from '../beds/end-child.ts';
import { Mosquitto } from '../beds/mosquitto.ts';
import { makeTestFacility, type TestFacility } from '../beds/test-facility.ts';
import type { TerminalLine } from './terminal-end.ts';

/** Three hosts as network namespaces on one switch: broker .1, terminal .2, agent .3. */
const addresses = { broker: '10.77.0.1', terminal: '10.77.0.2', agent: '10.77.0.3' } as const;
export type Host = 'terminal' | 'agent';
const port = 8883;

const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Network {
  readonly #prefix = `uk${process.pid}`;
  name(host: keyof typeof addresses): string {
    return `${this.#prefix}-${host}`;
  }
  within(host: keyof typeof addresses): readonly string[] {
    return ['ip', 'netns', 'exec', this.name(host)];
  }
  #in(host: keyof typeof addresses, ...command: readonly string[]): string {
    return run('ip', 'netns', 'exec', this.name(host), ...command);
  }

  build(): void {
    for (const host of ['broker', 'terminal', 'agent'] as const) {
      run('ip', 'netns', 'add', this.name(host));
      this.#in(host, 'ip', 'link', 'set', 'lo', 'up');
    }
    this.#in('broker', 'ip', 'link', 'add', 'switch', 'type', 'bridge');
    this.#in('broker', 'ip', 'address', 'add', `${addresses.broker}/24`, 'dev', 'switch');
    this.#in('broker', 'ip', 'link', 'set', 'switch', 'up');
    for (const host of ['terminal', 'agent'] as const) {
      const socket = `to-${host}`;
      this.#in('broker', 'ip', 'link', 'add', socket, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name(host));
      this.#in('broker', 'ip', 'link', 'set', socket, 'master', 'switch', 'up');
      this.#in(host, 'ip', 'address', 'add', `${addresses[host]}/24`, 'dev', 'eth0');
      this.#in(host, 'ip', 'link', 'set', 'eth0', 'up');
    }
  }

  remove(): void {
    for (const host of ['broker', 'terminal', 'agent'] as const) {
      try {
        run('ip', 'netns', 'del', this.name(host));
      } catch {
        // Was never made.
      }
    }
  }

  cable(host: Host, plugged: boolean): void {
    this.#in('broker', 'ip', 'link', 'set', `to-${host}`, plugged ? 'up' : 'down');
  }

  /** Rules of nft in a host's namespace; null takes them away. `{ input, output }` are rule bodies. */
  filter(host: keyof typeof addresses, rules: { readonly input?: string; readonly output?: string } | null): void {
    try {
      this.#in(host, 'nft', 'delete', 'table', 'inet', 'outage');
    } catch {
      // No rules yet.
    }
    if (rules === null) return;
    const counted = (rule: string): string => rule.replaceAll('; ', '\n').replaceAll(/ (drop|reject)/g, ' counter $1');
    const chain = (name: 'input' | 'output', rule: string | undefined): string =>
      rule === undefined ? '' : `chain ${name} {\ntype filter hook ${name} priority 0\n${counted(rule)}\n}\n`;
    this.#in(host, 'nft', `table inet outage {\n${chain('input', rules.input)}${chain('output', rules.output)}}`);
  }

  /** Packets that met the rules of `filter` so far. */
  filtered(host: keyof typeof addresses): number {
    const counters = this.#in(host, 'nft', 'list', 'table', 'inet', 'outage').matchAll(/counter packets (\d+)/g);
    return [...counters].reduce((sum, [, packets]) => sum + Number(packets), 0);
  }
}

type Submitted = {
  readonly requestId: string;
  readonly documentHash: string;
  readonly session: string;
  readonly code: string;
};
type TimedLine = TerminalLine & { readonly atMs: number; readonly life: number };

/** A visit has come to its end when its receipt or its expiry has been told. */
export const isEnd = (line: TerminalLine): line is Extract<TerminalLine, { type: 'event' }> =>
  line.type === 'event' && (line.event === 'receipt' || line.event === 'request-expired');

/** Real mosquitto, real agent process, real terminal link in its own process, real disks of a few megabytes. */
export class OutageBed {
  readonly network = new Network();
  readonly facility: TestFacility;
  readonly mosquitto: Mosquitto;
  readonly agent: AgentProcess;
  readonly lines: TimedLine[] = [];
  readonly submitted = new Map<string, Submitted>();
  readonly disks: { readonly terminal: string; readonly agent: string };
  #terminal: ChildProcess | null = null;
  #life = 0;
  #visits = 0;
  readonly #listeners = new Set<() => void>();

  constructor(facility: TestFacility, mosquitto: Mosquitto, disks: OutageBed['disks']) {
    this.facility = facility;
    this.mosquitto = mosquitto;
    this.disks = disks;
    this.agent = new AgentProcess(facility.agentDirectory, `${addresses.broker}:${port}`, this.network.within('agent'));
  }

  static async build(): Promise<OutageBed> {
    const facility = await makeTestFacility([addresses.broker]);
    await furnishAgent(facility.agentDirectory);
    const disks = {
      terminal: join(facility.directory, 'disk-terminal'),
      agent: join(facility.directory, 'disk-agent'),
    };
    for (const disk of Object.values(disks)) {
      mkdirSync(disk);
      run('mount', '-t', 'tmpfs', '-o', 'size=16m', 'none', disk);
    }
    const yaml = { journal: join(disks.agent, 'journal.sqlite'), broker: { host: addresses.broker, port } };
    writeFileSync(join(facility.agentDirectory, 'agent.yaml'), JSON.stringify(yaml));
    const mosquitto = await Mosquitto.prepare(facility.directory, addresses.broker, port);
    const bed = new OutageBed(facility, mosquitto, disks);
    bed.network.build();
    await bed.startBroker();
    await bed.startAgent();
    await bed.startTerminal();
    return bed;
  }

  startBroker(): Promise<void> {
    return this.mosquitto.start(this.network.within('broker'));
  }
  /** Right files again, whatever a pattern changed. */
  async repairBroker(): Promise<void> {
    await Mosquitto.prepare(this.facility.directory, addresses.broker, port);
  }
  async startAgent(): Promise<void> {
    await this.agent.start();
  }

  async startTerminal(): Promise<void> {
    const script = new URL('./terminal-end.ts', import.meta.url).pathname;
    const args = [
      script,
      this.facility.deviceDirectory,
      addresses.broker,
      String(port),
      join(this.disks.terminal, 'store.db'),
    ];
    const [command = '', ...rest] = [...this.network.within('terminal'), process.execPath, ...args];
    const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#terminal = child;
    const life = ++this.#life;
    const begun = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = { ...(JSON.parse(text) as TerminalLine), atMs: performance.now(), life };
        this.lines.push(line);
        resolve();
        for (const look of [...this.#listeners]) look();
      });
    });
    await begun;
  }

  async killTerminal(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#terminal;
    this.#terminal = null;
    await endChild(child, signal);
  }
  /** As the kernel has it: T = stopped. */
  get terminalState(): string {
    return readFileSync(`/proc/${this.#terminal?.pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
  }
  signalTerminal(signal: NodeJS.Signals): void {
    this.#terminal?.kill(signal);
  }

  until<T>(what: string, find: (lines: readonly TimedLine[]) => T | undefined, deadlineMs = 20_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find(this.lines);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`not within ${deadlineMs} ms: ${what}`));
      }, deadlineMs);
      this.#listeners.add(look);
      look();
    });
  }

  /** One visit by PIN: answers once the submit is decided; null = no challenge lay ready. */
  async visit(): Promise<Submitted | null> {
    const visit = String(++this.#visits);
    this.#terminal?.stdin?.write(`${visit}\n`);
    const line = await this.until(`submit of visit ${visit}`, (lines) =>
      lines.find((one) => (one.type === 'submitted' || one.type === 'no-challenge') && one.visit === visit),
    );
    if (line.type !== 'submitted') return null;
    if (line.code === '') this.submitted.set(line.requestId, line);
    return line;
  }

  receiptOf(requestId: string, deadlineMs?: number): Promise<TimedLine> {
    return this.until(
      `receipt or expiry of ${requestId}`,
      (lines) => lines.find((one) => isEnd(one) && one.requestId === requestId),
      deadlineMs,
    );
  }

  /** A visit from submit to receipt, tried until one goes through. Answers the instant of its receipt. */
  async serve(deadlineMs = 20_000): Promise<number> {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      const visit = await this.visit();
      if (visit !== null && visit.code === '') {
        const { atMs } = await this.receiptOf(visit.requestId, deadlineMs);
        await this.until('challenges for the next visit', (lines) => {
          const last = lines.findLast((line) => line.type === 'event' && line.event === 'challenges-ready');
          return last?.type === 'event' && last.ready ? true : undefined;
        });
        return atMs;
      }
      if (performance.now() > endMs) throw new Error('no visit went through');
      await wait(20);
    }
  }

  journal<T>(read: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(join(this.disks.agent, 'journal.sqlite'), { readOnly: true });
    try {
      return read(database);
    } finally {
      database.close();
    }
  }

  async close(): Promise<void> {
    await this.killTerminal();
    await this.agent.kill();
    await this.mosquitto.kill();
    this.network.remove();
    for (const disk of Object.values(this.disks)) run('umount', '-l', disk);
    rmSync(this.facility.directory, { recursive: true, force: true });
  }
}
