import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { writeMosquittoFiles } from '../../src/agent/provisioning/broker-configuration.ts';
import { endChild } from './end-child.ts';
import { freePort } from './free-port.ts';

const candidates = ['mosquitto', '/usr/sbin/mosquitto'];
export const mosquittoPath = candidates.find((path) => spawnSync(path, ['-h']).error === undefined) ?? null;

/** A real mosquitto with the rendered configuration and ACL, on loopback. */
export class Mosquitto {
  readonly port: number;
  /** TLS files, ACL, mosquitto.conf: what a test may change before `start` */
  readonly directory: string;
  readonly #configuration: string;
  #process: ChildProcess | null = null;
  /** Every line that it logs */
  onLine: (line: string) => void = () => {};

  constructor(port: number, directory: string, configuration: string) {
    this.port = port;
    this.directory = directory;
    this.#configuration = configuration;
  }

  static async prepare(facilityDirectory: string, address = '127.0.0.1', port?: number): Promise<Mosquitto> {
    const chosen = port ?? (await freePort());
    const directory = `${facilityDirectory}/mosquitto-${chosen}`;
    const place = { address, port: chosen, directory };
    const configuration = await writeMosquittoFiles(facilityDirectory, place);
    for (const path of [facilityDirectory, directory]) chmodSync(path, 0o755);
    return new Mosquitto(chosen, directory, configuration);
  }

  /** Resolves once it listens. `within`: a command before it, such as `ip netns exec NAME`. */
  async start(within: readonly string[] = []): Promise<void> {
    if (mosquittoPath === null) throw new Error('mosquitto is not installed');
    // As root mosquitto becomes the user `mosquitto`, who must read what root wrote.
    if (process.getuid?.() === 0) spawnSync('chown', ['-R', 'mosquitto', this.directory]);
    const [command = '', ...rest] = [...within, mosquittoPath, '-c', this.#configuration];
    const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    const said: string[] = [];
    const listening = new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error(`mosquitto did not start in 10 s:\n${said.join('\n')}`)), 10_000).unref();
      child.once('exit', (code) => reject(new Error(`mosquitto ended with ${code}:\n${said.join('\n')}`)));
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        this.onLine(line);
        if (line.includes(' running')) resolve();
      });
    });
    await listening;
  }

  get processId(): number {
    return this.#process?.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    await endChild(child, signal);
  }
}
