import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import type { CardTiming } from '../../drivers/virtual/card-timing.ts';
import { isFaceId } from '../../drivers/virtual/faces.ts';
import { createVirtualCameraControl, type VirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { readBrokerFiles } from '../../src/agent/provisioning/facility-authority.ts';
import type { CameraSettings } from '../../src/processes/cameras.ts';
import { mallocEnvironment, nodeFlags } from '../../src/processes/face-start.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';
import { keepFaceProcess } from '../beds/kept-face.ts';
import { keepProcess } from '../beds/kept-process.ts';
import { Mosquitto } from '../beds/mosquitto.ts';
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
  /** Settings that this clinic has otherwise */
  readonly changes?: Partial<FacilitySettings>;
  /** What happened before the clinic opened, with its agent's directory */
  readonly before?: (agentDirectory: string) => Promise<void>;
  /** A V4L2 device in place of the virtual camera */
  readonly cameraDevice: string | null;
  /** A new file in which the visits are written down, as by `uketsuke visit record` */
  readonly tape?: string | undefined;
  readonly onLog: (source: 'terminal' | 'link' | 'agent', line: LogLine) => void;
  /** Left out: the embedded one. `alsoAllows`: topics beside the facility's own */
  readonly mosquitto?: { readonly alsoAllows: readonly string[] };
  /** How long cards and their wire take, and who hears of each command; left out: no time */
  readonly card?: { readonly timing: CardTiming; readonly onApdu: (deviceMs: number, atMs: number) => void };
  /** The virtual camera's pictures are painted in a process of their own */
  readonly paintedApart?: true;
  readonly framesPerSecond?: number;
  /** In place of the 0.8 s in which a finger is not meant for a new question. ms */
  readonly otherButtonsMs?: number;
  /** Of all processes; left out: ours */
  readonly environment?: NodeJS.ProcessEnv;
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
  readonly broker: DemoBroker;
  /** From the terminal's start until it served. */
  readonly startMs: number;
  /** Process ids; those of link and face may change */
  readonly processes: () => Readonly<Record<'terminal' | 'link' | 'face' | 'agent', number>>;
  order(order: ToTerminal): void;
  /** Who stands before the camera; null = nobody. With a real camera this does nothing. */
  setFace(face: string | null): void;
  readonly light: () => string;
  /** Dies as if the machine had taken its memory; something begins it anew, as the service manager does. */
  kill(process: 'link' | 'face'): void;
  close(): Promise<void>;
};

type DemoBroker = Pick<EmbeddedBroker, 'port' | 'cut' | 'restore' | 'close'>;

const startBroker = async (directory: string, real: DemoOptions['mosquitto']): Promise<DemoBroker> => {
  if (real === undefined)
    return startEmbeddedBroker({
      tls: await readBrokerFiles(directory),
      users: { facility: facilityId, agents: [agentId], devices: [deviceId] },
    });
  const mosquitto = await Mosquitto.prepare(directory);
  for (const topic of real.alsoAllows)
    appendFileSync(join(mosquitto.directory, 'acl'), `\npattern readwrite ${topic}\n`);
  await mosquitto.start();
  const end = (): Promise<void> => mosquitto.kill('SIGTERM');
  return { port: mosquitto.port, cut: end, restore: () => mosquitto.start(), close: end };
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

const startAgentProcess = async (
  agentDirectory: string,
  { port, mqtt }: { readonly port: number; readonly mqtt: 4 | 5 },
  { onLog, environment }: DemoOptions,
) => {
  const { promise: ready, resolve: tellReady } = Promise.withResolvers<void>();
  let told: AgentReady | null = null;
  const agent = startChild(
    'agent',
    join(projectRoot, 'src/main.ts'),
    [
      ...['agent', '--dir', agentDirectory],
      ...['--broker', `localhost:${port}`, '--mqtt', String(mqtt), '--make-folders'],
    ],
    (stream, line) => {
      if (stream !== 'stdout' || !line.includes('"ready":true')) return hearLine('agent', line, onLog);
      told = JSON.parse(line) as AgentReady;
      tellReady();
    },
    environment,
  );
  await waitForReady(agent, 'the agent', ready);
  if (told === null) throw new Error('the agent told no address');
  return { agent, told: told as AgentReady };
};

const keepLinkProcess = (configFile: string, { onLog, environment = process.env }: DemoOptions) =>
  keepProcess(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', ...nodeFlags.link],
      join(projectRoot, 'src/main.ts'),
      ...['link', '--config', configFile, '--log', 'json'],
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...environment, ...mallocEnvironment },
      started: ({ stderr }) => {
        if (stderr !== null) createInterface({ input: stderr }).on('line', (line) => hearLine('link', line, onLog));
      },
    },
  );

const startTerminalProcess = async (start: TerminalStart, { onLog, environment, card }: DemoOptions) => {
  const beganMs = performance.now();
  const terminal = startChild(
    'terminal',
    join(projectRoot, 'scripts/demonstration/terminal-process.ts'),
    [JSON.stringify(start)],
    (_stream, line) => hearLine('terminal', line, onLog),
    environment,
  );
  let light = 'off';
  const { promise: told, resolve: tellPort } = Promise.withResolvers<number>();
  terminal.process.on('message', (message: FromTerminal) => {
    if (message.type === 'light') light = message.pattern;
    if (message.type === 'ready') tellPort(message.screenPort);
    if (message.type === 'apdu') card?.onApdu(message.deviceMs, message.atMs);
  });
  await waitForReady(
    terminal,
    'the terminal',
    told.then(() => undefined),
  );
  return { terminal, screenPort: await told, light: () => light, startMs: performance.now() - beganMs };
};

/** `control`: null with a real camera */
const chooseCamera = async (
  { cameraDevice: device, framesPerSecond, paintedApart }: DemoOptions,
  directory: string,
): Promise<{ readonly camera: CameraSettings; readonly control: VirtualCameraControl | null }> => {
  if (device !== null) return { camera: { kind: 'ffmpeg', source: { device } }, control: null };
  const control = await createVirtualCameraControl(join(directory, 'camera.sock'), null);
  const pace = {
    ...(framesPerSecond === undefined ? {} : { framesPerSecond }),
    ...(paintedApart === undefined ? {} : { apart: paintedApart }),
  };
  return { camera: { kind: 'virtual', seed: 1, controlSocket: control.path, ...pace }, control };
};

export const startClinicDemo = async (options: DemoOptions): Promise<ClinicDemo> => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-demo-'));
  const facility = await createDemoFacility(directory, options);
  await options.before?.(facility.agentDirectory);
  const broker = await startBroker(directory, options.mosquitto);
  const mqtt = options.mosquitto === undefined ? 4 : 5;
  const { agent, told } = await startAgentProcess(facility.agentDirectory, { port: broker.port, mqtt }, options);
  const { camera, control } = await chooseCamera(options, directory);
  const configFile = writeTerminalConfig(facility, {
    ...{ brokerPort: broker.port, screenPort: options.screenPort, protocolVersion: mqtt },
  });
  const face = keepFaceProcess({ profile: 'demo', camera }, join(facility.directory, 'face.sock'), options.environment);
  const link = keepLinkProcess(configFile, options);
  const { terminal, screenPort, light, startMs } = await startTerminalProcess(
    {
      ...{ configFile, authorityFolder, keyFolder },
      ...(options.tape === undefined ? {} : { tape: options.tape }),
      ...(options.card === undefined ? {} : { timing: options.card.timing }),
      ...(options.otherButtonsMs === undefined ? {} : { otherButtonsMs: options.otherButtonsMs }),
    },
    options,
  );
  const head = control === null ? null : new PaintedHead(control, screenPort);

  return {
    directory,
    screenPort,
    agent: told,
    ...{ broker, startMs },
    processes: () => ({
      terminal: terminal.process.pid ?? 0,
      link: link.processId ?? 0,
      face: face.processId ?? 0,
      agent: agent.process.pid ?? 0,
    }),
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
