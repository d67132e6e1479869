import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endChild } from './end-child.ts';
import { freePort } from './free-port.ts';

/** The newest of this machine's PostgreSQL that is new enough (Debian's place); null: there is none. */
const programs = ((): string | null => {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return null;
  const versions = readdirSync(root)
    .map(Number)
    .filter((version) => version >= 15 && existsSync(join(root, String(version), 'bin/initdb')))
    .sort((a, b) => b - a);
  return versions[0] === undefined ? null : join(root, String(versions[0]), 'bin');
})();

/** Why nothing can be tried with PostgreSQL here; null: it is there. */
export const postgresMissing =
  programs === null ? 'PostgreSQL 15 or later is not installed (Debian: postgresql)' : null;

/** It refuses to run as root: Debian's own user for it. */
const asItself = (): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
};

/** A PostgreSQL of its own in a scratch directory, on loopback, whose whole life ends with `remove`. */
export class Postgres {
  /** In memory where there is room: nobody waits for another's fsync. What it survives is the end of its processes */
  readonly directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uketsuke-postgres-'));
  readonly port: number;
  readonly #settings: readonly string[];
  #child: ChildProcess | null = null;

  constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
  }

  /** `settings`: name=value of postgresql.conf */
  static async start(settings: readonly string[] = []): Promise<Postgres> {
    if (programs === null) throw new Error(String(postgresMissing));
    const made = new Postgres(await freePort(), settings);
    const user = asItself();
    chmodSync(made.directory, 0o700);
    if (user.uid !== undefined) spawnSync('chown', [`${user.uid}:${user.gid}`, made.directory]);
    const { status, stderr } = spawnSync(
      join(programs, 'initdb'),
      ['-D', join(made.directory, 'data'), '-U', 'uketsuke', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
      { ...user, cwd: made.directory, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`initdb: ${stderr}`);
    await made.run();
    return made;
  }

  get processId(): number {
    return this.#child?.pid ?? 0;
  }

  get data(): string {
    return join(this.directory, 'data');
  }

  /** Of one database, made where it is missing. */
  address(database: string): string {
    const made = this.sql('postgres', `CREATE DATABASE ${database}`);
    if (made.status !== 0 && !made.stderr.includes('already exists')) throw new Error(made.stderr);
    return `postgres://uketsuke@127.0.0.1:${this.port}/${database}`;
  }

  /** By another hand than the product's. */
  sql(database: string, statement: string): { status: number | null; stdout: string; stderr: string } {
    const where = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'uketsuke', '-d', database];
    const { status, stdout, stderr } = spawnSync('psql', [...where, '-AtXc', statement], { encoding: 'utf8' });
    return { status, stdout: stdout.trim(), stderr };
  }

  /** Resolves once it answers. */
  async run(): Promise<void> {
    const where = ['-D', this.data, '-h', '127.0.0.1', '-p', String(this.port), '-k', this.directory];
    const child = spawn(
      join(programs ?? '', 'postgres'),
      [...where, ...this.#settings.flatMap((setting) => ['-c', setting])],
      { ...asItself(), cwd: this.directory, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      setTimeout(() => reject(new Error(`PostgreSQL did not start in 120 s:\n${said.join('\n')}`)), 120_000).unref();
      child.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}:\n${said.join('\n')}`)));
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        if (line.includes('ready to accept connections')) resolve();
      });
    });
  }

  /** `SIGQUIT`: at once, as a power cut leaves it; its children go with it. */
  async end(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    await endChild(child, signal, 10_000);
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
