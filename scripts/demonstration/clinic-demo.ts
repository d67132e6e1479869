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
  /** A V4L2 device in place of the virtual camera */
  readonly cameraDevice: string | null;
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

export const startClinicDemo = async (options: DemoOptions): Promise<ClinicDemo> => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-demo-'));
  const facility = await createDemoFacility(directory, options);
  const broker = await startEmbeddedBroker({
    tls: await readBrokerFiles(directory),
    users: { facility: facilityId, agents: [agentId], devices: [deviceId] },
  });

  let agentReady: AgentReady | null = null;
  let tellAgentReady = (): void => {};
  const agentIsReady = new Promise<void>((resolve) => {
    tellAgentReady = resolve;
  });
  const agent = startChild(
    'agent',
    join(projectRoot, 'src/main.ts'),
    [
      'agent',
      '--dir',
      facility.agentDirectory,
      '--broker',
      `localhost:${broker.port}`,
      '--mqtt',
      '4',
      '--make-folders',
    ],
    (stream, line) => {
      if (stream === 'stdout' && line.includes('"ready":true')) {
        agentReady = JSON.parse(line) as AgentReady;
        return tellAgentReady();
      }
      const parsed = parseLogLine(line);
      if (parsed === null) process.stderr.write(`agent: ${line}\n`);
      else options.onLog('agent', parsed);
    },
  );
  await waitForReady(agent, 'the agent', agentIsReady);

  let camera: CameraSettings;
  let control: VirtualCameraControl | null = null;
  if (options.cameraDevice === null) {
    control = await createVirtualCameraControl(join(directory, 'camera.sock'), null);
    camera = { kind: 'virtual', seed: 1, controlSocket: control.path };
  } else {
    camera = { kind: 'ffmpeg', source: { device: options.cameraDevice } };
  }
  const start: TerminalStart = {
    configFile: writeTerminalConfig(facility, { brokerPort: broker.port, screenPort: options.screenPort }),
    authorityFolder,
    keyFolder,
  };
  const face = keepFaceProcess({ profile: 'demo', camera }, join(facility.directory, 'face.sock'));
  const link = keepProcess(
    process.execPath,
    [
      ...['--disable-warning=ExperimentalWarning', join(projectRoot, 'src/main.ts')],
      ...['link', '--config', start.configFile, '--log', 'json'],
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      started: ({ stderr }) => {
        if (stderr === null) return;
        createInterface({ input: stderr }).on('line', (line) => {
          const parsed = parseLogLine(line);
          if (parsed === null) process.stderr.write(`link: ${line}\n`);
          else options.onLog('link', parsed);
        });
      },
    },
  );
  const terminal = startChild(
    'terminal',
    join(projectRoot, 'scripts/demonstration/terminal-process.ts'),
    [JSON.stringify(start)],
    (_stream, line) => {
      const parsed = parseLogLine(line);
      if (parsed === null) process.stderr.write(`terminal: ${line}\n`);
      else options.onLog('terminal', parsed);
    },
  );
  let light = 'off';
  let screenPort = options.screenPort;
  const terminalIsReady = new Promise<void>((resolve) => {
    terminal.process.on('message', (message: FromTerminal) => {
      if (message.type === 'light') light = message.pattern;
      if (message.type !== 'ready') return;
      screenPort = message.screenPort;
      resolve();
    });
  });
  await waitForReady(terminal, 'the terminal', terminalIsReady);
  if (agentReady === null) throw new Error('the agent told no address');
  const head = control === null ? null : new PaintedHead(control, screenPort);

  return {
    directory,
    screenPort,
    agent: agentReady,
    broker,
    order: (order) => void terminal.process.send(order),
    setFace: (face) => head?.setFace(face !== null && isFaceId(face) ? face : null),
    light: () => light,
    kill: (process) => (process === 'link' ? link : face).kill(),
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
