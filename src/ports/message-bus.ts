import type { Failure } from '../core/failure.ts';
import type { Result } from '../core/result.ts';

export type Delivery = { readonly topic: string; readonly payload: Uint8Array; readonly retained: boolean };

export type PublishOptions = {
  readonly retain?: boolean;
  /** MQTT 5 Message Expiry Interval, where the broker speaks 5. */
  readonly expirySeconds?: number;
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
};

/** `closedByBroker`: ended in order by its other end; `noNetwork`: a router has said that it knows no way there */
export type HowLost = { readonly closedByBroker: boolean; readonly noNetwork: boolean };

/** MQTT over mutual TLS. At least once, and no promise beyond that: whoever needs more waits for an application receipt. */
export interface MessageBus {
  /** QoS 1; answers after the PUBACK, or `delivery.offline` when not connected or not acknowledged in time. Never queues. */
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<Result<void>>;
  /** Kept over reconnects. `optional`: a broker that does not grant it is no trouble, only told. */
  subscribe(
    filter: string,
    listener: (delivery: Delivery) => void,
    optional?: { readonly granted: (isGranted: boolean) => void },
  ): () => void;
  /**
   * Told at once and at each change. Connected = subscriptions stand. The cause, when not: `delivery.offline`,
   * `delivery.broker-untrusted` (its certificate or TLS version), `delivery.access-refused` (ours, or the ACL).
   * `how`: what the network itself has shown with that, where it has.
   */
  subscribeConnection(listener: (connected: boolean, cause?: Failure, how?: HowLost) => void): () => void;
  close(): Promise<void>;
}
