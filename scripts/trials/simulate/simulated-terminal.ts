import { createTrustedClock } from '../../../drivers/host/confirmed-trusted-clock.ts';
import { catalogueAt, catalogueBeforeMended } from '../../../src/catalogue/load-catalogue.ts';
import { mayRefuseByDate } from '../../../src/core/trusted-time.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { releasedMs } from '../../../src/processes/release.ts';
import { type ClinicLink, createClinicLink } from '../../../src/terminal/delivery/clinic-link.ts';
import { lastWill } from '../../../src/terminal/delivery/tell-state.ts';
import { SessionRunner } from '../../../src/terminal/visit/session-runner.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';
import { mendedTextsWire } from '../../../src/wire/versions.ts';
import type { Bed, FaceBooth, Glass } from './counter.ts';
import type { Ground } from './ground.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import type { Machine } from './simulated-machine.ts';
import { openSimulatedStore, type StoredRows } from './simulated-store.ts';
import type { Kernel, Life } from './stand-ins/kernel.ts';
import { randomUUID } from './stand-ins/seeded-crypto.ts';

/** What a terminal was set up with */
type TerminalGround = Pick<Ground, 'trustedCvIssuers'> & {
  readonly facility: { readonly device: Ground['facility']['device'] };
};

type TerminalParts = {
  readonly kernel: Kernel;
  readonly life: Life;
  readonly machine: Machine;
  readonly broker: SimulatedBroker;
  readonly ground: TerminalGround;
  readonly disk: StoredRows;
  readonly bed: Bed;
  readonly booth: FaceBooth;
  readonly glass: Pick<Glass, 'screenOf'>;
  readonly log: EventLog;
  /** Before it says that somebody left without the answer */
  readonly onGivenUp: () => void;
};

export type RunningTerminal = { readonly runner: SessionRunner; readonly clinic: ClinicLink };

/** The terminal as `processes/terminal.ts` and `processes/link.ts` join it, in one process, at a simulated counter. */
export const startTerminalEnd = (parts: TerminalParts): RunningTerminal => {
  const { kernel, life, machine, broker, ground, disk, bed, booth, glass, log } = parts;
  const keys = ground.facility.device;
  const { facility, device, lane } = keys;
  const clock = createTrustedClock({
    clock: machine.clockOf(life),
    floorsMs: [releasedMs],
    isSynchronised: async () => machine.isSynchronised,
    steadyMs: () => machine.steadyMs,
  });
  const state = {
    device,
    lane,
    version: '0.0.0',
    profile: 'demo',
    catalogueVersion: catalogueAt(clock.now().wallMs).version,
    since: 0,
  } as const;
  const clinic = createClinicLink({
    bus: broker.connect('front-1', life, lastWill(facility, state)),
    store: openSimulatedStore(kernel, life, disk),
    clock,
    log,
    keys,
    machineWallMs: () => clock.machineWallMs(),
  });
  const { tellLate } = clinic;
  clinic.tellLate = (requestId) => {
    parts.onGivenUp();
    tellLate(requestId);
  };
  clinic.subscribe((event) => {
    if (event.type === 'time') clock.hear(event.wallMs, event.doubted);
  });
  const runner = new SessionRunner({
    terminal: { facility, device, lane, version: '0.0.0', profile: 'demo' },
    clock,
    datesCount: () => mayRefuseByDate(clock.time),
    log,
    cardReader: bed.readerOf(life),
    cardFrontReader: bed.frontReader(),
    smartphoneReader: null,
    faceVerifier: booth.verifierOf(life),
    screen: glass.screenOf(life),
    keypad: null,
    statusLight: null,
    speaker: null,
    clinic,
    trustedCvIssuers: ground.trustedCvIssuers,
    cryptography: cardCryptography,
    catalogueAt: (wallMs) =>
      clinic.agentWire() >= mendedTextsWire ? catalogueAt(wallMs) : catalogueBeforeMended(wallMs),
    newId: randomUUID,
    restart: {},
  });
  return { runner, clinic };
};
