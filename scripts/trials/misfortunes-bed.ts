import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { askReport } from '../../drivers/host/health-socket.ts';
import { personaById } from '../../drivers/virtual/personas.ts';
import { createVirtualCameraControl, type VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { decodeOqs } from '../../src/agent/oqs-folder/oqs-encoding.ts';
import type { ScreenModel, ScreenName } from '../../src/core/screen/screen-model.ts';
import { type HealthReport, healthReportSchema } from '../../src/terminal/doctor/health.ts';
import { keepFaceProcess } from '../beds/kept-face.ts';
import { Mosquitto } from '../beds/mosquitto.ts';
import {
  authorityFolder,
  createDemoFacility,
  keyFolder,
  projectRoot,
  writeTerminalConfig,
} from '../demonstration/facility.ts';
import { type Reactions, ScriptedPatient } from '../demonstration/scripted-patient.ts';
import type { ToTerminal } from '../demonstration/terminal-process.ts';
import { eventually } from './eventually.ts';
import { onThisMachine, type Place } from './misfortunes-place.ts';

/* One clinic as it stands: mosquitto, agent, link and terminal, each a process of its own that can be hurt. */

const brokerPort = 8883;
const startMs = 120_000; // of agent or terminal: at a load of 40 it took more than 30 s
const main = join(projectRoot, 'src/main.ts');
const fakeTime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
export const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** One line of a process's log, as far as the trial reads it. */
type Logged = { readonly event?: string; readonly request?: string; readonly verdict?: string; readonly code?: string };

class Process {
  readonly lines: string[] = [];
  readonly child: ChildProcess;

  /** `within`: a command before it, such as `ip netns exec NAME` */
  constructor(args: readonly string[], environment: Readonly<Record<string, string>>, within: readonly string[] = []) {
    const [program = '', ...rest] = [...within, process.execPath, '--disable-warning=ExperimentalWarning', ...args];
    this.child = spawn(program, rest, {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...environment },
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    process.setMaxListeners(100).once('exit', () => this.child.kill('SIGKILL'));
  }
  get log(): readonly Logged[] {
    return this.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Logged);
  }
  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
  /** Throws what it said, once it has ended. */
  mustRun(): true {
    if (!this.isRunning) throw new Error(this.lines.join('\n'));
    return true;
  }
  /** Its exit status; null after a signal. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.isRunning) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGCONT');
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode;
  }
  async ended(): Promise<number | null> {
    if (this.isRunning) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

export type Row = {
  readonly id: string;
  readonly session: string;
  readonly verdict: string;
  readonly outcome: string | null;
  readonly file: string | null;
  readonly lateAt: number | null;
};

/** Of a trial that is told to end, or breaks off, no process and no mount is left behind. */
const standing = new Set<MisfortunesBed>();
process.once('exit', () => [...standing].map((bed) => bed.takeDown()));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(143));

export class MisfortunesBed {
  readonly #place: Place;
  readonly directory = mkdtempSync(join(tmpdir(), 'uketsuke-misfortunes-'));
  readonly disks = {
    journal: join(this.directory, 'disk-journal'),
    oqs: join(this.directory, 'disk-oqs'),
    link: join(this.directory, 'disk-link'),
  };
  #facility: Awaited<ReturnType<typeof createDemoFacility>> | null = null;
  #mosquitto: Mosquitto | null = null;
  #patient: ScriptedPatient | null = null;
  readonly #cameraSocket = join(this.directory, 'camera.sock');
  #camera: VirtualCameraControl | null = null;
  #configFile = '';
  #staffPage = '';
  #onBed: string | null = null;
  readonly #terminals: Process[] = [];
  /** Every screen that said that a visit was received, by session: whose card lay there */
  readonly accepted = new Map<string, string>();
  /** What stands on the patient's screen */
  shown: ScreenModel | null = null;
  agent: Process | null = null;
  link: Process | null = null;
  terminal: Process | null = null;
  /** Only where a trial starts it, as these visits go by PIN; begins again by itself. */
  face: ReturnType<typeof keepFaceProcess> | null = null;

  constructor(place: Place = onThisMachine) {
    this.#place = place;
  }

  get mosquitto(): Mosquitto {
    if (this.#mosquitto === null) throw new Error('no broker');
    return this.#mosquitto;
  }
  get patient(): ScriptedPatient {
    if (this.#patient === null) throw new Error('no patient');
    return this.#patient;
  }

  async build(): Promise<void> {
    standing.add(this);
    for (const disk of Object.values(this.disks)) mkdirSync(disk);
    // A real file system for the journal: only such a one can turn read-only under a program that writes.
    run('truncate', '-s', '32M', this.#image);
    run('mkfs.ext4', '-q', '-m', '0', this.#image);
    this.#mountJournal();
    for (const disk of [this.disks.oqs, this.disks.link]) run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'none', disk);
    this.#facility = await createDemoFacility(this.directory, { answerDelayMs: 100, staffPort: 0 });
    const { agentDirectory } = this.#facility;
    const yaml = { staffPort: 0, service: { answerDelayMs: 100 }, journal: join(this.disks.journal, 'journal.sqlite') };
    writeFileSync(
      join(agentDirectory, 'agent.yaml'),
      JSON.stringify({ ...yaml, oqsFolder: join(this.disks.oqs, 'oqs') }),
    );
    const { host } = this.#place;
    this.#mosquitto =
      host === null
        ? await Mosquitto.prepare(this.directory)
        : await Mosquitto.prepare(this.directory, '0.0.0.0', brokerPort);
    await this.startBroker();
    this.#configFile = writeTerminalConfig(this.#facility, { brokerPort: this.mosquitto.port, screenPort: 0 });
    const config = run('cat', this.#configFile)
      .replace(/store: .*/, `store: ${join(this.disks.link, 'link.sqlite')}`)
      .replace(/^( +)host: localhost$/m, (line, indent) =>
        host === null ? line : `${indent}host: ${host}\n${indent}serverName: localhost`,
      )
      // As a terminal of the packages has it; the demo's own broker speaks no more than 3.1.1.
      .replace(/protocolVersion: 4/, (line) => (host === null ? line : 'protocolVersion: 5'));
    writeFileSync(this.#configFile, config);
    await this.startAgent();
    await this.startLink();
    await this.startTerminal();
  }

  #disksUsed = 0;
  get #image(): string {
    return `${this.disks.journal}-${this.#disksUsed}.img`;
  }
  #mountJournal(): void {
    run('mount', '-o', 'loop,errors=remount-ro', this.#image, this.disks.journal);
  }
  /** As after an error of the disk: everything that is open for writing is refused from now on. */
  breakJournalDisk(): void {
    run('mount', '-o', 'remount,abort', this.disks.journal);
  }
  /**
   * What a technician does about it once the agent has ended: the disk is copied to another one and checked. (The old one
   * cannot be mounted again while another mount namespace of this machine still knows it.)
   */
  repairJournalDisk(): void {
    run('umount', this.disks.journal);
    const broken = this.#image;
    this.#disksUsed += 1;
    copyFileSync(broken, this.#image);
    try {
      run('e2fsck', '-p', this.#image);
    } catch (error) {
      // 1: errors were corrected.
      if ((error as { status?: number }).status !== 1) throw error;
    }
    this.#mountJournal();
  }

  /** `clock`: faketime's offset, or a file of it that may change while the process runs. */
  #time(clock: string | undefined): Readonly<Record<string, string>> {
    if (clock === undefined) return {};
    const how = clock.startsWith('/')
      ? { FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1' }
      : { FAKETIME: clock };
    return { LD_PRELOAD: fakeTime, FAKETIME_DONT_FAKE_MONOTONIC: '1', ...how };
  }

  startBroker(): Promise<void> {
    return this.mosquitto.start(this.#place.within('broker'));
  }
  /** What the agent's configuration says besides; counts from its next start. */
  configureAgent(more: Readonly<Record<string, unknown>>): void {
    const file = join(this.agentDirectory, 'agent.yaml');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...more }));
  }

  async startAgent(clock?: string, more: readonly string[] = []): Promise<void> {
    const args = [main, 'agent', '--dir', this.#facility?.agentDirectory ?? '', '--make-folders', '--log', 'json'];
    const broker = ['--broker', `localhost:${this.mosquitto.port}`, '--mqtt', '5'];
    const agent = new Process([...args, ...broker, ...more], this.#time(clock), this.#place.within('agent'));
    this.agent = agent;
    const isReady = (line: string): boolean => line.startsWith('{"ready":true');
    const ready = await eventually('the agent', () => agent.mustRun() && agent.lines.find(isReady), startMs);
    this.#staffPage = (JSON.parse(ready) as { staffPage: string }).staffPage;
  }
  async startLink(clock?: string): Promise<void> {
    const args = [main, 'link', '--config', this.#configFile, '--log', 'json'];
    this.link = new Process(args, this.#time(clock), this.#place.within('link'));
    const { link } = this;
    await eventually('the link', () => link.mustRun() && link.lines.find((line) => line.includes('"process.ready"')));
  }
  async startFace(): Promise<void> {
    this.#camera = await createVirtualCameraControl(this.#cameraSocket, null);
    const camera = { kind: 'virtual', seed: 1, controlSocket: this.#cameraSocket } as const;
    this.face = keepFaceProcess({ profile: 'demo', camera }, join(this.directory, 'face.sock'));
  }
  async startTerminal(clock?: string): Promise<void> {
    const camera = { kind: 'virtual', seed: 1, controlSocket: this.#cameraSocket };
    // Cards are of today, whatever the terminal takes today to be.
    const start = { configFile: this.#configFile, authorityFolder, keyFolder, camera, cardsMs: Date.now() };
    const script = join(projectRoot, 'scripts/demonstration/terminal-process.ts');
    const terminal = new Process([script, JSON.stringify(start)], this.#time(clock));
    this.terminal = terminal;
    this.#terminals.push(terminal);
    this.#onBed = null;
    let screenPort: number | undefined;
    terminal.child.on('message', (message) => {
      const { type, screenPort: port } = message as { type?: string; screenPort?: number };
      if (type === 'ready') screenPort = port;
    });
    this.#patient?.leave();
    this.#patient = await ScriptedPatient.before(
      await eventually('the terminal', () => terminal.mustRun() && screenPort, startMs),
      (model) => {
        this.shown = model;
        const { screen, session } = model;
        if (screen === 'accepted' && session !== null) this.accepted.set(session, this.#onBed ?? 'nobody');
      },
    );
  }
  order(order: ToTerminal): void {
    // Who has taken the card may still stand there: it stays the last one's until another is laid down.
    if (order.type === 'insert') this.#onBed = order.persona;
    this.terminal?.child.send(order, () => {});
  }
  /** What every terminal of this trial has logged. */
  get terminalLog(): readonly Logged[] {
    return this.#terminals.flatMap(({ log }) => log);
  }
  get linkSocket(): string {
    return join(this.directory, 'link.sock');
  }
  /** Whether a link that cannot run ends with the code of what is wrong. */
  async linkRefuses(): Promise<boolean> {
    const link = new Process([main, 'link', '--config', this.#configFile, '--log', 'json'], {});
    return (await link.ended()) === 1 && link.lines.some((line) => line.includes('socket.place-taken'));
  }
  /** Something of the facility's settings that no visit depends on: the journal writes down that terminals are told. */
  async changeSettings(): Promise<void> {
    const file = join(this.#facility?.agentDirectory ?? '', 'facility-settings.yaml');
    const before = readFileSync(file, 'utf8');
    const after = before.replace(/"?faceMs"?: ?(\d+)/, (found, ms) => found.replace(ms, String(Number(ms) + 1_000)));
    if (after === before) throw new Error('no faceMs');
    writeFileSync(file, after);
  }
  /** Faults that `uketsuke doctor` names. */
  async doctor(): Promise<readonly string[]> {
    const args = ['--disable-warning=ExperimentalWarning', main, 'doctor', '--config', this.#configFile, '--json'];
    const printed = await promisify(execFile)(process.execPath, args, { cwd: projectRoot }).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
    );
    const { diagnoses } = JSON.parse(printed.stdout) as { diagnoses: readonly { fault?: string }[] };
    return diagnoses.flatMap(({ fault }) => fault ?? []);
  }

  health(): Promise<HealthReport | null> {
    return askReport(healthReportSchema, join(this.directory, 'health.sock'), 2_000);
  }
  get agentDirectory(): string {
    return this.#facility?.agentDirectory ?? '';
  }

  /** Rows of a store that a program has open */
  #rowsOf(store: string, sql: string, ...values: readonly string[]): readonly Record<string, unknown>[] {
    const database = new DatabaseSync(store, { readOnly: true });
    const rows = database.prepare(sql).all(...values);
    database.close();
    return rows;
  }
  readonly #journal = join(this.disks.journal, 'journal.sqlite');
  readonly #linkStore = join(this.disks.link, 'link.sqlite');
  /** Of the settings that the link keeps for the terminal */
  heldSettings(): number {
    return Number(this.#rowsOf(this.#linkStore, 'SELECT version FROM settings')[0]?.version ?? 0);
  }
  /** How often the agent has written such an event into its chain */
  journalEvents(event: string): number {
    const sql = 'SELECT count(*) AS times FROM audit WHERE event = ?';
    return Number(this.#rowsOf(this.#journal, sql, event)[0]?.times);
  }
  /** How far the journal's audit chain goes. */
  journalEntries(): number {
    return Number(this.#rowsOf(this.#journal, 'SELECT number FROM audit_head')[0]?.number);
  }
  /** Requests that wait in the terminal's outbox. */
  outbox(): number {
    return Number(this.#rowsOf(this.#linkStore, 'SELECT count(*) AS rows FROM outbox')[0]?.rows);
  }
  staffPage(): Promise<string> {
    return this.#place.staffPage(this.#staffPage);
  }
  rows(): readonly Row[] {
    const columns = 'request_id AS id, session, verdict, outcome, file, late_at AS lateAt';
    const sql = `SELECT ${columns} FROM request WHERE kind = 'eligibility' ORDER BY rowid`;
    return this.#rowsOf(this.#journal, sql) as never;
  }
  /** Of other kinds than a visit's */
  otherRequests(): readonly Pick<Row, 'id' | 'verdict'>[] {
    const sql = "SELECT request_id AS id, verdict FROM request WHERE kind <> 'eligibility'";
    return this.#rowsOf(this.#journal, sql) as never;
  }
  /** What the file for the レセコン says of a visit; '' without one. */
  xmlOf({ file }: Row): string {
    if (file === null) return '';
    const text = decodeOqs(readFileSync(join(this.disks.oqs, 'oqs', 'face', file)));
    return text.ok ? text.value : '';
  }
  files(): readonly string[] {
    return readdirSync(join(this.disks.oqs, 'oqs', 'face')).filter((name) => name.endsWith('.xml'));
  }
  uses(): number {
    const counted = "kind = 'eligibility' AND outcome IN ('eligible', 'not-eligible')";
    return Number(this.#rowsOf(this.#journal, `SELECT sum(times) AS uses FROM usage WHERE ${counted}`)[0]?.uses ?? 0);
  }

  async close(): Promise<void> {
    standing.delete(this);
    this.#patient?.leave();
    for (const process of [this.terminal, this.link, this.agent]) await process?.end('SIGKILL');
    await this.face?.close();
    await this.#camera?.close();
    await this.#mosquitto?.kill();
    this.#takeDisksAway();
  }
  takeDown(): void {
    this.#mosquitto?.signal('SIGKILL');
    this.#takeDisksAway();
  }
  #takeDisksAway(): void {
    for (const disk of Object.values(this.disks)) run('umount', '-l', disk);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/* Who comes: by PIN, agreeing to everything but 手術: so the screen asks once more before it is signed. */

const pin = personaById('taro').pins.auth?.secret ?? '';
const answers: Partial<Record<ScreenName, string>> = {
  'choose-method': 'use-pin',
  face: 'use-pin',
  'consent-bundle': 'agree',
  'consent-item': 'decline',
  'specific-disease': 'agree',
  'medical-subsidy': 'use',
  'prescription-form': 'electronic',
  'certificate-notice': 'next',
  'referral-documents': 'next',
  summary: 'confirm',
};
export const reactions: Reactions = (model) => {
  if (model.screen === 'pin')
    return model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking
      ? { do: 'type-pin', digits: new TextEncoder().encode(pin) }
      : { do: 'wait' };
  const control = answers[model.screen];
  return control === undefined ? { do: 'wait' } : ({ do: 'touch', control } as ReturnType<Reactions>);
};
