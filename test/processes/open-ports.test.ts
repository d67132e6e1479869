import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import { furnishAgent } from '../../scripts/beds/delivery-bed.ts';
import { listening } from '../../scripts/beds/listening.ts';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import type { AgentReady } from '../../src/processes/agent.ts';

/** Threat 26, asked of the kernel: which sockets a process listens on, and where. */
const hasProc = existsSync('/proc/self/net/tcp');
if (!hasProc) console.warn('skipped: the list of open ports comes from /proc (Linux)');

let agent: ChildProcess | null = null;
afterAll(async () => {
  if (agent === null) return;
  agent.kill('SIGKILL');
  await once(agent, 'exit');
});

test.skipIf(!hasProc)('the agent listens on loopback alone: staff page and embedded broker, nothing else', async () => {
  const facility = await makeTestFacility();
  await furnishAgent(facility.agentDirectory);
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const more = ['--broker-port', '0', '--staff-port', '0', '--make-folders', '--log', 'silent'];
  const args = [
    main,
    'agent',
    '--dir',
    facility.agentDirectory,
    '--embedded-broker',
    '--facility-dir',
    facility.directory,
  ];
  agent = spawn(process.execPath, [...args, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (agent.stdout === null || agent.pid === undefined) throw new Error('no process');
  const [line] = (await once(createInterface(agent.stdout), 'line')) as [string];
  const ready = JSON.parse(line) as AgentReady;
  expect(listening(agent.pid).sort()).toEqual(
    [`127.0.0.1:${ready.brokerPort}`, `127.0.0.1:${new URL(ready.staffPage).port}`].sort(),
  );
  facility.remove();
});

test.skipIf(!hasProc)("the terminal's screen listens on loopback alone", async () => {
  const before = new Set(listening(process.pid));
  const pageDir = mkdtempSync(join(tmpdir(), 'uketsuke-page-'));
  writeFileSync(join(pageDir, 'index.html'), '<!doctype html>');
  const screen = await createKioskScreen({ port: 0, pageDir });
  expect(listening(process.pid).filter((address) => !before.has(address))).toEqual([`127.0.0.1:${screen.port}`]);
  await screen.close();
  rmSync(pageDir, { recursive: true });
});
