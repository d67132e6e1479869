import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTesseractCardFrontReader } from '../../drivers/card-front-reader/tesseract-card-front-reader.ts';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import { createSocketFaceVerifier } from '../../drivers/face-verifier/socket-face-verifier.ts';
import { inheritedFd } from '../../drivers/host/framed-socket.ts';
import { partsSocketOf, serveHealth } from '../../drivers/host/health-socket.ts';
import { runProgram } from '../../drivers/host/run-program.ts';
import { createSystemdNotifier } from '../../drivers/host/systemd-notifier.ts';
import { createHidKeypad } from '../../drivers/keypad/hid-keypad.ts';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import { createLinkClient } from '../../drivers/link/link-client.ts';
import { createAlsaMicrophone } from '../../drivers/microphone/alsa-microphone.ts';
import { createAlsaSpeaker } from '../../drivers/speaker/alsa-speaker.ts';
import { createSerialStatusLight } from '../../drivers/status-light/serial-status-light.ts';
import { catalogueAt, catalogueBeforeMended, catalogueDir } from '../catalogue/load-catalogue.ts';
import { mayRefuseByDate } from '../core/trusted-time.ts';
import type { AdjustableLog, EventLog } from '../log/event-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { TrustedClock } from '../ports/trusted-clock.ts';
import { createClinicLink } from '../terminal/delivery/clinic-link.ts';
import { watchHealth } from '../terminal/doctor/health.ts';
import { undrawableLanguages } from '../terminal/doctor/page-fonts.ts';
import type { SessionParts } from '../terminal/visit/session-parts.ts';
import { SessionRunner } from '../terminal/visit/session-runner.ts';
import { cardCryptography } from '../trust/card-cryptography.ts';
import { cvIssuersFile, isTestCvIssuer, parseCvIssuers } from '../trust/cv-trust.ts';
import { keyFolders, readTerminalKeys, type TerminalKeys } from '../trust/key-files.ts';
import { mendedTextsWire } from '../wire/versions.ts';
import { openCamera } from './cameras.ts';
import { releasedMs, version } from './release.ts';
import { startRound } from './rounds.ts';
import { keepStartTime } from './start-time.ts';
import { startTerminalClock } from './terminal-clock.ts';
import type { Config } from './terminal-config.ts';
import { terminalMachine } from './terminal-machine.ts';
import { followUpdates } from './update-news.ts';

/** Figures are told with `state` at most so old. ms */
const figuresMs = 60_000;

/**
 * The parts at the counter. A device chooses them by its configuration; demo and tests bring their own. `restart`: what
 * the staff page can restart without the service manager.
 */
type CounterDrivers = Pick<
  SessionParts,
  'cardReader' | 'cardFrontReader' | 'smartphoneReader' | 'faceVerifier' | 'keypad' | 'statusLight' | 'speaker'
> &
  Partial<Pick<SessionParts, 'restart' | 'microphone'>>;

type Terminal = {
  readonly runner: SessionRunner;
  /** Port of the patient's screen on 127.0.0.1 */
  readonly screenPort: number;
  close(): Promise<void>;
};

/** The real drivers that a configuration names. Throws for `virtual` ones: they come with the demo, never by a file. */
export const counterDrivers = async (config: Config, log: EventLog): Promise<CounterDrivers> => {
  const { cardReader, camera, cardFrontReader, keypad, statusLight } = config;
  for (const [part, { driver }] of Object.entries({ cardReader, camera, cardFrontReader, keypad, statusLight }))
    if (driver === 'virtual') throw new Error(`${part}.driver: virtual hardware is run by scripts/demo only`);
  const faceVerifier = createSocketFaceVerifier({ path: config.face.socket, log });
  const reader = createPcscCardReader({
    reader: cardReader.name,
    service: {
      socket: process.env.PCSCLITE_CSOCK_NAME ?? '/run/pcscd/pcscd.comm',
      restart: () => {
        const [program, ...words] = cardReader.serviceRestart;
        // What it could not do shows as a service that still hangs.
        if (program !== undefined) runProgram(program, words, { limitMs: 15_000 });
      },
    },
  });
  return {
    cardReader: reader,
    cardFrontReader:
      cardFrontReader.driver === 'tesseract'
        ? await createTesseractCardFrontReader(
            await openCamera({ kind: 'ffmpeg', source: cardFrontReader }, config.profile),
            () => Math.max(Date.now(), releasedMs),
          )
        : null,
    // No driver: what a paired reader for phones expects is not public (src/ports/smartphone-reader.ts). They lie where cards do.
    smartphoneReader: null,
    faceVerifier,
    keypad: keypad.driver === 'hid' ? createHidKeypad(keypad) : null,
    statusLight: statusLight.driver === 'serial' ? createSerialStatusLight(statusLight) : null,
    speaker:
      config.speaker.driver === 'alsa'
        ? createAlsaSpeaker({ ...config.speaker, speechDir: join(catalogueDir, 'speech') })
        : null,
    microphone: config.speaker.microphone === '' ? null : createAlsaMicrophone({ device: config.speaker.microphone }),
    // The service manager begins each of them anew.
    restart: {
      daemon: () => process.kill(process.pid, 'SIGTERM'),
      reader: () => reader.restart(),
      face: () => faceVerifier.restart(),
    },
  };
};

/** Two sources name the terminal: a directory of keys that belongs to another one must not go unnoticed. */
const checkIdentity = (config: Config, keys: { facility: string; device: string; lane: number }): void => {
  for (const key of ['facility', 'device', 'lane'] as const)
    if (config[key] !== keys[key])
      throw new Error(`${key}: the configuration says ${config[key]}, ${config.paths.provisioning} says ${keys[key]}`);
};

/** Whom this terminal is and whom it trusts. Throws, naming the file. */
const readTrust = async (config: Config) => {
  const { provisioning } = config.paths;
  const keys = await readTerminalKeys(provisioning);
  const issuers = join(provisioning, keyFolders.terminal, cvIssuersFile);
  const trustedCvIssuers = parseCvIssuers(await readFile(issuers, 'utf8'));
  if (config.profile === 'release' && trustedCvIssuers.some(isTestCvIssuer))
    throw new Error(
      `${issuers}: trust anchors of test cards, which anybody can make; profile release refuses them (for a trial: profile: test)`,
    );
  checkIdentity(config, keys);
  return { keys, trustedCvIssuers };
};

/** The way to the clinic, by the link process; both hear the agent's time. */
const joinClinic = (config: Config, keys: TerminalKeys, clock: TrustedClock, log: EventLog) => {
  const link = createLinkClient({ path: config.link.socket, log });
  const { bus, store } = link;
  let certificateEndsMs: number | null = null;
  const clinic = createClinicLink({
    ...{ bus, store, clock, log, keys },
    machineWallMs: () => clock.machineWallMs(),
    subscribeCertificate: (listener) =>
      link.subscribeCertificate((end) => {
        certificateEndsMs = end.endsMs;
        listener(end);
      }),
  });
  clinic.subscribe((event) => {
    if (event.type !== 'time') return;
    clock.hear(event.wallMs, event.doubted);
    if (!event.doubted) link.tellTime(event.wallMs);
  });
  const endUpdates = followUpdates(config.updates.status, clock, (update) => clinic.tellUpdate(update));
  const close = (): void => {
    endUpdates();
    clock.close();
    link.close();
  };
  return { clinic, certificateEndsMs: () => certificateEndsMs, close };
};

const openScreen = ({ screen, paths, speaker }: Config, metrics: () => string) => {
  // With a socket of the service manager's the terminal may make no network socket of its own.
  const screenFd = inheritedFd();
  return createKioskScreen({
    port: screen.port,
    ...(screenFd === null ? {} : { inheritedFd: screenFd }),
    pageDir: paths.screens,
    metrics,
    ...(speaker.driver === 'page' ? { speechDir: join(catalogueDir, 'speech') } : {}),
  });
};

type Counter = Pick<
  SessionParts,
  'cardReader' | 'cardFrontReader' | 'faceVerifier' | 'keypad' | 'statusLight' | 'speaker'
>;

const closeParts = async (parts: Counter & Pick<SessionParts, 'screen'>): Promise<void> => {
  const { screen, cardReader, cardFrontReader, faceVerifier, keypad, statusLight, speaker } = parts;
  const all = [screen, cardReader, cardFrontReader, faceVerifier, keypad, statusLight, speaker];
  await Promise.all(all.map((part) => part?.close()));
};

/** How things stand, and on another socket what came of trying the parts. Returns how to end it. */
const answerDoctor = async (
  { health: { socket } }: Config,
  runner: SessionRunner,
  health: ReturnType<typeof watchHealth>,
  figures: () => unknown,
): Promise<() => Promise<unknown>> => {
  const servers = await Promise.all([
    serveHealth(socket, () => ({ ...health.report(), figures: figures() })),
    serveHealth(partsSocketOf(socket), () => runner.tryParts()),
  ]);
  return () => Promise.all(servers.map((server) => server.close()));
};

/** For the page that is shown while this machine starts the next time. */
const countStart = (clock: Clock, boot: string | undefined, runner: SessionRunner): void => {
  const folder = process.env.STATE_DIRECTORY;
  if (folder === undefined) return;
  const isReady = (): boolean => {
    const { state, surroundings } = runner.session;
    return state.name === 'idle' && surroundings.connected;
  };
  // Ends by itself within minutes.
  keepStartTime({ clock, path: join(folder, 'last-start.json'), boot, isReady });
};

/**
 * Puts a terminal together: keys, way to the link process, clinic link, screen, session runner, in this order. Throws, naming the
 * file, when it cannot run with what it was given; everything that may come and go later is found again by itself.
 */
export const startTerminal = async (config: Config, drivers: CounterDrivers, log: AdjustableLog): Promise<Terminal> => {
  const startedAtMs = performance.now();
  log.event('process.started', { process: 'terminal', version, profile: config.profile });
  const clock = startTerminalClock(log);
  const { keys, trustedCvIssuers } = await readTrust(config);
  const { facility, device, lane } = keys;
  const terminal = { facility, device, lane, version, profile: config.profile };
  const { clinic, certificateEndsMs, close } = joinClinic(config, keys, clock, log);
  const own = terminalMachine(config, log, {
    ...{ report: () => health.report(), wallMs: () => clock.now().wallMs },
    ...{ certificateEndsMs, waiting: () => clinic.waiting },
  });
  const screen = await openScreen(config, own.metrics);
  const speaker = config.speaker.driver === 'page' ? screen.speaker : drivers.speaker;
  speaker?.setVolume(config.speaker.volume);
  const runner = new SessionRunner({
    ...drivers,
    speaker,
    terminal,
    clock,
    datesCount: () => mayRefuseByDate(clock.time),
    log,
    screen,
    clinic,
    trustedCvIssuers,
    cryptography: cardCryptography,
    catalogueAt: (wallMs) =>
      clinic.agentWire() >= mendedTextsWire ? catalogueAt(wallMs) : catalogueBeforeMended(wallMs),
    diagonalInches: config.screen.diagonalInches,
    undrawable: new Set((await undrawableLanguages(config.paths.screens, catalogueAt(clock.now().wallMs))).keys()),
    newId: randomUUID,
    restart: { ...drivers.restart, screen: () => screen.reload() },
    inspect: own.inspect,
    machine: own.machine,
    onTrial: () => existsSync(config.updates.trialMark),
  });
  const notifier = createSystemdNotifier();
  const health = watchHealth({
    ...drivers,
    clock,
    log,
    runner,
    screen,
    clinic,
    time: () => clock.time,
    version,
    profile: config.profile,
    feedWatchdog: notifier.alive,
    everyMs: notifier.aliveEveryMs,
  });
  const endAnswers = await answerDoctor(config, runner, health, own.figures);
  const endFigures = startRound(clock, figuresMs, 'at-once', async () => clinic.tellFigures(await own.measure()));
  countStart(clock, own.machine.boot, runner);
  notifier.ready(`lane ${lane}`);
  log.event('process.ready', { ms: Math.round(performance.now() - startedAtMs) });
  return {
    runner,
    screenPort: screen.port,
    close: async () => {
      notifier.stopping();
      endFigures();
      health.close();
      await endAnswers();
      await runner.close();
      await clinic.close();
      close();
      await closeParts({ ...drivers, screen, speaker });
    },
  };
};
