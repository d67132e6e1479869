/** The face verifier of the terminal: keeps the face process (src/processes/face.ts) running and speaks with it. */
import { type ChildProcess, type ForkOptions, fork, spawnSync } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Failure, failure } from '../src/core/failure.ts';
import {
  type FaceSettings,
  type FromFaceProcess,
  referenceFd,
  type ToFaceProcess,
} from '../src/ports/face-process-messages.ts';
import type { FaceAttempt, FaceAttemptEvent, FaceVerifier } from '../src/ports/face-verifier.ts';

/** A new process after this; doubled up to the second while processes keep dying young. */
const firstRestartMs = 200;
const restartMaxMs = 10_000;
/** A process that lived this long was well. */
const livedWellMs = 10_000;
/**
 * Four pings without an answer take longer than any run of the models on a busy machine: then the process hangs and is
 * killed. Counted, not timed, so that a pause of this process is not laid to the other's account.
 */
const pingEveryMs = 2_000;
const mostUnansweredPings = 4;

const defaultModelsDir = fileURLToPath(new URL('../models', import.meta.url));

/**
 * How node is started for the face process. Frames pass through it by the megabyte while its own objects are small: V8
 * left to itself takes that for a growing program and keeps heap for hours (40 % more resident memory over 10,000
 * frames). A young generation of 1 MB and an old one of 64 MB hold what it needs several times over
 * (`npm run bench:face` prints the growth).
 */
export const faceProcessStart: Pick<ForkOptions, 'execArgv' | 'env'> = {
  execArgv: ['--max-semi-space-size=1', '--max-old-space-size=64'],
  // glibc's memory pools, one a thread, would scatter pictures and grow for hours.
  env: { ...process.env, MALLOC_ARENA_MAX: '2' },
};

/** Starts what follows in an empty network namespace: not even loopback is up. The process id stays. */
const withoutNetwork = ['--user', '--map-current-user', '--net', '--'];

/**
 * How the face process is kept off the network: in a namespace of its own where the system lets an ordinary user make
 * one. The service unit does not (RestrictNamespaces): there IPAddressAllow holds for it as for the daemon, unless
 * systemd/face-without-network.conf is put beside it.
 */
const startWithoutNetwork = (): ForkOptions => {
  const allowed = spawnSync('unshare', [...withoutNetwork, 'true'], { stdio: 'ignore', timeout: 2_000 }).status === 0;
  if (!allowed) return faceProcessStart;
  const execArgv = [...withoutNetwork, process.execPath, ...(faceProcessStart.execArgv ?? [])];
  return { ...faceProcessStart, execPath: 'unshare', execArgv };
};

/** `program`: the file of the face process, which the composition root knows. */
export type OnnxFaceVerifierSettings = Pick<FaceSettings, 'camera'> &
  Partial<FaceSettings> & { readonly program: string };

export interface OnnxFaceVerifier extends FaceVerifier {
  /** Of the face process now running, for tests that kill it or look into it; undefined between two. */
  readonly processId: number | undefined;
  /** Called with the milliseconds it took to overwrite everything an attempt had. */
  subscribeWiped(listener: (afterMs: number) => void): () => void;
}

type Running = { readonly id: number; readonly listener: (event: FaceAttemptEvent) => void };

class ProcessFaceVerifier implements OnnxFaceVerifier {
  readonly #program: string;
  readonly #settings: FaceSettings;
  #child: ChildProcess | null = null;
  #running: Running | null = null;
  #nextAttempt = 1;
  #trouble: Failure | null = failure('face.process-lost', 'starting');
  readonly #healthListeners = new Set<(trouble: Failure | null) => void>();
  readonly #wipedListeners = new Set<(afterMs: number) => void>();
  #restartMs = firstRestartMs;
  #startedAtMs = 0;
  #restartTimer: NodeJS.Timeout | null = null;
  #pingTimer: NodeJS.Timeout | null = null;
  #pingsUnanswered = 0;
  #closed = false;
  readonly #howToStart = startWithoutNetwork();

  constructor(program: string, settings: FaceSettings) {
    this.#program = program;
    this.#settings = settings;
    this.#launch();
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  start({ referenceJp2, padStrength }: FaceAttempt, listener: (event: FaceAttemptEvent) => void): () => void {
    if (this.#running !== null) throw new Error('onnx-face-verifier: one attempt at a time');
    const running: Running = { id: this.#nextAttempt++, listener };
    this.#running = running;
    if (this.#trouble === null) {
      this.#send({ type: 'begin', attempt: running.id, padStrength });
      void Promise.resolve(referenceJp2)
        .catch(() => null)
        .then((reference) => this.#sendReference(running, reference ?? new Uint8Array(0)));
    } else {
      const trouble = this.#trouble;
      queueMicrotask(() => this.#finish(running.id, trouble));
    }
    return () => {
      if (this.#running !== running) return;
      this.#running = null;
      this.#send({ type: 'stop', attempt: running.id });
    };
  }

  subscribeHealth(listener: (trouble: Failure | null) => void): () => void {
    this.#healthListeners.add(listener);
    listener(this.#trouble);
    return () => this.#healthListeners.delete(listener);
  }

  subscribeWiped(listener: (afterMs: number) => void): () => void {
    this.#wipedListeners.add(listener);
    return () => this.#wipedListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#running = null;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    const killTimer = setTimeout(() => child.kill('SIGKILL'), 2_000);
    await gone;
    clearTimeout(killTimer);
  }

  #sendReference(running: Running, reference: Uint8Array): void {
    const pipe = this.#child?.stdio[referenceFd] as Writable | null | undefined;
    if (this.#running !== running || pipe === null || pipe === undefined) return;
    // A copy that is ours to overwrite; the caller's stays the caller's.
    const copy = Buffer.from(reference);
    pipe.write(copy, () => copy.fill(0));
    this.#send({ type: 'reference', attempt: running.id, bytes: copy.length });
  }

  #send(message: ToFaceProcess): void {
    if (this.#child?.connected) this.#child.send(message);
  }

  #launch(): void {
    const child = fork(this.#program, [], {
      ...this.#howToStart,
      // Structured clone: pictures travel as bytes, not as JSON text.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
    });
    this.#child = child;
    this.#startedAtMs = performance.now();
    this.#pingsUnanswered = 0;
    // A write to a process that has just died; its exit tells the rest.
    child.stdio[referenceFd]?.on('error', () => undefined);
    child.on('error', () => undefined);
    child.on('message', (message) => this.#receive(child, message as FromFaceProcess));
    child.once('exit', () => this.#onExit(child));
    this.#pingTimer = setInterval(() => this.#ping(child), pingEveryMs);
    this.#send({ type: 'configure', settings: this.#settings });
  }

  #ping(child: ChildProcess): void {
    if (this.#pingsUnanswered >= mostUnansweredPings) child.kill('SIGKILL');
    this.#pingsUnanswered++;
    this.#send({ type: 'ping', ping: this.#pingsUnanswered });
  }

  #receive(child: ChildProcess, message: FromFaceProcess): void {
    if (child !== this.#child) return;
    switch (message.type) {
      case 'pong':
        this.#pingsUnanswered = 0;
        return;
      case 'health':
        return this.#tellHealth(message.trouble);
      case 'wiped':
        for (const listener of this.#wipedListeners) listener(message.afterMs);
        return;
      case 'event':
        if (message.event.type === 'failed') return this.#finish(message.attempt, message.event.failure);
        if (this.#running?.id !== message.attempt) return;
        {
          const { listener } = this.#running;
          if (message.event.type === 'matched') this.#running = null;
          listener(message.event);
        }
    }
  }

  /** Ends the attempt with a failure, if it is still the running one. */
  #finish(attempt: number, reason: Failure): void {
    const running = this.#running;
    if (running?.id !== attempt) return;
    this.#running = null;
    running.listener({ type: 'failed', failure: reason });
  }

  #tellHealth(trouble: Failure | null): void {
    if (trouble?.code === this.#trouble?.code && trouble?.detail === this.#trouble?.detail) return;
    this.#trouble = trouble;
    for (const listener of this.#healthListeners) listener(trouble);
  }

  #onExit(child: ChildProcess): void {
    if (child !== this.#child) return;
    this.#child = null;
    if (this.#pingTimer !== null) clearInterval(this.#pingTimer);
    if (this.#closed) return;
    const lost = failure('face.process-lost', `ended with ${child.exitCode ?? child.signalCode}`);
    this.#tellHealth(lost);
    if (this.#running !== null) this.#finish(this.#running.id, lost);
    const livedMs = performance.now() - this.#startedAtMs;
    this.#restartMs = livedMs >= livedWellMs ? firstRestartMs : Math.min(restartMaxMs, this.#restartMs * 2);
    this.#restartTimer = setTimeout(() => this.#launch(), this.#restartMs);
  }
}

/**
 * Starts the face process. Health is `face.process-lost` until it has loaded its models and seen a camera picture.
 * Failures told by health: `face.models-missing`, `face.model-unverified`, `camera.lost`, `camera.frozen`,
 * `camera.black`, `face.process-lost`; `face.reference-unusable` ends an attempt only.
 */
export const createOnnxFaceVerifier = ({ program, ...settings }: OnnxFaceVerifierSettings): OnnxFaceVerifier =>
  new ProcessFaceVerifier(program, {
    modelsDir: defaultModelsDir,
    profile: 'release',
    embeddingModel: 'fr_feature',
    acceptedUnverifiedModels: [],
    threads: 1,
    ...settings,
  });
