import { ok, type Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Store } from '../../ports/store.ts';
import { openSigned, type VerificationKey } from '../../trust/seal.ts';
import { type SettingsMessage, settingsMessageSchema } from '../../wire/messages.ts';

type SettingsKeeperOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly agents: readonly VerificationKey[];
  readonly addressee: { readonly facility: string; readonly device: string };
  /** `validFrom` is an instant of the agent's clock; null: not heard in this run */
  readonly agentNowMs?: () => number | null;
  readonly apply: (message: SettingsMessage) => void;
  /** Keys that this release does not know */
  readonly overlook: (leaf: 'settings', keys: readonly string[]) => void;
};

export interface SettingsKeeper {
  /** The last settings that held before the restart. A failure is the store's. */
  load(): Promise<Result<void>>;
  /** The agent's clock has become known. */
  timeKnown(): void;
  /** A message from the bus. Forged, malformed and lower versions are logged and dropped; true = an agent signed it. */
  receive(bytes: Uint8Array): Promise<boolean>;
  close(): void;
}

/** A disk that refuses is asked again after this; setTimeout cannot wait longer than 24 days, so long waits go by the hour. */
const storeRetryMs = 2_000;
const longestWaitMs = 3_600_000;

/**
 * Settings hold from their `validFrom` on and only ever rise: the version floor is on the disk before they are applied,
 * so that an old retained message is refused after a restart, too.
 */
export const createSettingsKeeper = (options: SettingsKeeperOptions): SettingsKeeper => {
  const { store, clock, log, agents, addressee, apply, overlook } = options;
  let current: SettingsMessage | null = null;
  let pending: { readonly message: SettingsMessage; readonly bytes: Uint8Array } | null = null;
  let callOff: (() => void) | null = null;
  let closed = false;

  const refuse = (code: 'message.stale' | 'message.forged' | 'message.malformed'): void =>
    log.event('message.refused', { leaf: 'settings', code });

  const later = (ms: number): void => {
    callOff?.();
    if (!closed) callOff = clock.wakeAt(clock.now().monotonicMs + ms, () => void settle());
  };

  const settle = async (): Promise<void> => {
    const candidate = pending;
    if (candidate === null || closed) return;
    const nowMs = options.agentNowMs?.() ?? clock.now().wallMs;
    const { message, bytes } = candidate;
    if (message.validFrom > nowMs) return later(Math.min(message.validFrom - nowMs, longestWaitMs));
    const raised = await store.raiseSettings(message.version, bytes, nowMs);
    if (closed || pending !== candidate) return;
    if (!raised.ok) {
      log.event('store.failed', {});
      return later(storeRetryMs);
    }
    pending = null;
    if (!raised.value) return refuse('message.stale');
    current = message;
    log.event('settings.applied', { version: message.version });
    apply(message);
  };

  const open = (bytes: Uint8Array) =>
    openSigned('settings', bytes, settingsMessageSchema, agents, addressee, (unknown) => overlook('settings', unknown));

  return {
    load: async () => {
      const stored = await store.readSettings();
      if (!stored.ok) return stored;
      if (stored.value === null || current !== null) return ok(undefined);
      const opened = await open(stored.value.document);
      if (!opened.ok) {
        // The agent's key was changed at a new provisioning: the floor stays, the content waits for the agent.
        refuse('message.forged');
        return ok(undefined);
      }
      current = opened.value.message;
      apply(current);
      return ok(undefined);
    },
    timeKnown: () => void settle(),
    receive: async (bytes) => {
      const opened = await open(bytes);
      if (closed) return false;
      if (!opened.ok) {
        refuse(opened.failure.code === 'message.forged' ? 'message.forged' : 'message.malformed');
        return false;
      }
      const { message } = opened.value;
      if (current !== null && message.version <= current.version) {
        // Every reconnect brings the retained message again; another content under the same version is no news but a fault.
        if (JSON.stringify(message) !== JSON.stringify(current)) refuse('message.stale');
        return true;
      }
      if (pending === null || pending.message.version < message.version) {
        pending = { message, bytes };
        await settle();
      }
      return true;
    },
    close: () => {
      closed = true;
      callOff?.();
    },
  };
};
