import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { writeMosquittoFiles } from '../../src/agent/provisioning/broker-configuration.ts';

const candidates = ['mosquitto', '/usr/sbin/mosquitto'];
export const mosquittoPath = candidates.find((path) => spawnSync(path, ['-h']).error === undefined) ?? null;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

/** A real mosquitto with the rendered configuration and ACL, on loopback. */
export class Mosquitto {
  readonly port: number;
  /** TLS files, ACL, mosquitto.conf: what a test may change before `start` */
  readonly directory: string;
  readonly #configuration: string;
  #process: ChildProcess | null = null;

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
        if (line.includes(' running')) resolve();
      });
    });
    await listening;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
