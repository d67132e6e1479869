import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { type Failure, failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MessageBus } from '../../ports/message-bus.ts';
import type { OutboxRow, Store } from '../../ports/store.ts';
import { toBase64url } from '../../protocol/base64url.ts';
import { importSealingPublicKey, type TerminalKeys } from '../../trust/key-files.ts';
import { openSealedAndSigned, openSigned, type SealingPublicKey, sign, signAndSeal } from '../../trust/seal.ts';
import {
  type Challenge,
  type CommandMessage,
  challengesSchema,
  commandSchema,
  type EligibilityRequest,
  type LookupResult,
  lookupResultSchema,
  type Receipt,
  type ResultMessage,
  receiptSchema,
  resultSchema,
  type SettingsMessage,
  type StateMessage,
} from '../../wire/messages.ts';
import { publisherOf, type TopicLeaf, topicLeaves, topicOf } from '../../wire/topics.ts';
import { type ChallengePool, createChallengePool, poolDelays } from './challenge-pool.ts';
import { createOutbox, type OutboxDelays } from './outbox.ts';
import { createResultWatch } from './result-watch.ts';
import { createSettingsKeeper } from './settings-keeper.ts';
import { type CardEvidence, type SignedRequest, signRequest } from './sign-request.ts';
import { createStateTeller } from './tell-state.ts';

export type ClinicEvent =
  | { readonly type: 'connected' }
  /** Again when the cause changes: `delivery.offline`, `delivery.broker-untrusted`, `delivery.access-refused`, `storage.…` */
  | { readonly type: 'disconnected'; readonly failure: Failure }
  | { readonly type: 'challenges-ready'; readonly ready: boolean }
  /** Why the store cannot be opened; null = it is open (again) */
  | { readonly type: 'store'; readonly failure: Failure | null }
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly session: string }
  /** Never before the receipt, and once */
  | { readonly type: 'result'; readonly result: ResultMessage }
  | { readonly type: 'request-expired'; readonly requestId: string; readonly session: string }
  | { readonly type: 'settings'; readonly message: SettingsMessage }
  | { readonly type: 'command'; readonly message: CommandMessage };

/** The terminal's side of the way to the clinic: nothing is told upwards that was not signed by an agent and meant for us. */
export interface ClinicLink {
  readonly connected: boolean;
  /** A challenge with at least this much life, handed out once and never again; null = none. The pool refills itself. */
  takeChallenge(minimumLifeMs: number): Challenge | null;
  /** The agent's wall clock now, ms: what documents are dated by. null before its first answer. */
  agentNowMs(): number | null;
  challengesReady(minimumLifeMs: number): boolean;
  /** `delivery.offline`, or `eligibility.unavailable` when no answer came in time or the caller gave up. */
  lookup(session: string, authCertificateDer: Uint8Array, signal: AbortSignal): Promise<Result<LookupResult>>;
  /** `signRequest` with this device's key and the facility's current one. */
  sign(request: EligibilityRequest, card: CardEvidence): Promise<Result<SignedRequest>>;
  /** ok = the row is durable; delivery goes on in the background until `receipt` or `request-expired`. */
  submit(signed: SignedRequest): Promise<Result<void>>;
  /** Retained; told again after each reconnect. */
  publishState(state: StateMessage): void;
  answerCommand(commandId: string, outcome: 'done' | 'refused', code?: string): void;
  /** Connection, challenges and settings are told to a new listener at once. */
  subscribe(listener: (event: ClinicEvent) => void): () => void;
  /** Ends timers and subscriptions; bus and store belong to whoever made them. */
  close(): Promise<void>;
}

export type ClinicLinkOptions = {
  readonly bus: MessageBus;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly keys: TerminalKeys;
  readonly outboxDelays?: Partial<OutboxDelays>;
};

/** The slow national service needs 3-7 s; after this the patient's screens do without. */
const lookupMs = 10_000;
const storeRetryMs = 2_000;
/** More signed commands than this in a minute are not carried out. */
const commandsPerMinute = 30;

type PendingLookup = {
  readonly payload: Uint8Array;
  readonly startedAtMs: number;
  readonly settle: (result: Result<LookupResult>) => void;
};

export const createClinicLink = (options: ClinicLinkOptions): ClinicLink => {
  const { bus, store, clock, log, keys } = options;
  const { facility, device, agents } = keys;
  const addressee = { facility, device };
  const listeners = new Set<(event: ClinicEvent) => void>();
  const lookups = new Map<string, PendingLookup>();
  let connected = false;
  let cause: Failure = failure('delivery.offline', 'not connected yet');
  let ready = false;
  let changedAtMs = clock.now().monotonicMs;
  let settings: SettingsMessage | null = null;
  let facilityKey = keys.facilityKeys[0];
  let storeTrouble: Failure | null = null;
  let commandTimes: readonly number[] = [];
  let closed = false;
  let callOffLoad: (() => void) | null = null;

  const tell = (event: ClinicEvent): void => {
    if (!closed) for (const listener of [...listeners]) listener(event);
  };
  const connection = (): ClinicEvent =>
    storeTrouble === null && connected
      ? { type: 'connected' }
      : { type: 'disconnected', failure: storeTrouble ?? cause };
  const topic = (leaf: TopicLeaf): string => topicOf(facility, device, leaf);
  const currentFacilityKey = (): SealingPublicKey => {
    if (facilityKey === undefined) throw new Error('trust.json names no facility key');
    return facilityKey;
  };
  const refuse = (leaf: TopicLeaf, { code }: Pick<Failure, 'code'>): void =>
    log.event('message.refused', { leaf, code });
  const replyTo = (leaf: TopicLeaf, id: string) => ({
    responseTopic: topic(leaf),
    correlation: new TextEncoder().encode(id),
  });

  const sendRequest = (row: Pick<OutboxRow, 'requestId' | 'sealed'>, expiresAtMs: number): Promise<Result<void>> =>
    bus.publish(topic('request'), row.sealed, {
      ...replyTo('receipt', row.requestId),
      expirySeconds: Math.max(1, Math.ceil((expiresAtMs - clock.now().wallMs) / 1000)),
    });

  const results = createResultWatch({
    clock,
    log,
    ask: ({ requestId, sealed, expiresAtMs }) => void sendRequest({ requestId, sealed }, expiresAtMs),
    tell: (result) => tell({ type: 'result', result }),
  });

  const outbox = createOutbox({
    store,
    clock,
    log,
    send: (row) => sendRequest(row, row.expiresAtMs),
    tell: (event) => {
      if (event.type === 'request-expired') {
        results.forget(event.requestId);
        return tell(event);
      }
      const { receipt, session, row } = event;
      tell({ type: 'receipt', receipt, session });
      if (receipt.verdict === 'accepted') results.await(row);
      else results.forget(receipt.requestId);
    },
    ...(options.outboxDelays ? { delays: options.outboxDelays } : {}),
  });

  const pool: ChallengePool = createChallengePool({
    clock,
    log,
    ask: async (challengeRequestId, wanted) => {
      const message = { ...addressee, challengeRequestId, requestedAt: clock.now().wallMs, wanted };
      return bus.publish(topic('challenge-request'), await sign('challenge-request', message, keys.signing), {
        ...replyTo('challenge', challengeRequestId),
        expirySeconds: 5,
      });
    },
    changed: () => {
      const now = pool.ready(poolDelays.visitLifeMs);
      if (now !== ready) tell({ type: 'challenges-ready', ready: now });
      ready = now;
    },
  });

  const keeper = createSettingsKeeper({
    store,
    clock,
    log,
    agents,
    addressee,
    apply: (message) => {
      settings = message;
      void importSealingPublicKey(message.facilityKeys.current).then(
        (key) => {
          facilityKey = key;
        },
        () => refuse('settings', { code: 'message.malformed' }),
      );
      tell({ type: 'settings', message });
    },
  });

  const stateTeller = createStateTeller((payload) => void bus.publish(topic('state'), payload, { retain: true }));

  const receiveCommand = async (message: CommandMessage): Promise<void> => {
    const { commandId, nonce, expiresAt } = message;
    const refuseCommand = (code: Failure['code']): void => log.event('command.refused', { command: commandId, code });
    const agentNowMs = pool.agentNowMs();
    // Before the first challenge nobody knows the time well enough to tell an old command from a new one.
    if (agentNowMs === null || expiresAt <= agentNowMs) return refuseCommand('message.stale');
    const nowMs = clock.now().monotonicMs;
    commandTimes = [...commandTimes.filter((atMs) => nowMs - atMs < 60_000), nowMs];
    if (commandTimes.length > commandsPerMinute) return refuseCommand('message.stale');
    const first = await store.rememberNonce(nonce, expiresAt, agentNowMs);
    if (!first.ok) return refuseCommand('delivery.store-failed');
    if (!first.value) return refuseCommand('message.stale');
    tell({ type: 'command', message });
  };

  const signed =
    <T extends { facility: string; device: string }>(leaf: TopicLeaf, schema: z.ZodType<T>) =>
    async (bytes: Uint8Array): Promise<{ readonly message: T; readonly signer: string } | null> => {
      const opened = await openSigned(leaf, bytes, schema, agents, addressee);
      if (!opened.ok) refuse(leaf, opened.failure);
      else pool.heard(opened.value.signer);
      return opened.ok ? opened.value : null;
    };
  const sealed =
    <T extends { facility: string; device: string }>(leaf: TopicLeaf, schema: z.ZodType<T>) =>
    async (bytes: Uint8Array): Promise<T | null> => {
      const opened = await openSealedAndSigned(leaf, bytes, schema, [keys.sealing], agents, addressee);
      if (!opened.ok) refuse(leaf, opened.failure);
      else pool.heard(opened.value.signer);
      return opened.ok ? opened.value.message : null;
    };
  const openChallenges = signed('challenge', challengesSchema);
  const openReceipt = signed('receipt', receiptSchema);
  const openCommand = signed('command', commandSchema);
  const openLookupResult = sealed('lookup-result', lookupResultSchema);
  const openResult = sealed('result', resultSchema);

  const receivers: Partial<Record<TopicLeaf, (bytes: Uint8Array) => Promise<void>>> = {
    challenge: async (bytes) => {
      const opened = await openChallenges(bytes);
      if (opened === null) return;
      const { challengeRequestId, agentTime, challenges } = opened.message;
      if (challenges.some(({ agent }) => agent !== opened.signer))
        return refuse('challenge', { code: 'message.forged' });
      if (pool.stock(challengeRequestId, agentTime, challenges)) outbox.hurry();
      else refuse('challenge', { code: 'message.stale' });
    },
    'lookup-result': async (bytes) => {
      const message = await openLookupResult(bytes);
      const pending = message === null ? undefined : lookups.get(message.lookupId);
      if (message === null || pending === undefined) return;
      log.event('lookup.answered', { lookup: message.lookupId, ms: clock.now().monotonicMs - pending.startedAtMs });
      pending.settle(ok(message));
    },
    receipt: async (bytes) => {
      const opened = await openReceipt(bytes);
      if (opened === null) return;
      if (opened.message.agent !== opened.signer) return refuse('receipt', { code: 'message.forged' });
      const taken = await outbox.receive(opened.message);
      if (!taken.ok) refuse('receipt', taken.failure);
    },
    result: async (bytes) => {
      const message = await openResult(bytes);
      if (message !== null) results.receive(message, outbox.holds(message.requestId));
    },
    command: async (bytes) => {
      const opened = await openCommand(bytes);
      if (opened !== null) await receiveCommand(opened.message);
    },
    settings: async (bytes) => {
      // An agent that comes back tells its settings: a sign of life, whatever they say.
      if (await keeper.receive(bytes)) outbox.hurry();
    },
  };

  /** What cannot be kept cannot be sent: as long as the store does not open, the way to the clinic counts as closed. */
  const tellStore = (trouble: Failure | null): void => {
    if (trouble?.code === storeTrouble?.code) return;
    storeTrouble = trouble;
    tell({ type: 'store', failure: trouble });
    tell(connection());
  };
  const load = async (): Promise<void> => {
    const rows = await outbox.load();
    const loaded = rows.ok ? await keeper.load() : rows;
    if (closed) return;
    if (loaded.ok) return tellStore(null);
    log.event('store.failed', { code: loaded.failure.code });
    tellStore(loaded.failure);
    callOffLoad = clock.wakeAt(clock.now().monotonicMs + storeRetryMs, () => void load());
  };
  void load();

  const endings = topicLeaves
    .filter((leaf) => publisherOf[leaf] === 'agent')
    .map((leaf) =>
      bus.subscribe(topic(leaf), ({ payload, topic: arrivedOn }) => {
        if (!closed && arrivedOn === topic(leaf)) void receivers[leaf]?.(payload);
      }),
    );
  endings.push(
    bus.subscribeConnection((isConnected, why) => {
      if (closed) return;
      const nowMs = clock.now().monotonicMs;
      if (isConnected && !connected) log.event('bus.connected', { ms: nowMs - changedAtMs });
      if (!isConnected && connected) log.event('bus.disconnected', {});
      if (isConnected !== connected) changedAtMs = nowMs;
      const changed = isConnected !== connected || (why !== undefined && why.code !== cause.code);
      connected = isConnected;
      cause = why ?? cause;
      stateTeller.setConnected(isConnected);
      outbox.setConnected(isConnected);
      pool.setConnected(isConnected);
      results.setConnected(isConnected);
      if (isConnected) for (const { payload } of lookups.values()) void bus.publish(topic('lookup'), payload);
      if (changed) tell(connection());
    }),
  );

  const lookup = async (
    session: string,
    authCertificateDer: Uint8Array,
    signal: AbortSignal,
  ): Promise<Result<LookupResult>> => {
    if (!connected) return err(cause);
    const lookupId = randomUUID();
    const now = clock.now();
    const message = {
      ...addressee,
      lookupId,
      session,
      requestedAt: now.wallMs,
      authCertificate: toBase64url(authCertificateDer),
    };
    const payload = await signAndSeal('lookup', message, keys.signing, currentFacilityKey());
    return new Promise((resolve) => {
      const unanswered = (detail: string): void => {
        log.event('lookup.unanswered', { lookup: lookupId, ms: clock.now().monotonicMs - now.monotonicMs });
        settle(err(failure('eligibility.unavailable', detail)));
      };
      const giveUp = (): void => settle(err(failure('eligibility.unavailable', 'the visit is over')));
      const callOff = clock.wakeAt(now.monotonicMs + lookupMs, () => unanswered('no answer in time'));
      const settle = (result: Result<LookupResult>): void => {
        callOff();
        signal.removeEventListener('abort', giveUp);
        lookups.delete(lookupId);
        resolve(result);
      };
      if (signal.aborted || closed) return giveUp();
      signal.addEventListener('abort', giveUp);
      lookups.set(lookupId, { payload, startedAtMs: now.monotonicMs, settle });
      const expirySeconds = lookupMs / 1000;
      void bus.publish(topic('lookup'), payload, { ...replyTo('lookup-result', lookupId), expirySeconds });
    });
  };

  return {
    get connected() {
      return connected;
    },
    takeChallenge: (minimumLifeMs) => pool.take(minimumLifeMs),
    agentNowMs: () => pool.agentNowMs(),
    challengesReady: (minimumLifeMs) => pool.ready(minimumLifeMs),
    lookup,
    sign: (request, card) => signRequest(request, card, { device: keys.signing, facility: currentFacilityKey() }),
    submit: ({ requestId, session, documentHash, sealed: bytes, expiresAt }) => {
      const { wallMs } = clock.now();
      // What is left by the agent's clock, written down by ours.
      const leftMs = expiresAt - (pool.agentNowMs() ?? wallMs);
      return outbox.add({
        requestId,
        session,
        documentHash,
        sealed: bytes,
        createdAtMs: wallMs,
        expiresAtMs: wallMs + Math.round(leftMs),
      });
    },
    publishState: stateTeller.tell,
    answerCommand: (commandId, outcome, code) => {
      const message = { ...addressee, commandId, outcome, ...(code === undefined ? {} : { code }) };
      void sign('command-result', message, keys.signing).then((bytes) => bus.publish(topic('command-result'), bytes));
    },
    subscribe: (listener) => {
      listeners.add(listener);
      listener(connection());
      if (storeTrouble !== null) listener({ type: 'store', failure: storeTrouble });
      listener({ type: 'challenges-ready', ready });
      if (settings !== null) listener({ type: 'settings', message: settings });
      return () => listeners.delete(listener);
    },
    close: async () => {
      closed = true;
      callOffLoad?.();
      for (const end of endings) end();
      for (const { settle } of [...lookups.values()]) settle(err(failure('delivery.offline', 'closed')));
      outbox.close();
      pool.close();
      results.close();
      keeper.close();
    },
  };
};
