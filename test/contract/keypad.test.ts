import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHidKeypad, type HidDevice } from '../../drivers/keypad/hid-keypad.ts';
import { createReportReader, keypadModels } from '../../drivers/keypad/hid-keypad-models.ts';
import { createVirtualKeypad } from '../../drivers/virtual/virtual-keypad.ts';
import { listenTo } from '../../scripts/beds/listened.ts';
import type { KeypadEvent } from '../../src/ports/keypad.ts';
import { keypadContract } from './keypad.ts';

keypadContract('the virtual keypad', () => {
  const keypad = createVirtualKeypad();
  return { keypad, press: keypad.press, unplug: keypad.unplug, plug: keypad.plug };
});

const usageOf = (key: number): number => {
  const found = [...(keypadModels.get('numeric-keypad')?.keys ?? [])].find(([, value]) => value === key);
  if (found === undefined) throw new Error(`no usage for ${key}`);
  return found[0];
};
const report = (...usages: number[]): Uint8Array =>
  Uint8Array.of(0, 0, ...usages, ...Array<number>(6 - usages.length).fill(0));

/** Stands in for hidraw: reports as a boot keypad sends them, an error without a message when it is pulled. */
const hidBench = () => {
  let plugged = true;
  let device: (EventEmitter & HidDevice) | null = null;
  const reports: Uint8Array[] = [];
  const keypad = createHidKeypad({
    device: '/dev/uketsuke-keypad',
    model: 'numeric-keypad',
    retryMs: 5,
    open: async () => {
      if (!plugged) throw new Error('cannot open device');
      device = Object.assign(new EventEmitter(), { close: async () => {} }) as EventEmitter & HidDevice;
      return device;
    },
  });
  const send = (bytes: Uint8Array): void => {
    reports.push(bytes);
    device?.emit('data', bytes);
  };
  return {
    keypad,
    reports,
    press: (key: number) => {
      send(report(usageOf(key)));
      send(report());
    },
    unplug: () => {
      plugged = false;
      device?.emit('error', {});
    },
    plug: () => {
      plugged = true;
    },
  };
};
keypadContract('the HID keypad, over scripted reports,', hidBench);

// A real HID device: /dev/hidrawN of a keypad, or of the uhid device of the VM. Whoever runs it presses 5.
const hidraw = process.env.UKETSUKE_HIDRAW;
test.skipIf(hidraw === undefined)('the HID keypad on a real hidraw device tells the 5 that is pressed', async () => {
  const keypad = createHidKeypad({ device: hidraw ?? '', model: 'numeric-keypad' });
  const heard = listenTo<KeypadEvent>((listener) => keypad.subscribe(listener));
  await heard.next((event) => event.type === 'found');
  expect(await heard.next((event) => event.type === 'key', 25_000)).toEqual({ type: 'key', key: 0x35 });
  await keypad.close();
});
if (hidraw === undefined)
  console.warn('skipped: the HID keypad on a real device (UKETSUKE_HIDRAW=/dev/hidrawN is not set)');

describe('reports of a keypad', () => {
  test.each([
    ['a key held down over several reports counts once', [report(0x59), report(0x59), report(0x59)], [0x31]],
    ['two keys, the second before the first is up', [report(0x59), report(0x59, 0x5a), report(0x5a)], [0x31, 0x32]],
    ['roll-over error is no key', [report(0x01, 0x01, 0x01, 0x01, 0x01, 0x01)], []],
    ['keys that are not of a PIN pad', [report(0x04), report(0x53), report(0x3a)], []],
    ['the same usage twice in one report', [report(0x59, 0x59)], [0x31]],
    ['a report that is too short', [Uint8Array.of(0, 0, 0x59)], []],
    ['an empty report', [new Uint8Array()], []],
    ['a report that is too long', [Uint8Array.of(0, 0, 0x59, 0, 0, 0, 0, 0, 0)], []],
  ])('%s', (_name, reports, keys) => {
    const reader = createReportReader(keypadModels.get('numeric-keypad') as never);
    expect(reports.flatMap((bytes, index) => reader.read(bytes, index * 100))).toEqual(keys);
  });

  test('with a number before them are read by their model, and no others', () => {
    const model = keypadModels.get('numeric-keypad-numbered') as never;
    expect(createReportReader(model).read(Uint8Array.of(1, 0, 0, 0x5d, 0, 0, 0, 0, 0), 0)).toEqual([0x35]);
    expect(createReportReader(model).read(Uint8Array.of(2, 0, 0, 0x5d, 0, 0, 0, 0, 0), 0)).toEqual([]);
  });

  test('a contact that bounces a thousand times in a second is one press', () => {
    const reader = createReportReader(keypadModels.get('numeric-keypad') as never);
    const keys = Array.from({ length: 1000 }, (_, ms) =>
      reader.read(ms % 2 === 0 ? report(0x59) : report(), ms),
    ).flat();
    expect(keys).toEqual([0x31]);
  });

  test('any bytes give keys of the PIN pad or none', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), (reports) => {
        const reader = createReportReader(keypadModels.get('numeric-keypad') as never);
        for (const [index, bytes] of reports.entries())
          for (const key of reader.read(bytes, index * 50))
            expect('0123456789\b\r').toContain(String.fromCharCode(key));
      }),
    );
  });

  test('are overwritten once they are read', () => {
    const { keypad, press, reports } = hidBench();
    return new Promise<void>((resolve) => {
      keypad.subscribe((event) => {
        if (event.type === 'found') queueMicrotask(() => press(0x34));
        if (event.type !== 'key') return;
        queueMicrotask(() => {
          expect(reports).toHaveLength(2);
          expect(reports.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
          void keypad.close().then(resolve);
        });
      });
    });
  });

  test('a model nobody knows is a configuration error', () => {
    expect(() => createHidKeypad({ device: '/dev/null', model: 'acme' })).toThrow(
      /keypad\.model: "acme" is not one of/,
    );
  });
});
