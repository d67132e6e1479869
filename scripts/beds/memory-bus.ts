import { failure } from '../../src/core/failure.ts';
import { err, ok } from '../../src/core/result.ts';
import type { Delivery, MessageBus } from '../../src/ports/message-bus.ts';
import { covers } from '../../src/wire/broker-access-rules.ts';

type Party = {
  readonly subscriptions: Map<string, Set<(delivery: Delivery) => void>>;
  readonly connections: Set<Parameters<MessageBus['subscribeConnection']>[0]>;
  connected: boolean;
};
export type Passing = {
  readonly from: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain?: boolean;
};

/** A broker in memory: at-least-once towards whoever is connected, retained messages, and faults on demand. */
export class MemoryBroker {
  readonly #parties = new Map<string, Party>();
  readonly #retained = new Map<string, Uint8Array>();
  /** Everything that was published, in order */
  readonly passed: Passing[] = [];
  /** What becomes of a publish: itself, nothing, or other messages instead. The sender gets its PUBACK all the same. */
  tamper: (passing: Passing) => readonly Passing[] = (passing) => [passing];

  connect(name: string): MessageBus {
    const party: Party = { subscriptions: new Map(), connections: new Set(), connected: true };
    this.#parties.set(name, party);
    const offline = failure('delivery.offline', 'cut');
    return {
      publish: async (topic, payload, options = {}) => {
        if (!party.connected) return err(offline);
        const passing = { from: name, topic, payload, retain: options.retain ?? false };
        this.passed.push(passing);
        for (const message of this.tamper(passing)) this.deliver(message.topic, message.payload, options.retain);
        return ok(undefined);
      },
      subscribe: (filter, listener) => {
        const listeners = party.subscriptions.get(filter) ?? new Set();
        party.subscriptions.set(filter, listeners.add(listener));
        if (party.connected) this.#tellRetained(filter, listener);
        return () => listeners.delete(listener);
      },
      subscribeConnection: (listener) => {
        party.connections.add(listener);
        if (party.connected) listener(true);
        else listener(false, offline);
        return () => party.connections.delete(listener);
      },
      close: async () => {
        this.#parties.delete(name);
      },
    };
  }

  #tellRetained(filter: string, listener: (delivery: Delivery) => void): void {
    for (const [topic, payload] of this.#retained)
      if (covers(filter, topic)) listener({ topic, payload, retained: true });
  }

  deliver(topic: string, payload: Uint8Array, retain = false): void {
    if (retain) this.#retained.set(topic, payload);
    for (const { connected, subscriptions } of [...this.#parties.values()]) {
      if (!connected) continue;
      for (const [filter, listeners] of subscriptions) {
        if (covers(filter, topic)) for (const listener of [...listeners]) listener({ topic, payload, retained: false });
      }
    }
  }

  setConnected(name: string, connected: boolean): void {
    const party = this.#parties.get(name);
    if (party === undefined) throw new Error(`${name} never connected`);
    party.connected = connected;
    for (const listener of [...party.connections]) {
      if (connected) listener(true);
      else listener(false, failure('delivery.offline', 'cut'));
    }
    if (!connected) return;
    for (const [filter, listeners] of party.subscriptions)
      for (const listener of [...listeners]) this.#tellRetained(filter, listener);
  }

  passedOn(leaf: string): readonly Passing[] {
    return this.passed.filter(({ topic }) => topic.endsWith(`/${leaf}`));
  }
}
