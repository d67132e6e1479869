import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKioskScreen } from '../drivers/kiosk-screen.ts';
import { createMqttMessageBus } from '../drivers/mqtt-message-bus.ts';
import { createOnnxFaceVerifier } from '../drivers/onnx-face-verifier.ts';
import { createPcscCardReader } from '../drivers/pcsc-card-reader.ts';
import { createSqliteStore } from '../drivers/sqlite-store.ts';
import { createSystemClock } from '../drivers/system-clock.ts';
import { cardCryptography } from './app/card-cryptography.ts';
import { createClinicLink, lastWill } from './app/clinic-link.ts';
import { parseCvIssuers } from './app/cv-trust.ts';
import { readDeviceKeys } from './app/device-keys.ts';
import type { EventLog } from './app/event-log.ts';
import type { SessionParts } from './app/session-parts.ts';
import { SessionRunner } from './app/session-runner.ts';
import { catalogueAt } from './catalogue/catalogue.ts';
import type { Config } from './config.ts';

export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** The parts at the counter. A device chooses them by its configuration; demo and tests bring their own. */
export type CounterDrivers = Pick<
  SessionParts,
  'cardReader' | 'cardFaceReader' | 'faceVerifier' | 'keypad' | 'statusLight' | 'speaker'
>;

export type Terminal = {
  readonly runner: SessionRunner;
  /** Port of the patient's screen on 127.0.0.1 */
  readonly screenPort: number;
  close(): Promise<void>;
};

/** Trust anchors for the signature on the card's face, beside the terminal's keys. */
const cvIssuersFile = 'cv-issuers.json';

/** The real drivers that a configuration names; `virtual` ones are not to be had here. */
export const counterDrivers = (config: Config): CounterDrivers => ({
  cardReader: createPcscCardReader({ reader: config.cardReader.name }),
  cardFaceReader: null,
  faceVerifier: createOnnxFaceVerifier({
    modelsDir: config.paths.models,
    profile: config.profile,
    camera: {
      kind: 'ffmpeg',
      source: { device: config.camera.device },
      framesPerSecond: config.camera.framesPerSecond,
    },
  }),
  keypad: null,
  statusLight: null,
  speaker: null,
});

/**
 * Puts a terminal together: keys, store, bus, clinic link, screen, session runner, in this order. Throws, naming the
 * file, when it cannot run with what it was given; everything that may come and go later is found again by itself.
 */
export const startTerminal = async (config: Config, drivers: CounterDrivers, log: EventLog): Promise<Terminal> => {
  const startedAtMs = performance.now();
  log.event('process.started', { process: 'terminal', version, profile: config.profile });
  const clock = createSystemClock();
  const keys = await readDeviceKeys(config.paths.provisioning);
  const trustedCvIssuers = parseCvIssuers(await readFile(join(config.paths.provisioning, cvIssuersFile), 'utf8'));
  const { facility, device, lane } = keys;
  const terminal = { facility, device, lane, version, profile: config.profile };
  const store = createSqliteStore(config.paths.store);
  const { wallMs } = clock.now();
  const will = { device, lane, version, profile: config.profile, since: wallMs } as const;
  const bus = createMqttMessageBus({
    host: config.broker.host,
    port: config.broker.port,
    tls: keys.tls,
    clientId: device,
    protocolVersion: config.broker.protocolVersion,
    will: lastWill(facility, { ...will, catalogueVersion: catalogueAt(wallMs).version }),
  });
  const clinic = createClinicLink({ bus, store, clock, log, keys });
  const screen = await createKioskScreen({ port: config.screen.port, pageDir: config.paths.screens });
  const runner = new SessionRunner({
    ...drivers,
    terminal,
    clock,
    log,
    screen,
    clinic,
    trustedCvIssuers,
    cryptography: cardCryptography,
    catalogueAt,
    offerUnreviewedLanguages: config.profile === 'demo',
    newId: randomUUID,
    restart: {},
  });
  log.event('process.step', { step: 'session', ms: Math.round(performance.now() - startedAtMs) });
  return {
    runner,
    screenPort: screen.port,
    close: async () => {
      await runner.close();
      await clinic.close();
      await Promise.all([
        bus.close(),
        store.close(),
        screen.close(),
        drivers.cardReader.close(),
        drivers.cardFaceReader?.close(),
        drivers.faceVerifier.close(),
        drivers.keypad?.close(),
        drivers.statusLight?.close(),
        drivers.speaker?.close(),
      ]);
    },
  };
};
