import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import { mallocEnvironment } from '../../src/processes/face-start.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import { AgentProcess, type AgentReady, furnishAgent } from '../beds/delivery-bed.ts';
import { endChild } from '../beds/end-child.ts';
import { freePort } from '../beds/free-port.ts';
import { Mosquitto, mosquittoPath } from '../beds/mosquitto.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../beds/pcscd-bed.ts';
import { authority } from '../beds/test-cards.ts';
import { ScriptedPatient } from './scripted-patient.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = `${root}src/main.ts`;

/** Why a visit on real parts cannot be had here; null = it can. */
export const terminalOnPcscdMissing = async (): Promise<string | null> =>
  pcscdMissing() ??
  (await pcscliteMissing()) ??
  (mosquittoPath === null ? 'mosquitto is not installed' : null) ??
  (existsSync(`${root}dist/screens/index.html`) ? null : 'the page is not built (scripts/setup)');

type Besides = {
  readonly more?: object;
  readonly environment?: NodeJS.ProcessEnv;
  readonly listener?: string;
  readonly settings?: Partial<FacilitySettings>;
};
type TerminalParts = {
  readonly deviceDirectory: string;
  readonly brokerPort: number;
  readonly more: object;
  readonly environment: NodeJS.ProcessEnv;
};

/**
 * `uketsuke link`, `uketsuke run` and `uketsuke agent` as on a device, profile release, no virtual driver anywhere: a
 * real pcscd with vpcd's reader, mosquitto with mutual TLS, SQLite; a patient before the screen.
 */
export class TerminalOnPcscd {
  readonly directory = mkdtempSync(join(tmpdir(), 'uketsuke-real-'));
  readonly slot = new PcscdBed();
  /** Lines of terminal, link, agent and broker */
  readonly log: string[] = [];
  #broker: Mosquitto | null = null;
  #agent: AgentProcess | null = null;
  #terminal: ChildProcess | null = null;
  #link: ChildProcess | null = null;
  #ready: AgentReady | null = null;
  #patient: ScriptedPatient | null = null;

  get agent(): AgentReady {
    if (this.#ready === null) throw new Error('not started');
    return this.#ready;
  }
  get patient(): ScriptedPatient {
    if (this.#patient === null) throw new Error('not started');
    return this.#patient;
  }
  get healthSocket(): string {
    return join(this.directory, 'health.sock');
  }

  /** Of each end's keys */
  deviceDirectory = '';
  agentDirectory = '';
  listenerDirectory = '';
  get configFile(): string {
    return join(this.directory, 'terminal.yaml');
  }
  get brokerPort(): number {
    return this.#broker?.port ?? 0;
  }
  /** What runs of terminal and agent, by the command of `uketsuke`, and the broker */
  get processIds(): Readonly<Record<'run' | 'link' | 'agent' | 'broker', number>> {
    return {
      ...{ run: this.#terminal?.pid ?? 0, link: this.#link?.pid ?? 0 },
      ...{ agent: this.#agent?.processId ?? 0, broker: this.#broker?.processId ?? 0 },
    };
  }

  /**
   * `more`: what the configuration says besides; `environment`: of the terminal; `listener`: another terminal of this clinic
   * that the broker lets hear everything; `settings`: of the facility, where they are not those of tests
   */
  async start({ more = {}, environment = {}, listener, settings = {} }: Besides = {}): Promise<void> {
    const { directory } = this;
    await createFacility(directory, { facility: 'real-parts', brokerNames: ['localhost'] });
    const agentDirectory = await addAgent(directory, 'agent-1');
    const deviceDirectory = await addDevice(directory, 'front-1', 1);
    await furnishAgent(agentDirectory, settings);
    Object.assign(this, { agentDirectory, deviceDirectory });
    writeFileSync(join(deviceDirectory, 'terminal', 'cv-issuers.json'), authority.cvIssuersJson);
    this.listenerDirectory = listener === undefined ? '' : await addDevice(directory, listener, 9);
    this.#broker = await Mosquitto.prepare(directory);
    if (listener !== undefined)
      appendFileSync(join(this.#broker.directory, 'acl'), `\nuser ${listener}\ntopic read #\n`);
    this.#broker.onLine = (line) => this.log.push(line);
    await this.#broker.start();
    this.#agent = new AgentProcess(agentDirectory, `localhost:${this.#broker.port}`);
    this.#agent.onLine = (line) => this.log.push(line);
    // A machine that does ten other things takes its time.
    this.#ready = await this.#agent.start([], 180_000);
    await this.slot.start();
    const screenPort = await this.#startTerminal({ deviceDirectory, brokerPort: this.#broker.port, more, environment });
    this.#patient = await ScriptedPatient.before(screenPort);
  }

  /** Resolves with the port of its screen. */
  async #startTerminal({ deviceDirectory, brokerPort, more, environment }: TerminalParts): Promise<number> {
    const { directory } = this;
    const screenPort = await freePort();
    const config = {
      profile: 'test',
      facility: 'real-parts',
      device: 'front-1',
      lane: 1,
      screen: { port: screenPort },
      broker: { host: 'localhost', port: brokerPort },
      paths: {
        provisioning: deviceDirectory,
        store: join(directory, 'link.sqlite'),
        models: `${root}models`,
        screens: `${root}dist/screens`,
      },
      link: { socket: join(directory, 'link.sock'), health: join(directory, 'link-health.sock') },
      health: { socket: this.healthSocket },
      log: { level: 'debug' },
      ...more,
    };
    const file = this.configFile;
    writeFileSync(file, stringify(config));
    const start = (command: string): ChildProcess =>
      spawn(process.execPath, [main, command, '--config', file, '--log', 'json'], {
        env: { ...process.env, ...mallocEnvironment, ...environment, PCSCLITE_CSOCK_NAME: this.slot.socketPath },
        stdio: ['ignore', 'inherit', 'pipe'],
      });
    this.#link = start('link');
    this.#terminal = start('run');
    const { log } = this;
    const terminal = this.#terminal;
    if (this.#link.stderr === null || terminal.stderr === null) throw new Error('no log');
    createInterface({ input: this.#link.stderr }).on('line', (line) => log.push(line));
    const lines = createInterface({ input: terminal.stderr });
    await new Promise<void>((resolve, reject) => {
      terminal.once('exit', (code) => reject(new Error(`uketsuke run ended with ${code}:\n${log.join('\n')}`)));
      lines.on('line', (line) => {
        log.push(line);
        if (line.includes('"process.ready"')) resolve();
      });
    });
    return screenPort;
  }

  async close(): Promise<void> {
    this.#patient?.leave();
    for (const child of [this.#terminal, this.#link]) await endChild(child, 'SIGTERM');
    await this.#agent?.kill('SIGTERM');
    await this.slot.stop();
    await this.#broker?.kill('SIGTERM');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
