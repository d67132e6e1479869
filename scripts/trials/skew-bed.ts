import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { endChild } from '../beds/end-child.ts';
import type * as KeptFace from '../beds/kept-face.ts';
import { Mosquitto } from '../beds/mosquitto.ts';
import { placesOf } from '../beds/release-tree.ts';
import type * as Facility from '../demonstration/facility.ts';
import type { ScriptedPatient } from '../demonstration/scripted-patient.ts';
import type { ToTerminal } from '../demonstration/terminal-process.ts';
import type * as Visits from '../demonstration/visits.ts';

/* One clinic whose two ends are of different releases, each a process of its own tree, over a real mosquitto. */

type LogLine = { readonly event: string } & Readonly<Record<string, unknown>>;
export type JournalRow = {
  readonly id: string;
  readonly kind: string;
  readonly method: string;
  readonly verdict: string;
  readonly outcome: string | null;
};

const readyWithinMs = 60_000;

/** A process of some tree; its event log is kept. */
class End {
  readonly lines: LogLine[] = [];
  readonly #other: string[] = [];
  readonly process: ChildProcess;
  readonly #name: string;
  #ordered = false;

  constructor(name: string, tree: string, file: string, args: readonly string[]) {
    this.#name = name;
    this.process = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
      cwd: tree,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => {
          if (line.startsWith('{"level"')) this.lines.push(JSON.parse(line) as LogLine);
          else this.#other.push(line);
        });
    const killed = (): boolean => this.process.kill('SIGKILL');
    process.once('exit', killed);
    this.process.once('exit', () => process.removeListener('exit', killed));
    this.process.once('exit', (code, signal) => {
      if (!this.#ordered)
        process.stderr.write(`  ${name} ended by itself (${signal ?? code})\n${this.#other.join('\n')}\n`);
    });
  }

  /** The first answer of `find` to a line of standard output or a message of the process. */
  ready<T>(find: (said: unknown) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`${this.#name}: ${what}\n${this.#other.join('\n')}`));
      const timer = setTimeout(() => fail('not ready in time'), readyWithinMs);
      const look = (said: unknown): void => {
        const found = find(said);
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      this.process.on('message', look);
      if (this.process.stdout !== null)
        createInterface({ input: this.process.stdout }).on('line', (line) => {
          if (line.startsWith('{"ready"')) look(JSON.parse(line));
        });
      this.process.once('exit', (code, signal) => fail(`ended with ${signal ?? code}`));
    });
  }

  async stop(): Promise<void> {
    this.#ordered = true;
    await endChild(this.process, 'SIGTERM', 5_000);
  }
}

export type SkewClinic = {
  readonly order: (order: ToTerminal) => void;
  readonly setFace: (face: string | null) => void;
  readonly patient: ScriptedPatient;
  /** The visits that the terminal's release plays */
  readonly visits: typeof Visits.scriptedVisits;
  readonly staffPage: string;
  readonly staff: typeof Facility.demoStaff;
  readonly rows: () => readonly JournalRow[];
  readonly logOf: (end: 'agent' | 'terminal') => readonly LogLine[];
  readonly close: () => Promise<void>;
};

/** Where a tree has its face process of its own; before that, the terminal began it itself. */
const keptFaceFile = 'scripts/beds/kept-face.ts';

/** A terminal that finds no face process at its start lets the first patient in by PIN. */
const appears = async (path: string): Promise<void> => {
  const until = performance.now() + readyWithinMs;
  while (!existsSync(path)) {
    if (performance.now() > until) throw new Error(`${path} did not appear`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const load = <T>(tree: string, file: string): Promise<T> => import(join(tree, file)) as Promise<T>;

/** Ends what was begun, the last first. */
type Closing = (() => Promise<unknown>)[];
type Trees = { readonly agent: string; readonly terminal: string; readonly made: string };
type AgentReady = { readonly staffPage: string; readonly journal: string };

const startAgent = async (tree: string, directory: string, brokerPort: number, closing: Closing) => {
  const broker = ['--broker', `localhost:${brokerPort}`, '--mqtt', '5', '--make-folders', '--staff-port', '0'];
  const end = new End('agent', tree, placesOf(tree).main, ['agent', '--dir', directory, ...broker]);
  closing.push(() => end.stop());
  const isReady = (said: unknown) => ((said as { ready?: unknown }).ready === true ? (said as AgentReady) : undefined);
  return { end, ready: await end.ready(isReady) };
};

/** What a terminal of its release consists of: its own processes, each as that release has it. */
const startTerminal = async (trees: Trees, start: TerminalStart, formerStore: string, closing: Closing) => {
  const { main, demonstration } = placesOf(trees.terminal);
  const config = ['--config', start.configFile];
  // What a technician does once after an update of a terminal.
  if (trees.made !== trees.terminal && existsSync(join(trees.terminal, 'src/cli/adopt.ts'))) {
    const adopt = [main, 'adopt', ...config, '--former-store', formerStore];
    execFileSync(process.execPath, adopt, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  if (existsSync(join(trees.terminal, keptFaceFile))) {
    const { keepFaceProcess } = await load<typeof KeptFace>(trees.terminal, keptFaceFile);
    const socket = join(dirname(start.configFile), 'face.sock');
    const face = keepFaceProcess({ profile: 'demo', camera: start.camera }, socket);
    closing.push(() => face.close());
    await appears(socket);
  }
  const hasLink = existsSync(join(trees.terminal, 'src/cli/link.ts'));
  const link = hasLink ? new End('link', trees.terminal, main, ['link', ...config, '--log', 'json']) : null;
  if (link !== null) closing.push(() => link.stop());
  const program = join(demonstration, 'terminal-process.ts');
  const terminal = new End('terminal', trees.terminal, program, [JSON.stringify(start)]);
  closing.push(() => terminal.stop());
  const screenPort = await terminal.ready((said) => {
    const message = said as { type?: string; screenPort?: number };
    return message.type === 'ready' ? message.screenPort : undefined;
  });
  return { terminal, link, screenPort };
};
type TerminalStart = {
  readonly configFile: string;
  readonly authorityFolder: string;
  readonly keyFolder: string;
  readonly camera: { readonly kind: 'virtual'; readonly seed: number; readonly controlSocket: string };
};

/** Who stands before the camera: does what the screen asks of a face, where that release asks anything. */
const personBefore = async (
  demonstration: string,
  camera: VirtualCameraControl,
  screenPort: number,
  closing: Closing,
): Promise<(face: string | null) => void> => {
  const file = 'painted-head.ts';
  if (!existsSync(join(demonstration, file))) return (face) => camera.setFace(face as never);
  const { PaintedHead } = await load<typeof import('../demonstration/painted-head.ts')>(demonstration, file);
  const head = new PaintedHead(camera, screenPort);
  closing.push(async () => head.close());
  return (face) => head.setFace(face as never);
};

/** An agent of today takes test cards only where somebody has said that this is a trial: said once, after the update. */
const sayTrial = async (tree: string, cardTrust: string): Promise<void> => {
  const file = 'src/agent/provisioning/card-trust.ts';
  if (!existsSync(join(tree, file))) return;
  const { cardTrustFiles, writeCardTrust } = await load<typeof import('../../src/agent/provisioning/card-trust.ts')>(
    tree,
    file,
  );
  const read = (name: string): string => readFileSync(join(cardTrust, name), 'utf8');
  await writeCardTrust(cardTrust, {
    certificateIssuersPem: read(cardTrustFiles.certificateIssuers),
    cvIssuersJson: read(cardTrustFiles.visualIssuers),
  });
};

const rowsOf = (journal: string): readonly JournalRow[] => {
  const database = new DatabaseSync(journal, { readOnly: true });
  const rows = database.prepare('SELECT request_id AS id, kind, method, verdict, outcome FROM request').all();
  database.close();
  return rows as never;
};

/**
 * `made`: the tree whose `provision` made the facility and whose agent wrote the journal first; the clinic was updated
 * since then.
 */
export const startSkewClinic = async (trees: Trees): Promise<SkewClinic> => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-skew-'));
  const closing: Closing = [async () => rmSync(directory, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const end of closing.reverse()) await end();
  };
  try {
    const facilityOf = (tree: string) => load<typeof Facility>(placesOf(tree).demonstration, 'facility.ts');
    const made = await facilityOf(trees.made);
    const facility = await made.createDemoFacility(directory, { answerDelayMs: 100, staffPort: 0 });
    const mosquitto = await Mosquitto.prepare(directory);
    await mosquitto.start();
    closing.push(() => mosquitto.kill('SIGTERM'));

    const agentOf = (tree: string) => startAgent(tree, facility.agentDirectory, mosquitto.port, closing);
    if (trees.made !== trees.agent) {
      await (await agentOf(trees.made)).end.stop();
      await sayTrial(trees.agent, join(facility.agentDirectory, 'card-trust'));
    }
    const agent = await agentOf(trees.agent);

    const { createVirtualCameraControl } = await load<typeof import('../../drivers/virtual/virtual-camera-control.ts')>(
      trees.terminal,
      'drivers/virtual/virtual-camera-control.ts',
    );
    const camera = await createVirtualCameraControl(join(directory, 'camera.sock'), null);
    closing.push(() => camera.close());
    const own = await facilityOf(trees.terminal);
    const start: TerminalStart = {
      configFile: own.writeTerminalConfig(facility, { brokerPort: mosquitto.port, screenPort: 0 }),
      authorityFolder: own.authorityFolder,
      keyFolder: own.keyFolder,
      camera: { kind: 'virtual', seed: 1, controlSocket: camera.path },
    };
    const { terminal, link, screenPort } = await startTerminal(
      trees,
      start,
      join(directory, 'terminal.sqlite'),
      closing,
    );
    const { demonstration } = placesOf(trees.terminal);
    const { ScriptedPatient: Patient } = await load<typeof import('../demonstration/scripted-patient.ts')>(
      demonstration,
      'scripted-patient.ts',
    );
    const patient = await Patient.before(screenPort);
    closing.push(async () => patient.leave());
    const setFace = await personBefore(demonstration, camera, screenPort, closing);
    const { scriptedVisits } = await load<typeof Visits>(demonstration, 'visits.ts');
    return {
      // A terminal that died is told by the screens that do not come.
      order: (order) => void terminal.process.send(order, () => {}),
      setFace,
      patient,
      visits: scriptedVisits,
      staffPage: agent.ready.staffPage,
      staff: made.demoStaff,
      rows: () => rowsOf(agent.ready.journal),
      logOf: (end) => (end === 'agent' ? agent.end.lines : [...terminal.lines, ...(link?.lines ?? [])]),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
