import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSocketFaceVerifier, type SocketFaceVerifier } from '../../drivers/face-verifier/socket-face-verifier.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import type { FaceSettings } from '../../src/processes/face.ts';
import { faceProcessStart } from '../../src/processes/face-start.ts';
import { keepProcess } from './kept-process.ts';

const program = fileURLToPath(new URL('./face-process.ts', import.meta.url));
const modelsDir = fileURLToPath(new URL('../../models', import.meta.url));

/** Starts what follows in an empty network namespace: not even loopback is up. The process id stays. */
const withoutNetwork = ['--user', '--map-current-user', '--net', '--'];
const mayUnshare = spawnSync('unshare', [...withoutNetwork, 'true'], { stdio: 'ignore', timeout: 2_000 }).status === 0;

export type KeptFaceSettings = Pick<FaceSettings, 'camera'> & Partial<FaceSettings>;

/** The face process as the unit starts it: without a network, where the system lets an ordinary user do that. */
export const keepFaceProcess = (
  given: KeptFaceSettings,
  socket: string,
  environment: NodeJS.ProcessEnv = process.env,
) => {
  const settings: FaceSettings = {
    modelsDir,
    profile: 'release',
    embeddingModel: 'fr_feature',
    acceptedUnverifiedModels: [],
    threads: 1,
    ...given,
  };
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    ...faceProcessStart.execArgv,
    ...[program, JSON.stringify({ settings, socket })],
  ];
  const [command = '', ...args] = mayUnshare ? ['unshare', ...withoutNetwork, ...node] : node;
  return keepProcess(command, args, { env: { ...environment, ...faceProcessStart.environment } });
};

export type KeptFaceVerifier = SocketFaceVerifier & { readonly processId: number | undefined };

/** A face process of its own, and the verifier that speaks with it. */
export const createKeptFaceVerifier = (settings: KeptFaceSettings): KeptFaceVerifier => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-face-'));
  const socket = join(directory, 'face.sock');
  const kept = keepFaceProcess(settings, socket);
  const log = createEventLog({ format: 'silent' });
  const verifier = createSocketFaceVerifier({ path: socket, log, hung: () => kept.kill() });
  return {
    start: (attempt, listener) => verifier.start(attempt, listener),
    subscribeHealth: (listener) => verifier.subscribeHealth(listener),
    subscribeWiped: (listener) => verifier.subscribeWiped(listener),
    restart: () => verifier.restart(),
    get processId() {
      return kept.processId;
    },
    close: async () => {
      await verifier.close();
      await kept.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
