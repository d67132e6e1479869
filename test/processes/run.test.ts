import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { makeTestFacility, type TestFacility } from '../../scripts/beds/test-facility.ts';

const missing = [
  ...['models/blazeface.onnx', 'dist/screens/index.html'].filter((path) => !existsSync(path)),
  ...['systemd-notify', 'socat'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined),
];
if (missing.length > 0) console.warn(`skipped: uketsuke run, ${missing.join(', ')} missing`);

/** The terminal as systemd starts it, with the real drivers of a release and nothing plugged in. */
describe.skipIf(missing.length > 0)('uketsuke run', () => {
  let folder = '';
  let place: TestFacility;
  let terminal: ChildProcess | null = null;
  let manager: ChildProcess;
  let notified = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'uketsuke-run-'));
    place = await makeTestFacility();
    await ensureTestAuthority(join(folder, 'authority'));
    copyFileSync(join(folder, 'authority/cv-issuers.json'), join(place.deviceDirectory, 'terminal', 'cv-issuers.json'));
    manager = spawn('socat', ['-d', '-d', '-u', `UNIX-RECV:${join(folder, 'notify.sock')}`, 'STDOUT']);
    manager.stdout?.on('data', (chunk: Buffer) => {
      notified += chunk.toString();
    });
    while (manager.stderr && !(await once(manager.stderr, 'data')).toString().includes('starting data transfer'));
  });
  afterEach(() => {
    terminal?.kill('SIGKILL');
    terminal = null;
    notified = '';
  });
  afterAll(() => {
    manager.kill();
    place.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const writeConfig = (more: object = {}): string => {
    const file = join(folder, 'terminal.yaml');
    const config = {
      // Its trust anchors are those of test cards.
      profile: 'test',
      facility: 'test-clinic',
      device: 'front-1',
      camera: { device: '/dev/video99' },
      face: { acceptUnverifiedModels: ['fr_feature'] },
      cardFrontReader: { driver: 'tesseract', device: '/dev/video98' },
      keypad: { driver: 'hid', device: '/dev/hidraw99' },
      statusLight: { driver: 'serial', device: '/dev/ttyACM99' },
      screen: { port: 18_480 + (process.pid % 1_000) },
      broker: { host: 'localhost', port: 1 },
      paths: {
        provisioning: place.deviceDirectory,
        store: join(folder, 'terminal.sqlite'),
        models: join(process.cwd(), 'models'),
        screens: join(process.cwd(), 'dist/screens'),
      },
      health: { socket: join(folder, 'health.sock') },
      ...more,
    };
    writeFileSync(file, stringify(config));
    return file;
  };
  const start = (config: string) => {
    const env = {
      ...process.env,
      NOTIFY_SOCKET: join(folder, 'notify.sock'),
      WATCHDOG_USEC: '2000000',
      // Nobody's reader but ours to find: there is none.
      PCSCLITE_CSOCK_NAME: join(folder, 'nobody.comm'),
    };
    const main = join(process.cwd(), 'src/main.ts');
    // systemd starts it in the root directory.
    const child = spawn(process.execPath, [main, 'run', '--config', config, '--log', 'json'], { env, cwd: '/' });
    terminal = child;
    let printed = '';
    child.stderr.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    return { child, printed: () => printed, ended: once(child, 'exit').then(([code]) => code as number | null) };
  };
  const untilNotified = async (word: string): Promise<void> => {
    while (manager.stdout && !notified.includes(word)) await once(manager.stdout, 'data');
  };

  test('is ready without hardware and without network, feeds the watchdog, and ends on SIGTERM', async () => {
    const { child, printed, ended } = start(writeConfig());
    await untilNotified('READY=1');
    await untilNotified('WATCHDOG=1');
    const doctor = spawnSync(process.execPath, ['src/main.ts', 'doctor', '--config', writeConfig(), '--json'], {
      encoding: 'utf8',
      env: { ...process.env, PCSCLITE_CSOCK_NAME: join(folder, 'nobody.comm') },
    });
    expect(doctor.status).toBe(1);
    const { diagnoses } = JSON.parse(doctor.stdout) as {
      diagnoses: { check: string; state: string; fault?: string }[];
    };
    expect(diagnoses.find(({ check }) => check === 'terminal')).toMatchObject({ state: 'ok' });
    expect(diagnoses.flatMap(({ fault }) => fault ?? [])).toEqual(
      expect.arrayContaining(['camera.lost', 'broker.port-closed', 'screen.no-page', 'keypad.lost', 'light.lost']),
    );
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await untilNotified('STOPPING=1');
    const lines = printed()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { event: string });
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['process.started', 'process.ready', 'process.stopping']),
    );
    expect(lines.map(({ event }) => event)).not.toContain('log.field-refused');
  });

  test('starts again over what a killed one left behind', async () => {
    const first = start(writeConfig());
    await untilNotified('READY=1');
    first.child.kill('SIGKILL');
    await first.ended;
    notified = '';
    const second = start(writeConfig());
    await untilNotified('READY=1');
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  test.each([
    ['keys of another terminal', { device: 'front-2' }, /device: the configuration says front-2, .* says front-1/],
    [
      'trust anchors of test cards at a facility at work',
      { profile: 'release' },
      /cv-issuers\.json: trust anchors of test cards/,
    ],
    ['no keys', { paths: { provisioning: '/nonexistent' } }, /nonexistent/],
    [
      'virtual hardware',
      { profile: 'demo', cardReader: { driver: 'virtual' } },
      /cardReader\.driver: virtual hardware/,
    ],
  ])('ends with one line on %s', async (_name, more, line) => {
    const { printed, ended } = start(writeConfig(more));
    expect(await ended).toBe(1);
    expect(printed()).toMatch(line);
    expect(printed()).not.toMatch(/^ {4}at /m);
  });

  test('ends with the place of a mistake in its configuration', async () => {
    const { printed, ended } = start(writeConfig({ camra: {} }));
    expect(await ended).toBe(2);
    expect(printed()).toMatch(/terminal\.yaml:\d+:1: unknown key "camra" \(did you mean "camera"\?\)/);
  });
});
