import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import { endChild } from '../../scripts/beds/end-child.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { model } from './screen.ts';

/*
 * The command of uketsuke-kiosk.service, with Debian's cage and Chromium, on a display of X (Xvfb) in place of the kernel's:
 * it takes what the two say to each other, which no browser of a test alone shows.
 */

const [programs, pageOnDevice, runOnDevice] = [
  ['/usr/bin/Xvfb', '/usr/bin/cage', '/usr/bin/Xwayland', '/usr/bin/chromium'],
  '/usr/lib/uketsuke/dist/screens',
  '/run/uketsuke-kiosk',
];
/** Debian's nobody: cage refuses to be root. */
const nobody = 65_534;
const asUser = process.getuid?.() === 0 ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];

const missing = ((): string | null => {
  const absent = programs.filter((program) => !existsSync(program));
  if (absent.length > 0) return `${absent.join(', ')} not installed`;
  const [program = '', ...words] = [...asUser, 'unshare', '--user', 'true'];
  return spawnSync(program, words).status === 0 ? null : 'Chromium makes no sandbox here (no user namespaces)';
})();
if (missing !== null) console.warn(`skipped: the kiosk's command on a display: ${missing}`);

/** What systemd reads in the unit, with our places for the device's. */
const commandOfUnit = (page: string, run: string, port: number) => {
  const text = readFileSync('systemd/uketsuke-kiosk.service', 'utf8').replaceAll('\\\n', '');
  const ours = text.replaceAll(pageOnDevice, page).replaceAll(runOnDevice, run);
  const values = (key: string): string[] =>
    [...ours.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const command = (values('ExecStart')[0] ?? '').replace(/waiting\.html\S*/, `waiting.html#${port}`);
  return { environment: values('Environment'), command: command.split(/\s+/) };
};

/** The display's picture (X window dump): share of white among its pixels. */
const whiteShare = (file: string): number => {
  const dump = readFileSync(file);
  const word = (index: number): number => dump.readUInt32BE(index * 4);
  const [header, width, height, lineBytes, colours] = [word(0), word(4), word(5), word(12), word(19)];
  const pixels = dump.subarray(header + colours * 12);
  let white = 0;
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if ((pixels.readUInt32LE(y * lineBytes + x * 4) & 0xffffff) === 0xffffff) white += 1;
  return white / (width * height);
};

const startDisplay = async (place: string): Promise<{ display: string; picture: string; process: ChildProcess }> => {
  const words = ['Xvfb', '-displayfd', '1', '-screen', '0', '1024x768x24', '-nolisten', 'tcp', '-fbdir', place];
  const [program = '', ...rest] = [...asUser, ...words];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  const display = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('Xvfb has ended')));
  });
  return { display: `:${display}`, picture: join(place, 'Xvfb_screen0'), process: child };
};

test.skipIf(missing !== null)('the kiosk’s own command shows the terminal’s page, and goes on', async () => {
  const place = mkdtempSync(join(tmpdir(), 'uketsuke-kiosk-'));
  const page = join(place, 'page');
  cpSync('dist/screens', page, { recursive: true });
  chmodSync(place, 0o755);
  const run = join(place, 'run');
  execFileSync('mkdir', ['-m', '700', run]);
  if (asUser.length > 0) chownSync(run, nobody, nobody);
  const screen = await createKioskScreen({ port: 0, pageDir: 'dist/screens' });
  const painted: number[] = [];
  screen.subscribe((event) => {
    if (event.type === 'connected') screen.show(model(1));
    if (event.type === 'painted') painted.push(event.revision);
  });
  const display = await startDisplay(run);
  const { environment, command } = commandOfUnit(page, run, screen.port);
  const here = [`DISPLAY=${display.display}`, 'WLR_BACKENDS=x11', 'WLR_RENDERER=pixman', 'PATH=/usr/bin:/bin'];
  const [program = '', ...words] = [...asUser, 'env', '-i', ...environment, ...here, ...command];
  const kiosk = spawn(program, words, { stdio: 'ignore', detached: true });
  const hasEnded = (): boolean => kiosk.exitCode !== null || kiosk.signalCode !== null;
  try {
    await until('the page, or the end of the browser', () => painted.includes(1) || hasEnded(), 90_000);
    // The browser that ended at its first picture did so within a second of it.
    screen.show(model(2));
    await until('what comes next, or the end of the browser', () => painted.includes(2) || hasEnded());
    expect({ ended: hasEnded(), painted: painted.includes(2) }).toEqual({ ended: false, painted: true });
    // A window of its own, a bar of the browser or nothing at all would be no such picture.
    expect(whiteShare(display.picture)).toBeGreaterThan(0.5);
  } finally {
    if (kiosk.pid !== undefined && !hasEnded()) process.kill(-kiosk.pid, 'SIGKILL');
    await endChild(kiosk, 'SIGKILL');
    await endChild(display.process, 'SIGTERM', 5_000);
    await screen.close();
    rmSync(place, { recursive: true, force: true, maxRetries: 5 });
  }
});

test.skipIf(missing !== null)(
  'the kiosk’s own command ends where there is no display, so that it is begun again',
  async () => {
    const run = mkdtempSync(join(tmpdir(), 'uketsuke-kiosk-'));
    if (asUser.length > 0) chownSync(run, nobody, nobody);
    const { command } = commandOfUnit('dist/screens', run, 1);
    // As under systemd: the process that becomes the command has a child already, PAM's helper.
    const [program = '', ...words] = [...asUser, 'env', '-i', 'PATH=/usr/bin:/bin', 'WLR_BACKENDS=none'];
    const kiosk = spawn(program, [...words, 'sh', '-c', 'sleep 50 & exec "$@"', 'sh', ...command], {
      stdio: 'ignore',
      detached: true,
    });
    try {
      await until('the end of the command', () => kiosk.exitCode !== null || kiosk.signalCode !== null);
      expect(kiosk.exitCode).toBe(1);
    } finally {
      if (kiosk.pid !== undefined) process.kill(-kiosk.pid, 'SIGKILL');
      rmSync(run, { recursive: true, force: true });
    }
  },
);
