import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { monthOf } from '../../src/agent/journal/today-notes.ts';
import { dayMs } from '../../src/core/time-units.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { Challenge } from '../../src/wire/messages.ts';
import { AgentProcess, furnishAgent, LinkWatch, makeVisitor } from '../beds/delivery-bed.ts';
import { MemoryStore } from '../beds/memory-store.ts';
import { Mosquitto } from '../beds/mosquitto.ts';
import { until } from '../beds/simulated-clock.ts';
import { makeTestFacility } from '../beds/test-facility.ts';

/**
 * npm run grow -- [--rows 0,800000,3600000] [--json]
 *
 * What a visit, a start and the staff page cost an agent whose journal holds so many requests: 800,000 are twenty lanes at the
 * 400 days of docs/privacy.md, 3,600,000 a facility that keeps five years. Real parts: `uketsuke agent` as a process,
 * mosquitto, requests that a card and a device signed. Besides the requests the journal holds what goes with them: 30 days of
 * challenges, 150,000 entries of the chain, a month of cards seen, the counts, a day's notes. Each size is measured in turns
 * with the empty one, so that whatever else this machine does falls on both. `startMs`: process to ready, the least of the
 * turns; `receiptMs`: sent to receipt, `staffPageMs`: the page as a browser asks for it, both the median of all turns.
 * `ratioToEmpty`: the worst of the three, largest journal to empty one; at most 1.3.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '0,800000,3600000' },
    turns: { type: 'string', default: '3' },
    json: { type: 'boolean' },
  },
});
const sizes = String(values.rows).split(',').map(Number);
const turns = Number(values.turns);
const most = 1.3;
const visitsATurn = 30;
const pagesATurn = 10;
/** More of the journal before are never left in the terminal's stock: an agent that was told no wire calls none of them void */
const strangeChallenges = 8;
const keptEntries = 150_000;
const lanes = 20;
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const median = (of: readonly number[]): number =>
  [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN;

/** As a facility that was open so long has it, its last visit a moment ago. */
const fill = (path: string, rows: number): void => {
  const journal = new Journal(path, { steadyMs: () => 0 });
  if (rows === 0) return journal.close();
  const nowMs = Date.now();
  const days = rows > 1_000_000 ? 1_825 : 400;
  journal.atOnce(() => {
    for (let entry = 0; entry < Math.min(keptEntries, 2 * rows); entry += 1)
      journal.audit.append({ atMs: nowMs, event: 'request-accepted', subject: crypto.randomUUID() });
  });
  journal.close();
  const database = new DatabaseSync(path);
  const numbers = (count: number): string =>
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${Math.round(count)})`;
  const age = 399 * dayMs;
  const received = `${nowMs} - CAST((${rows} - i) * ${(days * dayMs) / rows} AS INTEGER)`;
  const id = 'lower(hex(randomblob(16)))';
  database.exec(`BEGIN;
    INSERT OR REPLACE INTO age VALUES (1, ${age}, NULL, 0);
    ${numbers(rows)} INSERT INTO request (request_id, device, lane, session, kind, document_hash, method, consents, verdict,
        issued_at, received_at, expires_at, outcome, qualification_validity, finished_at, file, handed_over_at, lived_at)
      SELECT ${id}, 'terminal-' || (i % ${lanes}), 1 + i % ${lanes}, ${id}, 'eligibility', ${id} || substr(${id}, 1, 11), 'face',
        '{"TKK":true,"YZK":true,"SRJ":true,"SHJ":true,"TSR":false}', 'accepted', ${received}, ${received}, ${received} + 600000,
        'eligible', 1, ${received} + 300, 'OQSsiquc01res_face_' || i || '.xml', ${received} + 400, CAST(i * ${age / rows} AS INTEGER)
      FROM n;
    ${numbers((rows * 30) / days)} INSERT INTO challenge (nonce, device, issued_at, expires_at, request_id, lived_at)
      SELECT ${id} || substr(${id}, 1, 11), 'terminal-' || (i % ${lanes}), ${nowMs}, ${nowMs} + 600000, ${id}, ${age} FROM n;
    ${numbers((rows * 31) / days)} INSERT INTO card_seen SELECT '${monthOf(nowMs)}', ${id} || substr(${id}, 1, 11) FROM n;
    INSERT INTO month_key (month, key, lived_at) VALUES ('${monthOf(nowMs)}', randomblob(32), ${age});
    ${numbers((days / 30) * lanes * 5)} INSERT INTO usage
      SELECT (202100 + 1 + i / ${lanes * 5}), 1 + i % ${lanes}, 'eligibility', 'face', 'outcome-' || (i / ${lanes} % 5), '', 100 FROM n;
    INSERT INTO today (request_id, reference_number, notices, delete_at, open_names)
      SELECT request_id, CAST(rowid AS TEXT), '[]', ${age} + ${dayMs}, '[]' FROM request ORDER BY rowid DESC LIMIT ${Math.round(rows / days)};
    COMMIT;`);
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  say(`${rows} requests: ${Math.round(statSync(path).size / 1e6)} MB`);
};

const facility = await makeTestFacility();
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uketsuke-grow-'));
const mosquitto = await Mosquitto.prepare(facility.directory);
await mosquitto.start();
await furnishAgent(facility.agentDirectory);
const bus = createMqttMessageBus({
  ...{ host: '127.0.0.1', port: mosquitto.port, tls: facility.device.tls, clientId: facility.device.device },
  protocolVersion: 5,
});
const link = createClinicLink({
  ...{ bus, store: new MemoryStore(), clock: createSystemClock(), keys: facility.device },
  log: createEventLog({ format: 'silent' }),
});
const watch = new LinkWatch(link);
const visitor = await makeVisitor(Date.now());

const takeChallenge = async (): Promise<Challenge> => {
  let challenge: Challenge | null = null;
  await until('a challenge', () => {
    challenge = link.takeChallenge(300_000);
    return challenge !== null;
  });
  return challenge as unknown as Challenge;
};

type Measured = { readonly start: number[]; readonly receipt: number[]; readonly page: number[] };
const measured: readonly Measured[] = sizes.map(() => ({ start: [], receipt: [], page: [] }));

const visitAndLook = async (
  staffPage: string,
  { receipt, page }: Pick<Measured, 'receipt' | 'page'>,
): Promise<void> => {
  for (let number = -strangeChallenges; number < visitsATurn; number += 1) {
    const challenge = await takeChallenge();
    const signed = await visitor.sign(link, challenge, { device: facility.device.device, lane: 1 });
    const sent = performance.now();
    await link.submit(signed);
    const { receipt: told } = (await watch.receipt(signed.requestId, 60_000)) as { receipt: { verdict: string } };
    // The first ones meet code that nothing has compiled yet, and may hold a challenge of the journal before.
    if (told.verdict !== 'accepted' && number >= 0) throw new Error(`visit ${told.verdict}`);
    if (number >= 0) receipt.push(performance.now() - sent);
  }
  for (let number = -2; number < pagesATurn; number += 1) {
    const asked = performance.now();
    const answer = await fetch(staffPage);
    await answer.text();
    if (answer.status !== 200) throw new Error(`staff page: ${answer.status}`);
    if (number >= 0) page.push(performance.now() - asked);
  }
};

const turn = async (path: string, measures: Measured): Promise<void> => {
  const agent = new AgentProcess(facility.agentDirectory, `127.0.0.1:${mosquitto.port}`);
  const config = join(facility.agentDirectory, 'agent.yaml');
  writeFileSync(config, `journal: ${path}\n`);
  // Each turn has another journal: none of them was put in another's place.
  rmSync(join(facility.agentDirectory, 'journal-seen.json'), { force: true });
  const began = performance.now();
  try {
    const { staffPage } = await agent.start([], 300_000);
    measures.start.push(performance.now() - began);
    await visitAndLook(staffPage, measures);
  } finally {
    // Also where a visit was refused: an agent left behind would put its journal back where it is deleted.
    await agent.kill('SIGTERM');
  }
};

try {
  const paths = sizes.map((rows, index) => {
    mkdirSync(join(folder, String(index)));
    const path = join(folder, String(index), 'journal.sqlite');
    fill(path, rows);
    return path;
  });
  for (let number = 0; number < turns; number += 1)
    for (const [index, path] of paths.entries()) {
      const into = measured[index];
      if (into === undefined) continue;
      await turn(path, into);
      say(`turn ${number + 1}, ${sizes[index]} rows: start ${Math.round(into.start.at(-1) ?? 0)} ms`);
    }
} finally {
  await link.close();
  await bus.close();
  await mosquitto.kill();
  facility.remove();
  rmSync(folder, { recursive: true, force: true });
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
const columns = {
  startMs: measured.map(({ start }) => rounded(Math.min(...start))),
  receiptMs: measured.map(({ receipt }) => rounded(median(receipt))),
  staffPageMs: measured.map(({ page }) => rounded(median(page))),
};
const ratioToEmpty =
  Math.round(100 * Math.max(...Object.values(columns).map((column) => (column.at(-1) ?? 0) / (column[0] ?? 1)))) / 100;
console.log(
  values.json ? JSON.stringify({ rows: sizes, ...columns, ratioToEmpty }) : { rows: sizes, ...columns, ratioToEmpty },
);
process.exitCode = ratioToEmpty <= most ? 0 : 1;
