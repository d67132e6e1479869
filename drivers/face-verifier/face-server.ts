import type { Failure } from '../../src/core/failure.ts';
import type { PadStrength } from '../../src/core/visit/verification.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { FromFaceProcess } from '../../src/ports/face-process-messages.ts';
import { type FramedServer, type ListenAt, type Peer, type SocketDelays, serveFrames } from '../host/framed-socket.ts';
import { faceProtocol, type ToFace, toFaceSchema } from './face-messages.ts';

/** What works on attempts; `tell` below hears of it. */
type FaceWork = {
  begin(attempt: number, padStrength: PadStrength): void;
  /** The work's to overwrite; empty = there is none */
  receiveReference(attempt: number, reference: Uint8Array): Promise<void>;
  stop(attempt: number): void;
};

type FaceServerOptions = {
  readonly listenAt: ListenAt;
  readonly log: EventLog;
  /** null: the models are not there, health says why */
  readonly work: () => FaceWork | null;
  readonly restart: () => void;
  readonly delays?: Partial<SocketDelays>;
};

type FaceServer = FramedServer & { tell(message: FromFaceProcess): void };

/** Serves attempts to the one terminal of this device. A terminal that goes takes its attempt with it. */
export const serveFace = async ({ listenAt, log, work, restart, delays }: FaceServerOptions): Promise<FaceServer> => {
  let peer: Peer | null = null;
  let trouble: Failure | null | undefined;
  const server = await serveFrames<ToFace>(listenAt, {
    protocol: faceProtocol,
    understands: toFaceSchema,
    opened: (opened) => {
      let running: number | null = null;
      peer = opened;
      log.event('peer.connected', { peer: 'terminal' });
      if (trouble !== undefined) opened.send({ type: 'health', trouble });
      return {
        received: (message, [reference = new Uint8Array()]) => {
          switch (message.type) {
            case 'begin':
              running = message.attempt;
              return work()?.begin(message.attempt, message.padStrength);
            case 'reference':
              // An unexpected error ends the process; the service manager begins a new one.
              return void work()?.receiveReference(message.attempt, reference);
            case 'stop':
              running = null;
              return work()?.stop(message.attempt);
            case 'restart':
              return restart();
          }
        },
        ended: (reason) => {
          if (peer === opened) peer = null;
          if (running !== null) work()?.stop(running);
          log.event('peer.lost', { peer: 'terminal', reason });
        },
      };
    },
    refused: (reason) => log.event('peer.lost', { peer: 'terminal', reason }),
    ...(delays === undefined ? {} : { delays }),
  });
  return {
    tell: (message) => {
      if (message.type === 'health') trouble = message.trouble;
      if (message.type !== 'event' || message.event.type !== 'preview') return peer?.send(message);
      const { jpeg, ...event } = message.event;
      peer?.send({ ...message, event }, [jpeg]);
    },
    close: () => server.close(),
  };
};
