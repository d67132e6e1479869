import { z } from 'zod';
import type { Failure } from '../../core/failure.ts';
import type { TrustedTime } from '../../core/trusted-time.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { CardReader } from '../../ports/card-reader.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FaceVerifier } from '../../ports/face-verifier.ts';
import type { Keypad } from '../../ports/keypad.ts';
import type { Screen } from '../../ports/screen.ts';
import type { StatusLight } from '../../ports/status-light.ts';
import { type Profile, profiles } from '../../wire/profile.ts';
import type { ClinicLink } from '../delivery/clinic-link.ts';
import type { SessionRunner } from '../visit/session-runner.ts';
import { countAtSlot, slotCountsSchema } from './slot-counts.ts';

/**
 * Without a sign of life of each of these the terminal serves nobody. The network is not among them; link and face
 * process have watchdogs of their own.
 */
export const vitalParts = ['session-runner', 'card-reader', 'screen'] as const;
type VitalPart = (typeof vitalParts)[number];

/** For each vital part the monotonic instant of its last sign of life, ms. */
type SignsOfLife = Readonly<Record<VitalPart, number>>;

/**
 * How long a part may be silent before the watchdog is no longer fed, ms.
 *   session-runner  its deadline is answered within a turn of the event loop; 10 s is a stuck machine
 *   card-reader     an unplugged reader is found again by its driver; a restart is the last means, and no more often
 *                   than this, so that the out-of-service screen stands still for staff to read
 *   screen          the page, once it has come, tells every 2 s that it painted; a restart of Chromium takes up to 60 s
 */
export const silenceLimitsMs: SignsOfLife = {
  'session-runner': 10_000,
  'card-reader': 300_000,
  screen: 90_000,
};

/** The vital parts that have been silent for too long. Nobody silent = the watchdog may be fed. */
export const silentParts = (
  signs: SignsOfLife,
  nowMs: number,
): readonly { readonly part: VitalPart; readonly silentMs: number }[] =>
  vitalParts
    .map((part) => ({ part, silentMs: nowMs - signs[part] }))
    .filter(({ part, silentMs }) => silentMs > silenceLimitsMs[part]);

const troubleSchema = z.strictObject({ code: z.string(), detail: z.string().optional() }).nullable();
const partSchema = z.strictObject({ present: z.boolean(), trouble: troubleSchema });

/** What the daemon says of itself to `uketsuke doctor`. Nothing of a patient. */
export const healthReportSchema = z.strictObject({
  version: z.string(),
  profile: z.enum(profiles),
  upMs: z.number(),
  /** The session's state by name */
  state: z.string(),
  stateFailure: troubleSchema,
  cardReader: partSchema,
  /** Resets and mute cards since the start */
  slot: slotCountsSchema.optional(),
  face: partSchema,
  screen: z.strictObject({ connected: z.boolean(), paintedAgoMs: z.number().nullable() }),
  keypad: partSchema,
  statusLight: partSchema,
  broker: partSchema,
  /** `trouble` with `present`: it works, and something happened to its file */
  store: partSchema,
  /** A challenge signed by an agent lies ready: the agent answers */
  agentAnswers: z.boolean(),
  /** What the agent says is wrong with it, or that it says nothing */
  agentTrouble: troubleSchema.optional(),
  settings: z.boolean(),
  /** How far the terminal trusts its time, and what is wrong with the machine's own clock */
  time: z
    .strictObject({
      certainty: z.enum(['confirmed', 'plausible', 'doubted']),
      fault: z.enum(['behind', 'ahead', 'moved', 'long-away']).nullable(),
      machineAheadMs: z.number(),
    })
    .optional(),
  silentParts: z.array(z.enum(vitalParts)),
});
export type HealthReport = z.infer<typeof healthReportSchema>;

/** What the link process says of itself. */
export const linkReportSchema = z.strictObject({
  version: z.string(),
  profile: z.enum(profiles),
  upMs: z.number(),
  terminalConnected: z.boolean(),
  /** null: the broker is reached */
  brokerTrouble: z.string().nullable(),
  /** What happened to the store's file: found damaged and set aside, or taken away and put back; the link went on. */
  storeDamage: troubleSchema,
});
export type LinkReport = z.infer<typeof linkReportSchema>;

type WatchedParts = {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly runner: Pick<SessionRunner, 'session'>;
  readonly cardReader: CardReader;
  readonly faceVerifier: FaceVerifier;
  readonly screen: Screen;
  readonly keypad: Keypad | null;
  readonly statusLight: StatusLight | null;
  readonly clinic: Pick<ClinicLink, 'subscribe'>;
  readonly time?: () => TrustedTime;
  readonly version: string;
  readonly profile: Profile;
  /**
   * Tells the service manager that all is well; called every `everyMs`, and not at all while a vital part is silent.
   * null = nobody watches.
   */
  readonly feedWatchdog: () => void;
  readonly everyMs: number | null;
};

interface Health {
  report(): HealthReport;
  close(): void;
}

const timeShown = ({ certainty, fault, machineAheadMs }: TrustedTime) => ({ certainty, fault, machineAheadMs });

type Watched = { present: boolean; trouble: Failure | null };

const shown = ({ present, trouble }: Watched): z.infer<typeof partSchema> => ({
  present,
  trouble:
    trouble === null
      ? null
      : { code: trouble.code, ...(trouble.detail === undefined ? {} : { detail: trouble.detail }) },
});

/** Listens to every part, feeds the watchdog while the vital ones live, and answers the doctor. */
export const watchHealth = (parts: WatchedParts): Health => {
  const { clock, log } = parts;
  const startedMs = clock.now().monotonicMs;
  const signs: Record<VitalPart, number> = {
    'session-runner': startedMs,
    'card-reader': startedMs,
    screen: startedMs,
  };
  const alive = (part: VitalPart): void => {
    signs[part] = clock.now().monotonicMs;
  };
  const cardReader: Watched = { present: false, trouble: null };
  const slot = countAtSlot(parts.cardReader, clock);
  const face: Watched = { present: false, trouble: null };
  const keypad: Watched = { present: false, trouble: null };
  const statusLight: Watched = { present: false, trouble: null };
  const broker: Watched = { present: false, trouble: null };
  const store: Watched = { present: true, trouble: null };
  let screenConnected = false;
  let paintedAtMs: number | null = null;
  let agentAnswers = false;
  let agentTrouble: Failure | null = null;
  let settings = false;
  let told: readonly VitalPart[] = [];

  const follow = (watched: Watched, part: 'card-reader' | 'keypad' | 'status-light', trouble: Failure | null): void => {
    const was = watched.present;
    watched.present = trouble === null;
    watched.trouble = trouble;
    if (trouble !== null) log.event('part.lost', { part, code: trouble.code });
    else if (!was) log.event('part.found', { part });
  };
  const unsubscribes = [
    parts.cardReader.subscribe((event) => {
      if (event.type === 'reader-found') follow(cardReader, 'card-reader', null);
      if (event.type === 'reader-lost') follow(cardReader, 'card-reader', event.failure);
    }),
    parts.faceVerifier.subscribeHealth((trouble) => {
      face.present = trouble === null;
      face.trouble = trouble;
    }),
    parts.screen.subscribe((event) => {
      if (event.type === 'connected') screenConnected = true;
      if (event.type === 'disconnected') screenConnected = false;
      if (event.type !== 'painted') return;
      paintedAtMs = clock.now().monotonicMs;
      alive('screen');
    }),
    parts.keypad?.subscribe((event) => {
      if (event.type === 'found') follow(keypad, 'keypad', null);
      if (event.type === 'lost') follow(keypad, 'keypad', event.failure);
    }),
    parts.statusLight?.subscribe((event) => {
      if (event.type === 'found') follow(statusLight, 'status-light', null);
      if (event.type === 'lost') follow(statusLight, 'status-light', event.failure);
    }),
    parts.clinic.subscribe((event) => {
      if (event.type === 'connected') Object.assign(broker, { present: true, trouble: null });
      if (event.type === 'disconnected') Object.assign(broker, { present: false, trouble: event.failure });
      if (event.type === 'store') Object.assign(store, { present: event.failure === null, trouble: event.failure });
      if (event.type === 'challenges-ready') agentAnswers = event.ready;
      if (event.type === 'agent') agentTrouble = event.trouble;
      if (event.type === 'settings') settings = true;
    }),
  ];

  /** The parts that do not speak up by themselves are looked at. */
  const lookAround = (): void => {
    const nowMs = clock.now().monotonicMs;
    const { deadlineMs } = parts.runner.session.state;
    if (deadlineMs === null || nowMs <= deadlineMs) alive('session-runner');
    if (cardReader.present) alive('card-reader');
    // Where no page has come since the start another start brings none: the kiosk's own unit begins it again and again.
    if (paintedAtMs === null) alive('screen');
  };
  const silentNow = (): ReturnType<typeof silentParts> => {
    lookAround();
    return silentParts(signs, clock.now().monotonicMs);
  };
  let callOff = (): void => {};
  const beat = (everyMs: number): void => {
    const silent = silentNow();
    if (silent.length === 0) parts.feedWatchdog();
    for (const { part, silentMs } of silent)
      if (!told.includes(part)) log.event('watchdog.withheld', { part, silentMs: Math.round(silentMs) });
    told = silent.map(({ part }) => part);
    callOff = clock.wakeAt(clock.now().monotonicMs + everyMs, () => beat(everyMs));
  };
  if (parts.everyMs !== null) beat(parts.everyMs);

  return {
    report: () => {
      const { monotonicMs } = clock.now();
      const { state } = parts.runner.session;
      const failure = 'failure' in state ? state.failure : null;
      return {
        version: parts.version,
        profile: parts.profile,
        upMs: Math.round(monotonicMs - startedMs),
        state: state.name,
        stateFailure: shown({ present: true, trouble: failure }).trouble,
        cardReader: shown(cardReader),
        slot: slot.counts(),
        face: shown(face),
        screen: {
          connected: screenConnected,
          paintedAgoMs: paintedAtMs === null ? null : Math.round(monotonicMs - paintedAtMs),
        },
        keypad: shown(keypad),
        statusLight: shown(statusLight),
        broker: shown(broker),
        store: shown(store),
        agentAnswers,
        agentTrouble: shown({ present: true, trouble: agentTrouble }).trouble,
        settings,
        ...(parts.time && { time: timeShown(parts.time()) }),
        silentParts: silentNow().map(({ part }) => part),
      };
    },
    close: () => {
      callOff();
      slot.stop();
      for (const unsubscribe of unsubscribes) unsubscribe?.();
    },
  };
};
