import { realpath } from 'node:fs/promises';
import { HIDAsync } from 'node-hid';
import { failure } from '../../src/core/failure.ts';
import type { Keypad, KeypadEvent } from '../../src/ports/keypad.ts';
import { createReportReader, keypadModels } from './hid-keypad-models.ts';

/** What the driver needs of node-hid. */
export type HidDevice = {
  on(event: 'data', listener: (report: Uint8Array) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  close(): Promise<void>;
};

type HidKeypadSettings = {
  /** hidraw device, or the link to it that the udev rules make */
  readonly device: string;
  /** Name in `keypadModels`; an unknown one is a configuration error and throws. */
  readonly model: string;
  /** Between two attempts to open it: a plugged keypad is found within this time. ms */
  readonly retryMs?: number;
  readonly open?: (path: string) => Promise<HidDevice>;
};

// hidapi looks the device up by its own name, not by a link's.
const openHidraw = async (path: string): Promise<HidDevice> =>
  (await HIDAsync.open(await realpath(path))) as unknown as HidDevice;

class HidKeypad implements Keypad {
  readonly keys = 'digits';
  readonly #path: HidKeypadSettings['device'];
  readonly #retryMs: number;
  readonly #open: NonNullable<HidKeypadSettings['open']>;
  readonly #reader: ReturnType<typeof createReportReader>;
  readonly #listeners = new Set<(event: KeypadEvent) => void>();
  #opened: HidDevice | null = null;
  #known: 'unknown' | 'found' | 'lost' = 'unknown';
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ device: path, model: modelName, retryMs = 1_000, open = openHidraw }: HidKeypadSettings) {
    this.#path = path;
    this.#retryMs = retryMs;
    this.#open = open;
    const model = keypadModels.get(modelName);
    if (model === undefined)
      throw new Error(`keypad.model: "${modelName}" is not one of ${[...keypadModels.keys()].join(', ')}`);
    this.#reader = createReportReader(model);
    void this.#connect();
  }

  subscribe(listener: (event: KeypadEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#known === 'found') listener({ type: 'found' });
    if (this.#known === 'lost') listener({ type: 'lost', failure: failure('keypad.lost') });
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#listeners.clear();
    this.#reader.forget();
    await this.#opened?.close().catch(() => {});
    this.#opened = null;
  }

  #tell(event: KeypadEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #lost(): void {
    const broken = this.#opened;
    this.#opened = null;
    this.#reader.forget();
    broken?.close().catch(() => {});
    if (this.#closed) return;
    if (this.#known !== 'lost') {
      this.#known = 'lost';
      this.#tell({ type: 'lost', failure: failure('keypad.lost') });
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs);
  }

  async #connect(): Promise<void> {
    let device: HidDevice;
    try {
      device = await this.#open(this.#path);
    } catch {
      return this.#lost();
    }
    if (this.#closed) return void device.close().catch(() => {});
    this.#opened = device;
    device.on('error', () => {
      if (this.#opened === device) this.#lost();
    });
    device.on('data', (report) => {
      if (this.#opened !== device) return;
      const keys = this.#reader.read(report, performance.now());
      report.fill(0);
      for (const key of keys) this.#tell({ type: 'key', key });
    });
    this.#known = 'found';
    this.#tell({ type: 'found' });
  }
}

/**
 * A USB keypad over hidraw (node-hid, asynchronous). Reports become one byte per key and are overwritten; unplugged, it
 * is tried again until it is back. node-hid tells no unplug: a failing read does.
 */
export const createHidKeypad = (options: HidKeypadSettings): Keypad => new HidKeypad(options);
