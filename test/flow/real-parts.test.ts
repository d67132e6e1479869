import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AgentProcess, type AgentReady, furnishAgent } from '../../scripts/beds/delivery-bed.ts';
import { Mosquitto, mosquittoPath } from '../../scripts/beds/mosquitto.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../../scripts/beds/pcscd-bed.ts';
import { authority, pinBytes, testCard } from '../../scripts/beds/test-cards.ts';
import { ScriptedPatient } from '../../scripts/demonstration/scripted-patient.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import { addAgent, addDevice, createFacility } from '../../src/agent/provisioning/facility-authority.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const why =
  pcscdMissing() ??
  (await pcscliteMissing()) ??
  (mosquittoPath === null ? 'mosquitto is not installed' : null) ??
  (existsSync(`${root}dist/screens/index.html`) ? null : 'the page is not built (scripts/setup)');
if (why !== null) console.warn(`skipped: a visit on real parts: ${why}`);

const facilityId = 'real-parts';
const directory = mkdtempSync(join(tmpdir(), 'uketsuke-real-'));
const bed = new PcscdBed();
let broker: Mosquitto;
let agent: AgentProcess;
let agentReady: AgentReady;
let terminal: ChildProcess;
let link: ChildProcess;
let patient: ScriptedPatient;
const log: string[] = [];

/** `uketsuke link` and `uketsuke run` as on a device: profile release, no virtual driver anywhere. Resolves with the port of its screen. */
const startTerminalProcess = async (deviceDirectory: string): Promise<number> => {
  const screenPort = 18_480 + (process.pid % 1_000);
  const config = {
    facility: facilityId,
    device: 'front-1',
    lane: 1,
    screen: { port: screenPort },
    broker: { host: 'localhost', port: broker.port },
    paths: {
      provisioning: deviceDirectory,
      store: join(directory, 'link.sqlite'),
      models: `${root}models`,
      screens: `${root}dist/screens`,
    },
    link: { socket: join(directory, 'link.sock'), health: join(directory, 'link-health.sock') },
    health: { socket: join(directory, 'health.sock') },
    log: { level: 'debug' },
  };
  const file = join(directory, 'terminal.yaml');
  writeFileSync(file, stringify(config));
  link = spawn(process.execPath, [`${root}src/main.ts`, 'link', '--config', file, '--log', 'json'], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  if (link.stderr === null) throw new Error('no log');
  createInterface({ input: link.stderr }).on('line', (line) => log.push(line));
  terminal = spawn(process.execPath, [`${root}src/main.ts`, 'run', '--config', file, '--log', 'json'], {
    env: { ...process.env, PCSCLITE_CSOCK_NAME: bed.socketPath },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  if (terminal.stderr === null) throw new Error('no log');
  const lines = createInterface({ input: terminal.stderr });
  await new Promise<void>((resolve, reject) => {
    terminal.once('exit', (code) => reject(new Error(`uketsuke run ended with ${code}:\n${log.join('\n')}`)));
    lines.on('line', (line) => {
      log.push(line);
      if (line.includes('"process.ready"')) resolve();
    });
  });
  return screenPort;
};

beforeAll(async () => {
  if (why !== null) return;
  await createFacility(directory, { facility: facilityId, brokerNames: ['localhost'] });
  const agentDirectory = await addAgent(directory, 'agent-1');
  const deviceDirectory = await addDevice(directory, 'front-1', 1);
  await furnishAgent(agentDirectory);
  writeFileSync(join(deviceDirectory, 'terminal', 'cv-issuers.json'), authority.cvIssuersJson);
  broker = await Mosquitto.prepare(directory);
  await broker.start();
  agent = new AgentProcess(agentDirectory, `localhost:${broker.port}`);
  agentReady = await agent.start();
  await bed.start();
  patient = await ScriptedPatient.before(await startTerminalProcess(deviceDirectory));
}, 60_000);

afterAll(async () => {
  if (why === null) {
    patient?.leave();
    for (const child of [terminal, link]) {
      if (child?.exitCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    await agent?.kill('SIGTERM');
    await bed.stop();
    await broker?.kill('SIGTERM');
  }
  rmSync(directory, { recursive: true, force: true });
});

const byPin = (model: ScreenModel) => {
  switch (model.screen) {
    case 'choose-method':
      return { do: 'touch', control: 'use-pin' } as const;
    case 'pin':
      return model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking
        ? ({ do: 'type-pin', digits: pinBytes('1234') } as const)
        : ({ do: 'wait' } as const);
    case 'consent-bundle':
    case 'consent-item':
    case 'specific-disease':
      return { do: 'touch', control: 'agree' } as const;
    case 'medical-subsidy':
      return { do: 'touch', control: 'use' } as const;
    case 'prescription-form':
      return { do: 'touch', control: 'paper' } as const;
    case 'referral-documents':
    case 'certificate-notice':
      return { do: 'touch', control: 'next' } as const;
    case 'summary':
      return { do: 'touch', control: 'confirm' } as const;
    default:
      return { do: 'wait' } as const;
  }
};

it.skipIf(why !== null)(
  'a PIN visit through pcscd, mosquitto with mutual TLS and MQTT 5, SQLite and the agent: accepted, journaled, filed',
  { timeout: 90_000 },
  async () => {
    await patient.see('idle');
    const made = await testCard('hanako');
    await bed.insert(made.card);
    const last = await patient.follow(byPin, ['accepted', 'desk', 'out-of-service']);
    expect(last.screen, log.slice(-20).join('\n')).toBe('accepted');
    await bed.pull();
    await patient.see('idle');
    const journal = new Journal(agentReady.journal, { readOnly: true });
    const visits = journal.visits();
    journal.close();
    expect(visits).toMatchObject([{ method: 'pin', verdict: 'accepted', outcome: 'eligible', lane: 1 }]);
    expect(readdirSync(join(agentReady.oqsFolder, 'face'))).toHaveLength(1);
    // Nothing of the person lies on the terminal's disk afterwards, and none of it was ever in the log.
    const { name, address, birthDate } = made.persona.person;
    const store = readdirSync(directory).filter((file) => file.startsWith('link.sqlite'));
    const kept = Buffer.concat([
      Buffer.from(log.join('\n')),
      ...store.map((file) => readFileSync(join(directory, file))),
    ]);
    for (const canary of [name, address, birthDate, made.printedNumberB ?? '?', made.persona.serial])
      expect(kept.includes(canary), canary).toBe(false);
    for (const there of ['process.ready', 'request-stored']) expect(kept.includes(there), there).toBe(true);
  },
);

it.skipIf(why !== null)('pcscd killed and started again: in service without a hand', { timeout: 60_000 }, async () => {
  await bed.kill();
  await patient.see('out-of-service');
  await bed.start();
  await patient.see('idle');
});
