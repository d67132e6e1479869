import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { isFaceId } from '../../drivers/virtual/faces.ts';
import { createVirtualCameraControl, type VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';
import type { CameraSettings } from '../../src/processes/cameras.ts';
import { keepFaceProcess } from '../beds/kept-face.ts';
import { keepProcess } from '../beds/kept-process.ts';
import { type Child, type LogLine, parseLogLine, startChild } from './child.ts';
import {
  agentId,
  authorityFolder,
  createDemoFacility,
  deviceId,
  facilityId,
  keyFolder,
  projectRoot,
  writeTerminalConfig,
} from './facility.ts';
import { PaintedHead } from './painted-head.ts';
import type { FromTerminal, TerminalStart, ToTerminal } from './terminal-process.ts';

type DemoOptions = {
  readonly screenPort: number;
  readonly staffPort: number;
  readonly answerDelayMs: number;
  /** What the clinic asks; left out: everything */
  readonly questions?: 'ordinary' | 'every';
  /** A V4L2 device in place of the virtual camera */
  readonly cameraDevice: string | null;
  /** A new file in which the visits are written down, as by `uketsuke visit record` */
  readonly tape?: string | undefined;
  readonly onLog: (source: 'terminal' | 'link' | 'agent', line: LogLine) => void;
};

type AgentReady = {
  readonly ready: true;
  readonly staffPage: string;
  readonly journal: string;
  readonly oqsFolder: string;
};

/** Everything that runs: broker here; agent, link, face process and terminal as processes of their own. */
export type ClinicDemo = {
  readonly directory: string;
  readonly screenPort: number;
  readonly agent: AgentReady;
  readonly broker: EmbeddedBroker;
  order(order: ToTerminal): void;
  /** Who stands before the camera; null = nobody. With a real camera this does nothing. */
  setFace(face: string | null): void;
  readonly light: () => string;
  /** Dies as if the machine had taken its memory; something begins it anew, as the service manager does. */
  kill(process: 'link' | 'face'): void;
  close(): Promise<void>;
};

const waitForReady = async (child: Child, name: string, ready: Promise<void>): Promise<void> => {
  const failed = once(child.process, 'exit').then(() => {
    throw new Error(`${name} did not start`);
  });
  await Promise.race([ready, failed]);
};

type OnLog = DemoOptions['onLog'];

/** A line of a process' event log, or what it says beside it. */
const hearLine = (source: Parameters<OnLog>[0], line: string, onLog: OnLog): void => {
  const parsed = parseLogLine(line);
  if (parsed === null) process.stderr.write(`${source}: ${line}\n`);
  else onLog(source, parsed);
};

const startAgentProcess = async (agentDirectory: string, brokerPort: number, onLog: OnLog) => {
  const { promise: ready, resolve: tellReady } = Promise.withResolvers<void>();
  let told: AgentReady | null = null;
  const agent = startChild(
    'agent',
    join(projectRoot, 'src/main.ts'),
    [
      ...['agent', '--dir', agentDirectory],
      ...['--broker', `localhost:${brokerPort}`, '--mqtt', '4', '--make-folders'],
    ],
    (stream, line) => {
      if (stream !== 'stdout' || !line.includes('"ready":true')) return hearLine('agent', line, onLog);
      told = JSON.parse(line) as AgentReady;
      tellReady();
    },
  );
  await waitForReady(agent, 'the agent', ready);
  if (told === null) throw new Error('the agent told no address');
  return { agent, told: told as AgentReady };
};

const keepLinkProcess = (configFile: string, onLog: OnLog) =>
  keepProcess(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', join(projectRoot, 'src/main.ts')],
      ...['link', '--config', configFile, '--log', 'json'],
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      started: ({ stderr }) => {
        if (stderr !== null) createInterface({ input: stderr }).on('line', (line) => hearLine('link', line, onLog));
      },
    },
  );

const startTerminalProcess = async (start: TerminalStart, onLog: OnLog) => {
  const terminal = startChild(
    'terminal',
    join(projectRoot, 'scripts/demonstration/terminal-process.ts'),
    [JSON.stringify(start)],
    (_stream, line) => hearLine('terminal', line, onLog),
  );
  let light = 'off';
  const { promise: told, resolve: tellPort } = Promise.withResolvers<number>();
  terminal.process.on('message', (message: FromTerminal) => {
    if (message.type === 'light') light = message.pattern;
    if (message.type === 'ready') tellPort(message.screenPort);
  });
  await waitForReady(
    terminal,
    'the terminal',
    told.then(() => undefined),
  );
  return { terminal, screenPort: await told, light: () => light };
};

/** `control`: null with a real camera */
const chooseCamera = async (
  device: string | null,
  directory: string,
): Promise<{ readonly camera: CameraSettings; readonly control: VirtualCameraControl | null }> => {
  if (device !== null) return { camera: { kind: 'ffmpeg', source: { device } }, control: null };
  const control = await createVirtualCameraControl(join(directory, 'camera.sock'), null);
  return { camera: { kind: 'virtual', seed: 1, controlSocket: control.path }, control };
};

export const startClinicDemo = async (options: DemoOptions): Promise<ClinicDemo> => {
  const { onLog } = options;
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-demo-'));
  const facility = await createDemoFacility(directory, options);
  const broker = await startEmbeddedBroker({
    tls: await readBrokerFiles(directory),
    users: { facility: facilityId, agents: [agentId], devices: [deviceId] },
  });
  const { agent, told } = await startAgentProcess(facility.agentDirectory, broker.port, onLog);
  const { camera, control } = await chooseCamera(options.cameraDevice, directory);
  const configFile = writeTerminalConfig(facility, { brokerPort: broker.port, screenPort: options.screenPort });
  const face = keepFaceProcess({ profile: 'demo', camera }, join(facility.directory, 'face.sock'));
  const link = keepLinkProcess(configFile, onLog);
  const { terminal, screenPort, light } = await startTerminalProcess(
    { configFile, authorityFolder, keyFolder, ...(options.tape === undefined ? {} : { tape: options.tape }) },
    onLog,
  );
  const head = control === null ? null : new PaintedHead(control, screenPort);

  return {
    directory,
    screenPort,
    agent: told,
    broker,
    order: (order) => void terminal.process.send(order),
    setFace: (who) => head?.setFace(who !== null && isFaceId(who) ? who : null),
    light,
    kill: (name) => (name === 'link' ? link : face).kill(),
    close: async () => {
      head?.close();
      await terminal.stop();
      await Promise.all([link.close(), face.close()]);
      await agent.stop();
      await broker.close();
      await control?.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
