import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import { readDeviceKeys } from '../../scripts/beds/device-keys.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { authority } from '../../scripts/beds/test-cards.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { writeCardTrust } from '../../src/agent/provisioning/card-trust.ts';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import type { AgentReady } from '../../src/processes/agent.ts';
import { openSigned } from '../../src/trust/seal.ts';
import { type SettingsMessage, settingsMessageSchema } from '../../src/wire/messages.ts';
import { topicOf } from '../../src/wire/topics.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const uketsuke = (...args: string[]): string => execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' });

const place = mkdtempSync(join(tmpdir(), 'uketsuke-process-'));
/** The same path for every test, laid anew from what was provisioned once */
const folder = join(place, 'facility');
const provisioned = join(place, 'provisioned');
let agent: string;
/** File with the passphrase of the CA's key */
let passphrase: string;
let running: ChildProcess | null = null;
let bus: MessageBus | null = null;

beforeAll(async () => {
  const made = uketsuke(
    'provision',
    '--dir',
    folder,
    '--facility',
    'clinic-0001',
    '--name',
    '試験医院',
    '--institution-code',
    '1312345678',
    '--kind',
    'medical',
  );
  const { agent: directory, caPassphrase } = JSON.parse(made) as { agent: string; caPassphrase: string };
  agent = directory;
  passphrase = join(place, 'passphrase');
  writeFileSync(passphrase, caPassphrase);
  await writeCardTrust(join(agent, 'card-trust'), {
    certificateIssuersPem: authority.caCertificatePem,
    cvIssuersJson: authority.cvIssuersJson,
  });
  renameSync(folder, provisioned);
});
beforeEach(() => cpSync(provisioned, folder, { recursive: true }));
afterAll(() => rmSync(place, { recursive: true, force: true }));
afterEach(async () => {
  await bus?.close();
  if (running?.exitCode === null && running.signalCode === null) {
    running.kill('SIGKILL');
    await once(running, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

const start = async (): Promise<AgentReady> => {
  const ports = ['--broker-port', '0', '--staff-port', '0', '--service-delay-ms', '0', '--make-folders'];
  const args = [main, 'agent', '--dir', agent, '--embedded-broker', '--facility-dir', folder, ...ports];
  running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (running.stdout === null) throw new Error('no standard output');
  const [line] = (await once(createInterface(running.stdout), 'line')) as [string];
  return JSON.parse(line) as AgentReady;
};

const banner = async ({ staffPage }: AgentReady): Promise<string> =>
  (await fetch(new URL('/part/banner', staffPage))).text();

const listen = async (ready: AgentReady): Promise<SettingsMessage[]> => {
  const keys = await readDeviceKeys(join(folder, 'devices', 'terminal-01'));
  const heard: SettingsMessage[] = [];
  bus = createMqttMessageBus({
    host: '127.0.0.1',
    port: ready.brokerPort,
    tls: keys.tls,
    clientId: 'terminal-01',
    protocolVersion: 4,
  });
  bus.subscribe(topicOf('clinic-0001', 'terminal-01', 'settings'), ({ payload }) => {
    const address = { facility: 'clinic-0001', device: 'terminal-01' };
    void openSigned('settings', payload, settingsMessageSchema, keys.agents, address).then((opened) => {
      if (opened.ok) heard.push(opened.value.message);
    });
  });
  await until('the settings', () => heard.length > 0);
  return heard;
};

test('provision → agent → terminal: settings arrive, follow their file, never go back; SIGTERM ends it cleanly', async () => {
  const ready = await start();
  expect(ready).toMatchObject({ ready: true, facility: 'clinic-0001', agent: 'agent-1' });
  const heard = await listen(ready);
  expect(heard[0]).toMatchObject({ facilitySettings: { facilityName: '試験医院' } });
  const first = heard[0]?.version ?? 0;

  const file = join(agent, 'facility-settings.yaml');
  const settings = readFileSync(file, 'utf8');
  writeFileSync(file, settings.replace('試験医院', '試験医院 別館'));
  await until('the change', () => heard.at(-1)?.version === first + 1);
  expect(heard.at(-1)?.facilitySettings.facilityName).toBe('試験医院 別館');

  // A mistake in the file is told on the staff page; what held goes on holding.
  writeFileSync(file, settings.replace(/TKK: .*/, 'TKK: perhaps'));
  let page = '';
  const deadlineMs = performance.now() + 60_000;
  while (!page.includes('asks.TKK') && performance.now() < deadlineMs)
    page = await (await fetch(new URL('/part/banner', ready.staffPage))).text();
  expect(page).toContain('設定ファイルに誤りがあります');
  expect(heard.at(-1)?.version).toBe(first + 1);

  uketsuke('agent', 'roll-key', '--facility-dir', folder);
  await until('the announced key', () => heard.at(-1)?.facilityKeys.next !== undefined);
  expect(heard.at(-1)?.version).toBe(first + 2);

  running?.kill('SIGTERM');
  if (running) expect(await once(running, 'exit')).toEqual([0, null]);
});

/* Windows deletes no file that is open. */
test.skipIf(process.platform === 'win32')(
  'the journal is deleted while the agent runs: it ends by itself, and the next one has lost nothing',
  async () => {
    const ready = await start();
    const heard = await listen(ready);
    const ended = running === null ? null : once(running, 'exit');
    for (const part of ['', '-wal', '-shm']) rmSync(`${ready.journal}${part}`, { force: true });
    expect(await ended).toEqual([70, null]);
    await bus?.close();
    const next = await start();
    const again = await listen(next);
    expect(again[0]).toEqual(heard[0]);
    expect(await banner(next)).toContain('storage.taken-away');
  },
);

test('an older journal put in its place while nobody ran is told to staff, and is served with', async () => {
  const stop = async (): Promise<void> => {
    const ended = running === null ? null : once(running, 'exit');
    running?.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  };
  const { journal, ...first } = await start();
  expect(await banner({ journal, ...first })).not.toContain('storage.rolled-back');
  await stop();
  copyFileSync(journal, join(folder, 'of-last-week.sqlite'));
  const file = join(agent, 'facility-settings.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('試験医院', '試験医院 別館'));
  const second = await start();
  await listen(second);
  await bus?.close();
  await stop();
  copyFileSync(join(folder, 'of-last-week.sqlite'), journal);
  const third = await start();
  expect(await banner(third)).toContain('storage.rolled-back');
  expect((await listen(third))[0]?.facilitySettings.facilityName).toBe('試験医院 別館');
});

test('a terminal added while the agent runs may connect, a revoked one may not', async () => {
  const ready = await start();
  const caKey = ['--facility-dir', folder, '--ca-passphrase-file', passphrase];
  uketsuke('agent', 'device', 'add', 'terminal-02', '--lane', '2', ...caKey);
  const keys = await readDeviceKeys(join(folder, 'devices', 'terminal-02'));
  let connected = false;
  bus = createMqttMessageBus({
    host: '127.0.0.1',
    port: ready.brokerPort,
    tls: keys.tls,
    clientId: 'terminal-02',
    protocolVersion: 4,
  });
  bus.subscribeConnection((now) => {
    connected = now;
  });
  await until('the new terminal', () => connected);
  uketsuke('agent', 'device', 'revoke', 'terminal-02', ...caKey);
  await until('the end of its connection', () => !connected);
  expect(uketsuke('agent', 'device', 'list', '--facility-dir', folder)).toMatch(/terminal-02\t.*revoked/);
});

test('mistakes are one line and exit code 2', () => {
  const failing = (...args: string[]): { status: number; stderr: string } => {
    try {
      execFileSync(process.execPath, [main, ...args], { encoding: 'utf8', stdio: 'pipe' });
      return { status: 0, stderr: '' };
    } catch (error) {
      return error as { status: number; stderr: string };
    }
  };
  const missing = failing('agent', '--dir', join(folder, 'nowhere'));
  expect(missing.status).toBe(2);
  expect(missing.stderr.trim().split('\n')).toHaveLength(1);
  expect(missing.stderr).toContain('uketsuke provision');
  expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  rmSync(join(agent, 'card-trust'), { recursive: true });
  expect(failing('agent', '--dir', agent).stderr).toMatch(/card-trust\/card-ca\.pem: no trust anchors .* --card-trust/);
  expect(failing('agent', 'device', 'add', 'terminal-01', '--lane', '1', '--facility-dir', folder)).toMatchObject({
    status: 2,
  });
  expect(
    failing(
      'provision',
      '--dir',
      folder,
      '--facility',
      'x',
      '--name',
      'x',
      '--institution-code',
      '1',
      '--kind',
      'medical',
    ),
  ).toMatchObject({ status: 2 });
});

test('a staffCode comes by standard input and lies on the disk as a hash', () => {
  execFileSync(process.execPath, [main, 'agent', 'staff', 'add', 'nurse-1', '--dir', agent, '--label', '看護師 A'], {
    input: 'secret-77\n',
  });
  expect(uketsuke('agent', 'staff', 'list', '--dir', agent)).toBe('nurse-1\t看護師 A\n');
  expect(readFileSync(join(agent, 'staff.json'), 'utf8')).not.toContain('secret-77');
});

test('official figures are imported from a file; a wrong line is named and nothing is kept', () => {
  const file = join(folder, 'figures.csv');
  writeFileSync(file, '\ufeff月,利用数,確認回数\r\n2026-09,600,1200\r\n2026-10,690,1380\r\n');
  expect(uketsuke('agent', 'usage', 'import', file, '--dir', agent)).toBe('2 months\n');
  const journal = new Journal(join(agent, 'journal.sqlite'), { readOnly: true });
  expect(journal.officialUsage()).toEqual([
    { month: '202609', cardUses: 600, confirmations: 1200 },
    { month: '202610', cardUses: 690, confirmations: 1380 },
  ]);
  writeFileSync(file, '2026-07,1,2\n2026-08,2,1\n');
  expect(() => uketsuke('agent', 'usage', 'import', file, '--dir', agent)).toThrow(/line 2/);
  const mistyped = `${agent}-1`;
  expect(() => uketsuke('agent', 'clock', 'confirm', '--dir', mistyped)).toThrow(/no agent's directory/);
  expect(() => uketsuke('agent', 'staff', 'list', '--dir', mistyped)).toThrow(/no agent's directory/);
  expect(existsSync(mistyped)).toBe(false);
  expect(journal.officialUsage()).toHaveLength(2);
  journal.close();
});

test('with a journal that cannot be opened it is up for the service manager, says so on its page, and goes on by itself', async () => {
  const path = join(agent, 'journal.sqlite');
  new Journal(path).close();
  const later = new DatabaseSync(path);
  const form = later.prepare('PRAGMA user_version').get()?.user_version;
  later.exec('PRAGMA user_version = 999');
  // What the service manager's program would be told, a line each.
  const told = join(folder, '..', 'told');
  const program = join(folder, '..', 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\necho "$*" >>${told}\n`, { mode: 0o755 });
  const env = {
    ...process.env,
    NOTIFY_SOCKET: 'x',
    WATCHDOG_USEC: '400000',
    PATH: `${join(folder, '..')}:${process.env.PATH}`,
  };
  const ports = ['--broker-port', '0', '--staff-port', '0', '--make-folders'];
  const args = [main, 'agent', '--dir', agent, '--embedded-broker', '--facility-dir', folder, ...ports];
  running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  if (running.stdout === null) throw new Error('no standard output');
  const ready = once(createInterface(running.stdout), 'line');
  const words = (): string => (existsSync(told) ? readFileSync(told, 'utf8') : '');
  await vi.waitUntil(
    () => words().includes('--ready --status=storage.newer') && words().includes('WATCHDOG=1'),
    60_000,
  );
  later.exec(`PRAGMA user_version = ${form}`);
  later.close();
  await ready;
  await vi.waitUntil(() => words().includes('--ready --status=agent-1'), 60_000);
  running.kill('SIGTERM');
  expect(await once(running, 'exit')).toEqual([0, null]);
});
