import { ok, type Result } from '../../core/result.ts';
import { hourMs } from '../../core/time-units.ts';
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
  readonly agentNowMs: () => number | null;
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

/** A disk that refuses is asked again after this. ms */
const storeRetryMs = 2_000;
/** setTimeout cannot wait longer than 24 days: long waits go by the hour. ms */
const longestWaitMs = hourMs;

class SignedSettings implements SettingsKeeper {
  readonly #options: SettingsKeeperOptions;
  #current: SettingsMessage | null = null;
  #pending: { readonly message: SettingsMessage; readonly bytes: Uint8Array } | null = null;
  #callOff: (() => void) | null = null;
  #closed = false;

  constructor(options: SettingsKeeperOptions) {
    this.#options = options;
  }

  async load(): Promise<Result<void>> {
    const stored = await this.#options.store.readSettings();
    if (!stored.ok) return stored;
    if (stored.value === null || this.#current !== null) return ok(undefined);
    const opened = await this.#open(stored.value.document);
    if (!opened.ok) {
      // The agent's key was changed at a new provisioning: the floor stays, the content waits for the agent.
      this.#refuse('message.forged');
      return ok(undefined);
    }
    this.#current = opened.value.message;
    this.#options.apply(this.#current);
    return ok(undefined);
  }

  timeKnown(): void {
    void this.#settle();
  }

  async receive(bytes: Uint8Array): Promise<boolean> {
    const opened = await this.#open(bytes);
    if (this.#closed) return false;
    if (!opened.ok) {
      this.#refuse(opened.failure.code === 'message.forged' ? 'message.forged' : 'message.malformed');
      return false;
    }
    const { message } = opened.value;
    if (this.#current !== null && message.version <= this.#current.version) {
      // Every reconnect brings the retained message again; another content under the same version is no news but a fault.
      if (JSON.stringify(message) !== JSON.stringify(this.#current)) this.#refuse('message.stale');
      return true;
    }
    if (this.#pending === null || this.#pending.message.version < message.version) {
      this.#pending = { message, bytes };
      await this.#settle();
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
  }

  #refuse(code: 'message.stale' | 'message.forged' | 'message.malformed'): void {
    this.#options.log.event('message.refused', { leaf: 'settings', code });
  }

  #later(ms: number): void {
    this.#callOff?.();
    this.#callOff = this.#options.clock.wakeAt(this.#options.clock.now().monotonicMs + ms, () => void this.#settle());
  }

  async #settle(): Promise<void> {
    const candidate = this.#pending;
    if (candidate === null || this.#closed) return;
    const nowMs = this.#options.agentNowMs() ?? this.#options.clock.now().wallMs;
    const { message, bytes } = candidate;
    if (message.validFrom > nowMs) return this.#later(Math.min(message.validFrom - nowMs, longestWaitMs));
    const raised = await this.#options.store.raiseSettings(message.version, bytes, nowMs);
    if (this.#closed || this.#pending !== candidate) return;
    if (!raised.ok) {
      this.#options.log.event('store.failed', {});
      return this.#later(storeRetryMs);
    }
    this.#pending = null;
    if (!raised.value) return this.#refuse('message.stale');
    this.#current = message;
    this.#options.log.event('settings.applied', { version: message.version });
    this.#options.apply(message);
  }

  #open(bytes: Uint8Array) {
    return openSigned(
      'settings',
      bytes,
      settingsMessageSchema,
      this.#options.agents,
      this.#options.addressee,
      (unknown) => this.#options.overlook('settings', unknown),
    );
  }
}

/**
 * Settings hold from their `validFrom` on and only ever rise: the version floor is on the disk before they are applied,
 * so that an old retained message is refused after a restart, too.
 */
export const createSettingsKeeper = (options: SettingsKeeperOptions): SettingsKeeper => new SignedSettings(options);
