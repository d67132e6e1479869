import { hash } from 'node:crypto';
import { ok, type Result } from '../core/result.ts';
import { sign, signAndSeal } from '../trust/seal.ts';
import { type TopicLeaf, topicOf } from '../wire/topics.ts';
import { inWordsOf } from '../wire/translate.ts';
import type { AgentContext } from './agent-context.ts';
import type { DeviceEntry } from './provisioning/agent-keys.ts';

/** Sends what the agent signs: plain on `challenge`, `receipt`, `command`, `settings`; sealed on the two with answers about a person. */
export class AgentPost {
  readonly #context: AgentContext;
  readonly #wireOf: (device: string) => number;
  /** What was last to be told of the facility, by device: signatures are made side by side, and end in any order. */
  readonly #lastSettings = new Map<string, object>();

  /** `wireOf`: the newest wire that both ends speak, by the id of the device. */
  constructor(context: AgentContext, wireOf: (device: string) => number) {
    this.#context = context;
    this.#wireOf = wireOf;
  }

  /** What a device is told of a message: with its address, in the words that it knows. */
  wording({ device }: DeviceEntry, leaf: TopicLeaf, message: object): object {
    const whole = { facility: this.#context.keys().facility, device, ...message };
    return inWordsOf(this.#wireOf(device), leaf, whole);
  }

  async signed(device: DeviceEntry, leaf: TopicLeaf, message: object, correlation?: string): Promise<Result<void>> {
    const { keys, bus } = this.#context;
    if (leaf === 'settings') this.#lastSettings.set(device.device, message);
    const bytes = await sign(leaf, this.wording(device, leaf, message), keys().signing);
    // The broker keeps what came last, and a terminal that comes later knows no other.
    if (leaf === 'settings' && this.#lastSettings.get(device.device) !== message) return ok(undefined);
    return bus.publish(this.#topic(device, leaf), bytes, {
      ...(leaf === 'settings' && { retain: true }),
      ...(correlation && { correlation: correlationOf(correlation) }),
    });
  }

  async sealed(
    device: DeviceEntry,
    leaf: 'lookup-result' | 'result',
    message: object,
    correlation: string,
  ): Promise<Result<void>> {
    const { keys, bus } = this.#context;
    const bytes = await signAndSeal(leaf, this.wording(device, leaf, message), keys().signing, device.sealing);
    return bus.publish(this.#topic(device, leaf), bytes, { correlation: correlationOf(correlation) });
  }

  #topic(device: DeviceEntry, leaf: TopicLeaf): string {
    return topicOf(this.#context.keys().facility, device.device, leaf);
  }
}

/** MQTT 5 Correlation Data, a bonus: the id in the payload decides. */
const correlationOf = (id: string): Uint8Array => hash('sha256', id, 'buffer').subarray(0, 16);
