import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askHealth, askReport, serveHealth } from '../../../drivers/host/health-socket.ts';
import { createSystemdNotifier } from '../../../drivers/host/systemd-notifier.ts';
import { createVirtualCardReader } from '../../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualKeypad } from '../../../drivers/virtual/virtual-keypad.ts';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { type Failure, failure } from '../../../src/core/failure.ts';
import type { Session } from '../../../src/core/visit/session.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import type { ScreenEvent } from '../../../src/ports/screen.ts';
import type { ClinicEvent } from '../../../src/terminal/delivery/clinic-link.ts';
import {
  healthReportSchema,
  silenceLimitsMs,
  silentParts,
  vitalParts,
  watchHealth,
} from '../../../src/terminal/doctor/health.ts';

describe('a part is silent', () => {
  const signs = { 'session-runner': 0, 'card-reader': 0, screen: 0 };
  test.each(vitalParts)('%s: at its limit not yet, one millisecond later it is', (part) => {
    const others = { 'session-runner': 1e9, 'card-reader': 1e9, screen: 1e9 };
    expect(silentParts({ ...others, [part]: 0 }, silenceLimitsMs[part])).toEqual([]);
    expect(silentParts({ ...others, [part]: 0 }, silenceLimitsMs[part] + 1)).toEqual([
      { part, silentMs: silenceLimitsMs[part] + 1 },
    ]);
  });
  test('all of them when nothing was heard for ever', () => {
    expect(silentParts(signs, 1e9).map(({ part }) => part)).toEqual(vitalParts);
  });
});

const everyMs = 1_000;

/** A terminal reduced to what its health is seen by; every sign of life is given by hand. */
const bed = () => {
  const clock = new SimulatedClock();
  const lines: string[] = [];
  const log = createEventLog({ format: 'json', write: (line) => lines.push(JSON.parse(line).event) });
  const cardReader = createVirtualCardReader();
  const keypad = createVirtualKeypad();
  let tellFace = (_trouble: Failure | null): void => {};
  let tellScreen = (_event: ScreenEvent): void => {};
  let tellClinic = (_event: ClinicEvent): void => {};
  let deadlineMs: number | null = null;
  let fed = 0;
  const health = watchHealth({
    clock,
    log,
    runner: {
      get session() {
        return { state: { name: 'idle', deadlineMs } } as Session;
      },
    },
    cardReader,
    faceVerifier: {
      start: () => () => {},
      subscribeHealth: (listener) => {
        tellFace = listener;
        listener(failure('face.process-lost', 'starting'));
        return () => {};
      },
      close: async () => {},
    },
    screen: {
      show: () => {},
      preview: () => {},
      subscribe: (listener) => {
        tellScreen = listener;
        return () => {};
      },
      close: async () => {},
    },
    keypad,
    statusLight: null,
    clinic: {
      subscribe: (listener) => {
        tellClinic = listener;
        listener({ type: 'disconnected', failure: failure('delivery.offline') });
        return () => {};
      },
    },
    version: '0.1.0',
    profile: 'demo',
    feedWatchdog: () => {
      fed += 1;
    },
    everyMs,
  });
  return {
    clock,
    lines,
    cardReader,
    keypad,
    health,
    tellFace: (trouble: Failure | null) => tellFace(trouble),
    tellScreen: (event: ScreenEvent) => tellScreen(event),
    tellClinic: (event: ClinicEvent) => tellClinic(event),
    setDeadline: (at: number | null) => {
      deadlineMs = at;
    },
    /** How often the watchdog is fed while `ms` pass with a page that paints every 6 s, or with none. */
    fedWithin: async (ms: number, painting = true): Promise<number> => {
      const before = fed;
      for (let passed = 0; passed < ms; passed += 6_000) {
        if (painting) tellScreen({ type: 'painted', revision: 1 });
        await clock.advance(Math.min(6_000, ms - passed));
      }
      return fed - before;
    },
  };
};

describe('the watchdog', () => {
  test('is fed while everything lives, and never for the network', async () => {
    const made = bed();
    made.tellFace(null);
    expect(await made.fedWithin(600_000)).toBe(600);
    expect(made.health.report()).toMatchObject({ silentParts: [], broker: { trouble: { code: 'delivery.offline' } } });
    made.health.close();
  });

  test('is fed where no page has come yet: a terminal without a screen is not started anew for ever', async () => {
    const made = bed();
    made.tellFace(null);
    expect(await made.fedWithin(3 * silenceLimitsMs.screen, false)).toBe((3 * silenceLimitsMs.screen) / 1_000);
    expect(made.health.report()).toMatchObject({ silentParts: [], screen: { connected: false } });
    made.health.close();
  });

  test('is not fed once the session runner leaves a deadline unanswered', async () => {
    const made = bed();
    made.tellFace(null);
    made.setDeadline(made.clock.now().monotonicMs + 500);
    await made.fedWithin(silenceLimitsMs['session-runner'] + 2_000);
    expect(await made.fedWithin(20_000)).toBe(0);
    expect(made.health.report().silentParts).toEqual(['session-runner']);
    expect(made.lines.filter((event) => event === 'watchdog.withheld')).toHaveLength(1);
    made.setDeadline(null);
    expect(await made.fedWithin(10_000)).toBe(10);
    made.health.close();
  });

  test('is not fed once the page no longer paints', async () => {
    const made = bed();
    made.tellFace(null);
    await made.fedWithin(10_000);
    await made.fedWithin(silenceLimitsMs.screen + 2_000, false);
    expect(await made.fedWithin(20_000, false)).toBe(0);
    expect(made.health.report().silentParts).toEqual(['screen']);
    made.health.close();
  });

  test('is not fed once the face process stays dead; a missing camera is another matter', async () => {
    const made = bed();
    made.tellFace(null);
    await made.fedWithin(10_000);
    made.tellFace(failure('camera.lost'));
    expect(await made.fedWithin(300_000)).toBe(300);
    made.tellFace(failure('face.process-lost'));
    expect(await made.fedWithin(300_000)).toBe(300);
    made.health.close();
  });

  test('is not fed once the reader stays away for five minutes, and again when it is back', async () => {
    const made = bed();
    made.tellFace(null);
    made.cardReader.unplug();
    expect(await made.fedWithin(298_000)).toBe(298);
    await made.fedWithin(4_000);
    expect(await made.fedWithin(20_000)).toBe(0);
    made.cardReader.plug();
    expect(await made.fedWithin(10_000)).toBe(10);
    expect(made.lines).toEqual(expect.arrayContaining(['part.lost', 'watchdog.withheld', 'part.found']));
    made.health.close();
  });
});

describe('the health report', () => {
  test('names what is wrong with each part, and keeps to its schema', async () => {
    const made = bed();
    made.tellFace(failure('camera.black', '/dev/video0'));
    made.keypad.unplug();
    made.tellScreen({ type: 'connected' });
    made.tellScreen({ type: 'painted', revision: 3 });
    made.tellClinic({ type: 'connected' });
    made.tellClinic({ type: 'challenges-ready', ready: true });
    await made.clock.advance(700);
    const report = healthReportSchema.parse(made.health.report());
    expect(report).toMatchObject({
      state: 'idle',
      cardReader: { present: true, trouble: null },
      slot: { cardResets: 0, muteCards: 0, busResets: 0 },
      face: { present: false, trouble: { code: 'camera.black', detail: '/dev/video0' } },
      keypad: { present: false, trouble: { code: 'keypad.lost' } },
      statusLight: { present: false, trouble: null },
      screen: { connected: true, paintedAgoMs: 700 },
      broker: { present: true, trouble: null },
      agentAnswers: true,
    });
    made.health.close();
  });

  test('is told over the socket; without a daemon there is none; a socket left behind is taken over', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'uketsuke-health-')), 'health.sock');
    expect(await askHealth(path, 1_000)).toBeNull();
    const left = createServer().listen(path);
    await once(left, 'listening');
    const server = await serveHealth(path, () => ({ state: 'idle' }));
    expect(await askHealth(path, 60_000)).toBe('{"state":"idle"}\n');
    await server.close();
    expect(await askHealth(path, 1_000)).toBeNull();
    left.close();
  });

  test.each(['no report at all', '{"state":"idle"}'])(
    "somebody else's answer (%s) is as good as none",
    async (answer) => {
      const path = join(mkdtempSync(join(tmpdir(), 'uketsuke-health-')), 'health.sock');
      const other = createServer((socket) => socket.end(answer)).listen(path);
      await once(other, 'listening');
      expect(await askReport(healthReportSchema, path, 1_000)).toBeNull();
      other.close();
    },
  );
});

const tools = spawnSync('systemd-notify', ['--version']).status === 0 && spawnSync('socat', ['-V']).status === 0;
if (!tools) console.warn('skipped: messages to the service manager need systemd-notify and socat');

describe('messages to the service manager', () => {
  test('without one nothing is due and nothing happens', () => {
    const notifier = createSystemdNotifier({});
    expect(notifier.aliveEveryMs).toBeNull();
    notifier.alive();
  });

  test('the watchdog is fed twice per its time', () => {
    expect(createSystemdNotifier({ NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '30000000' }).aliveEveryMs).toBe(15_000);
  });

  test.skipIf(!tools)('arrive as systemd reads them', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'uketsuke-notify-')), 'notify.sock');
    const manager = spawn('socat', ['-d', '-d', '-u', `UNIX-RECV:${path}`, 'STDOUT']);
    let heard = '';
    manager.stdout.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    while (!(await once(manager.stderr, 'data')).toString().includes('starting data transfer'));
    const notifier = createSystemdNotifier({ PATH: process.env.PATH, NOTIFY_SOCKET: path, WATCHDOG_USEC: '6000000' });
    const hear = async (...words: string[]): Promise<void> => {
      while (!words.every((word) => heard.includes(word))) await once(manager.stdout, 'data');
    };
    notifier.starting(90_000);
    await hear('EXTEND_TIMEOUT_USEC=90000000');
    notifier.ready('lane 1');
    await hear('READY=1', 'STATUS=lane 1');
    notifier.alive();
    await hear('WATCHDOG=1');
    notifier.stopping();
    await hear('STOPPING=1');
    manager.kill();
  });
});
