import { SerialPort } from 'serialport';
import { failure } from '../../src/core/failure.ts';
import type { LightPattern } from '../../src/core/visit/light-of.ts';
import type { StatusLight, StatusLightEvent } from '../../src/ports/status-light.ts';
import { createFrameReader, decodeLightAnswer, encodeLightCommand, type LightCommand } from './serial-light-frames.ts';

type SerialStatusLightSettings = {
  readonly device: string;
  /** bit/s */
  readonly baud: number;
  /** Between two attempts to open the line. ms */
  readonly retryMs?: number;
  /** Between two pings; a light silent for three of them is lost, even though its line is open. ms */
  readonly pingMs?: number;
};

/**
 * Light, beeper and presence sensor on a serial line. The pattern that holds is sent again whenever the light comes
 * back. A `data` listener is always there: without one serialport does not notice that the device was unplugged.
 */
export const createSerialStatusLight = ({
  device,
  baud,
  retryMs = 1_000,
  pingMs = 2_000,
}: SerialStatusLightSettings): StatusLight => {
  const listeners = new Set<(event: StatusLightEvent) => void>();
  let line: SerialPort | null = null;
  let wanted: LightPattern = 'off';
  let known: 'unknown' | 'found' | 'lost' = 'unknown';
  let unanswered = 0;
  let retry: NodeJS.Timeout | undefined;
  let ping: NodeJS.Timeout | undefined;
  let closed = false;

  const tell = (event: StatusLightEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const send = (command: LightCommand): void => {
    line?.write(Buffer.from(encodeLightCommand(command)), () => {});
  };
  const lost = (): void => {
    const broken = line;
    line = null;
    clearInterval(ping);
    if (broken?.isOpen) broken.close(() => {});
    if (closed) return;
    if (known !== 'lost') {
      known = 'lost';
      tell({ type: 'lost', failure: failure('light.lost') });
    }
    clearTimeout(retry);
    retry = setTimeout(connect, retryMs);
  };
  // Found is a light that answers, not a line that opens.
  const answered = (): void => {
    unanswered = 0;
    if (known === 'found') return;
    known = 'found';
    send({ type: 'show', pattern: wanted });
    tell({ type: 'found' });
  };
  const connect = (): void => {
    const port = new SerialPort({ path: device, baudRate: baud, autoOpen: false });
    const read = createFrameReader();
    port.on('error', () => {
      if (line === port) lost();
    });
    port.on('close', () => {
      if (line === port) lost();
    });
    port.on('data', (chunk: Buffer) => {
      if (line !== port) return;
      for (const body of read(chunk)) {
        const answer = decodeLightAnswer(body);
        if (answer === null) continue;
        answered();
        if (answer.type === 'presence') tell(answer);
      }
    });
    port.open((error) => {
      if (closed) return port.isOpen ? port.close(() => {}) : undefined;
      if (error !== null) return lost();
      line = port;
      unanswered = 0;
      send({ type: 'ping' });
      ping = setInterval(() => {
        unanswered += 1;
        if (unanswered > 3) return lost();
        send({ type: 'ping' });
      }, pingMs);
    });
  };
  connect();

  return {
    show: (pattern) => {
      wanted = pattern;
      send({ type: 'show', pattern });
    },
    beep: (beep) => send({ type: 'beep', beep }),
    subscribe: (listener) => {
      listeners.add(listener);
      if (known === 'found') listener({ type: 'found' });
      if (known === 'lost') listener({ type: 'lost', failure: failure('light.lost') });
      return () => listeners.delete(listener);
    },
    close: async () => {
      closed = true;
      clearTimeout(retry);
      clearInterval(ping);
      listeners.clear();
      const open = line;
      line = null;
      if (open?.isOpen) {
        // The light goes dark with its terminal instead of lying about it.
        open.write(Buffer.from(encodeLightCommand({ type: 'show', pattern: 'off' })));
        await new Promise<void>((resolve) => open.drain(() => open.close(() => resolve())));
      }
    },
  };
};
