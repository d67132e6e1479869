import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isFaceId } from '../../../drivers/virtual/faces.ts';
import { createVirtualCameraControl } from '../../../drivers/virtual/virtual-camera-control.ts';
import { Journal, type JournalVisit } from '../../../src/agent/journal/journal.ts';
import { endChild } from '../../beds/end-child.ts';
import { keepFaceProcess } from '../../beds/kept-face.ts';
import { keepProcess } from '../../beds/kept-process.ts';
import type { WindowsProgram, WineRoom } from '../../beds/wine-room.ts';
import {
  authorityFolder,
  createDemoFacility,
  keyFolder,
  projectRoot,
  writeTerminalConfig,
} from '../../demonstration/facility.ts';
import { PaintedHead } from '../../demonstration/painted-head.ts';
import { ScriptedPatient } from '../../demonstration/scripted-patient.ts';
import type { FromTerminal, ToTerminal } from '../../demonstration/terminal-process.ts';
import { eventually as eventuallyWithin } from '../eventually.ts';

/* A clinic: terminal, link and face process of this machine; agent, broker and folder of the レセコン under Wine. */

export const program = 'C:\\Program Files\\Uketsuke';
/** Blanks and Japanese, as clinics call their folders. */
export const home = 'C:\\受付 データ';
export const oqs = 'C:\\共有 フォルダ\\ＯＱＳ';
const agentId = 'agent-01';

/** Under Wine everything takes its time. */
export const eventually = <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  limitMs = 90_000,
): Promise<T> => eventuallyWithin(what, look, limitMs);

type AgentReady = {
  readonly ready: true;
  readonly brokerPort: number;
  readonly staffPage: string;
  readonly journal: string;
};

class WindowsAgent {
  readonly #room: WineRoom;
  #program: WindowsProgram | null = null;
  #ready: AgentReady | null = null;
  /** Every line of every life */
  #former = '';

  constructor(room: WineRoom) {
    this.#room = room;
  }

  async start(brokerPort: number): Promise<AgentReady> {
    const started = this.#room.start([
      ...[`${program}\\node.exe`, '--disable-warning=ExperimentalWarning', `${program}\\src\\main.ts`, 'agent'],
      ...[
        '--dir',
        `${home}\\agents\\${agentId}`,
        '--facility-dir',
        home,
        '--embedded-broker',
        '--broker-port',
        String(brokerPort),
      ],
      ...['--oqs-dir', oqs, '--staff-port', '0'],
    ]);
    this.#program = started;
    this.#ready = await eventually('the agent', () => {
      if (started.hasEnded()) throw new Error(`the agent ended\n${started.said()}`);
      const line = started
        .said()
        .split('\n')
        .find((each) => each.startsWith('{"ready"'));
      return line === undefined ? undefined : (JSON.parse(line) as AgentReady);
    });
    return this.#ready;
  }

  get isRunning(): boolean {
    return this.#program !== null && !this.#program.hasEnded();
  }

  get ready(): AgentReady {
    if (this.#ready === null) throw new Error('the agent has not started');
    return this.#ready;
  }

  /** Its event log from the beginning */
  said(): string {
    return this.#former + (this.#program?.said() ?? '');
  }

  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#former = this.said();
    this.#program = null;
  }

  /** The staff page, or a part of it */
  async page(path = '/'): Promise<string> {
    return (await fetch(new URL(path, this.ready.staffPage), { signal: AbortSignal.timeout(10_000) })).text();
  }
}

export type WindowsClinic = {
  readonly agent: WindowsAgent;
  readonly patient: ScriptedPatient;
  readonly order: (order: ToTerminal) => void;
  readonly setFace: (face: string | null) => void;
  /** Every row; read from a copy: two systems lock a file in different ways. */
  readonly rows: () => readonly JournalVisit[];
  readonly files: (folder: 'face' | 'req' | 'res') => readonly string[];
  readonly read: (folder: 'face' | 'req' | 'res', name: string) => Buffer;
  readonly brokerPort: number;
  /** The terminal's event log */
  readonly terminalSaid: readonly string[];
  readonly close: () => Promise<void>;
};

const startTerminal = async (
  configFile: string,
  camera: string,
  closing: (() => unknown)[],
): Promise<{ process: ChildProcess; screenPort: number; words: readonly string[] }> => {
  const start = { configFile, authorityFolder, keyFolder, camera: { kind: 'virtual', seed: 1, controlSocket: camera } };
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(projectRoot, 'scripts/demonstration/terminal-process.ts'),
      JSON.stringify(start),
    ],
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  closing.push(() => endChild(child, 'SIGTERM', 5_000));
  const words: string[] = [];
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', (line) => words.push(line));
  const screenPort = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: FromTerminal) => message.type === 'ready' && resolve(message.screenPort));
    child.once('exit', () => reject(new Error(`the terminal ended\n${words.slice(-20).join('\n')}`)));
  });
  return { process: child, screenPort, words };
};

/** Read from a copy: the journal itself is in the hand of the agent, behind another system's locks. */
const rowsOf = (room: WineRoom, directory: string): ReturnType<WindowsClinic['rows']> => {
  const copy = join(directory, 'journal-copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  const from = room.path(`${home}\\agents\\${agentId}`);
  for (const name of readdirSync(from).filter((each) => /^journal\.sqlite(-wal)?$/.test(each)))
    cpSync(join(from, name), join(copy, name));
  const journal = new Journal(join(copy, 'journal.sqlite'), { readOnly: true });
  try {
    return journal.visits();
  } finally {
    journal.close();
  }
};

/** `prepare`: what a technician does with the files before the first start. */
export const startWindowsClinic = async (
  room: WineRoom,
  directory: string,
  prepare: (agentDirectory: string) => void,
): Promise<WindowsClinic> => {
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    for (const left of [home, oqs]) rmSync(room.path(left), { recursive: true, force: true });
    const facility = await createDemoFacility(room.path(home), { answerDelayMs: 100, staffPort: 0 });
    closing.push(() => rmSync(room.path(home), { recursive: true, force: true }));
    prepare(facility.agentDirectory);
    for (const folder of ['face', 'req', 'res']) mkdirSync(join(room.path(oqs), folder), { recursive: true });
    const agent = new WindowsAgent(room);
    closing.push(() => agent.kill());
    const { brokerPort } = await agent.start(0);
    const camera = await createVirtualCameraControl(join(directory, 'camera.sock'), null);
    closing.push(() => camera.close());
    // The terminal's part of what was provisioned goes to the terminal, as a technician carries it.
    const ours = { ...facility, directory, deviceDirectory: join(directory, 'device') };
    cpSync(facility.deviceDirectory, ours.deviceDirectory, { recursive: true });
    const configFile = writeTerminalConfig(ours, { brokerPort, screenPort: 0 });
    const face = keepFaceProcess(
      { profile: 'demo', camera: { kind: 'virtual', seed: 1, controlSocket: camera.path } },
      join(directory, 'face.sock'),
    );
    closing.push(() => face.close());
    // A terminal that finds no face process at its start lets the first patient in by PIN.
    await eventually('the face process', () => (existsSync(join(directory, 'face.sock')) ? true : undefined));
    const link = keepProcess(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        join(projectRoot, 'src/main.ts'),
        'link',
        '--config',
        configFile,
        '--log',
        'json',
      ],
      { stdio: 'ignore' },
    );
    closing.push(() => link.close());
    const terminal = await startTerminal(configFile, camera.path, closing);
    const patient = await ScriptedPatient.before(terminal.screenPort);
    closing.push(() => patient.leave());
    // A face that never moves is taken for a picture of one.
    const head = new PaintedHead(camera, terminal.screenPort);
    closing.push(() => head.close());
    return {
      agent,
      patient,
      brokerPort,
      terminalSaid: terminal.words,
      order: (order) => void terminal.process.send(order, () => {}),
      setFace: (who) => head.setFace(who !== null && isFaceId(who) ? who : null),
      rows: () => rowsOf(room, directory),
      files: (folder) => readdirSync(join(room.path(oqs), folder)).sort(),
      read: (folder, name) => readFileSync(join(room.path(oqs), folder, name)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
