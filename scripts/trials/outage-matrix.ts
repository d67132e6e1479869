import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { isEnd, OutageBed } from './outage-bed.ts';
import { patterns } from './outage-patterns.ts';
import { simulatedPatterns } from './outage-simulated.ts';

/**
 * npm run outage-matrix [-- --json] [--pattern TEXT]
 *
 * Each cause of an outage once, with visits before, in and after it. Short ones on network namespaces with a real
 * mosquitto, the real agent process and a real terminal link; long ones and clock jumps on a simulated clock.
 * lost: accepted by the terminal, then neither receipt nor expiry told. twice: done more than once by the agent's own
 * count. mixed: a receipt or result with another document, visit or outcome. restarts: by hand, beyond what a
 * supervisor does with a killed process. recoveryMs: from the cause being gone to the first receipt. A pattern whose
 * cause was not seen to take effect (packets that met the filter, visits without a receipt, writes that failed) counts
 * as failed.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean' }, pattern: { type: 'string' } } });
const say = (text: string): boolean => process.stderr.write(`${text}\n`);

if (process.getuid?.() !== 0) throw new Error('outage-matrix needs root: network namespaces and small file systems');
if (process.env.UKETSUKE_OWN_MOUNTS === undefined) {
  // Its mounts shall be nobody else's and go with it.
  const again = spawnSync('unshare', ['-m', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, UKETSUKE_OWN_MOUNTS: '1' },
  });
  process.exit(again.status ?? 1);
}

const chosen = <T>(all: Readonly<Record<string, T>>): readonly (readonly [string, T])[] =>
  Object.entries(all).filter(([name]) => values.pattern === undefined || name.includes(values.pattern));

let restarts = 0;
const recoveries: number[] = [];
const failed: string[] = [];
const counts = { lost: 0, twice: 0, mixed: 0 };

const bed = await OutageBed.build();
try {
  await bed.serve();
  for (const [name, pattern] of chosen(patterns)) {
    try {
      await bed.serve();
      const { goneAtMs, waiting, seen } = await pattern(bed);
      if (seen.times === 0) throw new Error(`its cause was not seen: ${seen.what}`);
      const served = await Promise.all(waiting.map(async (id) => (await bed.receiptOf(id)).atMs));
      const firstMs = waiting.length > 0 ? Math.max(...served) : await bed.serve();
      const recoveryMs = Math.max(0, firstMs - goneAtMs);
      recoveries.push(recoveryMs);
      say(`${recoveryMs.toFixed(0).padStart(6)} ms  ${name} (${waiting.length} waiting; ${seen.what}: ${seen.times})`);
    } catch (error) {
      failed.push(name);
      restarts++;
      say(`   failed: ${name}: ${error instanceof Error ? error.message : error}`);
      for (const host of ['terminal', 'agent', 'broker'] as const) bed.network.filter(host, null);
      for (const host of ['terminal', 'agent'] as const) bed.network.cable(host, true);
      await bed.killTerminal();
      await bed.agent.kill();
      await bed.mosquitto.kill();
      await bed.repairBroker();
      await bed.startBroker();
      await bed.startAgent();
      await bed.startTerminal();
    }
  }
  await bed.serve();

  // ── the count, from the agent's journal and what the terminal told ──
  type Row = Record<string, string | number | null>;
  const { rows, done } = bed.journal((journal) => {
    // One snapshot: the last visit's result may come in between.
    journal.exec('BEGIN');
    return {
      rows: journal.prepare('SELECT request_id, document_hash, session, outcome FROM request').all() as Row[],
      done: journal
        .prepare("SELECT coalesce(sum(times), 0) AS times FROM usage WHERE outcome <> 'refused'")
        .get() as Row,
    };
  });
  const journal = new Map(rows.map((row) => [String(row.request_id), row]));
  counts.twice = Number(done.times) - rows.filter((row) => row.outcome !== null).length;
  if (counts.twice !== 0) say(`the journal counts ${done.times} results of ${rows.length} requests`);
  for (const [requestId, { documentHash, session }] of bed.submitted) {
    const told = bed.lines.filter((line) => line.type === 'event' && line.requestId === requestId);
    const receipts = told.filter((line) => line.type === 'event' && line.event === 'receipt');
    if (!told.some(isEnd)) counts.lost++;
    const row = journal.get(requestId);
    const isMixed =
      (row !== undefined && (row.document_hash !== documentHash || row.session !== session)) ||
      told.some((line) => line.type === 'event' && line.event === 'result' && line.outcome !== row?.outcome) ||
      receipts.some(
        (line) => line.type === 'event' && (line.documentHash !== documentHash || line.session !== session),
      );
    if (isMixed || (receipts.length > 0 && row === undefined)) counts.mixed++;
    if (receipts.some((line, index) => receipts.findIndex((other) => other.life === line.life) !== index)) {
      say(`told twice: ${requestId}`);
      counts.twice++;
    }
  }
  counts.mixed += rows.filter((row) => !bed.submitted.has(String(row.request_id))).length;
} finally {
  await bed.close();
}
const visits = { real: bed.submitted.size, simulated: 0 };

const simulated: number[] = [];
for (const [name, pattern] of chosen(simulatedPatterns)) {
  try {
    const outcome = await pattern();
    if (outcome.seen.times === 0) throw new Error(`its cause was not seen: ${outcome.seen.what}`);
    visits.simulated += outcome.visits;
    counts.lost += outcome.lost;
    counts.twice += outcome.twice;
    counts.mixed += outcome.mixed;
    simulated.push(outcome.recoveryMs);
    say(
      `${outcome.recoveryMs.toFixed(0).padStart(6)} ms  ${name} (simulated clock; ${outcome.told}; ${outcome.seen.what}: ${outcome.seen.times})`,
    );
  } catch (error) {
    failed.push(name);
    restarts++;
    say(`   failed: ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

const quantile = (of: readonly number[], share: number): number => {
  const sorted = [...of].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
};
for (const name of failed) say(`failed: ${name}`);
console.log(
  JSON.stringify({
    patterns: recoveries.length + simulated.length + failed.length,
    ...counts,
    restarts,
    recoveryMs: { p50: quantile(recoveries, 0.5), p99: quantile(recoveries, 0.99) },
    simulatedRecoveryMs: { p99: quantile(simulated, 0.99) },
    visits,
  }),
);
process.exit(failed.length === 0 && counts.lost + counts.twice + counts.mixed === 0 ? 0 : 1);
