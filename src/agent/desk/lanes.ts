import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type StateMessage, stateSchema } from '../../wire/messages.ts';
import { fromV1Code } from '../../wire/v1-codes.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';

/** A `state` message in our words: `code` is what v1 calls `failureCode`. */
export type LaneState = Omit<StateMessage, 'failureCode'> & { readonly code?: string };

/** What a terminal last said of itself (a hint, never trusted) and when it came. `state` null: nothing yet. */
export type Lane = {
  readonly device: string;
  readonly lane: number;
  readonly state: LaneState | null;
  readonly receivedAt: number | null;
  /** How far its clock is ahead of ours, as it last asked for challenges. ms */
  readonly clockAheadMs: number;
};

/** The lanes of the facility, live, out of the retained `state` messages. */
export class Lanes {
  readonly #context: AgentContext;
  readonly #clocksAheadMs = new Map<string, number>();
  readonly #states = new Map<string, { state: LaneState; receivedAt: number }>();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  receive({ device, payload }: Incoming): Result<void> {
    const parsed = parseState(payload);
    if (!parsed.ok) return parsed;
    const state = parsed.value;
    if (state.device !== device.device) return err(failure('message.forged', 'state of another device'));
    const before = this.#states.get(device.device)?.state;
    this.#states.set(device.device, { state, receivedAt: this.#context.clock.now().wallMs });
    if (before?.status !== state.status)
      this.#context.log.event('agent.device-state', { device: device.device, status: state.status });
    this.#context.changed();
    return ok(undefined);
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

const parseState = (payload: Uint8Array): Result<LaneState> => {
  const malformed = (detail: string) => err(failure('message.malformed', `state: ${detail}`));
  if (payload.length > 4_000) return malformed('too long');
  try {
    const parsed = stateSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
    if (!parsed.success) return malformed(parsed.error.issues[0]?.path.join('.') ?? 'shape');
    const { failureCode, ...state } = parsed.data;
    return ok(failureCode === undefined ? state : { ...state, code: fromV1Code(failureCode) });
  } catch {
    return malformed('not JSON');
  }
};
