/** The face verifier of the terminal: speaks with the face process (src/processes/face.ts) over its socket. */
import { randomInt } from 'node:crypto';
import { type Failure, failure } from '../../src/core/failure.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { FaceAttempt, FaceAttemptEvent, FaceVerifier } from '../../src/ports/face-verifier.ts';
import { connectFrames, type FramedClient, type Peer, type SocketDelays } from '../host/framed-socket.ts';
import { type FromFace, faceProtocol, fromFaceSchema, type ToFace } from './face-messages.ts';

type SocketFaceVerifierOptions = {
  readonly path: string;
  readonly log: EventLog;
  /** The face process is there and does not answer: for whoever started it. A service manager's watchdog needs no telling. */
  readonly hung?: () => void;
  readonly delays?: Partial<SocketDelays>;
};

export interface SocketFaceVerifier extends FaceVerifier {
  /** Asks for a new face process; health tells when it is there. */
  restart(): void;
  /** Called with the milliseconds it took to overwrite everything an attempt had. */
  subscribeWiped(listener: (afterMs: number) => void): () => void;
}

type Running = { readonly id: number; readonly listener: (event: FaceAttemptEvent) => void };

class ConnectedFaceVerifier implements SocketFaceVerifier {
  readonly #client: FramedClient;
  #peer: Peer | null = null;
  #running: Running | null = null;
  // What is told of an attempt of an earlier terminal names another one.
  #nextAttempt = randomInt(2 ** 31);
  #trouble: Failure | null = failure('face.process-lost', 'starting');
  readonly #healthListeners = new Set<(trouble: Failure | null) => void>();
  readonly #wipedListeners = new Set<(afterMs: number) => void>();

  constructor({ path, log, hung, delays }: SocketFaceVerifierOptions) {
    this.#client = connectFrames<FromFace>(path, {
      protocol: faceProtocol,
      understands: fromFaceSchema,
      opened: (peer) => {
        this.#peer = peer;
        log.event('peer.connected', { peer: 'face' });
        return {
          received: (message, parts) => this.#receive(message, parts),
          ended: (reason) => {
            log.event('peer.lost', { peer: 'face', reason });
            this.#lose(failure('face.process-lost', reason));
            if (reason === 'silent') hung?.();
          },
        };
      },
      refused: (reason) => {
        if (reason === 'silent') hung?.();
      },
      ...(delays === undefined ? {} : { delays }),
    });
  }

  start({ referenceJp2, padStrength }: FaceAttempt, listener: (event: FaceAttemptEvent) => void): () => void {
    if (this.#running !== null) throw new Error('socket-face-verifier: one attempt at a time');
    const running: Running = { id: this.#nextAttempt++, listener };
    this.#running = running;
    if (this.#trouble === null) {
      this.#send({ type: 'begin', attempt: running.id, padStrength });
      void Promise.resolve(referenceJp2)
        .catch(() => null)
        .then((reference) => {
          if (this.#running === running)
            this.#send({ type: 'reference', attempt: running.id }, [reference ?? new Uint8Array()]);
        });
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

  restart(): void {
    this.#send({ type: 'restart' });
  }

  async close(): Promise<void> {
    this.#running = null;
    this.#healthListeners.clear();
    this.#client.close();
  }

  #send(message: ToFace, parts: readonly Uint8Array[] = []): void {
    this.#peer?.send(message, parts);
  }

  #receive(message: FromFace, [jpeg = new Uint8Array()]: readonly Uint8Array[]): void {
    switch (message.type) {
      case 'health':
        return this.#tellHealth(message.trouble);
      case 'wiped':
        for (const listener of this.#wipedListeners) listener(message.afterMs);
        return;
      case 'event': {
        const { attempt, event } = message;
        if (event.type === 'failed') return this.#finish(attempt, event.failure);
        if (this.#running?.id !== attempt) return;
        const { listener } = this.#running;
        if (event.type === 'matched') this.#running = null;
        listener(event.type === 'preview' ? { type: 'preview', jpeg } : event);
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

  #lose(lost: Failure): void {
    this.#peer = null;
    this.#tellHealth(lost);
    if (this.#running !== null) this.#finish(this.#running.id, lost);
  }
}

/**
 * Health is `face.process-lost` until the face process is there, has loaded its models and seen a camera picture.
 * Failures told by health: `face.models-missing`, `face.model-unverified`, `face.model-not-accepted`, `camera.lost`, `camera.frozen`,
 * `camera.black`, `face.process-lost`; `face.reference-unusable` ends an attempt only.
 */
export const createSocketFaceVerifier = (options: SocketFaceVerifierOptions): SocketFaceVerifier =>
  new ConnectedFaceVerifier(options);
