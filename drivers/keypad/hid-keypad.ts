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

/**
 * A USB keypad over hidraw (node-hid, asynchronous). Reports become one byte per key and are overwritten; unplugged, it
 * is tried again until it is back. node-hid tells no unplug: a failing read does.
 */
export const createHidKeypad = ({
  device: path,
  model: modelName,
  retryMs = 1_000,
  open = openHidraw,
}: HidKeypadSettings): Keypad => {
  const model = keypadModels.get(modelName);
  if (model === undefined)
    throw new Error(`keypad.model: "${modelName}" is not one of ${[...keypadModels.keys()].join(', ')}`);
  const reader = createReportReader(model);
  const listeners = new Set<(event: KeypadEvent) => void>();
  let opened: HidDevice | null = null;
  let known: 'unknown' | 'found' | 'lost' = 'unknown';
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  const tell = (event: KeypadEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const lost = (): void => {
    const broken = opened;
    opened = null;
    reader.forget();
    broken?.close().catch(() => {});
    if (closed) return;
    if (known !== 'lost') {
      known = 'lost';
      tell({ type: 'lost', failure: failure('keypad.lost') });
    }
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), retryMs);
  };
  const connect = async (): Promise<void> => {
    let device: HidDevice;
    try {
      device = await open(path);
    } catch {
      return lost();
    }
    if (closed) return void device.close().catch(() => {});
    opened = device;
    device.on('error', () => {
      if (opened === device) lost();
    });
    device.on('data', (report) => {
      if (opened !== device) return;
      const keys = reader.read(report, performance.now());
      report.fill(0);
      for (const key of keys) tell({ type: 'key', key });
    });
    known = 'found';
    tell({ type: 'found' });
  };
  void connect();

  return {
    keys: 'digits',
    subscribe: (listener) => {
      listeners.add(listener);
      if (known === 'found') listener({ type: 'found' });
      if (known === 'lost') listener({ type: 'lost', failure: failure('keypad.lost') });
      return () => listeners.delete(listener);
    },
    close: async () => {
      closed = true;
      clearTimeout(retry);
      listeners.clear();
      reader.forget();
      await opened?.close().catch(() => {});
      opened = null;
    },
  };
};
