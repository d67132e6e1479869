import type { FailureCode } from '../../core/failure.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import type { CommandMessage } from '../../wire/messages.ts';

/** More signed commands than this in a minute are not carried out. */
const commandsPerMinute = 30;

type CommandGateOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: EventLog;
  /** The agent's clock; null = not known yet */
  readonly agentNowMs: () => number | null;
};

/** Whether a genuine command is carried out: in time, not too many, and each once, also over a restart. */
export const createCommandGate = ({ store, clock, log, agentNowMs }: CommandGateOptions) => {
  let times: readonly number[] = [];
  return async ({ commandId, nonce, expiresAt }: CommandMessage): Promise<boolean> => {
    const refuse = (code: FailureCode): boolean => {
      log.event('command.refused', { command: commandId, code });
      return false;
    };
    const nowByAgentMs = agentNowMs();
    // Before the first challenge nobody knows the time well enough to tell an old command from a new one.
    if (nowByAgentMs === null || expiresAt <= nowByAgentMs) return refuse('message.stale');
    const nowMs = clock.now().monotonicMs;
    times = [...times.filter((atMs) => nowMs - atMs < 60_000), nowMs];
    if (times.length > commandsPerMinute) return refuse('message.stale');
    const first = await store.rememberNonce(nonce, expiresAt, nowByAgentMs);
    if (!first.ok) return refuse('delivery.store-failed');
    return first.value || refuse('message.stale');
  };
};
