import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { SerialPort } from 'serialport';
import { describe, expect, test } from 'vitest';
import {
  crc8,
  createFrameReader,
  decodeLightAnswer,
  decodeLightCommand,
  encodeLightAnswer,
  encodeLightCommand,
  frame,
} from '../../drivers/status-light/serial-light-frames.ts';
import { createSerialStatusLight } from '../../drivers/status-light/serial-status-light.ts';
import { createVirtualStatusLight } from '../../drivers/virtual/virtual-status-light.ts';
import { listenTo } from '../../scripts/beds/listened.ts';
import { lightPatterns } from '../../src/core/visit/light-of.ts';
import { type Shining, type StatusLightBench, statusLightContract } from './status-light.ts';

statusLightContract('the virtual light', async () => {
  let tell = (_shone: Shining): void => {};
  const light = createVirtualStatusLight((pattern, beep) =>
    tell({ type: beep === undefined ? pattern : `beep ${beep}` }),
  );
  const shining = listenTo<Shining>((listener) => {
    tell = listener;
    return () => {};
  });
  return {
    light,
    shining,
    setPresence: light.setPresence,
    unplug: async () => light.unplug(),
    plug: async () => light.plug(),
    close: () => light.close(),
  };
});

/** Two pseudo terminals joined by socat: the driver on one, a light's firmware written for the test on the other. */
/** `pingMs`: on a busy machine a light that is asked every 50 ms is lost now and then, and with it a beep. */
const serialBench = async ({
  mute = false,
  pingMs = 5_000,
} = {}): Promise<StatusLightBench & { device: string; mute(): void }> => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-light-'));
  const [device, lamp] = [join(folder, 'terminal'), join(folder, 'lamp')];
  let socat: ChildProcess | null = null;
  let port: SerialPort | null = null;
  let isMute = mute;
  let tell = (_shone: Shining): void => {};
  const shining = listenTo<Shining>((listener) => {
    tell = listener;
    return () => {};
  });
  const plug = async (): Promise<void> => {
    const child = spawn('socat', ['-d', '-d', `pty,raw,echo=0,link=${device}`, `pty,raw,echo=0,link=${lamp}`]);
    socat = child;
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.stderr.on('data', (text: Buffer) => {
        if (text.toString().includes('starting data transfer')) resolve();
      });
    });
    const read = createFrameReader();
    const opened = new SerialPort({ path: lamp, baudRate: 115200, autoOpen: false });
    port = opened;
    opened.on('error', () => {});
    opened.on('data', (chunk: Buffer) => {
      for (const body of read(chunk)) {
        const command = decodeLightCommand(body);
        if (command?.type === 'ping' && !isMute) opened.write(Buffer.from(encodeLightAnswer({ type: 'pong' })));
        if (command?.type === 'show') tell({ type: command.pattern });
        if (command?.type === 'beep') tell({ type: `beep ${command.beep}` });
      }
    });
    await new Promise<void>((resolve, reject) => opened.open((error) => (error ? reject(error) : resolve())));
  };
  const unplug = async (): Promise<void> => {
    const child = socat;
    if (child === null || child.exitCode !== null) return;
    await new Promise((resolve) => child.once('exit', resolve).kill('SIGKILL'));
  };
  await plug();
  const light = createSerialStatusLight({ device, baud: 115200, retryMs: 20, pingMs });
  return {
    light,
    device,
    shining,
    mute: () => {
      isMute = true;
    },
    setPresence: (near) => port?.write(Buffer.from(encodeLightAnswer({ type: 'presence', near }))),
    unplug,
    plug,
    close: async () => {
      await light.close();
      await unplug();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const hasSocat = spawnSync('socat', ['-V']).status === 0;
if (!hasSocat) console.warn('skipped: the serial light needs socat (Debian package socat)');

describe.skipIf(!hasSocat)('over pseudo terminals', () => {
  statusLightContract('the serial light', serialBench);

  test('a light that stays silent is lost although its line is open', async () => {
    const bench = await serialBench({ pingMs: 50 });
    const heard = listenTo((listener) => bench.light.subscribe(listener));
    await heard.next((event) => event.type === 'found');
    bench.mute();
    expect(await heard.next((event) => event.type === 'lost')).toMatchObject({ failure: { code: 'light.lost' } });
    await bench.close();
  });
});

describe('frames of the status light', () => {
  test('carry the CRC of the standard', () => {
    expect(crc8(new TextEncoder().encode('123456789'))).toBe(0xf4);
    expect([...frame(0x01, 0x02)]).toEqual([0x02, 0x02, 0x01, 0x02, crc8(Uint8Array.of(2, 1, 2))]);
  });

  const commands = [
    ...lightPatterns.map((pattern) => ({ type: 'show', pattern }) as const),
    ...(['contact', 'done', 'attention'] as const).map((beep) => ({ type: 'beep', beep }) as const),
    { type: 'ping' } as const,
  ];
  test.each(commands)('%j comes back as it went', (command) => {
    expect(createFrameReader()(encodeLightCommand(command)).map(decodeLightCommand)).toEqual([command]);
  });

  test('are found in any pieces and behind any noise', () => {
    const answers = [{ type: 'pong' }, { type: 'presence', near: true }, { type: 'presence', near: false }] as const;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...answers), fc.boolean())),
        fc.integer({ min: 1, max: 9 }),
        (sent, size) => {
          // Noise that cannot itself begin a frame.
          const noise = (wanted: boolean): number[] => (wanted ? [0xff, 0x00, 0x41] : []);
          const line = Uint8Array.from(
            sent.flatMap(([answer, noisy]) => [...noise(noisy), ...encodeLightAnswer(answer)]),
          );
          const read = createFrameReader();
          const heard: unknown[] = [];
          for (let at = 0; at < line.length; at += size)
            heard.push(...read(line.slice(at, at + size)).map(decodeLightAnswer));
          expect(heard).toEqual(sent.map(([answer]) => answer));
        },
      ),
    );
  });

  test('with any bit flipped are not taken for what they were', () => {
    const sent = encodeLightAnswer({ type: 'presence', near: true });
    for (let bit = 0; bit < sent.length * 8; bit += 1) {
      const flipped = sent.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(createFrameReader()(flipped).map(decodeLightAnswer)).toEqual([]);
    }
  });

  test('cut short give nothing, and the next one is still found', () => {
    const sent = encodeLightAnswer({ type: 'pong' });
    for (let length = 0; length < sent.length; length += 1) {
      const read = createFrameReader();
      expect(read(sent.slice(0, length))).toEqual([]);
      const after = [...read(sent), ...read(sent), ...read(sent)];
      expect(after.map(decodeLightAnswer).filter((answer) => answer?.type === 'pong').length).toBeGreaterThanOrEqual(2);
    }
  });

  test('of a kind or value nobody knows mean nothing', () => {
    for (const body of [[0x81, 2], [0x81], [0x99, 1], []]) expect(decodeLightAnswer(Uint8Array.from(body))).toBeNull();
    for (const body of [[0x01, 99], [0x01], [0x02, 9], [0x03, 0]])
      expect(decodeLightCommand(Uint8Array.from(body))).toBeNull();
  });

  test('never have no body or more than 16 bytes', () => {
    expect(() => frame()).toThrow(RangeError);
    expect(() => frame(...Array<number>(17).fill(0))).toThrow(RangeError);
  });
});
