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

class SerialStatusLight implements StatusLight {
  readonly #device: SerialStatusLightSettings['device'];
  readonly #baud: SerialStatusLightSettings['baud'];
  readonly #retryMs: number;
  readonly #pingMs: number;
  readonly #listeners = new Set<(event: StatusLightEvent) => void>();
  #line: SerialPort | null = null;
  #wanted: LightPattern = 'off';
  #known: 'unknown' | 'found' | 'lost' = 'unknown';
  #unanswered = 0;
  #retry: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ device, baud, retryMs = 1_000, pingMs = 2_000 }: SerialStatusLightSettings) {
    this.#device = device;
    this.#baud = baud;
    this.#retryMs = retryMs;
    this.#pingMs = pingMs;
    this.#connect();
  }

  show(pattern: LightPattern): void {
    this.#wanted = pattern;
    this.#send({ type: 'show', pattern });
  }

  beep(beep: Parameters<StatusLight['beep']>[0]): void {
    this.#send({ type: 'beep', beep });
  }

  subscribe(listener: (event: StatusLightEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#known === 'found') listener({ type: 'found' });
    if (this.#known === 'lost') listener({ type: 'lost', failure: failure('light.lost') });
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#ping);
    this.#listeners.clear();
    const open = this.#line;
    this.#line = null;
    if (open?.isOpen) {
      // The light goes dark with its terminal instead of lying about it.
      open.write(Buffer.from(encodeLightCommand({ type: 'show', pattern: 'off' })));
      await new Promise<void>((resolve) => open.drain(() => open.close(() => resolve())));
    }
  }

  #tell(event: StatusLightEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #send(command: LightCommand): void {
    this.#line?.write(Buffer.from(encodeLightCommand(command)), () => {});
  }

  #lost(): void {
    const broken = this.#line;
    this.#line = null;
    clearInterval(this.#ping);
    if (broken?.isOpen) broken.close(() => {});
    if (this.#closed) return;
    if (this.#known !== 'lost') {
      this.#known = 'lost';
      this.#tell({ type: 'lost', failure: failure('light.lost') });
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
  }

  // Found is a light that answers, not a line that opens.
  #answered(): void {
    this.#unanswered = 0;
    if (this.#known === 'found') return;
    this.#known = 'found';
    this.#send({ type: 'show', pattern: this.#wanted });
    this.#tell({ type: 'found' });
  }

  #connect(): void {
    const port = new SerialPort({ path: this.#device, baudRate: this.#baud, autoOpen: false });
    const read = createFrameReader();
    port.on('error', () => {
      if (this.#line === port) this.#lost();
    });
    port.on('close', () => {
      if (this.#line === port) this.#lost();
    });
    port.on('data', (chunk: Buffer) => {
      if (this.#line !== port) return;
      for (const body of read(chunk)) {
        const answer = decodeLightAnswer(body);
        if (answer === null) continue;
        this.#answered();
        if (answer.type === 'presence') this.#tell(answer);
      }
    });
    port.open((error) => {
      if (this.#closed) return port.isOpen ? port.close(() => {}) : undefined;
      if (error !== null) return this.#lost();
      this.#line = port;
      this.#unanswered = 0;
      this.#send({ type: 'ping' });
      this.#ping = setInterval(() => {
        this.#unanswered += 1;
        if (this.#unanswered > 3) return this.#lost();
        this.#send({ type: 'ping' });
      }, this.#pingMs);
    });
  }
}

/**
 * Light, beeper and presence sensor on a serial line. The pattern that holds is sent again whenever the light comes
 * back. A `data` listener is always there: without one serialport does not notice that the device was unplugged.
 */
export const createSerialStatusLight = (options: SerialStatusLightSettings): StatusLight =>
  new SerialStatusLight(options);
