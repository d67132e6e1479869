import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { nameUnknownKeys } from '../../log/name-once.ts';
import { type StateMessage, stateSchema } from '../../wire/messages.ts';
import { type Taken, takeKnown } from '../../wire/translate.ts';
import { wireOf } from '../../wire/versions.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';

/** What a terminal last said of itself (a hint, never trusted) and when it came. `state` null: nothing yet. */
export type Lane = {
  readonly device: string;
  readonly lane: number;
  readonly state: StateMessage | null;
  readonly receivedAt: number | null;
  /** How far its clock is ahead of ours, as it last asked for challenges. ms */
  readonly clockAheadMs: number;
};

type Late = 'new' | 'without-row' | 'known';

/** So many requests of a terminal whose patients left are remembered, twice of what it says at a time. */
const mostLate = 16;

/** The lanes of the facility, live, out of the retained `state` messages. */
export class Lanes {
  readonly #context: AgentContext;
  readonly #nameUnknown: ReturnType<typeof nameUnknownKeys>;
  readonly #clocksAheadMs = new Map<string, number>();
  readonly #states = new Map<string, { state: StateMessage; receivedAt: number }>();
  /** Requests that a terminal has called late: whether the journal is to be asked for each, has no row of it yet, or knows it */
  readonly #late = new Map<string, Map<string, Late>>();
  /** What each terminal says with every state and the journal has kept already */
  readonly #kept = new Map<string, { left?: string; helpCalledAt?: number }>();

  constructor(context: AgentContext) {
    this.#context = context;
    this.#nameUnknown = nameUnknownKeys(context.log);
  }

  receive({ device, payload }: Incoming): Result<StateMessage> {
    const parsed = parseState(payload);
    if (!parsed.ok) return parsed;
    const { value: state, unknown } = parsed.value;
    this.#nameUnknown('state', unknown, device.device);
    if (state.device !== device.device) return err(failure('message.forged', 'state of another device'));
    const before = this.#states.get(device.device)?.state;
    this.#states.set(device.device, { state, receivedAt: this.#context.clock.now().wallMs });
    const late = this.#late.get(device.device) ?? new Map<string, Late>();
    this.#late.set(device.device, late);
    for (const requestId of state.late ?? []) late.set(requestId, late.get(requestId) ?? 'new');
    for (const oldest of [...late.keys()].slice(0, -mostLate)) late.delete(oldest);
    this.#markLate(device.device);
    this.#keepEvents(device.device, state);
    if (before?.status !== state.status)
      this.#context.log.event('agent.device-state', { device: device.device, status: state.status });
    this.#context.changed();
    return ok(state);
  }

  /** Said again and again with each state, kept once. */
  #keepEvents(device: string, { lane, abandoned, helpCalledAt }: StateMessage): void {
    const { deskEvents } = this.#context.journal;
    const kept = this.#kept.get(device) ?? {};
    this.#kept.set(device, kept);
    if (abandoned !== undefined && kept.left !== abandoned.session) {
      deskEvents.abandoned({ ...abandoned, device, lane });
      kept.left = abandoned.session;
    }
    if (helpCalledAt !== undefined && kept.helpCalledAt !== helpCalledAt) {
      deskEvents.called(device, lane, helpCalledAt);
      kept.helpCalledAt = helpCalledAt;
    }
  }

  /** The newest wire that this agent and the terminal speak; 1 until the terminal says more. */
  wireOf(device: string): number {
    return wireOf(this.#states.get(device)?.state.version ?? '');
  }

  /** Of the settings that hold there; 0: not said. */
  settingsVersionOf(device: string): number {
    return this.#states.get(device)?.state.settingsVersion ?? 0;
  }

  isOnline(device: string): boolean {
    return (this.#states.get(device)?.state.status ?? 'offline') !== 'offline';
  }

  /**
   * Of what the terminal has called late the journal keeps what it knows by now: a request may come after the word, and after
   * an older state that the broker delivers once more; and a disk that refused takes it with what is heard next. Where other
   * agents write into the same journal, a row may come without a word to this one.
   */
  requestCame(device: string): void {
    const late = this.#late.get(device) ?? new Map<string, Late>();
    for (const [requestId, status] of late) if (status === 'without-row') late.set(requestId, 'new');
    this.#markLate(device);
  }

  #markLate(device: string): void {
    const { journal, clock } = this.#context;
    const late = this.#late.get(device) ?? new Map<string, Late>();
    for (const [requestId, status] of late) {
      if (status !== 'new' && (status === 'known' || !journal.leases.isShared)) continue;
      const isKnown = journal.markLate(requestId, device, clock.now().wallMs);
      late.set(requestId, isKnown ? 'known' : 'without-row');
    }
  }

  noteClock(device: string, aheadMs: number): void {
    this.#clocksAheadMs.set(device, aheadMs);
  }

  /** Registered and not revoked, by lane number. */
  all(): Lane[] {
    return [...this.#context.devices().values()]
      .filter(({ revoked }) => !revoked)
      .map(({ device, lane }) => {
        const known = this.#states.get(device);
        return {
          device,
          lane,
          state: known?.state ?? null,
          receivedAt: known?.receivedAt ?? null,
          clockAheadMs: this.#clocksAheadMs.get(device) ?? 0,
        };
      })
      .sort((a, b) => a.lane - b.lane || a.device.localeCompare(b.device));
  }
}

/** The first field that is out of its range; keys of a later release are none. */
const wrongField = (content: unknown): string =>
  stateSchema
    .safeParse(content)
    .error?.issues.find(({ code }) => code !== 'unrecognized_keys')
    ?.path.join('.') || 'shape';

const decoder = new TextDecoder('utf-8', { fatal: true });

const parseState = (payload: Uint8Array): Result<Taken<StateMessage>> => {
  const malformed = (detail: string) => err(failure('message.malformed', `state: ${detail}`));
  if (payload.length > 4_000) return malformed('too long');
  try {
    const content: unknown = JSON.parse(decoder.decode(payload));
    const taken = takeKnown(stateSchema, content);
    if (taken === null) return malformed(wrongField(content));
    return ok(taken);
  } catch {
    return malformed('not JSON');
  }
};
