import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeOqsFolders } from '../../../src/agent/oqs-folder/write-oqs-file.ts';
import { addAgent, addDevice, createFacility } from '../../../src/agent/provisioning/facility-authority.ts';
import { AgentProcess, furnishAgent } from '../../beds/delivery-bed.ts';
import { Postgres, postgresMissing } from '../../beds/postgres.ts';
import { familyCpuMs } from '../../bench/limit/processes.ts';
import { quantile } from '../../bench/limit/visit-figures.ts';
import { brokerKinds, runInOwnNetwork } from './fleet-brokers.ts';
import { Terminals } from './fleet-parts.ts';
import { answeredAfter, journalRows, judge, takeFiles } from './judge-fleet.ts';

/**
 * npm run fleet -- [--terminals 200] [--agents 2] [--journal postgres] [--broker mosquitto|rabbitmq] [--seconds 20] [--json]
 *
 * A hospital on this machine: agents as processes on one journal in a PostgreSQL, a broker (fleet-brokers.ts), terminals (terminals.ts: the
 * product's own link) in two processes. Requests are really signed by a card and a device, each with another certificate, and
 * really verified; a visit is a lookup, the request and its receipt, and the service answers at once. Parts: as
 * many visits as go (`perSecond`: receipts a second), beside what a single terminal costs, a steady 25 a second (`p99Ms`: from the begin of the lookup to the receipt),
 * and a steady 10 a second while an agent, the broker and the database are killed and started again (beside it, how long what was open with the agent waited for the others). The files of the journal lie in
 * memory where there is room: what a disk's sync takes is not in it, how many there were is printed. Then every visit
 * is compared with journal, chain, counts and files. `killed`: processes that were killed with SIGKILL (the database: SIGQUIT).
 */
const { values } = parseArgs({
  options: {
    terminals: { type: 'string', default: '200' },
    agents: { type: 'string', default: '2' },
    journal: { type: 'string', default: 'postgres' },
    broker: { type: 'string', default: 'mosquitto' },
    seconds: { type: 'string', default: '20' },
    json: { type: 'boolean' },
  },
});
const [terminalCount, agentCount, seconds] = [values.terminals, values.agents, values.seconds].map(Number) as [
  number,
  number,
  number,
];
const targets = { perSecond: 100, p99Ms: 500, stormMs: 10_000, costRatio: 1.3, answeredMs: 5_000 };
const steadyPerSecond = 25;
const killingPerSecond = 10;
/** Faster than this no machine of ours is: so many certificates are made. */
const mostPerSecond = 250;
const processes = 2;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const kind = brokerKinds[values.broker];
const missing =
  postgresMissing ??
  (values.journal === 'postgres' ? null : `--journal ${values.journal}: several agents share a PostgreSQL alone`) ??
  (kind === undefined ? `--broker ${values.broker}: ${Object.keys(brokerKinds).join(' or ')}` : kind.missing);
if (missing !== null || kind === undefined) {
  say(`fleet: ${missing}`);
  process.exit(1);
}

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uketsuke-fleet-'));
// The broker, which is no longer root, finds its files below it.
chmodSync(folder, 0o755);
const status = runInOwnNetwork(values.broker, folder, say);
if (status !== null) {
  rmSync(folder, { recursive: true, force: true });
  process.exit(status);
}
const facility = join(folder, 'facility');
const oqs = join(folder, 'oqs');
const takenInto = join(folder, 'taken');
mkdirSync(takenInto);

say(`${terminalCount} terminals, ${agentCount} agents; load ${loadavg()[0]?.toFixed(1)}`);
await createFacility(facility, { facility: 'test-clinic', brokerNames: kind.names });
const agentDirectories: string[] = [];
for (let number = 1; number <= agentCount; number += 1)
  agentDirectories.push(await addAgent(facility, `agent-${number}`));
const devices: string[] = [];
// A lane is a number of two digits: a facility with more terminals gives one to several.
for (let number = 1; number <= terminalCount; number += 1)
  devices.push(await addDevice(facility, `front-${number}`, 1 + ((number - 1) % 99)));
await makeOqsFolders(oqs);

const server = await Postgres.start();
const database = server.address('hospital');
const broker = await kind.prepare(facility, say);
const hostOf = (index: number): string => broker.hosts[index % broker.hosts.length] ?? '';
const agents = agentDirectories.map(
  (directory, index) => new AgentProcess(directory, `${hostOf(index)}:${broker.port}`),
);
let terminals: Terminals | null = null;
const files = takeFiles(oqs, takenInto);
const killed = { agents: 0, brokers: 0, databases: 0 };

const partsMs = (): Record<string, number> => ({
  ...Object.fromEntries(agents.map((agent, index) => [`agent-${index + 1}`, familyCpuMs(agent.processId)])),
  ...Object.fromEntries(Object.entries(broker.processIds()).map(([name, pid]) => [name, familyCpuMs(pid)])),
  postgres: familyCpuMs(server.processId),
});
const logOf = (): { bytes: number; syncs: number } => {
  const [bytes = 0, syncs = 0] = server
    .sql('hospital', 'SELECT wal_bytes, wal_sync FROM pg_stat_wal')
    .stdout.split('|')
    .map(Number);
  return { bytes, syncs };
};

/** `costMs`: processor time of a visit, of agents, broker and database together */
type Part = { readonly from: number; readonly to: number; readonly times: readonly number[]; readonly costMs: number };
const settled = async (): Promise<void> => {
  const open = () => [...journalRows(server, 'hospital').values()].filter(({ ended }) => !ended).length;
  for (const endsMs = performance.now() + 120_000; open() > 0 && performance.now() < endsMs; ) await pause(500);
};
/** Plays one part of the trial and prints what each process worked for a visit. */
const part = async (
  name: string,
  order: { seconds: number; perSecond: number | null; terminals?: number },
  meanwhile?: () => Promise<void>,
) => {
  if (terminals === null) throw new Error('no terminals');
  const known = new Set(terminals.visits.map(({ requestId }) => requestId));
  const before = meanwhile === undefined ? partsMs() : null;
  const log = meanwhile === undefined ? logOf() : null;
  const from = performance.timeOrigin + performance.now();
  const perProcess = order.perSecond === null ? null : order.perSecond / processes;
  await Promise.all([terminals.do({ ...order, order: 'visits', perSecond: perProcess }), meanwhile?.()]);
  const played = terminals.visits.filter(({ requestId }) => !known.has(requestId));
  const times = played.flatMap(({ begunMs, receiptMs }) => (receiptMs === undefined ? [] : [receiptMs - begunMs]));
  const to = Math.min(from + order.seconds * 1000, Math.max(...played.map(({ receiptMs = 0 }) => receiptMs)));
  say(`${name}: ${played.length} visits, ${times.length} receipts; load ${loadavg()[0]?.toFixed(1)}`);
  // What follows the last receipts is a part of their visits, and no part of the next ones.
  if (before !== null) await settled();
  let costMs = 0;
  if (before !== null && log !== null) {
    const after = partsMs();
    const each = Object.keys(after).map((key) => {
      const ms = ((after[key] ?? 0) - (before[key] ?? 0)) / played.length;
      costMs += ms;
      return `${key} ${ms.toFixed(2)}`;
    });
    say(
      `  ms of processor a visit: ${each.join(', ')}; together ${costMs.toFixed(2)}; beside them the terminals ${(terminals.cpuMs / played.length).toFixed(2)}`,
    );
    const now = logOf();
    say(
      `  of the journal's log a visit: ${Math.round((now.bytes - log.bytes) / played.length)} bytes, ${((now.syncs - log.syncs) / played.length).toFixed(2)} syncs`,
    );
  }
  return { from, to, times, played, costMs } satisfies Part & { played: unknown };
};

let agentDiedMs = Number.NaN;
/** Agent, broker and database in turn, each started again. */
const kill = async (): Promise<void> => {
  await pause(3_000);
  agentDiedMs = performance.timeOrigin + performance.now();
  await agents[0]?.kill('SIGKILL');
  killed.agents += 1;
  await pause(4_000);
  await agents[0]?.start([], 120_000);
  await pause(2_000);
  killed.brokers += await broker.hurt();
  await pause(6_000);
  await server.end('SIGQUIT');
  killed.databases += 1;
  await server.run();
};

const close = async (): Promise<void> => {
  files.end();
  await terminals?.end();
  for (const agent of agents) await agent.kill('SIGKILL');
  await broker.close();
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void close().finally(() => process.exit(1)));

try {
  await broker.start();
  for (const [index, directory] of agentDirectories.entries()) {
    await furnishAgent(directory);
    writeFileSync(join(directory, 'agent.yaml'), `journalDatabase: ${database}\noqsFolder: ${oqs}\n`);
    const first = join(agentDirectories[0] ?? '', 'journal-key.json');
    if (index > 0) writeFileSync(join(directory, 'journal-key.json'), readFileSync(first), { mode: 0o600 });
    await agents[index]?.start([], 120_000);
  }
  const cards = Math.ceil(
    (seconds * (1.5 * mostPerSecond + steadyPerSecond) + kind.killingSeconds * killingPerSecond + 2 * terminalCount) /
      processes,
  );
  const each = Math.ceil(devices.length / processes);
  terminals = await Terminals.start(
    Array.from({ length: processes }, (_, index) => ({
      port: broker.port,
      hosts: broker.hosts,
      devices: devices.slice(index * each, (index + 1) * each),
      cards,
    })),
  );
  await part('warm-up', { seconds: 2, perSecond: null });
  const most = await part('as many as go', { seconds, perSecond: null });
  const alone = await part('one terminal alone', { seconds: seconds / 2, perSecond: null, terminals: 1 });
  const costRatio = most.costMs / alone.costMs;
  say(
    `  a visit among ${terminalCount} terminals costs ${costRatio.toFixed(2)} times what it costs at one; without the terminals' own work these ${cpus().length} cores have room for ${Math.floor((1000 * cpus().length) / most.costMs)} a second`,
  );
  const steady = await part(`a steady ${steadyPerSecond} a second`, { seconds, perSecond: steadyPerSecond });
  say(
    `  to the receipt: p50 ${quantile(steady.times, 0.5).toFixed(0)} ms, p99 ${quantile(steady.times, 0.99).toFixed(0)} ms`,
  );
  await part('while they are killed', { seconds: kind.killingSeconds, perSecond: killingPerSecond }, kill);
  // Everybody at once, as after a power cut of the network: until the last one has been served.
  killed.brokers += await broker.killBeforeAll();
  const back = performance.timeOrigin + performance.now();
  const storm = await part('everybody after the broker is back', { seconds: 0.5, perSecond: null }, async () => {});
  const served = new Map(storm.played.map(({ device, receiptMs = Number.NaN }) => [device, receiptMs - back]));
  const stormMs = Math.max(...served.values());
  say(`  ${served.size} terminals served, the last ${Math.round(stormMs)} ms after the broker was back`);
  await terminals.do({ order: 'settle' });
  await settled();
  const taken = answeredAfter(terminals.visits, agentDiedMs);
  say(
    `an agent killed: of ${taken.open} requests that were open or sent just after, the last had its result after ${Math.round(taken.lastMs)} ms`,
  );
  files.end();
  const { visits } = terminals;
  const counted = Number(server.sql('hospital', 'SELECT coalesce(sum(times), 0) FROM uketsuke.usage').stdout);
  const verdict = judge(visits, journalRows(server, 'hospital'), counted, { taken: files.taken, folder: takenInto });
  const refused = visits.filter(({ verdict: said }) => said === 'refused');
  if (refused.length > 0)
    say(`refused: ${[...new Set(refused.map(({ code }) => code))].join(', ')} (${refused.length})`);
  const chain = server.sql('hospital', 'SELECT count(*) = max(number) - min(number) + 1 FROM uketsuke.audit').stdout;
  const perSecond =
    Math.round(
      (10 * 1000 * most.played.filter(({ receiptMs = Number.POSITIVE_INFINITY }) => receiptMs <= most.to).length) /
        (most.to - most.from),
    ) / 10;
  const p99Ms = Math.round(quantile(steady.times, 0.99));
  const { lost, twice, mixed, filesTwice } = verdict;
  console.log(JSON.stringify({ visits: visits.length, lost, twice, mixed, perSecond, p99Ms, killed, filesTwice }));
  const isRight = lost + twice + mixed + filesTwice === 0 && refused.length === 0 && chain === 't';
  const isFlat = costRatio <= targets.costRatio;
  const isFast =
    isFlat &&
    perSecond >= targets.perSecond &&
    p99Ms <= targets.p99Ms &&
    stormMs <= targets.stormMs &&
    taken.open > 0 &&
    taken.lastMs <= targets.answeredMs;
  process.exitCode = isRight && (isFast || !kind.isJudgedBySpeed) ? 0 : 1;
} finally {
  await close();
}
