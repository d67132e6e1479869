import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { steadyMs } from '../../drivers/host/steady-time.ts';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createWaySight } from '../../drivers/host/way-evidence.ts';
import { startEmbeddedBroker } from '../../drivers/message-bus/aedes-broker.ts';
import { createMqttMessageBus } from '../../drivers/message-bus/mqtt-message-bus.ts';
import type { AgentContext, Catalogues } from '../agent/agent-context.ts';
import { AgentDesk } from '../agent/desk/agent-desk.ts';
import { BundleDesk } from '../agent/desk/bundle-desk.ts';
import { CertificateDesk } from '../agent/desk/certificate-desk.ts';
import { followRelease } from '../agent/desk/follow-release.ts';
import { createMorningRound } from '../agent/desk/morning-round.ts';
import { watchDisk } from '../agent/disk-watch.ts';
import type { EligibilityService } from '../agent/eligibility/eligibility-service.ts';
import { withTimeLimit } from '../agent/eligibility/eligibility-time-limit.ts';
import { serviceMemoryFile } from '../agent/eligibility/service-memory-file.ts';
import {
  parseServiceRecords,
  SimulatedEligibilityService,
} from '../agent/eligibility/simulated-eligibility-service.ts';
import { ConsentTextsInForce } from '../agent/intake/consent-texts.ts';
import type { Journal } from '../agent/journal/journal.ts';
import { watchJournalHead } from '../agent/journal/journal-witness.ts';
import { keepJournalPlace } from '../agent/keep-journal-place.ts';
import { InquiryDesk } from '../agent/oqs-folder/answer-inquiries.ts';
import { checkOqsPlace } from '../agent/oqs-folder/own-place.ts';
import { makeOqsFolders, sweepOqsFolders } from '../agent/oqs-folder/write-oqs-file.ts';
import { type AgentKeys, agentFiles, type DeviceEntry } from '../agent/provisioning/agent-keys.ts';
import { readCardTrust } from '../agent/provisioning/card-trust.ts';
import { readBrokerFiles } from '../agent/provisioning/facility-authority.ts';
import { awaitJournal } from '../agent/staff-page/await-journal.ts';
import { GuessesBeside } from '../agent/staff-page/guesses-beside.ts';
import { StaffCodes } from '../agent/staff-page/staff-codes.ts';
import { startStaffPage } from '../agent/staff-page/start-staff-page.ts';
import { catalogueAt, catalogueOfVersion, refusedNotices } from '../catalogue/load-catalogue.ts';
import { readReleasedTexts } from '../catalogue/released-texts.ts';
import { hourMs } from '../core/time-units.ts';
import { createEventLog, describeError, type EventLog } from '../log/event-log.ts';
import { logStoreNews } from '../log/log-store-news.ts';
import type { Clock } from '../ports/clock.ts';
import { forgetBackups } from '../storage/back-up.ts';
import { makeFolder } from '../storage/make-folder.ts';
import { readTlsPairs } from '../trust/tls-pairs.ts';
import type { BrokerUsers } from '../wire/broker-access-rules.ts';
import { startAgentClock } from './agent-clock.ts';
import type { AgentConfig, AgentConfigInput } from './agent-config.ts';
import { configOfAgentIn } from './agent-directory.ts';
import { openAgentFiles } from './agent-files.ts';
import { startRollout } from './agent-rollout.ts';
import { watchJournal } from './check-journal.ts';
import { withWayNamed } from './named-way.ts';
import { checkOf, journalOf } from './open-journal.ts';
import { version } from './release.ts';
import { collectNowAndThen } from './rounds.ts';
import { filesShared } from './share-files.ts';

/** A journal whose file was deleted or replaced is noticed within this. ms */
const placeMs = 1_000;
/** Personal data past its time is looked for this often. ms */
const sweepMs = 10_000;
/** Between a request's record and what follows its receipt lies no more than this. ms */
const onItsWayMs = 2_000;
/** What was handed over is wiped from the journal's write-ahead log this often. ms */
const forgetMs = 1_000;
/** Of several agents each says so often that it is there, and looks whether another is not. ms */
const beatMs = 500;
/** The folder of the レセコン is looked at this often. ms */
const folderMs = 3_000;
/** Whether a copy of the journal has had its time is looked at this often. ms */
const forgetBackupsMs = 10 * 60_000;

/** What a chain's operator publishes is looked at this often. ms */
const rolloutMs = 30_000;
/** Whether its own certificate is due is looked at this often. ms */
const certificateMs = hourMs;

/** What one of several agents has ready for a folder that does not take it waits as long as its visit does. ms */
const isLeftBehind = (lifeMs: number) => (modifiedMs: number) => Math.abs(Date.now() - modifiedMs) > lifeMs;

type AgentStart = {
  /** Keys, registry, `agent.yaml`: as `uketsuke provision` made it */
  readonly directory: string;
  readonly config?: AgentConfigInput;
  /** Runs the broker in this process; `facilityDirectory` holds its TLS files */
  readonly embeddedBroker?: { readonly facilityDirectory: string; readonly host: string; readonly port: number };
  /** Makes face/, req/ and res/ when they are missing (demo and tests; a clinic shares existing folders) */
  readonly makeFolders?: boolean;
  readonly log?: EventLog;
  readonly clock?: Clock;
  /** What technicians are told, in the words that staff read; default: as it is */
  readonly inJapanese?: (english: string) => string;
  /** Whether the system's clock is set from the network; another answer in tests */
  readonly isSynchronised?: () => Promise<boolean>;
  /**
   * The journal was taken away and put back: this process must end now, and begin again with the file that lies there.
   * Absent: nobody can end it, and nobody looks.
   */
  readonly endNow?: () => void;
  /** Told for each reason why the journal cannot be opened, once the staff page says so: it goes on by itself when it can */
  readonly waiting?: (code: string) => void;
  /** Told before the journal's file is opened: whoever watches over this process waits for so long. ms */
  readonly opening?: (ms: number) => void;
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

const simulatedService = ({ journal, service }: AgentConfig, clock: Clock): EligibilityService => {
  const records = readFileSync(
    new URL('../agent/eligibility/simulated-eligibility-service.records.json', import.meta.url),
    'utf8',
  );
  return new SimulatedEligibilityService({
    records: parseServiceRecords(records, clock.now().wallMs),
    memory: serviceMemoryFile(join(dirname(journal), 'simulated-service.json')),
    answerDelayMs: service.answerDelayMs,
    behaviour: service.behaviour,
    wait: (ms) => new Promise((resolve) => clock.wakeAt(clock.now().monotonicMs + ms, resolve)),
  });
};

/** The notices of this installation. */
const catalogues: Catalogues = { at: catalogueAt, ofVersion: catalogueOfVersion, released: readReleasedTexts() };

/** Where this process itself reaches the broker that it runs. */
const reachable = (host: string): string => (host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host);

/** The clinic's end on the 資格確認端末. Throws on what nobody can run with: keys, settings, trust anchors, ports in use. */
export const startAgent = async (start: AgentStart): Promise<RunningAgent> => {
  const { directory, embeddedBroker: embedded } = start;
  const log = start.log ?? createEventLog({ format: 'json' });
  const config = await configOfAgentIn(directory, start.config);
  const trust = await readCardTrust(config.cardTrust);
  if (start.makeFolders) await makeOqsFolders(config.oqsFolder);
  await makeFolder(dirname(config.journal), 0o700);
  const ours = [directory, config.journal, config.staffFile, config.settingsFile, config.cardTrust];
  const place = await checkOqsPlace(config.oqsFolder, embedded ? [...ours, embedded.facilityDirectory] : ours);
  if (!place.ok) throw new Error(`${place.failure.code}: ${place.failure.detail}`);
  const { journalDatabase, personalLifeMs } = config;
  await sweepOqsFolders(config.oqsFolder, journalDatabase === undefined ? undefined : isLeftBehind(personalLifeMs));

  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  let tellTerminals = (): void => {};
  const files = await openAgentFiles(directory, config, changed, () => tellTerminals());
  const { keys, devices, settings, staff } = files;
  const machineClock = start.clock ?? createSystemClock();
  const journal = await awaitJournal({
    open: () => journalOf(directory, keys.value.facility, config, { ...start, steadyMs, as: 'running', checks: true }),
    port: config.staffPort,
    catalogue: () => catalogueAt(machineClock.now().wallMs),
    clock: machineClock,
    log,
    ...(start.waiting && { waiting: start.waiting }),
  });
  for (const news of journal.news) logStoreNews(log, news);
  const shareOnce = filesShared(directory, config, journal.facilityFiles, log);
  if (journal.leases.isShared) await shareOnce();
  const witness = watchJournalHead(join(directory, agentFiles.journalSeen), journal, steadyMs);
  const clock = startAgentClock({
    clock: machineClock,
    journal,
    certificate: keys.value.tls.certificate,
    log,
    changed,
    ...(start.isSynchronised && { isSynchronised: start.isSynchronised }),
  });

  const broker = embedded
    ? await startEmbeddedBroker({
        tls: await readBrokerFiles(embedded.facilityDirectory),
        users: usersOf(keys.value, devices.value),
        host: embedded.host,
        port: embedded.port,
      })
    : null;
  const [tls, ...formerTls] = await readTlsPairs(directory, keys.value.tls);
  const brokerHost = embedded ? reachable(embedded.host) : config.broker.host;
  const brokerPort = broker?.port ?? config.broker.port;
  const bus = createMqttMessageBus({
    host: brokerHost,
    port: brokerPort,
    ...(config.broker.serverName ? { serverName: config.broker.serverName } : {}),
    tls,
    formerTls,
    clientId: keys.value.agent,
    protocolVersion: embedded ? 4 : config.broker.protocolVersion,
    time: () => clock.time,
  });
  const named = withWayNamed(bus, clock, createWaySight(brokerHost, brokerPort));
  const disk = watchDisk({ journalPath: config.journal, log, changed, tryWrite: () => journal.tryWrite() });
  let turns: ReturnType<typeof followRelease> | null = null;
  let rollout: Awaited<ReturnType<typeof startRollout>> = null;
  const context: AgentContext = {
    keys: () => keys.value,
    devices: () => devices.value,
    settings: () => settings.value,
    catalogues,
    trust,
    bus: named,
    journal,
    service: withTimeLimit(simulatedService(config, clock), clock),
    clock,
    time: () => clock.time,
    log,
    disk,
    options: {
      oqsFolder: config.oqsFolder,
      encoding: {
        encoding: config.encoding,
        label: config.shiftJisLabel,
        machineDependent: config.machineDependent,
      },
      get publishesSettings() {
        return journal.leases.isShared ? desk.share.isFirst : config.publishesSettings;
      },
      challengeLifeMs: config.challengeLifeMs,
      personalLifeMs: config.personalLifeMs,
    },
    release: () => (rollout === null ? turns?.() : rollout.release(turns?.())),
    changed,
  };
  const texts = new ConsentTextsInForce(context);
  const desk = new AgentDesk(context, () => texts.now());
  turns = followRelease(version, () => desk.lanes.all());
  rollout = await startRollout(directory, config, context);
  tellTerminals = () => {
    broker?.setUsers(usersOf(keys.value, devices.value));
    desk.publishSettings();
  };
  const certificates = new CertificateDesk({
    directory,
    context,
    inForce: tls,
    brokerEndsMs: () => bus.serverEndsMs,
    adopt: (renewed) => bus.useTls(renewed),
  });
  void certificates.look();
  const bundles = new BundleDesk(context, config.bundles, (sha256) => rollout?.withholds(sha256) ?? false);
  const inquiries = new InquiryDesk(context, () => journal.leases.isFirst(keys.value.agent));
  const page = await startStaffPage({
    port: config.staffPort,
    triesNewTerminals: config.triesNewTerminals,
    context,
    desk,
    certificates,
    catalogue: () => catalogueAt(clock.now().wallMs),
    staff: () => staff.value,
    staffCodes: new StaffCodes(
      () => staff.value,
      journal.guesses,
      config.staffCodes,
      new GuessesBeside(join(directory, agentFiles.codeGuesses)),
    ),
    folderFaults: () => [
      ...(desk.handOver.folderFault === null ? [] : [desk.handOver.folderFault]),
      ...inquiries.folderFaults,
    ],
    problems: () => [
      ...files.all.flatMap(({ problem }) => problem ?? []),
      ...refusedNotices(clock.now().wallMs),
      ...(rollout?.problems() ?? []),
    ],
    rollout: (lanes) => rollout?.stands(lanes) ?? [],
    inJapanese: start.inJapanese ?? ((english) => english),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  /** What fails here (a full disk) is tried again the next time; it must not end the agent. */
  const every = (ms: number, work: () => void): NodeJS.Timeout =>
    setInterval(() => {
      try {
        work();
      } catch (error) {
        log.event('process.error', describeError(error));
      }
    }, ms);
  // A power cut may have taken the last of them: terminals fetch others.
  journal.knowsNothingBefore = Math.round(clock.now().wallMs);
  if (witness.isRolledBack) {
    log.event('store.failed', { code: 'storage.rolled-back' });
    try {
      journal.noteRolledBack(clock.now().wallMs);
    } catch (error) {
      disk.failed(error);
    }
  }
  const keepWitness = (now = false): Promise<void> =>
    witness.keep(now).catch((error) => log.event('process.error', describeError(error)));
  void keepWitness(true);
  const looks = watchJournal(checkOf(directory, keys.value.facility, config), { journal, log, changed, ...start });
  const beat = (): void => {
    let there: readonly string[] | null = null;
    const { isFirst } = desk.share;
    try {
      there = journal.leases.beat(keys.value.agent);
    } finally {
      desk.share.look(there);
    }
    if (desk.share.isFirst && !isFirst) desk.publishSettings();
  };
  const rounds = [
    ...(start.endNow === undefined
      ? []
      : [
          every(
            placeMs,
            keepJournalPlace({ journal, disk, log, wallMs: () => clock.now().wallMs, endNow: start.endNow }),
          ),
        ]),
    every(forgetMs, () => journal.forgetDeleted()),
    ...(journal.leases.isShared
      ? [
          every(beatMs, () => {
            beat();
            desk.handOver.takeOver();
          }),
          every(folderMs, () => void shareOnce()),
        ]
      : []),
    every(folderMs, () => void desk.handOver.lookAtFolder()),
    ...(config.selfTestAt === 'off' ? [] : [every(sweepMs, createMorningRound(context, desk, config.selfTestAt))]),
    every(sweepMs, () => {
      desk.flushRejections();
      desk.handOver.sweep();
      desk.handOver.resume(onItsWayMs);
      looks.rotate();
      void keepWitness();
    }),
    every(certificateMs, () => void certificates.look()),
    ...(rollout === null ? [] : [every(rolloutMs, rollout.look)]),
    every(forgetBackupsMs, () => forgetBackups(config.journal, clock.now().wallMs)),
  ];
  if (journal.leases.isShared) beat();
  desk.handOver.resume();
  inquiries.start();
  rollout?.look();

  const endCollecting = collectNowAndThen(clock);
  const { facility, agent } = keys.value;
  return {
    ready: {
      ready: true,
      facility,
      agent,
      brokerPort: broker?.port ?? config.broker.port,
      staffPage: page.address,
      journal: config.journalDatabase ?? config.journal,
      oqsFolder: config.oqsFolder,
    },
    journal,
    close: async () => {
      for (const round of rounds) clearInterval(round);
      endCollecting();
      for (const file of files.all) file.close();
      looks.close();
      inquiries.stop();
      certificates.close();
      bundles.close();
      desk.close();
      await page.close();
      await named.close();
      await broker?.close();
      disk.close();
      clock.close();
      await keepWitness(true);
      journal.close();
    },
  };
};
