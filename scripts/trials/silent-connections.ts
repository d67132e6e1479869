import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { knowAddress } from '../../src/agent/provisioning/known-addresses.ts';
import { endChild } from '../beds/end-child.ts';
import { Mosquitto, mosquittoPath } from '../beds/mosquitto.ts';
import { facility, makeTestFacility } from '../beds/test-facility.ts';

/*
 * 1,100 silent connections against a real mosquitto in a network namespace, a terminal that knocks from another: without
 * the limits (it must be kept out, or the trial shows nothing), with them from one address, from 200, with the terminal's
 * address known, and for a terminal that was never served but enrolled, before and after the limits are loaded anew. Root, nftables and mosquitto are needed.
 */

type SilentFigures = {
  readonly silent: number;
  /** How a terminal fared: whether it was served, and within how many ms of knocking */
  readonly undefended: Served;
  readonly oneAddress: Served;
  /** A terminal that was never here before, while 200 addresses fill the part of the unknown: kept out, and told so */
  readonly manyAddressesUnknown: Served;
  readonly manyAddressesKnown: Served;
  /** Never served, its address told by the enrolment while the connections stand */
  readonly manyAddressesEnrolled: Served;
  /** The same after the machine of the broker has started anew, and nobody was served since */
  readonly manyAddressesRestarted: Served;
};
type Served = { readonly served: boolean; readonly ms: number; readonly held: number };

const run = (command: string, ...args: string[]): string => {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr.trim()}`);
  return done.stdout;
};

/** Three namespaces on one bridge inside the broker's: broker, terminal, attacker. */
class Clinic {
  readonly #names: readonly string[];
  readonly broker: string;
  readonly terminal: string;
  readonly attacker: string;
  readonly attackers: readonly string[];

  /** `id`: none of the clinics that stand beside it has it */
  constructor(addresses: number, beside: string) {
    const id = `${process.pid.toString(36)}${beside}`;
    [this.broker, this.terminal, this.attacker] = [`ub${id}`, `ut${id}`, `ua${id}`];
    this.#names = [this.broker, this.terminal, this.attacker];
    for (const name of this.#names) run('ip', 'netns', 'add', name);
    const inside = (name: string, ...args: string[]) => run('ip', '-n', name, ...args);
    for (const name of this.#names) inside(name, 'link', 'set', 'lo', 'up');
    inside(this.broker, 'link', 'add', 'br0', 'type', 'bridge');
    inside(this.broker, 'address', 'add', '10.77.0.1/16', 'dev', 'br0');
    inside(this.broker, 'link', 'set', 'br0', 'up');
    for (const [name, port] of [
      [this.terminal, 'pt'],
      [this.attacker, 'pa'],
    ] as const) {
      inside(this.broker, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      inside(this.broker, 'link', 'set', port, 'master', 'br0', 'up');
      inside(name, 'link', 'set', 'eth0', 'up');
    }
    inside(this.terminal, 'address', 'add', '10.77.0.2/16', 'dev', 'eth0');
    this.attackers = Array.from({ length: addresses }, (_, index) => `10.77.1.${index + 1}`);
    for (const address of this.attackers) inside(this.attacker, 'address', 'add', `${address}/16`, 'dev', 'eth0');
  }

  defend(port: number): void {
    const limits = new URL('../../systemd/mosquitto/limits.nft', import.meta.url).pathname;
    run('ip', 'netns', 'exec', this.broker, 'sysctl', '-q', 'net.netfilter.nf_conntrack_acct=1');
    run('ip', 'netns', 'exec', this.broker, 'nft', '-D', `broker_port=${port}`, '-f', limits);
  }

  /** As `uketsuke provision clinic` does when the terminal has shown its code. */
  enrols(address: string, file: string): Promise<void> {
    return knowAddress(address, async (args) => run('ip', 'netns', 'exec', this.broker, 'nft', ...args), file);
  }

  restores(file: string): void {
    run('ip', 'netns', 'exec', this.broker, 'nft', '-f', file);
  }

  knows(address: string): boolean {
    return run('ip', 'netns', 'exec', this.broker, 'nft', 'list', 'set', 'inet', 'uketsuke_broker', 'known4').includes(
      address,
    );
  }

  forget(): void {
    run('ip', 'netns', 'exec', this.broker, 'nft', 'flush', 'set', 'inet', 'uketsuke_broker', 'known4');
  }

  remove(): void {
    for (const name of this.#names) spawnSync('ip', ['netns', 'delete', name]);
  }
}

const here = (name: string): string => new URL(name, import.meta.url).pathname;

/** One JSON line of a child that stays. */
const firstLine = async (child: ChildProcess): Promise<Record<string, unknown>> => {
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as Record<string, unknown>;
  throw new Error('the child ended without a word');
};

const knock = async (within: string, port: number, directory: string, visits = 1): Promise<Served> => {
  const args = [
    'netns',
    'exec',
    within,
    process.execPath,
    here('./knocking-terminal.ts'),
    '10.77.0.1',
    String(port),
    directory,
    String(visits),
  ];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await firstLine(child);
  await endChild(child, 'SIGKILL');
  return { served: said.served === true, ms: Number(said.ms), held: 0 };
};

/** A clinic of its own, with its broker and an attacker who says nothing. */
const inClinic = async <T>(beside: string, silent: number, work: (parts: ClinicParts) => Promise<T>): Promise<T> => {
  const clinic = new Clinic(200, beside);
  const testFacility = await makeTestFacility();
  const directory = `${testFacility.directory}/devices/front-1`;
  const broker = await Mosquitto.prepare(testFacility.directory, '10.77.0.1', 8883);
  const flooded: ClinicParts['flooded'] = async (addresses, visitsBefore = 0, meanwhile = async () => {}) => {
    if (visitsBefore > 0) await knock(clinic.terminal, broker.port, directory, visitsBefore);
    const flooding = [process.execPath, here('./silent-flood.ts'), '10.77.0.1', String(broker.port), String(silent)];
    const flood = spawn('ip', ['netns', 'exec', clinic.attacker, ...flooding, ...addresses], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const { held } = await firstLine(flood);
      await meanwhile();
      return { ...(await knock(clinic.terminal, broker.port, directory)), held: Number(held) };
    } finally {
      await endChild(flood, 'SIGKILL');
    }
  };
  // A unit's usual limit of descriptors, or the one of our drop-in.
  const start = (descriptors: number): Promise<void> =>
    broker.start(['ip', 'netns', 'exec', clinic.broker, 'prlimit', `--nofile=${descriptors}`]);
  const startDefended = (): Promise<void> => {
    clinic.defend(broker.port);
    return start(8_192);
  };
  try {
    return await work({ clinic, file: `${testFacility.directory}/known.nft`, start, startDefended, flooded });
  } finally {
    await broker.kill();
    clinic.remove();
    rmSync(testFacility.directory, { recursive: true, force: true });
  }
};
type ClinicParts = {
  readonly clinic: Clinic;
  readonly file: string;
  readonly start: (descriptors: number) => Promise<void>;
  readonly startDefended: () => Promise<void>;
  readonly flooded: (
    addresses: readonly string[],
    visitsBefore?: number,
    meanwhile?: () => Promise<void>,
  ) => Promise<Served>;
};

const servedOnce = async ({ clinic, startDefended, flooded }: ClinicParts) => {
  await startDefended();
  const oneAddress = await flooded(clinic.attackers.slice(0, 1));
  clinic.forget();
  const manyAddressesKnown = await flooded(clinic.attackers, 3);
  if (!clinic.knows('10.77.0.2')) throw new Error('a terminal that proved itself is not known to the limits');
  if (clinic.knows('10.77.1.')) throw new Error('a silent address counts as known');
  return { oneAddress, manyAddressesKnown };
};
const servedNever = async ({ clinic, file, startDefended, flooded }: ClinicParts) => {
  await startDefended();
  const enrols = () => clinic.enrols('::ffff:10.77.0.2', file);
  const manyAddressesEnrolled = await flooded(clinic.attackers, 0, enrols);
  clinic.defend(8883);
  if (clinic.knows('10.77.0.2')) throw new Error('limits that were loaded anew know somebody');
  clinic.restores(file);
  const manyAddressesRestarted = await flooded(clinic.attackers);
  clinic.forget();
  const manyAddressesUnknown = await flooded(clinic.attackers);
  return { manyAddressesUnknown, manyAddressesEnrolled, manyAddressesRestarted };
};

/** Three clinics at once: most of it is waiting for whoever is kept out. */
export const measureSilence = async (silent = 1_100): Promise<SilentFigures> => {
  if (mosquittoPath === null) throw new Error('mosquitto is not installed');
  const [undefended, once, never] = await Promise.all([
    inClinic('u', silent, async ({ clinic, start, flooded }) => {
      await start(1_024);
      return flooded(clinic.attackers.slice(0, 1));
    }),
    inClinic('o', silent, servedOnce),
    inClinic('n', silent, servedNever),
  ]);
  return { silent, undefended, ...once, ...never };
};

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, silent: { type: 'string', default: '1100' } } });
  const figures = await measureSilence(Number(values.silent));
  const { undefended, oneAddress, manyAddressesKnown, manyAddressesEnrolled, manyAddressesRestarted } = figures;
  const defended = [oneAddress, manyAddressesKnown, manyAddressesEnrolled, manyAddressesRestarted];
  const good = !undefended.served && defended.every(({ served }) => served);
  process.stdout.write(`${JSON.stringify({ profile: 'namespaces', facility, ...figures, good })}\n`);
  process.exitCode = good ? 0 : 1;
}
