import { createTrustedClock } from '../../../drivers/host/confirmed-trusted-clock.ts';
import type { AgentContext } from '../../../src/agent/agent-context.ts';
import { AgentDesk } from '../../../src/agent/desk/agent-desk.ts';
import type {
  CardReference,
  EligibilityService,
  PatientChoices,
} from '../../../src/agent/eligibility/eligibility-service.ts';
import { withTimeLimit } from '../../../src/agent/eligibility/eligibility-time-limit.ts';
import {
  type ServiceMemory,
  SimulatedEligibilityService,
} from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import { Journal } from '../../../src/agent/journal/journal.ts';
import { keepTimeSeen } from '../../../src/agent/journal/keep-time-seen.ts';
import { sweepOqsFolders } from '../../../src/agent/oqs-folder/write-oqs-file.ts';
import type { FailureCode } from '../../../src/core/failure.ts';
import { failure } from '../../../src/core/failure.ts';
import { err } from '../../../src/core/result.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import type { MessageBus } from '../../../src/ports/message-bus.ts';
import { releasedMs } from '../../../src/processes/release.ts';
import type { FacilitySettings } from '../../../src/wire/facility-settings.ts';
import { v1Schemas } from '../../../src/wire/v1-messages.ts';
import { releaseOf } from '../../../src/wire/versions.ts';
import type { Ground } from './ground.ts';
import type { SimulatedBroker } from './simulated-broker.ts';
import type { Machine } from './simulated-machine.ts';
import type { Kernel, Life } from './stand-ins/kernel.ts';

/** How the national service feels: its answer takes so long, or none comes. */
export type ServiceMood = { answerMs: number; isDown: boolean };

/** What an agent was set up with */
type AgentGround = Pick<Ground, 'records' | 'trust' | 'textsAt' | 'catalogues'> & {
  readonly facility: Pick<Ground['facility'], 'agent' | 'registry'>;
};

type AgentParts = {
  readonly kernel: Kernel;
  readonly life: Life;
  readonly machine: Machine;
  readonly broker: SimulatedBroker;
  readonly ground: AgentGround;
  readonly memory: ServiceMemory;
  readonly service: ServiceMood;
  readonly log: EventLog;
  /** Speaks the first wire alone, as the release before */
  readonly isOld: boolean;
  readonly settings: FacilitySettings;
  readonly onCheck: (card: CardReference, choices: PatientChoices) => void;
  /** Something that staff see is another than before */
  readonly changed?: () => void;
};

/** Forgets what was handed over, looks for what has had its time: as `uketsuke agent`, at longer pauses. ms */
const rounds = { forgetMs: 5_000, resumeMs: 20_000, sweepMs: 60_000, diskMs: 3_000, timeMs: 10_000 } as const;
export const oqsFolder = '/oqs';

const diskCodes: Readonly<Record<number, FailureCode>> = { 13: 'agent.disk-full', 10: 'agent.disk-failed' };

/** `src/agent/disk-watch.ts` looks at the real disk; the same words from the simulated one. */
const watchDisk = () => {
  let fault: FailureCode | null = null;
  return {
    get fault() {
      return fault;
    },
    failed: (error: unknown): FailureCode => {
      fault = diskCodes[(error as { errcode?: number }).errcode ?? 0] ?? 'agent.disk-failed';
      return fault;
    },
    look: (tryWrite: () => void): void => {
      if (fault === null) return;
      try {
        tryWrite();
        fault = null;
      } catch {
        // Still full.
      }
    },
  };
};

const openService = ({ kernel, life, ground, memory, service, onCheck }: AgentParts): EligibilityService => {
  const simulated = new SimulatedEligibilityService({
    records: ground.records,
    memory,
    answerDelayMs: 1,
    wait: (factor) =>
      service.answerMs === 0
        ? Promise.resolve()
        : new Promise((resolve) => kernel.after(service.answerMs * factor, life, () => resolve(undefined))),
  });
  const unlessDown = <T extends { readonly ok: boolean }>(ask: () => Promise<T>) =>
    service.isDown ? Promise.resolve(err(failure('eligibility.unavailable', 'simulated outage'))) : ask();
  return {
    lookup: (card) => unlessDown(() => simulated.lookup(card)),
    register: (card) => unlessDown(() => simulated.register(card)),
    check: (card, choices) => {
      onCheck(card, choices);
      return unlessDown(() => simulated.check(card, choices));
    },
    registerReference: (inquiry, number) => simulated.registerReference(inquiry, number),
    inquire: (inquiry) => simulated.inquire(inquiry),
    isReached: async () => null,
  };
};

/**
 * An agent of the release before hears states without the words that came later, or not at all, and so speaks its own wire
 * to everybody; all that it says then goes through the product's own translation.
 */
const speakingFirstWire = (bus: MessageBus): MessageBus => ({
  ...bus,
  subscribe: (filter, listener) =>
    bus.subscribe(filter, (delivery) => {
      if (!delivery.topic.endsWith('/state')) return listener(delivery);
      const said = JSON.parse(new TextDecoder().decode(delivery.payload)) as { version: string };
      const told = { ...said, version: releaseOf(said.version) };
      const isKnown = v1Schemas.state.safeParse(told).success === true;
      if (isKnown) listener({ ...delivery, payload: new TextEncoder().encode(JSON.stringify(told)) });
    }),
});

export type RunningAgent = {
  readonly context: AgentContext;
  readonly journal: Journal;
  readonly desk: AgentDesk;
  close(): void;
};

/** The clinic's end as `processes/agent.ts` joins it, without staff page, files of keys and MQTT. */
export const startAgentEnd = (parts: AgentParts): RunningAgent => {
  const { kernel, life, machine, broker, ground, log } = parts;
  const { agent, registry } = ground.facility;
  const device = registry.get('front-1');
  if (device === undefined) throw new Error('no front-1');
  const devices = new Map([['front-1', device]]);
  const machineClock = machine.clockOf(life);
  const steadyMs = (): number => machine.steadyMs;
  void sweepOqsFolders(oqsFolder);
  const journal = new Journal('journal.sqlite', { steadyMs });
  const seeTime = keepTimeSeen(journal, () => clock.time);
  const clock = createTrustedClock({
    clock: machineClock,
    floorsMs: [releasedMs],
    lastSeenMs: journal.timeSeen?.wallMs ?? null,
    doubtsLongGaps: true,
    isSynchronised: async () => machine.isSynchronised,
    steadyMs,
  });
  const disk = watchDisk();
  const context: AgentContext = {
    keys: () => agent,
    devices: () => devices,
    settings: () => parts.settings,
    catalogues: ground.catalogues,
    trust: ground.trust,
    bus: parts.isOld ? speakingFirstWire(broker.connect('agent-1', life)) : broker.connect('agent-1', life),
    journal,
    service: withTimeLimit(openService(parts), clock),
    clock,
    time: () => clock.time,
    log,
    disk,
    options: {
      oqsFolder,
      encoding: { encoding: 'Shift_JIS', label: 'Shift_JIS', machineDependent: 'character-reference' },
      publishesSettings: true,
      challengeLifeMs: 600_000,
      personalLifeMs: 86_400_000,
    },
    changed: parts.changed ?? (() => {}),
  };
  const desk = new AgentDesk(context, () => ground.textsAt(clock.now().wallMs));
  journal.knowsNothingBefore = Math.round(clock.now().wallMs);
  const every = (ms: number, work: () => void): void => {
    kernel.after(ms, life, () => {
      every(ms, work);
      try {
        work();
      } catch (error) {
        disk.failed(error);
      }
    });
  };
  clock.subscribe(seeTime);
  every(rounds.timeMs, seeTime);
  every(rounds.forgetMs, () => journal.forgetDeleted());
  every(rounds.diskMs, () => disk.look(() => journal.tryWrite()));
  every(rounds.sweepMs, () => desk.handOver.sweep());
  every(rounds.resumeMs, () => {
    desk.flushRejections();
    desk.handOver.resume();
  });
  desk.handOver.resume();
  return { context, journal, desk, close: () => desk.close() };
};
