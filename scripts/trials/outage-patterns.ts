import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createAuthority,
  issueCertificate,
  validFor,
  yearMs,
} from '../../src/agent/provisioning/certificate-authority.ts';
import { type Host, isEnd, type OutageBed, wait } from './outage-bed.ts';

/**
 * Brings the cause about, lets visits meet it, takes it away. Answers when it was gone, which visits were waiting, and
 * what shows that it took effect (`seen.times` 0 = it did not, and the pattern proves nothing).
 * A process that was killed is started again by its supervisor; its cause is gone when it runs (its own start-up, about
 * a second of Node, is not the delivery's).
 */
export type Seen = { readonly what: string; readonly times: number };
type Pattern = (
  bed: OutageBed,
) => Promise<{ readonly goneAtMs: number; readonly waiting: readonly string[]; readonly seen: Seen }>;

const now = (): number => performance.now();
const idOf = async (bed: OutageBed): Promise<readonly string[]> => {
  const visit = await bed.visit();
  return visit === null || visit.code !== '' ? [] : [visit.requestId];
};

/** To be asked just before the cause is taken away. One visit that got through means that there was no outage. */
const unanswered = (bed: OutageBed, waiting: readonly string[]): Seen => {
  const answered = waiting.some((id) => bed.lines.some((line) => isEnd(line) && line.requestId === id));
  return { what: 'visits without a receipt while it lasted', times: answered ? 0 : waiting.length };
};
const toldSince = (bed: OutageBed, from: number, code: string): Seen => ({
  what: `${code} told`,
  times: bed.lines.slice(from).filter((line) => line.type === 'event' && line.code === code).length,
});

const cable =
  (host: Host, ms: number): Pattern =>
  async (bed) => {
    bed.network.cable(host, false);
    const waiting = await idOf(bed);
    await wait(ms);
    const seen = unanswered(bed, waiting);
    bed.network.cable(host, true);
    return { goneAtMs: now(), waiting, seen };
  };

type Rules = Parameters<OutageBed['network']['filter']>[1];
const filtered =
  (host: Parameters<OutageBed['network']['filter']>[0], rules: Rules, ms: number): Pattern =>
  async (bed) => {
    bed.network.filter(host, rules);
    const waiting = await idOf(bed);
    await wait(ms);
    const seen = { what: 'packets that met the filter', times: bed.network.filtered(host) };
    bed.network.filter(host, null);
    return { goneAtMs: now(), waiting, seen };
  };

const brokerGone =
  (options: {
    readonly signal: NodeJS.Signals;
    readonly ms: number;
    readonly loseState?: boolean;
    /** Which side is frozen when the visit is submitted */
    readonly frozen?: 'broker' | 'agent';
  }): Pattern =>
  async (bed) => {
    if (options.frozen === 'broker') bed.mosquitto.signal('SIGSTOP');
    if (options.frozen === 'agent') bed.agent.signal('SIGSTOP');
    const waiting = [...(await idOf(bed))];
    if (options.frozen !== undefined) await wait(300);
    await bed.mosquitto.kill(options.signal);
    if (options.loseState) rmSync(join(bed.mosquitto.directory, 'state'), { recursive: true, force: true });
    if (options.loseState) await bed.repairBroker();
    const acknowledged = bed.lines.some(
      (line) => line.type === 'event' && line.event === 'published' && line.requestId === waiting[0],
    );
    if (options.frozen !== undefined && acknowledged !== (options.frozen === 'agent'))
      throw new Error(`a PUBACK before the kill: ${acknowledged}`);
    waiting.push(...(await idOf(bed)));
    await wait(options.ms);
    const seen = unanswered(bed, waiting);
    if (options.frozen === 'agent') bed.agent.signal('SIGCONT');
    await bed.startBroker();
    return { goneAtMs: now(), waiting, seen };
  };

const frozen =
  (who: 'broker' | 'agent' | 'terminal', ms: number): Pattern =>
  async (bed) => {
    const signal = (name: NodeJS.Signals): void => {
      if (who === 'broker') bed.mosquitto.signal(name);
      else if (who === 'agent') bed.agent.signal(name);
      else bed.signalTerminal(name);
    };
    const waiting = who === 'terminal' ? await idOf(bed) : [];
    signal('SIGSTOP');
    const during = who === 'terminal' ? [] : await idOf(bed);
    await wait(ms);
    const isStopped = who === 'terminal' && bed.terminalState === 'T';
    const seen = who === 'terminal' ? { what: 'stopped process', times: Number(isStopped) } : unanswered(bed, during);
    signal('SIGCONT');
    return { goneAtMs: now(), waiting: [...waiting, ...during], seen };
  };

const agentKilled =
  (signal: NodeJS.Signals, ms: number): Pattern =>
  async (bed) => {
    await bed.agent.kill(signal);
    const waiting = await idOf(bed);
    await wait(ms);
    const seen = unanswered(bed, waiting);
    await bed.startAgent();
    return { goneAtMs: now(), waiting, seen };
  };

const inJournal = (bed: OutageBed, id: string): boolean =>
  bed.journal((journal) => journal.prepare('SELECT 1 FROM request WHERE request_id = ?').get(id) !== undefined);

const killedBeforeJournal: Pattern = async (bed) => {
  bed.agent.signal('SIGSTOP');
  const waiting = await idOf(bed);
  await wait(200);
  await bed.agent.kill('SIGKILL');
  const seen = { what: 'visits not in the journal', times: waiting.filter((id) => !inJournal(bed, id)).length };
  await bed.startAgent();
  return { goneAtMs: now(), waiting, seen };
};

/** The receipt cannot leave the agent's host: once the row is in the journal, the agent is killed. */
const killedAfterJournal: Pattern = async (bed) => {
  // Acknowledgements without payload still pass: the request itself arrives.
  bed.network.filter('agent', { output: 'meta length > 100 drop' });
  const waiting = await idOf(bed);
  const written = (): boolean => waiting.every((id) => inJournal(bed, id));
  for (let tries = 0; tries < 100 && !written(); tries++) await wait(20);
  if (!written()) throw new Error('the agent wrote no row');
  await bed.agent.kill('SIGKILL');
  const seen = unanswered(bed, waiting);
  bed.network.filter('agent', null);
  await bed.startAgent();
  return { goneAtMs: now(), waiting, seen };
};

const terminalKilled =
  (agentToo: boolean): Pattern =>
  async (bed) => {
    if (agentToo) await bed.agent.kill('SIGKILL');
    else bed.agent.signal('SIGSTOP');
    const waiting = await idOf(bed);
    await bed.killTerminal('SIGKILL');
    const seen = unanswered(bed, waiting);
    if (agentToo) await bed.startAgent();
    else bed.agent.signal('SIGCONT');
    await bed.startTerminal();
    return { goneAtMs: now(), waiting, seen };
  };

type Leaf = { readonly key: string; readonly certificate: string };
const authorityOf = (bed: OutageBed): Leaf => ({
  key: readFileSync(join(bed.facility.directory, 'facility-ca-key.pem'), 'utf8'),
  certificate: readFileSync(join(bed.facility.directory, 'facility-ca.pem'), 'utf8'),
});
const wrongCertificate =
  (make: (bed: OutageBed) => Promise<Leaf>): Pattern =>
  async (bed) => {
    const leaf = await make(bed);
    await bed.mosquitto.kill();
    writeFileSync(join(bed.mosquitto.directory, 'tls-key.pem'), leaf.key);
    writeFileSync(join(bed.mosquitto.directory, 'tls-certificate.pem'), leaf.certificate);
    await bed.startBroker();
    const refusedFrom = bed.lines.length;
    const waiting = await idOf(bed);
    await bed.until('delivery.broker-untrusted', (lines) =>
      lines.slice(refusedFrom).find((line) => line.type === 'event' && line.code === 'delivery.broker-untrusted'),
    );
    await wait(1_000);
    if (bed.lines.slice(refusedFrom).some((line) => line.type === 'event' && line.event === 'connected'))
      throw new Error('a broker with a wrong certificate was believed');
    await bed.mosquitto.kill();
    await bed.repairBroker();
    await bed.startBroker();
    return { goneAtMs: now(), waiting, seen: toldSince(bed, refusedFrom, 'delivery.broker-untrusted') };
  };
const names = ['10.77.0.1'];
const day = yearMs / 365.25;
const leafOf =
  (validity: { notBeforeMs: number; notAfterMs: number }, brokerNames = names) =>
  (bed: OutageBed) =>
    issueCertificate(authorityOf(bed), { commonName: 'broker', names: brokerNames, ...validity });

const oldTls: Pattern = async (bed) => {
  await bed.mosquitto.kill();
  const script = new URL('./old-tls-server.ts', import.meta.url).pathname;
  const [command = '', ...rest] = [...bed.network.within('broker'), process.execPath, script, bed.mosquitto.directory];
  const server = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  const refusedFrom = bed.lines.length;
  const waiting = await idOf(bed);
  const ended = once(server, 'exit');
  try {
    await bed.until('delivery.broker-untrusted', (lines) =>
      lines.slice(refusedFrom).find((line) => line.type === 'event' && line.code === 'delivery.broker-untrusted'),
    );
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
  await bed.startBroker();
  return { goneAtMs: now(), waiting, seen: toldSince(bed, refusedFrom, 'delivery.broker-untrusted') };
};

/** The ACL file without one of the users, read at SIGHUP; then the right one. */
const aclWithout =
  (user: string, ms: number): Pattern =>
  async (bed) => {
    const path = join(bed.mosquitto.directory, 'acl');
    const right = readFileSync(path, 'utf8');
    const sections = right.split('\nuser ').filter((section) => !section.startsWith(`${user}\n`));
    writeFileSync(path, sections.join('\nuser '));
    bed.mosquitto.signal('SIGHUP');
    await wait(100);
    const waiting = await idOf(bed);
    await wait(ms);
    const seen = unanswered(bed, waiting);
    writeFileSync(path, right);
    bed.mosquitto.signal('SIGHUP');
    return { goneAtMs: now(), waiting, seen };
  };

const swapped: Pattern = async (bed) => {
  const fresh = await leafOf(validFor(Date.now(), 1))(bed);
  await bed.mosquitto.kill();
  rmSync(join(bed.mosquitto.directory, 'state'), { recursive: true, force: true });
  await bed.repairBroker();
  writeFileSync(join(bed.mosquitto.directory, 'tls-key.pem'), fresh.key);
  writeFileSync(join(bed.mosquitto.directory, 'tls-certificate.pem'), fresh.certificate);
  const waiting = await idOf(bed);
  const seen = unanswered(bed, waiting);
  await bed.startBroker();
  return { goneAtMs: now(), waiting, seen };
};

const fill = (disk: string): (() => void) => {
  const ballast = join(disk, 'ballast');
  let bytes = 1 << 20;
  for (let part = 0; bytes >= 1_024; part++) {
    try {
      writeFileSync(`${ballast}-${part}`, new Uint8Array(bytes));
    } catch {
      rmSync(`${ballast}-${part}`, { force: true });
      bytes >>= 1;
    }
    if (part > 200) break;
  }
  return () => {
    for (let part = 0; part <= 201; part++) rmSync(`${ballast}-${part}`, { force: true });
  };
};

const diskFull =
  (whose: Host): Pattern =>
  async (bed) => {
    // A clean start gives back the room that the write-ahead log holds.
    if (whose === 'agent') {
      await bed.agent.kill('SIGTERM');
      await bed.startAgent();
    } else {
      await bed.killTerminal('SIGTERM');
      await bed.startTerminal();
    }
    await bed.serve();
    const refusedFrom = bed.lines.length;
    const failedBefore = bed.agent.timesLogged('store.failed');
    const makeRoom = fill(bed.disks[whose]);
    const waiting: string[] = [];
    for (let visits = 0; visits < 4; visits++) waiting.push(...(await idOf(bed)));
    await wait(1_500);
    const refused = bed.lines.slice(refusedFrom).filter((line) => line.type === 'submitted' && line.code !== '');
    const failures = bed.agent.timesLogged('store.failed') - failedBefore;
    makeRoom();
    const seen = { what: 'writes that failed', times: whose === 'agent' ? failures : refused.length };
    return { goneAtMs: now(), waiting, seen };
  };

const inAndOut = (rule: string): Rules => ({ input: rule, output: rule });
const lossy = 'tcp dport 8883 numgen random mod 100 < 30 drop; tcp sport 8883 numgen random mod 100 < 30 drop';

export const patterns: Readonly<Record<string, Pattern>> = {
  'cable of the terminal pulled for 0.1 s': cable('terminal', 100),
  'cable of the terminal pulled for 0.3 s': cable('terminal', 300),
  'cable of the terminal pulled for 1 s': cable('terminal', 1_000),
  'cable of the terminal pulled for 3 s': cable('terminal', 3_000),
  'cable of the terminal pulled for 10 s': cable('terminal', 10_000),
  'cable of the agent pulled for 0.1 s': cable('agent', 100),
  'cable of the agent pulled for 1 s': cable('agent', 1_000),
  'cable of the agent pulled for 3 s': cable('agent', 3_000),
  'cable of the agent pulled for 10 s': cable('agent', 10_000),
  'half-open: nothing from or to the terminal, 2 s': filtered(
    'terminal',
    inAndOut('tcp dport 8883 drop; tcp sport 8883 drop'),
    2_000,
  ),
  'half-open: nothing from or to the terminal, 6 s': filtered(
    'terminal',
    inAndOut('tcp dport 8883 drop; tcp sport 8883 drop'),
    6_000,
  ),
  'half-open: the terminal is not heard, 3 s': filtered('terminal', { output: 'tcp dport 8883 drop' }, 3_000),
  'half-open: the terminal hears nothing, 3 s': filtered('terminal', { input: 'tcp sport 8883 drop' }, 3_000),
  'half-open: nothing from or to the agent, 3 s': filtered(
    'agent',
    inAndOut('tcp dport 8883 drop; tcp sport 8883 drop'),
    3_000,
  ),
  'half-open: the agent is not heard, 3 s': filtered('agent', { output: 'tcp dport 8883 drop' }, 3_000),
  'half-open: the agent hears nothing, 3 s': filtered('agent', { input: 'tcp sport 8883 drop' }, 3_000),
  'three packets of ten lost at the terminal, 4 s': filtered('terminal', inAndOut(lossy), 4_000),
  'three packets of ten lost at the agent, 4 s': filtered('agent', inAndOut(lossy), 4_000),
  'RST to the terminal, 1 s': filtered(
    'broker',
    { input: 'ip saddr 10.77.0.2 tcp dport 8883 reject with tcp reset' },
    1_000,
  ),
  'RST to the agent, 1 s': filtered(
    'broker',
    { input: 'ip saddr 10.77.0.3 tcp dport 8883 reject with tcp reset' },
    1_000,
  ),
  'RST to both, 3 s': filtered('broker', { input: 'tcp dport 8883 reject with tcp reset' }, 3_000),
  'ICMP: the port is unreachable for both, 2 s': filtered('broker', { input: 'tcp dport 8883 reject' }, 2_000),
  'broker killed and back at once': brokerGone({ signal: 'SIGKILL', ms: 0 }),
  'broker killed for 2 s': brokerGone({ signal: 'SIGKILL', ms: 2_000 }),
  'broker stopped in order, 1 s': brokerGone({ signal: 'SIGTERM', ms: 1_000 }),
  'broker killed before the PUBACK': brokerGone({ signal: 'SIGKILL', ms: 200, frozen: 'broker' }),
  'broker killed after the PUBACK, before delivery': brokerGone({ signal: 'SIGKILL', ms: 200, frozen: 'agent' }),
  'broker killed after the PUBACK, its store lost': brokerGone({
    signal: 'SIGKILL',
    ms: 200,
    frozen: 'agent',
    loseState: true,
  }),
  'broker frozen for 1 s': frozen('broker', 1_000),
  'broker frozen for 5 s': frozen('broker', 5_000),
  'another broker under the same address, with an empty store': swapped,
  'agent killed': agentKilled('SIGKILL', 0),
  'agent killed for 3 s': agentKilled('SIGKILL', 3_000),
  'agent stopped in order': agentKilled('SIGTERM', 0),
  'agent killed before its journal write': killedBeforeJournal,
  'agent killed after its journal write, before the receipt': killedAfterJournal,
  'agent frozen for 3 s': frozen('agent', 3_000),
  'terminal killed right after the submit': terminalKilled(false),
  'terminal and agent killed right after the submit': terminalKilled(true),
  'terminal frozen for 3 s': frozen('terminal', 3_000),
  'broker certificate of another CA': wrongCertificate(async () => {
    const stranger = await createAuthority('another facility', validFor(Date.now(), 1));
    return issueCertificate(stranger, { commonName: 'broker', names, ...validFor(Date.now(), 1) });
  }),
  'broker certificate signed by itself': wrongCertificate(() => createAuthority('broker', validFor(Date.now(), 1))),
  'broker certificate expired yesterday': wrongCertificate((bed) =>
    leafOf({ notBeforeMs: Date.now() - 9 * day, notAfterMs: Date.now() - day })(bed),
  ),
  'broker certificate valid from tomorrow': wrongCertificate((bed) =>
    leafOf({ notBeforeMs: Date.now() + day, notAfterMs: Date.now() + 9 * day })(bed),
  ),
  'broker certificate for another name': wrongCertificate((bed) =>
    leafOf(validFor(Date.now(), 1), ['192.0.2.1', 'broker.example'])(bed),
  ),
  "a terminal's certificate shown as the broker's": wrongCertificate(async (bed) => ({
    key: bed.facility.other.tls.key,
    certificate: bed.facility.other.tls.certificate,
  })),
  'a server that speaks TLS 1.1 only': oldTls,
  'ACL without the terminal, 1 s': aclWithout('front-1', 1_000),
  'ACL without the agent, 1 s': aclWithout('agent-1', 1_000),
  "the terminal's disk full": diskFull('terminal'),
  "the agent's disk full": diskFull('agent'),
};
