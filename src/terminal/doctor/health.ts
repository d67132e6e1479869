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
import { figuresSchema } from '../../wire/figures.ts';
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
 *   screen          the page, once it has come, tells every 6 s that it painted; a restart of Chromium takes up to 60 s
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
  /** Readers and slots by name, where several can be watched */
  slots: z.array(z.string()).optional(),
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
  /** The newest test request since the start */
  lastTest: z.strictObject({ ok: z.boolean(), agoMs: z.number() }).optional(),
  /** What the clinic's agent says of releases: its own, and up to which lane terminals may follow now */
  release: z.strictObject({ version: z.string(), lane: z.number().nullable() }).optional(),
  /** How far the terminal trusts its time, and what is wrong with the machine's own clock */
  time: z
    .strictObject({
      certainty: z.enum(['confirmed', 'plausible', 'doubted']),
      fault: z.enum(['behind', 'ahead', 'moved', 'long-away']).nullable(),
      machineAheadMs: z.number(),
    })
    .optional(),
  silentParts: z.array(z.enum(vitalParts)),
  /** As in `state` */
  figures: figuresSchema.optional(),
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

const triedSchema = z.strictObject({
  outcome: z.enum(['good', 'present', 'absent', 'failed', 'late']),
  ms: z.number(),
  code: z.string().optional(),
  detail: z.string().optional(),
});
/** What came of trying the parts (visit/try-parts.ts). */
export const partsTriedSchema = z.strictObject({
  busy: z.boolean(),
  camera: triedSchema.optional(),
  speaker: triedSchema.optional(),
  agent: triedSchema.optional(),
});

type WatchedParts = {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly runner: Pick<SessionRunner, 'session'> & Partial<Pick<SessionRunner, 'lastTest'>>;
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

class HealthWatch implements Health {
  readonly #parts: WatchedParts;
  readonly #startedMs: number;
  readonly #signs: Record<VitalPart, number>;
  readonly #cardReader: Watched = { present: false, trouble: null };
  readonly #slot: ReturnType<typeof countAtSlot>;
  readonly #face: Watched = { present: false, trouble: null };
  readonly #keypad: Watched = { present: false, trouble: null };
  readonly #statusLight: Watched = { present: false, trouble: null };
  readonly #broker: Watched = { present: false, trouble: null };
  readonly #store: Watched = { present: true, trouble: null };
  #screenConnected = false;
  #paintedAtMs: number | null = null;
  #agentAnswers = false;
  #agentTrouble: Failure | null = null;
  #settings = false;
  #release: HealthReport['release'];
  #told: readonly VitalPart[] = [];
  readonly #unsubscribes: readonly ((() => void) | undefined)[];
  #callOff = (): void => {};

  constructor(parts: WatchedParts) {
    this.#parts = parts;
    const { clock, cardReader, faceVerifier, screen, keypad, statusLight, clinic, everyMs } = parts;
    this.#startedMs = clock.now().monotonicMs;
    this.#signs = { 'session-runner': this.#startedMs, 'card-reader': this.#startedMs, screen: this.#startedMs };
    this.#slot = countAtSlot(cardReader, clock);
    this.#unsubscribes = [
      cardReader.subscribe((event) => {
        if (event.type === 'reader-found') this.#follow(this.#cardReader, 'card-reader', null);
        if (event.type === 'reader-lost') this.#follow(this.#cardReader, 'card-reader', event.failure);
      }),
      faceVerifier.subscribeHealth((trouble) => {
        this.#face.present = trouble === null;
        this.#face.trouble = trouble;
      }),
      screen.subscribe((event) => {
        if (event.type === 'connected') this.#screenConnected = true;
        if (event.type === 'disconnected') this.#screenConnected = false;
        if (event.type !== 'painted') return;
        this.#paintedAtMs = clock.now().monotonicMs;
        this.#alive('screen');
      }),
      keypad?.subscribe((event) => {
        if (event.type === 'found') this.#follow(this.#keypad, 'keypad', null);
        if (event.type === 'lost') this.#follow(this.#keypad, 'keypad', event.failure);
      }),
      statusLight?.subscribe((event) => {
        if (event.type === 'found') this.#follow(this.#statusLight, 'status-light', null);
        if (event.type === 'lost') this.#follow(this.#statusLight, 'status-light', event.failure);
      }),
      clinic.subscribe((event) => {
        if (event.type === 'connected') Object.assign(this.#broker, { present: true, trouble: null });
        if (event.type === 'disconnected') Object.assign(this.#broker, { present: false, trouble: event.failure });
        if (event.type === 'store')
          Object.assign(this.#store, { present: event.failure === null, trouble: event.failure });
        if (event.type === 'challenges-ready') this.#agentAnswers = event.ready;
        if (event.type === 'agent') this.#agentTrouble = event.trouble;
        if (event.type !== 'settings') return;
        this.#settings = true;
        this.#release = event.message.facilitySettings.release;
      }),
    ];
    if (everyMs !== null) this.#beat(everyMs);
  }

  report(): HealthReport {
    const { monotonicMs } = this.#parts.clock.now();
    const { state } = this.#parts.runner.session;
    const failure = 'failure' in state ? state.failure : null;
    const { lastTest } = this.#parts.runner;
    return {
      version: this.#parts.version,
      profile: this.#parts.profile,
      upMs: Math.round(monotonicMs - this.#startedMs),
      state: state.name,
      stateFailure: shown({ present: true, trouble: failure }).trouble,
      cardReader: shown(this.#cardReader),
      ...(this.#parts.cardReader.slots && { slots: [...this.#parts.cardReader.slots()] }),
      slot: this.#slot.counts(),
      face: shown(this.#face),
      screen: {
        connected: this.#screenConnected,
        paintedAgoMs: this.#paintedAtMs === null ? null : Math.round(monotonicMs - this.#paintedAtMs),
      },
      keypad: shown(this.#keypad),
      statusLight: shown(this.#statusLight),
      broker: shown(this.#broker),
      store: shown(this.#store),
      agentAnswers: this.#agentAnswers,
      agentTrouble: shown({ present: true, trouble: this.#agentTrouble }).trouble,
      settings: this.#settings,
      ...(lastTest && { lastTest: { ok: lastTest.ok, agoMs: Math.round(monotonicMs - lastTest.atMs) } }),
      ...(this.#release && { release: this.#release }),
      ...(this.#parts.time && { time: timeShown(this.#parts.time()) }),
      silentParts: this.#silentNow().map(({ part }) => part),
    };
  }

  close(): void {
    this.#callOff();
    this.#slot.stop();
    for (const unsubscribe of this.#unsubscribes) unsubscribe?.();
  }

  #alive(part: VitalPart): void {
    this.#signs[part] = this.#parts.clock.now().monotonicMs;
  }

  #follow(watched: Watched, part: 'card-reader' | 'keypad' | 'status-light', trouble: Failure | null): void {
    const was = watched.present;
    watched.present = trouble === null;
    watched.trouble = trouble;
    if (trouble !== null) this.#parts.log.event('part.lost', { part, code: trouble.code });
    else if (!was) this.#parts.log.event('part.found', { part });
  }

  /** The parts that do not speak up by themselves are looked at. */
  #lookAround(): void {
    const nowMs = this.#parts.clock.now().monotonicMs;
    const { deadlineMs } = this.#parts.runner.session.state;
    if (deadlineMs === null || nowMs <= deadlineMs) this.#alive('session-runner');
    if (this.#cardReader.present) this.#alive('card-reader');
    // Where no page has come since the start another start brings none: the kiosk's own unit begins it again and again.
    if (this.#paintedAtMs === null) this.#alive('screen');
  }

  #silentNow(): ReturnType<typeof silentParts> {
    this.#lookAround();
    return silentParts(this.#signs, this.#parts.clock.now().monotonicMs);
  }

  #beat(everyMs: number): void {
    const silent = this.#silentNow();
    if (silent.length === 0) this.#parts.feedWatchdog();
    for (const { part, silentMs } of silent)
      if (!this.#told.includes(part))
        this.#parts.log.event('watchdog.withheld', { part, silentMs: Math.round(silentMs) });
    this.#told = silent.map(({ part }) => part);
    this.#callOff = this.#parts.clock.wakeAt(this.#parts.clock.now().monotonicMs + everyMs, () => this.#beat(everyMs));
  }
}

/** Listens to every part, feeds the watchdog while the vital ones live, and answers the doctor. */
export const watchHealth = (parts: WatchedParts): Health => new HealthWatch(parts);
