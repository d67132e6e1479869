import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { createClinicLink } from '../../src/terminal/delivery/clinic-link.ts';
import type { Challenge } from '../../src/wire/messages.ts';
import { AgentProcess, furnishAgent, LinkWatch, makeVisitor } from '../beds/delivery-bed.ts';
import { addToday, filledJournal } from '../beds/filled-journal.ts';
import { MemoryStore } from '../beds/memory-store.ts';
import { Mosquitto } from '../beds/mosquitto.ts';
import { until } from '../beds/simulated-clock.ts';
import { makeTestFacility, type TestFacility } from '../beds/test-facility.ts';

/**
 * npm run grow -- [--rows 0,800000,3600000] [--turns 5] [--json]
 *
 * What a visit, a start and the staff page cost an agent whose journal holds so many requests: 800,000 are twenty lanes at the
 * 400 days of docs/privacy.md, 3,600,000 a facility that keeps five years; filled-journal.ts says what goes with them. Real
 * parts: for each size a facility of its own with `uketsuke agent` as a process, mosquitto, requests that a card and a device
 * signed. Each journal, the empty one too, begins with the same 2,000 visits of today, of which the staff page shows the newest 200.
 * Files lie in memory: no disk is waited for. The sizes take turns, visit by visit and page by page, so that whatever else this
 * machine does falls on all of them. `startMs`: process to ready, the least of the turns; `receiptMs`: sent to receipt,
 * `staffPageMs`: the page as a browser asks for it, both the median of all turns. `ratioToEmpty`: the worst of the three,
 * largest journal to empty one; at most 1.3. Beside it is printed what the agent's processor was busy for the same, what a first
 * start takes, which looks at every page of the file, and visits while the agent looks at it on its own, once a day.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '0,800000,3600000' },
    turns: { type: 'string', default: '5' },
    json: { type: 'boolean' },
  },
});
const sizes = String(values.rows).split(',').map(Number);
const turns = Number(values.turns);
const most = 1.3;
const startsATurn = 3;
const visitsATurn = 40;
const pagesATurn = 40;
/** More of the journal before are never left in the terminal's stock: an agent that was told no wire calls none of them void */
const strangeChallenges = 8;
/** Of twenty lanes */
const visitsToday = 2_000;
/** Of the staff page's list */
const shownVisits = 200;
const daysOf = (rows: number): number => (rows > 1_000_000 ? 1_825 : 400);
const say = (text: string): boolean => process.stderr.write(`${text}\n`);
const rounded = (value: number): number => Math.round(value * 10) / 10;
const ratio = (column: readonly number[]): number => Math.round((100 * (column.at(-1) ?? 0)) / (column[0] ?? 1)) / 100;
const median = (of: readonly number[]): number =>
  [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN;
const least = (of: readonly number[]): number => Math.min(...of);
const worstOf = (columns: Readonly<Record<string, number[]>>): number => Math.max(...Object.values(columns).map(ratio));

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uketsuke-grow-'));
const kept = join(import.meta.dirname, '../../.cache/grow');
const visitor = await makeVisitor(Date.now());

/** What the threads of a process were busy for. ms; those that have ended are not in it */
const busyMs = (pid: number): number => {
  if (!existsSync(`/proc/${pid}/schedstat`)) return Number.NaN;
  const tasks = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
};

type Measure = 'start' | 'startBusy' | 'receipt' | 'receiptBusy' | 'page' | 'pageBusy' | 'looked';

/** A facility with a journal of one size. */
class GrownClinic {
  readonly rows: number;
  readonly measured: Record<Measure, number[]> = {
    ...{ start: [], startBusy: [], receipt: [], receiptBusy: [], page: [], pageBusy: [], looked: [] },
  };
  readonly #facility: TestFacility;
  readonly #mosquitto: Mosquitto;
  readonly #bus: ReturnType<typeof createMqttMessageBus>;
  readonly #link: ReturnType<typeof createClinicLink>;
  readonly #watch: LinkWatch;
  readonly #agent: AgentProcess;
  #staffPage = '';

  constructor(rows: number, facility: TestFacility, mosquitto: Mosquitto) {
    this.rows = rows;
    this.#facility = facility;
    this.#mosquitto = mosquitto;
    this.#agent = new AgentProcess(facility.agentDirectory, `127.0.0.1:${mosquitto.port}`);
    this.#bus = createMqttMessageBus({
      ...{ host: '127.0.0.1', port: mosquitto.port, tls: facility.device.tls, clientId: facility.device.device },
      protocolVersion: 5,
    });
    this.#link = createClinicLink({
      ...{ bus: this.#bus, store: new MemoryStore(), clock: createSystemClock(), keys: facility.device },
      log: createEventLog({ format: 'silent' }),
    });
    this.#watch = new LinkWatch(this.#link);
  }

  static async open(rows: number): Promise<GrownClinic> {
    const path = join(folder, `journal-${rows}.sqlite`);
    const began = performance.now();
    const isFilledNow = filledJournal(path, kept, { rows, days: daysOf(rows) }, Date.now());
    addToday(path, visitsToday, Date.now());
    const what = isFilledNow ? 'filled, and kept in .cache/grow,' : 'copied from .cache/grow';
    const megabytes = Math.round(statSync(path).size / 1e6);
    say(`${rows} requests: ${megabytes} MB, ${what} in ${Math.round((performance.now() - began) / 1000)} s`);
    const facility = await makeTestFacility();
    await furnishAgent(facility.agentDirectory);
    writeFileSync(join(facility.agentDirectory, 'agent.yaml'), `journal: ${path}\n`);
    const mosquitto = await Mosquitto.prepare(facility.directory);
    await mosquitto.start();
    return new GrownClinic(rows, facility, mosquitto);
  }

  async #start(): Promise<void> {
    const began = performance.now();
    this.#staffPage = (await this.#agent.start([], 600_000)).staffPage;
    this.measured.start.push(performance.now() - began);
    this.measured.startBusy.push(busyMs(this.#agent.processId));
  }

  async startAndStop(): Promise<void> {
    await this.#start();
    await this.stop();
  }

  /** Until its agent has looked at the whole journal, which it does once it has started: visits all the while. */
  async startAndLook(): Promise<void> {
    const looks = this.#agent.timesLogged('audit.verified');
    await this.#start();
    // The first ones meet code that nothing has compiled yet, and may hold a challenge of the journal before.
    for (let number = 0; number < strangeChallenges; number += 1) await this.#visit(false);
    while (this.#agent.timesLogged('audit.verified') === looks) this.measured.looked.push(await this.#visit());
  }

  stop(): Promise<void> {
    return this.#agent.kill('SIGTERM');
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#link.close();
    await this.#bus.close();
    await this.#mosquitto.kill();
    this.#facility.remove();
  }

  async visit(): Promise<void> {
    const before = busyMs(this.#agent.processId);
    this.measured.receipt.push(await this.#visit());
    this.measured.receiptBusy.push(busyMs(this.#agent.processId) - before);
  }

  async page(): Promise<void> {
    const before = busyMs(this.#agent.processId);
    const asked = performance.now();
    const answer = await fetch(this.#staffPage);
    const text = await answer.text();
    this.measured.page.push(performance.now() - asked);
    this.measured.pageBusy.push(busyMs(this.#agent.processId) - before);
    const rows = text.split('data-request=').length - 1;
    if (answer.status !== 200 || rows !== shownVisits) throw new Error(`staff page: ${answer.status}, ${rows} visits`);
  }

  /** Until its result is there. Answers when the receipt was. ms */
  async #visit(mustBeAccepted = true): Promise<number> {
    let challenge: Challenge | null = null;
    await until('a challenge', () => {
      challenge = this.#link.takeChallenge(300_000);
      return challenge !== null;
    });
    const terminal = { device: this.#facility.device.device, lane: 1 };
    const signed = await visitor.sign(this.#link, challenge as unknown as Challenge, terminal);
    const sent = performance.now();
    await this.#link.submit(signed);
    const { receipt } = (await this.#watch.receipt(signed.requestId, 60_000)) as { receipt: { verdict: string } };
    const ms = performance.now() - sent;
    if (receipt.verdict === 'accepted') await this.#watch.result(signed.requestId, 60_000);
    else if (mustBeAccepted) throw new Error(`visit ${receipt.verdict}`);
    return ms;
  }
}

const clinics: GrownClinic[] = [];
/** Forth and back: none of them always comes after the same other one. */
const inTurn = (number: number): readonly GrownClinic[] => (number % 2 === 0 ? clinics : clinics.toReversed());
try {
  for (const rows of sizes) clinics.push(await GrownClinic.open(rows));
  for (let turn = 1; turn <= turns; turn += 1) {
    for (let start = 1; start < startsATurn; start += 1)
      for (const clinic of inTurn(start)) await clinic.startAndStop();
    for (const clinic of inTurn(turn)) await clinic.startAndLook();
    for (let visit = 0; visit < visitsATurn; visit += 1) for (const clinic of inTurn(visit)) await clinic.visit();
    for (let page = 0; page < pagesATurn; page += 1) for (const clinic of inTurn(page)) await clinic.page();
    for (const clinic of clinics) await clinic.stop();
    const sofar = (measure: Measure, of: (all: readonly number[]) => number): string =>
      clinics.map(({ measured }) => rounded(of(measured[measure]))).join(', ');
    say(
      `turn ${turn} of ${turns}, load ${loadavg()[0]?.toFixed(0)}, so far: start ${sofar('start', least)} ms, receipt ${sofar('receipt', median)} ms, staff page ${sofar('page', median)} ms`,
    );
  }
} finally {
  for (const clinic of clinics) await clinic.close();
  rmSync(folder, { recursive: true, force: true });
}

const column = (measure: Measure, of = median): number[] =>
  clinics.map(({ measured }) => rounded(of(measured[measure])));
const columns = {
  startMs: column('start', least),
  receiptMs: column('receipt'),
  staffPageMs: column('page'),
};
const busy = { startMs: column('startBusy', least), visitMs: column('receiptBusy'), staffPageMs: column('pageBusy') };
say(`of the agent's processor: ${JSON.stringify({ ...busy, ratioToEmpty: worstOf(busy) })}`);
say(`a first start, with every page looked at: ${column('start', ([first = Number.NaN]) => first).join(', ')} ms`);
say(`sent to receipt while the agent looks at its journal: ${column('looked').join(', ')} ms`);
const result = { rows: sizes, ...columns, ratioToEmpty: worstOf(columns) };
console.log(values.json ? JSON.stringify(result) : result);
process.exitCode = result.ratioToEmpty <= most ? 0 : 1;
