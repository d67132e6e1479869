import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../drivers/aedes-broker.ts';
import { createMqttMessageBus } from '../../drivers/mqtt-message-bus.ts';
import { createSystemClock } from '../../drivers/system-clock.ts';
import { createEventLog, type EventLog } from '../app/event-log.ts';
import { catalogueAt } from '../catalogue/catalogue.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerUsers } from '../protocol/access-rules.ts';
import { type AgentConfigInput, readAgentConfig } from './agent-config.ts';
import type { AgentContext } from './agent-context.ts';
import { AgentDesk } from './agent-desk.ts';
import { type AgentKeys, agentFiles, type DeviceEntry, readAgentKeys, readDeviceRegistry } from './agent-keys.ts';
import { InquiryDesk } from './answer-inquiries.ts';
import { readCardTrust } from './card-trust.ts';
import { readBrokerFiles } from './facility-authority.ts';
import { readFacilitySettings } from './facility-settings-file.ts';
import { Journal } from './journal.ts';
import { registrationFile } from './registration-file.ts';
import { parseServiceRecords, SimulatedEligibilityService } from './simulated-eligibility-service.ts';
import { readStaff, StaffCodes } from './staff-codes.ts';
import { startStaffPage } from './staff-page/start-staff-page.ts';
import { WatchedFile } from './watched-file.ts';
import { makeOqsFolders } from './write-oqs-file.ts';

/** Personal data past its time is looked for this often. ms */
const sweepMs = 10_000;
/** What was handed over is wiped from the journal's write-ahead log this often. ms */
const forgetMs = 1_000;
/** A request signed just before a notice came into force still names the catalogue of yesterday. ms */
const catalogueOverlapMs = 24 * 60 * 60_000;
/** A notice comes into force at midnight; the files are looked at this often. ms */
const catalogueCheckMs = 60_000;

export type AgentStart = {
  /** Keys, registry, `agent.yaml`: as `uketsuke provision` made it */
  readonly directory: string;
  readonly config?: AgentConfigInput;
  /** Runs the broker in this process; `facilityDirectory` holds its TLS files */
  readonly embeddedBroker?: { readonly facilityDirectory: string; readonly host: string; readonly port: number };
  /** Makes face/, req/ and res/ when they are missing (demo and tests; a clinic shares existing folders) */
  readonly makeFolders?: boolean;
  readonly log?: EventLog;
  readonly clock?: Clock;
};

/** What a parent process needs: printed as one JSON line once everything listens. */
export type AgentReady = {
  readonly ready: true;
  readonly facility: string;
  readonly agent: string;
  readonly brokerPort: number;
  readonly staffPage: string;
  readonly journal: string;
  readonly oqsFolder: string;
};

export type RunningAgent = { readonly ready: AgentReady; readonly journal: Journal; close(): Promise<void> };

const usersOf = (keys: AgentKeys, devices: ReadonlyMap<string, DeviceEntry>): BrokerUsers => ({
  facility: keys.facility,
  agents: keys.agents.map(({ owner }) => owner),
  devices: [...devices.values()].filter(({ revoked }) => !revoked).map(({ device }) => device),
});

/** The clinic's end on the 資格確認端末. Throws on what nobody can run with: keys, settings, trust anchors, ports in use. */
export const startAgent = async (start: AgentStart): Promise<RunningAgent> => {
  const { directory } = start;
  const clock = start.clock ?? createSystemClock();
  const log = start.log ?? createEventLog({ format: 'json' });
  const embedded = start.embeddedBroker;
  const config = await readAgentConfig(directory, start.config);
  if (start.makeFolders) await makeOqsFolders(config.oqsFolder);
  await mkdir(dirname(config.journal), { recursive: true, mode: 0o700 });

  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  let running: { desk: AgentDesk; broker: EmbeddedBroker | null } | null = null;
  const keyPaths = [agentFiles.facilityKeys, agentFiles.agents].map((name) => join(directory, name));
  const registryChanged = (): void => {
    if (running === null) return;
    running.broker?.setUsers(usersOf(keys.value, devices.value));
    void running.desk.publishSettings();
    changed();
  };
  const keys = await WatchedFile.open(keyPaths, () => readAgentKeys(directory), registryChanged);
  const registryPath = join(directory, agentFiles.devices);
  const devices = await WatchedFile.open([registryPath], () => readDeviceRegistry(directory), registryChanged);
  const settings = await WatchedFile.open(
    [config.settingsFile],
    () => readFacilitySettings(config.settingsFile),
    registryChanged,
  );
  const staff = await WatchedFile.open(
    [config.staffFile],
    () => readStaff(config.staffFile),
    () => changed(),
  );
  const trust = await readCardTrust(config.cardTrust);
  const journal = new Journal(config.journal);

  const broker = embedded
    ? await startEmbeddedBroker({
        tls: await brokerTls(embedded.facilityDirectory),
        users: usersOf(keys.value, devices.value),
        host: embedded.host,
        port: embedded.port,
      })
    : null;
  const bus = createMqttMessageBus({
    host: embedded ? '127.0.0.1' : config.broker.host,
    port: broker?.port ?? config.broker.port,
    ...(config.broker.serverName ? { serverName: config.broker.serverName } : {}),
    tls: keys.value.tls,
    clientId: keys.value.agent,
    protocolVersion: embedded ? 4 : config.broker.protocolVersion,
  });

  const recordsUrl = new URL('./simulated-eligibility-service.records.json', import.meta.url);
  const service = new SimulatedEligibilityService({
    records: parseServiceRecords(readFileSync(recordsUrl, 'utf8'), clock.now().wallMs),
    registrations: registrationFile(join(dirname(config.journal), 'simulated-registrations.json')),
    answerDelayMs: config.service.answerDelayMs,
    wait: (ms) => new Promise((resolve) => clock.wakeAt(clock.now().monotonicMs + ms, resolve)),
  });
  const context: AgentContext = {
    keys: () => keys.value,
    devices: () => devices.value,
    settings: () => settings.value,
    trust,
    bus,
    journal,
    service,
    clock,
    log,
    options: {
      oqsFolder: config.oqsFolder,
      encoding: { encoding: config.encoding, whenShiftJisLacks: config.whenShiftJisLacks },
      publishesSettings: config.publishesSettings,
      challengeLifeMs: config.challengeLifeMs,
      personalLifeMs: config.personalLifeMs,
    },
    changed,
  };
  let catalogue = catalogueInForce(clock);
  const desk = new AgentDesk(context, () => catalogue.versions);
  running = { desk, broker };

  const page = await startStaffPage({
    port: config.staffPort,
    context,
    desk,
    catalogue: () => catalogue.now,
    staff: () => staff.value,
    staffCodes: new StaffCodes(() => staff.value),
    problems: () => [keys, devices, settings, staff].flatMap(({ problem }) => problem ?? []),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const forgetting = setInterval(() => journal.forgetDeleted(), forgetMs);
  const sweep = setInterval(() => {
    desk.flushRejections();
    const overdue = journal.sweep(clock.now().wallMs);
    if (overdue.length === 0) return;
    desk.handOver.giveUp(overdue);
    changed();
  }, sweepMs);
  const catalogueCheck = setInterval(() => {
    catalogue = catalogueInForce(clock);
  }, catalogueCheckMs);
  desk.handOver.resume();
  const inquiries = new InquiryDesk(context);
  inquiries.start();

  return {
    ready: {
      ready: true,
      facility: keys.value.facility,
      agent: keys.value.agent,
      brokerPort: broker?.port ?? config.broker.port,
      staffPage: page.address,
      journal: config.journal,
      oqsFolder: config.oqsFolder,
    },
    journal,
    close: async () => {
      clearInterval(forgetting);
      clearInterval(sweep);
      clearInterval(catalogueCheck);
      for (const file of [keys, devices, settings, staff]) file.close();
      inquiries.stop();
      desk.close();
      await page.close();
      await bus.close();
      await broker?.close();
      journal.close();
    },
  };
};

const catalogueInForce = (clock: Clock) => {
  const { wallMs } = clock.now();
  const now = catalogueAt(wallMs);
  return { now, versions: new Set([now.version, catalogueAt(wallMs - catalogueOverlapMs).version]) };
};

const brokerTls = async (facilityDirectory: string) => {
  const { key, certificate, ca, revoked } = await readBrokerFiles(facilityDirectory);
  return { key, certificate, ca, revoked };
};
