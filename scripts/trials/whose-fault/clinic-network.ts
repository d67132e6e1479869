import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { projectRoot } from '../../demonstration/facility.ts';
import { eventually } from '../eventually.ts';
import { run } from '../misfortunes-bed.ts';
import type { Place } from '../misfortunes-place.ts';

/*
 * A clinic's network in namespaces: terminal and clinic's PC, each on a cable to one switch (`plain`), or on two networks with
 * the router between (`routed`). The terminal has what the package sets (systemd/sysctl) and speaks with its router now and
 * then, as a clock or a name server makes every machine do.
 */
const hosts = ['terminal', 'pc', 'switch', 'far'] as const;
type Host = (typeof hosts)[number];
export type Plan = 'plain' | 'routed';

const wireSettings = (): readonly (readonly [name: string, value: string])[] =>
  [
    ...readFileSync(join(projectRoot, 'systemd/sysctl/60-uketsuke.conf'), 'utf8').matchAll(
      /^net\.ipv4\.neigh\.\*\.(\w+) = (\d+)$/gm,
    ),
  ].map(([, name = '', value = '']) => [name, value] as const);

export class ClinicNetwork {
  readonly #prefix = `uw${process.pid}`;
  readonly #plan: Plan;
  readonly #relays: ReturnType<typeof spawn>[] = [];
  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get pcAddress(): string {
    return this.#plan === 'plain' ? '10.78.0.3' : '10.79.0.3';
  }
  within(host: Host): readonly string[] {
    return ['ip', 'netns', 'exec', `${this.#prefix}-${host}`];
  }
  in(host: Host, ...command: readonly string[]): string {
    const [program = '', ...rest] = [...this.within(host), ...command];
    return run(program, ...rest);
  }

  /** `switch` bridges, and is the router besides (.254); in the routed plan the PC is behind it on a wire of its own. */
  build(): void {
    for (const host of hosts) {
      run('ip', 'netns', 'add', `${this.#prefix}-${host}`);
      this.in(host, 'ip', 'link', 'set', 'lo', 'up');
    }
    this.in('switch', 'ip', 'link', 'add', 'lan', 'type', 'bridge');
    this.in('switch', 'ip', 'link', 'set', 'lan', 'up');
    this.#cable('switch', 'to-terminal', 'terminal', '10.78.0.2');
    // The router is a machine of its own on a third cable: it may be away while the switch stays.
    this.#cable('switch', 'to-far', 'far', '10.78.0.254');
    this.in('terminal', 'ip', 'route', 'add', 'default', 'via', '10.78.0.254');
    if (this.#plan === 'plain') this.#cable('switch', 'to-pc', 'pc', '10.78.0.3');
    else {
      this.#wire('far', 'to-pc', 'pc', '10.79.0.3');
      this.in('far', 'ip', 'address', 'add', '10.79.0.254/24', 'dev', 'to-pc');
      this.in('far', 'ip', 'link', 'set', 'to-pc', 'up');
      this.in('far', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
      this.in('pc', 'ip', 'route', 'add', 'default', 'via', '10.79.0.254');
    }
    for (const [name, value] of wireSettings())
      this.in('terminal', 'sh', '-c', `echo ${value} > /proc/sys/net/ipv4/neigh/eth0/${name}`);
    const knocking = `setInterval(() => require('node:net').connect(9, '10.78.0.254').on('error', () => {}).setTimeout(900, function () { this.destroy(); }), 1000)`;
    this.#relay('terminal', knocking);
  }
  #cable(from: Host, socket: string, to: Host, address: string): void {
    this.#wire(from, socket, to, address);
    this.in(from, 'ip', 'link', 'set', socket, 'master', 'lan', 'up');
  }
  #wire(from: Host, socket: string, to: Host, address: string): void {
    const ends = `${socket} type veth peer name eth0 netns ${this.#prefix}-${to}`;
    this.in(from, 'ip', 'link', 'add', ...ends.split(' '));
    this.in(to, 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
    this.in(to, 'ip', 'link', 'set', 'eth0', 'up');
  }
  #relay(host: Host, script: string): void {
    const [program = '', ...rest] = [...this.within(host), process.execPath, '-e', script];
    this.#relays.push(spawn(program, rest, { stdio: 'ignore' }));
  }

  /** The switch's or the router's end of a cable */
  plug(cable: 'terminal' | 'pc' | 'far', plugged: boolean): void {
    const host = cable === 'pc' && this.#plan === 'routed' ? 'far' : 'switch';
    this.in(host, 'ip', 'link', 'set', `to-${cable}`, plugged ? 'up' : 'down');
  }
  /** The switch sends what is for the terminal out at another socket, as one does whose table is spoilt. */
  misleadAnswers(misled: boolean): void {
    const hardware = this.in('terminal', 'cat', '/sys/class/net/eth0/address').trim();
    const entry = [hardware, 'dev', 'to-far', 'master'];
    this.in(
      'switch',
      'bridge',
      'fdb',
      misled ? 'replace' : 'delete',
      ...entry,
      ...(misled ? ['static', 'sticky'] : []),
    );
  }
  filter(host: Host, rules: string | null): void {
    try {
      this.in(host, 'nft', 'delete', 'table', 'inet', 'shut');
    } catch {
      // No rules yet.
    }
    if (rules !== null) this.in(host, 'nft', `table inet shut {\n${rules}\n}`);
  }

  /** `directory`: where the relay of the staff page, which is on the PC's loopback alone, has its socket */
  place(directory: () => string): Place {
    let relayed = '';
    const relay = async (port: string): Promise<string> => {
      const socket = join(directory(), `page-${port}.sock`);
      if (relayed === port) return socket;
      relayed = port;
      const listen = `require('node:net').createServer((a) => { const b = require('node:net').connect(${port}, '127.0.0.1'); a.pipe(b).pipe(a); a.on('error', () => b.destroy()); b.on('error', () => a.destroy()); }).listen('${socket}')`;
      this.#relay('pc', listen);
      await eventually(
        'the relay of the staff page',
        async () => (await ask(socket, port).catch(() => undefined)) ?? undefined,
      );
      return socket;
    };
    const ask = (socketPath: string, port: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const asked = request(
          { socketPath, path: '/', headers: { host: `127.0.0.1:${port}` }, timeout: 3_000 },
          (answer) => {
            const pieces: Buffer[] = [];
            answer.on('data', (piece: Buffer) => pieces.push(piece));
            answer.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
          },
        );
        asked.on('error', reject);
        asked.on('timeout', () => asked.destroy(new Error('the staff page says nothing')));
        asked.end();
      });
    return {
      host: this.pcAddress,
      within: (who) => this.within(who === 'link' ? 'terminal' : 'pc'),
      staffPage: async (url) => {
        const { port } = new URL(url);
        return ask(await relay(port), port);
      },
    };
  }

  remove(): void {
    for (const relay of this.#relays) relay.kill('SIGKILL');
    for (const host of hosts) {
      try {
        run('ip', 'netns', 'del', `${this.#prefix}-${host}`);
      } catch {
        // Was never made.
      }
    }
  }
}
