import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import { addAgent, addDevice, createFacility } from '../../../src/agent/provisioning/facility-authority.ts';
import type { AgentReady } from '../../../src/processes/agent.ts';
import { openSigned } from '../../../src/trust/seal.ts';
import { settingsMessageSchema } from '../../../src/wire/messages.ts';
import { topicOf } from '../../../src/wire/topics.ts';
import { furnishAgent } from '../../beds/delivery-bed.ts';
import { readDeviceKeys } from '../../beds/device-keys.ts';
import { freePort } from '../../beds/free-port.ts';
import { bundleName, type ChainFacility, type PlayedChain } from '../../beds/rollout-chain.ts';
import { eventually } from '../eventually.ts';

const device = 'front-1';

/** A facility with a real agent, `uketsuke agent` as a process with its broker, begun anew for each look. */
export class RealFacility implements ChainFacility {
  readonly name: string;
  readonly staffPort: number;
  readonly #directory: string;
  readonly #agent: string;
  readonly #deviceDirectory: string;
  #process: ChildProcess | null = null;
  #ready: AgentReady | null = null;
  isOn = true;
  readonly alerts = [];
  /** What terminals were offered here, ever */
  readonly given = new Set<string>();

  constructor(name: string, places: { directory: string; agent: string; device: string }, staffPort: number) {
    this.name = name;
    this.#directory = places.directory;
    this.#agent = places.agent;
    this.#deviceDirectory = places.device;
    this.staffPort = staffPort;
  }

  static async make(chain: PlayedChain, name: string): Promise<RealFacility> {
    const directory = join(chain.root, 'real', name);
    await createFacility(directory, { facility: name, brokerNames: ['localhost', '127.0.0.1'] });
    const agent = await addAgent(directory, 'agent-1');
    const deviceDirectory = await addDevice(directory, device, 1);
    await furnishAgent(agent);
    const trust = readFileSync(join(chain.place.directory, 'rollout-trust.json'));
    writeFileSync(join(agent, 'rollout-trust.json'), trust);
    const rollout = { folder: chain.place.folder, ...chain.hours };
    writeFileSync(join(agent, 'agent.yaml'), JSON.stringify({ rollout }));
    return new RealFacility(name, { directory, agent, device: deviceDirectory }, await freePort());
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get bundle(): string {
    return join(this.#agent, 'bundles', bundleName);
  }

  async end(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null) return;
    running.kill('SIGTERM');
    await once(running, 'exit');
  }

  /** Begun anew it looks at once; answered when it has told what it found. */
  async look(): Promise<void> {
    await this.end();
    const main = new URL('../../../src/main.ts', import.meta.url).pathname;
    const ports = ['--broker-port', '0', '--staff-port', String(this.staffPort), '--make-folders'];
    const broker = ['--embedded-broker', '--facility-dir', this.#directory];
    const running = spawn(
      process.execPath,
      [main, 'agent', '--dir', this.#agent, ...broker, ...ports, '--log', 'json'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process = running;
    if (running.stdout === null || running.stderr === null) throw new Error('no output');
    let hasLooked = false;
    createInterface(running.stderr).on('line', (line) => {
      if (line.includes('"rollout.step"') && line.includes('"release"')) hasLooked = true;
    });
    const [line] = (await once(createInterface(running.stdout), 'line')) as [string];
    this.#ready = JSON.parse(line) as AgentReady;
    await eventually(`the look of ${this.name}`, () => (hasLooked ? true : undefined), 60_000);
    if (existsSync(this.bundle)) {
      const { version } = JSON.parse(readFileSync(this.bundle, 'utf8')) as { version: string };
      this.given.add(version);
    }
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.staffPort}/metrics`)).text();
  }

  /** Until its terminal is told the chain's theme, signed by this agent. */
  async hearTheme(theme: string): Promise<void> {
    if (this.#ready === null) throw new Error('not running');
    const { tls, agents } = await readDeviceKeys(this.#deviceDirectory);
    const port = this.#ready.brokerPort;
    const bus = createMqttMessageBus({ host: '127.0.0.1', port, tls, clientId: device, protocolVersion: 4 });
    let told = '';
    const address = { facility: this.name, device };
    bus.subscribe(topicOf(this.name, device, 'settings'), ({ payload }) => {
      void openSigned('settings', payload, settingsMessageSchema, agents, address).then((opened) => {
        if (opened.ok) told = opened.value.message.facilitySettings.theme;
      });
    });
    try {
      await eventually(`the theme at ${this.name}`, () => (told === theme ? true : undefined), 90_000);
    } finally {
      await bus.close();
    }
  }
}
