import { type Failure, type FailureCode, failure } from '../../core/failure.ts';
import { err, type Result } from '../../core/result.ts';
import { describeError } from '../../log/event-log.ts';
import type { Delivery } from '../../ports/message-bus.ts';
import { equalBytes } from '../../protocol/bytes.ts';
import type { StateMessage } from '../../wire/messages.ts';
import { parseTopic, publisherOf, type TopicLeaf, topicLeaves, topicOf } from '../../wire/topics.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';
import { AgentPost } from '../agent-post.ts';
import { answerChallenges, refuseChallenges } from '../intake/answer-challenges.ts';
import { answerLookup } from '../intake/answer-lookup.ts';
import type { ConsentTexts } from '../intake/consent-texts.ts';
import { LookupMemory } from '../intake/lookup-memory.ts';
import { receiveRequest } from '../intake/receive-request.ts';
import { RecentIds } from '../intake/recent-ids.ts';
import { HandOver } from '../oqs-folder/hand-over.ts';
import { publishSettings } from '../settings/publish-settings.ts';
import { CommandDesk } from './command-desk.ts';
import { compareWithTerminals } from './compare-with-terminals.ts';
import { LaneShare } from './lane-share.ts';
import { Lanes } from './lanes.ts';

const fromDevices = topicLeaves.filter((leaf) => publisherOf[leaf] === 'device');

/** More than this of one terminal waiting to be worked on, and the rest is dropped: a terminal sends again what matters. */
const maximumWaiting = 64;
/** A terminal that says nothing of its settings is told them this often at most. ms */
const tellAgainMs = 5_000;

/** The field that is out of its range, where that is what is wrong: schemas end their detail with its name. */
const fieldOf = ({ code, detail }: Failure): string | undefined =>
  code === 'message.malformed'
    ? /: (?!shape$)([a-z][A-Za-z]*(?:\.[A-Za-z0-9]+){0,4})$/.exec(detail ?? '')?.[1]
    : undefined;

/**
 * Everything that comes from terminals: sorted by topic, the sender looked up in the registry, one message of a terminal
 * after the other. Lookups wait for the national service and run beside the rest.
 */
export class AgentDesk {
  readonly lanes: Lanes;
  readonly commands: CommandDesk;
  readonly handOver: HandOver;
  /** Which terminals this one of several agents answers */
  readonly share: LaneShare;
  readonly #context: AgentContext;
  readonly #post: AgentPost;
  readonly #memory = new LookupMemory();
  readonly #answered = new RecentIds();
  readonly #consentTexts: () => ConsentTexts;
  readonly #queues = new Map<string, { last: Promise<void>; readonly waiting: Set<Incoming> }>();
  readonly #unsubscribe: (() => void)[];
  readonly #toldAgainAtMs = new Map<string, number>();
  readonly #compareWithTerminals: ReturnType<typeof compareWithTerminals>;
  readonly #rejections = new Map<string, { device: string; code: FailureCode; times: number }>();
  /** The lane whose turn it last was to take this agent's release */
  #turn: number | null = null;
  #connected = false;
  #disconnection: FailureCode = 'delivery.offline';

  constructor(context: AgentContext, texts: () => ConsentTexts) {
    this.#context = context;
    this.#post = new AgentPost(context, (device) => this.lanes.wireOf(device));
    this.#consentTexts = texts;
    this.lanes = new Lanes(context);
    this.#compareWithTerminals = compareWithTerminals(context);
    this.commands = new CommandDesk(context, this.#post, { lanes: this.lanes, memory: this.#memory });
    this.handOver = new HandOver(context, this.#post, this.#memory);
    const { bus, keys, clock } = context;
    this.share = new LaneShare(
      keys().agent,
      () => clock.now().monotonicMs,
      (incoming) => this.#take(incoming),
    );
    this.#unsubscribe = [
      ...fromDevices.map((leaf) =>
        bus.subscribe(topicOf(keys().facility, '+', leaf), (delivery) => this.#receive(delivery)),
      ),
      bus.subscribeConnection((connected, cause) => {
        this.#disconnection = cause?.code ?? this.#disconnection;
        const again = connected && !this.#connected;
        this.#connected = connected;
        if (again) this.publishSettings();
        context.changed();
      }),
    ];
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Why not, while it is not */
  get disconnection(): FailureCode {
    return this.#disconnection;
  }

  /** Also told again after each reconnect, so that a failure here has its next try. */
  publishSettings(only?: string): void {
    publishSettings(this.#context, this.#post, only).catch((error) =>
      this.#context.log.event('process.error', describeError(error)),
    );
  }

  close(): void {
    this.handOver.stop();
    try {
      this.flushRejections();
    } catch (error) {
      // A full disk: counts of the last seconds are lost, and no more.
      this.#context.log.event('process.error', describeError(error));
    }
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #receive({ topic, payload }: Delivery): void {
    const parsed = parseTopic(topic);
    if (parsed === null || parsed.facility !== this.#context.keys().facility) return;
    const device = this.#context.devices().get(parsed.device);
    if (device === undefined || device.revoked) {
      this.#reject(parsed.device, parsed.leaf, 'message.forged');
      // Not to be taken for an agent that is silent: who was revoked in error hears why.
      if (device !== undefined && parsed.leaf === 'challenge-request')
        void refuseChallenges({ leaf: parsed.leaf, device, payload }, this.#context, this.#post, this.#answered);
      return;
    }
    this.share.receive({ leaf: parsed.leaf, device, payload });
  }

  #take(incoming: Incoming): void {
    if (incoming.leaf === 'lookup') void this.#work(incoming);
    else this.#enqueue(incoming);
  }

  #enqueue(incoming: Incoming): void {
    const queue = this.#queues.get(incoming.device.device) ?? { last: Promise.resolve(), waiting: new Set<Incoming>() };
    this.#queues.set(incoming.device.device, queue);
    const { waiting } = queue;
    if (waiting.size >= maximumWaiting) return;
    // A terminal that has heard nothing for a second sends the same again: what is still in work is answered once.
    const isSame = ({ leaf, payload }: Incoming): boolean =>
      leaf === 'request' && leaf === incoming.leaf && equalBytes(payload, incoming.payload);
    if ([...waiting].some(isSame)) return;
    waiting.add(incoming);
    queue.last = queue.last
      .then(() => this.#work(incoming))
      .finally(() => {
        waiting.delete(incoming);
      });
  }

  async #work(incoming: Incoming): Promise<void> {
    const worked = await this.#answer(incoming).catch((error: unknown) => {
      this.#context.log.event('store.failed', { code: this.#context.disk.failed(error) });
      return err(failure('delivery.store-failed'));
    });
    // A broker that does not take our answer is no fault of the sender.
    if (!worked.ok && worked.failure.code.startsWith('message.'))
      this.#reject(incoming.device.device, incoming.leaf, worked.failure.code, fieldOf(worked.failure));
  }

  #answer(incoming: Incoming): Promise<Result<unknown>> {
    switch (incoming.leaf) {
      case 'state':
        return this.#receiveState(incoming);
      case 'challenge-request':
        return answerChallenges(incoming, this.#context, this.#post, {
          answered: this.#answered,
          noteClock: (device, aheadMs) => this.lanes.noteClock(device, aheadMs),
          folderFault: () => this.handOver.folderFault?.code ?? null,
        });
      case 'lookup':
        return answerLookup(incoming, this.#context, this.#post, {
          memory: this.#memory,
          answered: this.#answered,
          consentTexts: this.#consentTexts,
        });
      case 'request':
        return receiveRequest(incoming, {
          context: this.#context,
          post: this.#post,
          memory: this.#memory,
          afterReceipt: this.handOver,
          consentTexts: this.#consentTexts(),
        }).finally(() => this.lanes.requestCame(incoming.device.device));
      case 'command-result':
        return this.commands.receive(incoming);
      default:
        return Promise.resolve(err(failure('message.malformed', 'a topic that terminals do not write')));
    }
  }

  /**
   * A terminal that speaks another wire than before, holds settings that this journal does not know of, or none at all, is
   * told anew.
   */
  async #receiveState(incoming: Incoming): Promise<Result<StateMessage>> {
    const { device } = incoming.device;
    const wireBefore = this.lanes.wireOf(device);
    const received = this.lanes.receive(incoming);
    if (!received.ok) return received;
    const version = this.lanes.settingsVersionOf(device);
    const isBehind = this.#context.journal.learnSettingsFloor(device, version);
    this.#compareWithTerminals(received.value, isBehind, incoming.device.addedAt);
    const turn = this.#context.release?.()?.lane ?? null;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.publishSettings();
      return received;
    }
    if (isBehind || this.#lacksSettings(device, version) || wireBefore !== this.lanes.wireOf(device))
      this.publishSettings(device);
    return received;
  }

  /**
   * The retained message may be gone with a broker's store. A terminal that has not yet heard what we speak does not say
   * what it holds: it is told no oftener than this costs nothing.
   */
  #lacksSettings(device: string, version: number): boolean {
    const nowMs = this.#context.clock.now().monotonicMs;
    const lately = nowMs - (this.#toldAgainAtMs.get(device) ?? Number.NEGATIVE_INFINITY) < tellAgainMs;
    if (version > 0 || lately || !this.lanes.isOnline(device) || this.lanes.wireOf(device) < 2) return false;
    this.#toldAgainAtMs.set(device, nowMs);
    return true;
  }

  /** Counted in memory, written by `flushRejections`: whoever sends rubbish must not cost a disk write each time. */
  #reject(device: string, leaf: TopicLeaf, code: FailureCode, field?: string): void {
    const known = this.#context.devices().has(device) ? device : 'unknown';
    const key = `${known} ${code}`;
    const counted = this.#rejections.get(key);
    if (counted) counted.times += 1;
    else {
      this.#rejections.set(key, { device: known, code, times: 1 });
      this.#context.log.event('message.refused', { leaf, code, device: known, ...(field !== undefined && { field }) });
    }
  }

  flushRejections(): void {
    const { journal, clock } = this.#context;
    for (const { device, code, times } of this.#rejections.values())
      journal.reject(device, code, times, clock.now().wallMs);
    this.#rejections.clear();
  }
}
