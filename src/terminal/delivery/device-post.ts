import type { z } from 'zod';
import type { Failure } from '../../core/failure.ts';
import type { Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import { nameUnknownKeys } from '../../log/name-once.ts';
import type { MessageBus, PublishOptions } from '../../ports/message-bus.ts';
import { importSealingPublicKey, type TerminalKeys } from '../../trust/key-files.ts';
import { openSealedAndSigned, openSigned, type SealingPublicKey, sign, signAndSeal } from '../../trust/seal.ts';
import type { SettingsMessage } from '../../wire/messages.ts';
import { type TopicLeaf, topicOf } from '../../wire/topics.ts';

type Addressed = { facility: string; device: string };
/** A message that is genuine and ours, and who signed it. */
type Genuine<T> = { readonly message: T; readonly signer: string };

/**
 * The device's letters: each leaf at its topic, signed and sealed with its keys; nothing comes in that an agent of the
 * facility has not signed for this device. What is refused is logged by its leaf.
 */
export interface DevicePost {
  readonly addressee: { readonly facility: string; readonly device: string };
  topic(leaf: TopicLeaf): string;
  publish(leaf: TopicLeaf, payload: Uint8Array, options?: PublishOptions): Promise<Result<void>>;
  /** Where an answer to `id` is due */
  replyTo(leaf: TopicLeaf, id: string): PublishOptions;
  sign(leaf: TopicLeaf, message: object): Promise<Uint8Array>;
  /** To the facility's current key */
  signAndSeal(leaf: TopicLeaf, message: object): Promise<Uint8Array>;
  facilityKey(): SealingPublicKey;
  /** Settings name newer keys */
  useFacilityKeys(keys: SettingsMessage['facilityKeys']): void;
  openSigned<T extends Addressed>(leaf: TopicLeaf, schema: z.ZodType<T>, bytes: Uint8Array): Promise<Genuine<T> | null>;
  openSealed<T extends Addressed>(leaf: TopicLeaf, schema: z.ZodType<T>, bytes: Uint8Array): Promise<Genuine<T> | null>;
  refuse(leaf: TopicLeaf, reason: Pick<Failure, 'code'>): void;
  /** Keys of a later release that were left out of a message: each is logged once */
  overlook(leaf: TopicLeaf, keys: readonly string[]): void;
}

type DevicePostOptions = {
  readonly bus: MessageBus;
  readonly log: EventLog;
  readonly keys: TerminalKeys;
  /** An agent has just signed something for us. */
  readonly heard: (agent: string) => void;
};

export const createDevicePost = ({ bus, log, keys, heard }: DevicePostOptions): DevicePost => {
  const { facility, device, agents } = keys;
  const addressee = { facility, device };
  let [currentFacilityKey] = keys.facilityKeys;
  const topic = (leaf: TopicLeaf): string => topicOf(facility, device, leaf);
  const refuse = (leaf: TopicLeaf, { code }: Pick<Failure, 'code'>): void =>
    log.event('message.refused', { leaf, code });
  const overlook = nameUnknownKeys(log);
  const facilityKey = (): SealingPublicKey => {
    if (currentFacilityKey === undefined) throw new Error('trust.json names no facility key');
    return currentFacilityKey;
  };
  const admit = <T>(leaf: TopicLeaf, opened: Result<Genuine<T>>): Genuine<T> | null => {
    if (!opened.ok) refuse(leaf, opened.failure);
    else heard(opened.value.signer);
    return opened.ok ? opened.value : null;
  };
  return {
    addressee,
    topic,
    publish: (leaf, payload, options) => bus.publish(topic(leaf), payload, options),
    replyTo: (leaf, id) => ({ responseTopic: topic(leaf), correlation: new TextEncoder().encode(id) }),
    sign: (leaf, message) => sign(leaf, message, keys.signing),
    signAndSeal: (leaf, message) => signAndSeal(leaf, message, keys.signing, facilityKey()),
    facilityKey,
    useFacilityKeys: ({ current }) =>
      void importSealingPublicKey(current).then(
        (key) => {
          currentFacilityKey = key;
        },
        () => refuse('settings', { code: 'message.malformed' }),
      ),
    openSigned: async (leaf, schema, bytes) => {
      // Orders may say more than this release knows; nothing else that an agent signs may.
      const leaveOut = leaf === 'command' ? (keys: readonly string[]) => overlook(leaf, keys) : undefined;
      return admit(leaf, await openSigned(leaf, bytes, schema, agents, addressee, leaveOut));
    },
    openSealed: async (leaf, schema, bytes) =>
      admit(leaf, await openSealedAndSigned(leaf, bytes, schema, [keys.sealing], agents, addressee)),
    refuse,
    overlook,
  };
};
