import type { Failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MessageBus } from '../../ports/message-bus.ts';
import type { OutboxRow, Store } from '../../ports/store.ts';
import type { TerminalKeys } from '../../trust/key-files.ts';
import { signerOf } from '../../trust/seal.ts';
import type { TerminalFigures } from '../../wire/figures.ts';
import {
  type Challenge,
  type CommandResult,
  challengesSchema,
  commandSchema,
  type EligibilityRequest,
  type LookupResult,
  lookupResultSchema,
  receiptSchema,
  resultSchema,
  type StateMessage,
} from '../../wire/messages.ts';
import type { TerminalAbout } from '../../wire/terminal-about.ts';
import { publisherOf, type TopicLeaf, topicLeaves } from '../../wire/topics.ts';
import { createCommandGate } from './admit-command.ts';
import { type AgentWatch, createAgentWatch } from './agent-watch.ts';
import { type ChallengePool, createChallengePool, poolDelays } from './challenge-pool.ts';
import { type ClinicEvent, ClinicNews } from './clinic-news.ts';
import { createDevicePost, type DevicePost } from './device-post.ts';
import { createLookups, type Lookups } from './lookups.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createResultWatch, type ResultWatch } from './result-watch.ts';
import { type CertificateTeller, createSelfReport } from './self-report.ts';
import { createSettingsKeeper, type SettingsKeeper } from './settings-keeper.ts';
import { type CardEvidence, type SignedRequest, signRequest } from './sign-request.ts';
import type { StateTeller } from './tell-state.ts';

export type { ClinicEvent } from './clinic-news.ts';

/** The terminal's side of the way to the clinic: nothing is told upwards that was not signed by an agent and meant for us. */
export interface ClinicLink {
  readonly connected: boolean;
  /** Signed requests on the disk of which nobody knows yet what became of them; those of an earlier run, too */
  readonly waiting: number;
  /**
   * A challenge with at least this much life, handed out once and never again; null = none. The pool refills itself.
   * `approval`: a challenge of the agent that signed it; no other takes it.
   */
  takeChallenge(minimumLifeMs: number, approval?: string | null): Challenge | null;
  /** The oldest wire that an agent heard so far speaks (src/wire/versions.ts) */
  agentWire(): number;
  /** The agent's wall clock now, ms: what documents are dated by. null before its first answer. */
  agentNowMs(): number | null;
  challengesReady(minimumLifeMs: number): boolean;
  /** Asks for a sign of life, which is told as `time`; costs the agent no write. */
  askAgent(): void;
  /** `delivery.offline`, or `eligibility.unavailable` when no answer came in time or the caller gave up. */
  lookup(session: string, authCertificateDer: Uint8Array, signal: AbortSignal): Promise<Result<LookupResult>>;
  /** `signRequest` with this device's key and the facility's current one. */
  sign(request: EligibilityRequest, card: CardEvidence): Promise<Result<SignedRequest>>;
  /** ok = the row is durable; delivery goes on in the background until `receipt` or `request-expired`. */
  submit(signed: SignedRequest, mark?: string | null): Promise<Result<void>>;
  /** The visit of this request is over, and its patient has been told all there was. */
  release(requestId: string): void;
  /** A request that could not be kept in time: its patient is sent away, and it shall not go out. */
  cancel(requestId: string): void;
  /** The patient of this request has left without its answer: staff are told that it comes late. */
  tellLate(requestId: string): void;
  /** What orders have come to: told at once, with `state`. */
  tellAbout(about: TerminalAbout): void;
  tellFigures(figures: TerminalFigures): void;
  /** What the update process of this device says; undefined: it has none */
  tellUpdate(update: StateMessage['update']): void;
  /** Retained; told again after each reconnect. */
  publishState(state: StateMessage): void;
  answerCommand(commandId: string, answer: Omit<CommandResult, 'facility' | 'device' | 'commandId'>): void;
  /** Connection, challenges and settings are told to a new listener at once. */
  subscribe(listener: (event: ClinicEvent) => void): () => void;
  /** Ends timers and subscriptions; bus and store belong to whoever made them. */
  close(): Promise<void>;
}

type ClinicLinkOptions = {
  readonly bus: MessageBus;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly keys: TerminalKeys;
  /** This machine's own clock, right or wrong, for the agent to compare with; default: `clock`'s */
  readonly machineWallMs?: () => number;
  /** When the device's certificate ends and is warned of: told to the clinic in `state` */
  readonly subscribeCertificate?: CertificateTeller;
};

/** Why a question did not even get as far as to the agent */
const notTheAgents: ReadonlySet<string> = new Set(['delivery.access-refused', 'delivery.link-lost']);

/** A store that does not open is asked again after this */
const storeRetryMs = 2_000;

/** The parts that the link is joined of. */
type Parts = {
  readonly post: DevicePost;
  readonly news: ClinicNews;
  readonly pool: ChallengePool;
  readonly lookups: Lookups;
  readonly outbox: Outbox;
  readonly results: ResultWatch;
  readonly keeper: SettingsKeeper;
  readonly stateTeller: StateTeller;
  readonly agentWatch: AgentWatch;
} & Pick<ReturnType<typeof createSelfReport>, 'tellLate' | 'noteAccepted' | 'tellAbout' | 'tellFigures' | 'tellUpdate'>;

const createPool = (
  { clock, log, machineWallMs = () => clock.now().wallMs }: ClinicLinkOptions,
  post: DevicePost,
  news: ClinicNews,
  refused: (why: Failure) => void,
): ChallengePool => {
  const pool = createChallengePool({
    clock,
    log,
    ask: async (challengeRequestId, wanted) => {
      const requestedAt = Math.max(0, Math.round(machineWallMs()));
      const message = { ...post.addressee, challengeRequestId, requestedAt, wanted };
      const asked = await post.publish('challenge-request', await post.sign('challenge-request', message), {
        ...post.replyTo('challenge', challengeRequestId),
        expirySeconds: 5,
      });
      if (!asked.ok && notTheAgents.has(asked.failure.code)) refused(asked.failure);
      return asked;
    },
    changed: () => news.setReady(pool.ready(poolDelays.visitLifeMs)),
  });
  return pool;
};

/** What becomes of a request on its way: its receipt is told, then its result is waited for. */
const followRequest =
  (news: ClinicNews, results: ResultWatch, { tellLate, noteAccepted }: Pick<Parts, 'tellLate' | 'noteAccepted'>) =>
  (event: Parameters<Parameters<typeof createOutbox>[0]['tell']>[0]): void => {
    if (event.type === 'earlier-visit') {
      const { requestId, session, visitMark } = event.row;
      // A registration of before the restart is gone on with by nobody: its visit begins anew, or is over.
      if (visitMark === null) return tellLate(requestId);
      return news.foundEarlier({ type: 'earlier-visit', requestId, session, mark: visitMark });
    }
    if (event.type === 'request-expired') {
      results.forget(event.requestId);
      return news.tell(event);
    }
    const { receipt, session, row } = event;
    news.tell({ type: 'receipt', receipt, session });
    if (receipt.verdict !== 'accepted') return results.forget(receipt.requestId);
    noteAccepted({ requestId: receipt.requestId, at: receipt.receivedAt });
    results.await(row);
  };

const createParts = (options: ClinicLinkOptions): Parts => {
  const { bus, store, clock, log, keys } = options;
  const agentNowMs = (): number | null => pool.agentNowMs();
  const heard = (agent: string): void => {
    pool.heard(agent);
    agentWatch.heard();
  };
  const post = createDevicePost({ bus, log, keys, heard });
  const news = new ClinicNews(clock, log);
  const pool = createPool(options, post, news, (why) => agentWatch.refused(why));
  const agentWatch = createAgentWatch({
    clock,
    ask: () => pool.probe(),
    introduce: () => {
      const isTold = stateTeller.tellNow();
      if (isTold) void pool.probe(1);
      return isTold;
    },
    tell: (trouble) => news.setAgent(trouble),
  });
  const sendRequest = (row: Pick<OutboxRow, 'requestId' | 'sealed' | 'expiresAtMs'>): Promise<Result<void>> =>
    post.publish('request', row.sealed, {
      ...post.replyTo('receipt', row.requestId),
      expirySeconds: Math.max(1, Math.ceil((row.expiresAtMs - (agentNowMs() ?? clock.now().wallMs)) / 1000)),
    });
  const results = createResultWatch({
    clock,
    agentNowMs,
    log,
    ask: (awaited) => void sendRequest(awaited),
    tell: (result) => news.tell({ type: 'result', result }),
  });
  const self = createSelfReport(
    (payload) => void post.publish('state', payload, { retain: true }),
    options.subscribeCertificate,
  );
  const { stateTeller, tellSettingsVersion } = self;
  const outbox = createOutbox({
    ...{ store, clock, agentNowMs, log },
    send: (row, isLeft) => {
      // By its own name: a state has room for the newest alone, and others may have left since.
      if (isLeft) self.tellLate(row.requestId);
      return sendRequest(row);
    },
    tell: followRequest(news, results, self),
  });
  const keeper = createSettingsKeeper({
    ...{ store, clock, log, agentNowMs },
    agents: keys.agents,
    addressee: post.addressee,
    overlook: post.overlook,
    apply: (message) => {
      post.useFacilityKeys(message.facilityKeys);
      tellSettingsVersion(message.version);
      news.setSettings(message);
    },
  });
  const lookups = createLookups(post, clock, log);
  return { ...self, post, news, pool, lookups, outbox, results, keeper, stateTeller, agentWatch };
};

type Receivers = Partial<Record<TopicLeaf, (bytes: Uint8Array) => Promise<void>>>;

/** What becomes of each leaf that an agent publishes. */
const receiversOf = (
  { post, news, pool, lookups, outbox, results, keeper, stateTeller, agentWatch }: Parts,
  admitCommand: ReturnType<typeof createCommandGate>,
): Receivers => ({
  challenge: async (bytes) => {
    const opened = await post.openSigned('challenge', challengesSchema, bytes);
    if (opened === null) return;
    const {
      challengeRequestId,
      agentTime,
      timeDoubted = false,
      challenges,
      wire,
      trouble,
      voidBefore,
    } = opened.message;
    if (challenges.some(({ agent }) => agent !== opened.signer))
      return post.refuse('challenge', { code: 'message.forged' });
    const isTaken = pool.stock(opened.signer, challengeRequestId, agentTime, challenges);
    const agentNowMs = isTaken ? pool.agentNowMs() : null;
    if (agentNowMs === null) return post.refuse('challenge', { code: 'message.stale' });
    if (voidBefore !== undefined) pool.forget(opened.signer, voidBefore, challenges);
    stateTeller.heard(opened.signer, wire);
    agentWatch.answered(wire, trouble);
    news.setTime(agentNowMs, timeDoubted);
    outbox.timeKnown();
    outbox.hurry();
    keeper.timeKnown();
  },
  'lookup-result': async (bytes) => {
    const opened = await post.openSealed('lookup-result', lookupResultSchema, bytes);
    if (opened !== null) lookups.receive(opened.message);
  },
  receipt: async (bytes) => {
    const opened = await post.openSigned('receipt', receiptSchema, bytes);
    if (opened === null) return;
    if (opened.message.agent !== opened.signer) return post.refuse('receipt', { code: 'message.forged' });
    const taken = await outbox.receive(opened.message);
    if (!taken.ok) return post.refuse('receipt', taken.failure);
    // An agent of the first release does not say that it lost its challenges: the next patient is not to meet another of them.
    if (opened.message.code === 'message.stale') pool.dropAll();
  },
  result: async (bytes) => {
    const opened = await post.openSealed('result', resultSchema, bytes);
    if (opened !== null) results.receive(opened.message, outbox.holds(opened.message.requestId));
  },
  command: async (bytes) => {
    const opened = await post.openSigned('command', commandSchema, bytes);
    if (opened !== null && (await admitCommand(opened.message)))
      news.tell({ type: 'command', message: opened.message });
  },
  settings: async (bytes) => {
    // An agent that comes back tells its settings: a sign of life, whatever they say.
    if (await keeper.receive(bytes)) outbox.hurry();
  },
});

/**
 * What an earlier run left in the store; asked for until the store answers. After that it is asked at each `look` whether it
 * still opens: a link that begins anew alone may have met another file, and no patient shall be the one who finds out.
 */
const watchStore = ({ outbox, keeper, news, noteAccepted }: Parts, { store, clock, log }: ClinicLinkOptions) => {
  let rowsRead = false;
  let loaded = false;
  let looking = false;
  let closed = false;
  let callOff = (): void => {};
  const load = async (): Promise<Result<void>> => {
    const last = await store.lastAccepted();
    if (last.ok && last.value !== null) noteAccepted({ ...last.value, at: Math.round(last.value.at) });
    // Once: visits of before the restart are told of as they are found, and some may have been answered since.
    const rows = rowsRead ? ok(undefined) : await outbox.load();
    rowsRead ||= rows.ok;
    return rows.ok ? await keeper.load() : rows;
  };
  const look = async (): Promise<void> => {
    if (looking || closed) return;
    looking = true;
    callOff();
    const answered = loaded ? await store.readSettings() : await load();
    looking = false;
    if (closed) return;
    loaded ||= answered.ok;
    if (answered.ok) return news.setStore(null);
    log.event('store.failed', { code: answered.failure.code });
    news.setStore(answered.failure);
    callOff = clock.wakeAt(clock.now().monotonicMs + storeRetryMs, () => void look());
  };
  void look();
  return {
    look: () => void look(),
    close: () => {
      closed = true;
      callOff();
    },
  };
};

export const createClinicLink = (options: ClinicLinkOptions): ClinicLink => {
  const { bus, clock, keys } = options;
  const parts = createParts(options);
  const { post, news, pool, lookups, outbox, results, keeper, stateTeller } = parts;
  const { tellLate, tellAbout, tellFigures, tellUpdate } = parts;
  const receivers = receiversOf(parts, createCommandGate({ ...options, agentNowMs: () => pool.agentNowMs() }));
  let closed = false;
  const storeWatch = watchStore(parts, options);

  const endings = topicLeaves
    .filter((leaf) => publisherOf[leaf] === 'agent')
    .map((leaf) =>
      bus.subscribe(post.topic(leaf), ({ payload, topic: arrivedOn }) => {
        if (!closed && arrivedOn === post.topic(leaf)) void receivers[leaf]?.(payload);
      }),
    );
  endings.push(
    bus.subscribeConnection((isConnected, why) => {
      if (closed) return;
      stateTeller.setConnected(isConnected);
      outbox.setConnected(isConnected);
      pool.setConnected(isConnected);
      parts.agentWatch.setConnected(isConnected);
      results.setConnected(isConnected);
      if (isConnected) lookups.reconnected();
      news.setConnection(isConnected, why);
      if (why?.code !== 'delivery.link-lost') storeWatch.look();
    }),
  );

  return {
    get connected() {
      return news.connected;
    },
    get waiting() {
      return outbox.waiting;
    },
    agentWire: stateTeller.wire,
    takeChallenge: (lifeMs, approval = null) =>
      pool.take(lifeMs, approval === null ? undefined : signerOf(approval, keys.agents)),
    ...{ agentNowMs: () => pool.agentNowMs(), challengesReady: (minimumLifeMs) => pool.ready(minimumLifeMs) },
    askAgent: () => void pool.probe(),
    lookup: async (session, authCertificateDer, signal) =>
      news.connected ? lookups.ask(session, authCertificateDer, signal) : err(news.cause),
    sign: (request, card) => signRequest(request, card, { device: keys.signing, facility: post.facilityKey() }),
    submit: ({ requestId, session, documentHash, sealed, expiresAt: expiresAtMs }, visitMark = null) => {
      const createdAtMs = Math.round(pool.agentNowMs() ?? clock.now().wallMs);
      return outbox.add({ requestId, session, documentHash, sealed, createdAtMs, expiresAtMs, visitMark });
    },
    release: (requestId) => outbox.release(requestId),
    cancel: (requestId) => outbox.cancel(requestId),
    tellLate: (requestId) => {
      tellLate(requestId);
      outbox.leave(requestId);
    },
    ...{ tellAbout, tellFigures, tellUpdate },
    publishState: stateTeller.tell,
    answerCommand: (commandId, answer) => {
      const message = { ...post.addressee, commandId, ...answer };
      void post.sign('command-result', message).then((bytes) => post.publish('command-result', bytes));
    },
    subscribe: (listener) => news.subscribe(listener),
    close: async () => {
      closed = true;
      news.close();
      for (const end of endings) end();
      for (const part of [lookups, outbox, pool, results, keeper, parts.agentWatch, storeWatch]) part.close();
    },
  };
};
