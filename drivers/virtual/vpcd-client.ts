import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { concatBytes, uint16 } from '../../src/protocol/bytes.ts';
import { answerTimeMs, type CardTiming, instantTiming } from './card-timing.ts';
import type { VirtualCard } from './virtual-card.ts';
import type { ApduMoment } from './virtual-card-reader.ts';

type VpcdOptions = {
  /** Port 35963 is slot 0 of vpcd, 35964 slot 1; a path is a Unix socket that leads to one of them. */
  readonly to: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly card: VirtualCard;
  readonly timing?: CardTiming;
  readonly onApdu?: (moment: ApduMoment) => void;
};

/** A virtual card in a real pcscd. Closing takes it off the reader. */
export type VpcdConnection = {
  /** Settles when the connection has ended, from either side. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
};

/** Reader → card messages of one byte (virtualsmartcard's protocol). */
const control = { off: 0x00, on: 0x01, reset: 0x02, atr: 0x04 } as const;

/** Whole messages out of a stream: u16 big-endian length, then that many bytes. TCP splits and joins as it likes. */
const createFrameSplitter = (): ((chunk: Uint8Array) => readonly Uint8Array[]) => {
  let pending: Uint8Array = new Uint8Array();
  return (chunk) => {
    pending = concatBytes(pending, chunk);
    const frames: Uint8Array[] = [];
    for (;;) {
      const length = ((pending[0] ?? 0) << 8) | (pending[1] ?? 0);
      if (pending.length < 2 || pending.length < 2 + length) return frames;
      frames.push(pending.slice(2, 2 + length));
      pending = pending.slice(2 + length);
    }
  };
};

/**
 * Plugs a virtual card into vpcd over TCP. vpcd listens on every interface and asks nobody who they are: run both in a
 * network namespace of their own. Rejects when vpcd cannot be reached.
 */
export const connectToVpcd = async ({
  to,
  card,
  timing = instantTiming,
  onApdu,
}: VpcdOptions): Promise<VpcdConnection> => {
  const socket: Socket = connect({ ...to, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const split = createFrameSplitter();
  let turn = Promise.resolve();
  let index = 0;
  let powered = false;
  const send = (body: Uint8Array): void => {
    if (!socket.destroyed) socket.write(concatBytes(uint16(body.length), body));
  };
  const answer = async (message: Uint8Array): Promise<void> => {
    if (message.length === 0 || socket.destroyed) return;
    if (message.length > 1) {
      // Swapped faster than pcscd looks (0.4 s): a card without power is mute, it does not answer for the one before.
      if (!powered) {
        send(new Uint8Array());
        return;
      }
      const here = index++;
      onApdu?.({ phase: 'before', index: here, command: message });
      if (socket.destroyed) return;
      const response = card.transmit(message);
      const waitMs = answerTimeMs(timing, message, response);
      if (waitMs > 0) await delay(waitMs);
      onApdu?.({ phase: 'after', index: here, command: message });
      send(response);
      return;
    }
    if (message[0] === control.atr) {
      send(card.atr);
      return;
    }
    card.reset();
    powered = message[0] !== control.off;
  };
  socket.on('data', (chunk) => {
    for (const frame of split(chunk)) turn = turn.then(() => answer(frame));
  });
  socket.on('error', () => socket.destroy());
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      card.reset();
      resolve();
    });
  });
  return {
    ended,
    close: async () => {
      socket.destroy();
      await ended;
    },
  };
};
