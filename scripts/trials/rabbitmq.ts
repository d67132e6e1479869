import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeRabbitmqFiles } from '../../src/agent/provisioning/broker-configuration.ts';
import { endChild } from '../beds/end-child.ts';
import { freePort } from '../beds/free-port.ts';
import { until } from '../beds/simulated-clock.ts';
import { layDebian } from '../image/kept-debian.ts';
import { endingWithUs } from './container.ts';

/** A Debian 13 with rabbitmq-server 4 at `root`, made once and kept for a week. Needs root and mmdebstrap. */
export const layRabbit = (root: string, say: (text: string) => unknown): void =>
  layDebian(root, 'rabbitmq', 'trixie', 'rabbitmq-server', say);

/** Where somebody has made one for the tests, none of which needs it. */
export const rabbitRoot = process.env.UKETSUKE_RABBITMQ_ROOT ?? null;

/** A member with a network of its own, at `address` of a bridge of whoever runs it; null: on loopback, alone. */
type Member = { readonly name: string; readonly address: string | null };
const bridge = 'rabbits';
const prefixLength = 24;

/** The shell stays, as root, above what is no longer root: the signal that ends it with us would not reach that. */
const scriptOf = (root: string, facility: string, member: Member): string => `set -e
mount --rbind /dev '${root}/dev'
mount -t proc proc '${root}/proc'
mount --bind '${facility}' '${root}${facility}'
${
  member.address === null
    ? ''
    : `ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip address add ${member.address}/${prefixLength} dev eth0
ip link set eth0 up
`
}chroot '${root}' "$@" || exit $?`;

/** One RabbitMQ 4 of a cluster with the files that `uketsuke broker --kind rabbitmq` wrote. It ends with whoever started it. */
class RabbitNode {
  readonly #root: string;
  readonly #facility: string;
  readonly #member: Member;
  readonly #environment: readonly string[];
  #child: ChildProcess | null = null;
  /** Lines of its log */
  onLine: (line: string) => void = () => {};

  constructor(root: string, facility: string, member: Member, environment: readonly string[]) {
    this.#root = root;
    this.#facility = facility;
    this.#member = member;
    const home = `/nodes/${member.name}`;
    mkdirSync(join(root, home), { recursive: true });
    mkdirSync(join(root, facility), { recursive: true });
    writeFileSync(join(root, home, '.erlang.cookie'), readFileSync(join(facility, 'rabbitmq/erlang.cookie')), {
      mode: 0o400,
    });
    execFileSync('chroot', [root, 'chown', '-R', 'rabbitmq', home]);
    this.#environment = [
      ...['env', '-i', 'PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8', `HOME=${home}`],
      ...[`RABBITMQ_NODENAME=rabbit@${member.name}`, `RABBITMQ_MNESIA_BASE=${home}`, `RABBITMQ_LOG_BASE=${home}`],
      ...[`RABBITMQ_CONF_ENV_FILE=${facility}/rabbitmq/rabbitmq-env.conf`, ...environment],
    ];
  }

  get name(): string {
    return this.#member.name;
  }

  #asRabbit(...command: readonly string[]): readonly string[] {
    return ['setpriv', '--reuid=rabbitmq', '--regid=rabbitmq', '--clear-groups', ...this.#environment, ...command];
  }

  /** The first process within, as this machine counts them; 0: there is none yet. */
  get processId(): number {
    const outer = this.#child?.pid ?? 0;
    return outer === 0 ? 0 : Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').split(' ')[0] ?? 0);
  }

  async #connect(): Promise<void> {
    const own = readlinkSync('/proc/self/ns/net');
    await until(`a network for ${this.name}`, () => {
      const pid = this.processId;
      return pid !== 0 && readlinkSync(`/proc/${pid}/ns/net`) !== own;
    });
    const ends = `${this.name} type veth peer name eth0 netns ${this.processId}`;
    execFileSync('ip', ['link', 'add', ...ends.split(' ')]);
    execFileSync('ip', ['link', 'set', this.name, 'master', bridge, 'up']);
  }

  /** Resolves once it takes connections: a member of a cluster after enough of the others have come. */
  async start(): Promise<void> {
    const script = ['sh', '-c', scriptOf(this.#root, this.#facility, this.#member), 'node'];
    const network = this.#member.address === null ? [] : ['unshare', '--net'];
    const [command, words] = endingWithUs(...network, ...script, ...this.#asRabbit('rabbitmq-server'));
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const said: string[] = [];
    const started = new Promise<void>((resolve, reject) => {
      const failed = (what: string): void => reject(new Error(`${this.name} ${what}:\n${said.slice(-40).join('\n')}`));
      setTimeout(() => failed('did not start in 180 s'), 180_000).unref();
      child.once('exit', (code, signal) => failed(`ended with ${code ?? signal}`));
      for (const input of [child.stdout, child.stderr])
        createInterface({ input }).on('line', (line) => {
          this.onLine(line);
          said.push(line);
          if (said.length > 200) said.shift();
          if (line.includes('Server startup complete')) resolve();
        });
    });
    if (this.#member.address !== null) await this.#connect();
    await started;
  }

  /** rabbitmqctl at this node; its standard output. Throws where it fails. */
  control(...words: readonly string[]): string {
    const within = ['-t', String(this.processId), '-n', '-m', '-p', 'chroot', this.#root];
    const done = spawnSync('nsenter', [...within, ...this.#asRabbit('rabbitmqctl', '-q', ...words)], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (done.status !== 0) throw new Error(`rabbitmqctl ${words.join(' ')}: ${done.stdout}${done.stderr}`);
    return done.stdout;
  }

  /** Pulls or plugs its cable: nobody is told. */
  cable(isPlugged: boolean): void {
    execFileSync('ip', ['link', 'set', this.name, isPlugged ? 'up' : 'down']);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    await endChild(child, 'SIGKILL');
    if (this.#member.address !== null) spawnSync('ip', ['link', 'del', this.name], { stdio: 'ignore' });
  }
}

/** One on loopback for a test, without a network or a cluster of its own. */
export const loneRabbit = async (root: string, facility: string): Promise<RabbitNode & { readonly port: number }> => {
  const [port, distribution, names] = [await freePort(), await freePort(), await freePort()];
  const place = { address: '127.0.0.1', port, directory: join(facility, 'rabbitmq'), nodes: ['rabbit@localhost'] };
  await writeRabbitmqFiles(facility, { kind: 'rabbitmq', ...place });
  openToRabbit(root, facility);
  const node = new RabbitNode(root, facility, { name: 'localhost', address: null }, [
    ...[`RABBITMQ_DIST_PORT=${distribution}`, `ERL_EPMD_PORT=${names}`, 'ERL_EPMD_ADDRESS=127.0.0.1'],
    'ERL_AFLAGS=-kernel inet_dist_use_interface {127,0,0,1}',
  ]);
  return Object.assign(node, { port });
};

const openToRabbit = (root: string, facility: string): void => {
  chmodSync(facility, 0o755);
  const { stdout } = spawnSync('chroot', [root, 'id', '-u', 'rabbitmq'], { encoding: 'utf8' });
  execFileSync('chown', ['-R', stdout.trim(), join(facility, 'rabbitmq')]);
};

export const rabbitPort = 8883;

/** Three that know each other, each with a network of its own: to be made where nobody else's network is. */
export const rabbitCluster = async (root: string, facility: string): Promise<readonly RabbitNode[]> => {
  const members = [11, 12, 13].map((last, index) => ({ name: `node-${index + 1}`, address: `10.77.0.${last}` }));
  await writeRabbitmqFiles(facility, {
    kind: 'rabbitmq',
    ...{ address: '0.0.0.0', port: rabbitPort, directory: join(facility, 'rabbitmq') },
    nodes: members.map(({ name }) => `rabbit@${name}`),
  });
  openToRabbit(root, facility);
  execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge']);
  execFileSync('ip', ['address', 'add', `10.77.0.200/${prefixLength}`, 'dev', bridge]);
  execFileSync('ip', ['link', 'set', bridge, 'up']);
  // Of whoever connects each begins with another node.
  const hosts = ['127.0.0.1 localhost', ...members.map(({ name, address }) => `${address} ${name}`)];
  for (const first of [0, 1, 2])
    for (const turn of [0, 1, 2]) hosts.push(`${members[(first + turn) % 3]?.address} broker-${first + 1}`);
  const file = join(root, 'hosts-of-cluster');
  writeFileSync(file, `${hosts.join('\n')}\n`);
  writeFileSync(join(root, 'etc/hosts'), `${hosts.join('\n')}\n`);
  execFileSync('mount', ['--bind', file, '/etc/hosts']);
  return members.map((member) => new RabbitNode(root, facility, member, []));
};
