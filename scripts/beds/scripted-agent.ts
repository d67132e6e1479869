import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../src/ports/clock.ts';
import type { Delivery, MessageBus } from '../../src/ports/message-bus.ts';
import { parseDocument } from '../../src/protocol/evidence.ts';
import { hashOf } from '../../src/trust/document-hash.ts';
import { openSealed, openSealedAndSigned, openSigned, sign, signAndSeal } from '../../src/trust/seal.ts';
import {
  type CommandMessage,
  challengeRequestSchema,
  type LookupResult,
  lookupSchema,
  type Receipt,
  type SettingsMessage,
} from '../../src/wire/messages.ts';
import { type TopicLeaf, topicOf } from '../../src/wire/topics.ts';
import { facility, type TestFacility, testSettings } from './test-facility.ts';

/**
 * The other end for tests of the link: real keys, real seals, and the answers that the test wants. The agent itself
 * (checks, journal) has tests of its own.
 */
export class ScriptedAgent {
  readonly received: { readonly requestId: string; readonly documentHash: string }[] = [];
  answersChallenges = true;
  answersLookups = true;
  answersRequests = true;
  sendsResults = true;
  /** Messages being worked on */
  busy = 0;
  /** The newest wire that it says it speaks; undefined: version 1, which says nothing */
  wire: number | undefined;
  /** It says that it knows none of its challenges of before this instant */
  voidBefore: number | undefined;
  challengeLifeMs = 600_000;
  clockOffsetMs = 0;
  receipt: Partial<Receipt> = {};
  lookupResult: Partial<LookupResult> = {};

  readonly #bus: MessageBus;
  readonly #clock: Clock;
  readonly #facility: TestFacility;

  constructor(bus: MessageBus, clock: Clock, testFacility: TestFacility) {
    this.#bus = bus;
    this.#clock = clock;
    this.#facility = testFacility;
    const on = (leaf: TopicLeaf, receive: (payload: Uint8Array) => Promise<void>): void => {
      bus.subscribe(topicOf(facility, '+', leaf), ({ payload }: Delivery) => {
        this.busy++;
        void receive(payload).finally(() => {
          this.busy--;
        });
      });
    };
    on('challenge-request', (payload) => this.#challenge(payload));
    on('lookup', (payload) => this.#lookup(payload));
    on('request', (payload) => this.#request(payload));
  }

  nowMs(): number {
    return this.#clock.now().wallMs + this.clockOffsetMs;
  }

  async send(leaf: TopicLeaf, message: object, retain = false): Promise<void> {
    const bytes = await sign(leaf, { ...this.addressee, ...message }, this.#facility.agent.signing);
    await this.#bus.publish(topicOf(facility, 'front-1', leaf), bytes, { retain });
  }

  async sendSealed(leaf: TopicLeaf, message: object): Promise<void> {
    const { agent, registry } = this.#facility;
    const device = registry.get('front-1');
    if (device === undefined) throw new Error('no front-1');
    const bytes = await signAndSeal(leaf, { ...this.addressee, ...message }, agent.signing, device.sealing);
    await this.#bus.publish(topicOf(facility, 'front-1', leaf), bytes);
  }

  readonly addressee = { facility, device: 'front-1' };

  settings(version: number, more: Partial<SettingsMessage> = {}): Promise<void> {
    const message = {
      version,
      validFrom: this.nowMs(),
      facilitySettings: testSettings,
      facilityKeys: this.#facility.agent.facilityKeys,
      ...more,
    };
    return this.send('settings', message, true);
  }

  command(command: CommandMessage['command'], more: Partial<CommandMessage> = {}): Promise<void> {
    const issuedAt = this.nowMs();
    const message = {
      commandId: randomUUID(),
      nonce: randomBytes(32).toString('base64url'),
      issuedAt,
      expiresAt: issuedAt + 30_000,
      command,
      ...more,
    };
    return this.send('command', message);
  }

  async #challenge(payload: Uint8Array): Promise<void> {
    if (!this.answersChallenges) return;
    const { agent, device } = this.#facility;
    const key = { owner: 'front-1', kid: device.signing.kid, key: await this.#devicePublicKey() };
    const opened = await openSigned('challenge-request', payload, challengeRequestSchema, [key], this.addressee);
    if (!opened.ok) throw new Error(opened.failure.detail);
    const agentTime = this.nowMs();
    const challenges = Array.from({ length: opened.value.message.wanted }, () => ({
      nonce: randomBytes(32).toString('base64url'),
      agent: agent.agent,
      issuedAt: agentTime,
      expiresAt: agentTime + this.challengeLifeMs,
    }));
    const { challengeRequestId } = opened.value.message;
    const wire = this.wire === undefined ? {} : { wire: this.wire };
    const forgotten = this.voidBefore === undefined ? {} : { voidBefore: this.voidBefore };
    await this.send('challenge', { challengeRequestId, agentTime, challenges, ...wire, ...forgotten });
  }

  async #devicePublicKey() {
    const key = this.#facility.registry.get('front-1')?.signing.key;
    if (key === undefined) throw new Error('no front-1');
    return key;
  }

  async #lookup(payload: Uint8Array): Promise<void> {
    if (!this.answersLookups) return;
    const device = this.#facility.registry.get('front-1');
    if (device === undefined) throw new Error('no front-1');
    const { agent } = this.#facility;
    const opened = await openSealedAndSigned(
      'lookup',
      payload,
      lookupSchema,
      agent.sealing,
      [device.signing],
      this.addressee,
    );
    if (!opened.ok) throw new Error(opened.failure.detail);
    await this.sendSealed('lookup-result', {
      lookupId: opened.value.message.lookupId,
      registered: 'yes',
      certificateStatus: 'good',
      medicalSubsidy: false,
      prescription: { use: 1, timing: 2 },
      ...this.lookupResult,
    });
  }

  async #request(payload: Uint8Array): Promise<void> {
    const opened = await openSealed('request', payload, this.#facility.agent.sealing);
    if (!opened.ok) throw new Error(opened.failure.detail);
    const parsed = parseDocument(opened.value);
    if (!parsed.ok) throw new Error(parsed.failure.detail);
    const { requestId } = parsed.value.request;
    const documentHash = hashOf(opened.value);
    this.received.push({ requestId, documentHash });
    if (!this.answersRequests) return;
    const receivedAt = this.nowMs();
    const receipt = { requestId, documentHash, receivedAt, agent: 'agent-1', verdict: 'accepted', ...this.receipt };
    await this.send('receipt', receipt);
    if (this.sendsResults)
      await this.sendSealed('result', { requestId, outcome: 'eligible', qualificationValidity: 1 });
  }
}
