import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Mosquitto, mosquittoPath } from '../../beds/mosquitto.ts';
import { endingWithUs } from '../container.ts';
import { layRabbit, rabbitCluster, rabbitPort } from '../rabbitmq.ts';

/** What stands between terminals and agents, and what is done to it. */
type FleetBroker = {
  readonly port: number;
  /** Names by which it is reached, one after the other: the next client takes the next */
  readonly hosts: readonly string[];
  readonly processIds: () => Readonly<Record<string, number>>;
  readonly start: () => Promise<void>;
  /** In mid-load, once; answers how many of its processes were killed */
  readonly hurt: () => Promise<number>;
  /** Before everybody comes at once; the same */
  readonly killBeforeAll: () => Promise<number>;
  readonly close: () => Promise<void>;
};

type BrokerKind = {
  readonly missing: string | null;
  /** Of its certificate */
  readonly names: readonly string[];
  /** How long visits go on while everything is killed */
  readonly killingSeconds: number;
  /** false: three nodes, terminals and agents on the two cores of one machine say nothing of its speed */
  readonly isJudgedBySpeed: boolean;
  readonly prepare: (facility: string, say: (text: string) => unknown) => Promise<FleetBroker>;
};

const mosquittoKind: BrokerKind = {
  missing: mosquittoPath === null ? 'mosquitto is not installed' : null,
  names: ['localhost', '127.0.0.1'],
  killingSeconds: 30,
  isJudgedBySpeed: true,
  prepare: async (facility) => {
    const mosquitto = await Mosquitto.prepare(facility);
    const again = async (pauseMs: number): Promise<number> => {
      await mosquitto.kill('SIGKILL');
      await pause(pauseMs);
      await mosquitto.start();
      return 1;
    };
    return {
      port: mosquitto.port,
      hosts: ['127.0.0.1'],
      processIds: () => ({ mosquitto: mosquitto.processId }),
      start: () => mosquitto.start(),
      hurt: () => again(500),
      killBeforeAll: () => again(0),
      close: () => mosquitto.kill(),
    };
  },
};

/** Of the nodes, made by whoever began this process in a network of its own */
const ownRoot = process.env.UKETSUKE_FLEET_ROOT;

/** Longer than `net_ticktime` of rabbitmq.conf and a quarter, after which the nodes know that one is cut off. ms */
const partitionMs = 15_000;

const rabbitKind: BrokerKind = {
  missing:
    process.getuid?.() === 0 && spawnSync('mmdebstrap', ['--version']).error === undefined
      ? null
      : '--broker rabbitmq makes a Debian 13 for it: needs root and mmdebstrap',
  names: ['node-1', 'node-2', 'node-3', 'broker-1', 'broker-2', 'broker-3'],
  killingSeconds: 75,
  isJudgedBySpeed: false,
  prepare: async (facility, say) => {
    if (ownRoot === undefined) throw new Error('no root for the nodes');
    const nodes = await rabbitCluster(ownRoot, facility);
    const [first, second, third] = nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
    return {
      port: rabbitPort,
      hosts: ['broker-1', 'broker-2', 'broker-3'],
      processIds: () => Object.fromEntries(nodes.map((node) => [node.name, node.processId])),
      start: async () => {
        await Promise.all(nodes.map((node) => node.start()));
      },
      hurt: async () => {
        await first.kill();
        say('  node-1 is killed');
        await pause(5_000);
        await first.start();
        say('  node-1 is back');
        await pause(3_000);
        second.cable(false);
        say('  node-2 is cut off');
        await pause(partitionMs);
        second.cable(true);
        say('  node-2 has its cable again');
        return 1;
      },
      killBeforeAll: async () => {
        await third.kill();
        return 1;
      },
      close: async () => {
        for (const node of nodes) await node.kill();
      },
    };
  },
};

export const brokerKinds: Readonly<Record<string, BrokerKind>> = { mosquitto: mosquittoKind, rabbitmq: rabbitKind };

/**
 * The trial once more with processes and a network of its own, where the cluster's may be made; the root of its nodes is made
 * before, with this machine's network. Answers its exit status; null: it is there already, or needs none.
 */
export const runInOwnNetwork = (broker: string, folder: string, say: (text: string) => unknown): number | null => {
  if (broker !== 'rabbitmq') return null;
  if (ownRoot !== undefined) {
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    return null;
  }
  const root = join(folder, 'rabbit');
  layRabbit(root, say);
  const again = ['unshare', '--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const [command, words] = endingWithUs(...again);
  return (
    spawnSync(command, words, { stdio: 'inherit', env: { ...process.env, UKETSUKE_FLEET_ROOT: root } }).status ?? 1
  );
};
