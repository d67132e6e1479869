import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { healthQuery } from '../../../src/cli/rollout-health.ts';
import { prometheusType } from '../../../src/wire/prometheus-text.ts';
import { freePort } from '../../beds/free-port.ts';
import type { ChainFacility } from '../../beds/rollout-chain.ts';
import { eventually } from '../eventually.ts';

/**
 * A real Prometheus over all facilities, on loopback, with the chain's alert rules. A facility's own Prometheus is left out: this
 * one asks each agent itself and gives it the name that the facility's would.
 */
export class ChainPrometheus {
  readonly address: string;
  readonly #process: ChildProcess;
  readonly #server: Server;

  constructor(address: string, running: ChildProcess, server: Server) {
    this.address = address;
    this.#process = running;
    this.#server = server;
  }

  static async start(root: string, facilities: readonly ChainFacility[]): Promise<ChainPrometheus> {
    const server = createServer((request, response) => {
      const name = request.url?.split('/')[1] ?? '';
      const facility = facilities.find((each) => each.name === name);
      const told = facility?.isOn === true ? facility.metrics() : Promise.reject(new Error('off'));
      told.then(
        (text) => response.setHeader('Content-Type', prometheusType).end(text),
        () => response.destroy(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    copyFileSync('monitoring/chain-alerts.yml', join(root, 'chain-alerts.yml'));
    const jobs = facilities.map(({ name }) => ({
      ...{ job_name: name, metrics_path: `/${name}/metrics` },
      static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { facility: name } }],
    }));
    const timing = { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '2s' };
    // JSON is YAML.
    const config = { global: timing, rule_files: ['chain-alerts.yml'], scrape_configs: jobs };
    writeFileSync(join(root, 'prometheus.yml'), JSON.stringify(config));
    const own = await freePort();
    const running = spawn(
      process.env.PROMETHEUS ?? 'prometheus',
      [
        `--config.file=${join(root, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(root, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${own}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    const made = new ChainPrometheus(`http://127.0.0.1:${own}`, running, server);
    await eventually(
      'Prometheus',
      async () => {
        const answer = await fetch(`${made.address}/-/ready`).catch(() => null);
        return answer?.ok === true ? true : undefined;
      },
      60_000,
    );
    return made;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Its answer to the operator's question, as it is. */
  async answer(): Promise<string> {
    const url = new URL('/api/v1/query', this.address);
    url.searchParams.set('query', healthQuery);
    return (await fetch(url)).text();
  }

  async end(): Promise<void> {
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
