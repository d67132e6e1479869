import { randomUUID } from 'node:crypto';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import { toBase64url } from '../../protocol/base64url.ts';
import type { LookupResult } from '../../wire/messages.ts';
import type { DevicePost } from './device-post.ts';

/** The slow national service needs 3-7 s; after this the patient's screens do without. */
const lookupMs = 10_000;

type Pending = {
  readonly send: () => void;
  readonly startedAtMs: number;
  readonly settle: (result: Result<LookupResult>) => void;
};

/** Questions about a certificate that are out, asked again after each reconnect. */
export interface Lookups {
  /** `eligibility.unavailable` when no answer came in time or the caller gave up. */
  ask(session: string, authCertificateDer: Uint8Array, signal: AbortSignal): Promise<Result<LookupResult>>;
  /** A genuine answer; to nobody's question (any more): dropped. */
  receive(result: LookupResult): void;
  reconnected(): void;
  close(): void;
}

export const createLookups = (post: DevicePost, clock: Clock, log: EventLog): Lookups => {
  const lookups = new Map<string, Pending>();
  let closed = false;
  const sinceMs = (startMs: number): number => clock.now().monotonicMs - startMs;

  const wait = (lookupId: string, payload: Uint8Array, startedAtMs: number, signal: AbortSignal) =>
    new Promise<Result<LookupResult>>((resolve) => {
      const giveUp = (): void => settle(err(failure('eligibility.unavailable', 'the visit is over')));
      const callOff = clock.wakeAt(startedAtMs + lookupMs, () => {
        log.event('lookup.unanswered', { lookup: lookupId, ms: sinceMs(startedAtMs) });
        settle(err(failure('eligibility.unavailable', 'no answer in time')));
      });
      const settle = (result: Result<LookupResult>): void => {
        callOff();
        signal.removeEventListener('abort', giveUp);
        lookups.delete(lookupId);
        resolve(result);
      };
      if (signal.aborted || closed) return giveUp();
      signal.addEventListener('abort', giveUp);
      const send = (): void => {
        // The broker keeps it for no longer than anybody waits for its answer.
        const expirySeconds = Math.ceil((lookupMs - sinceMs(startedAtMs)) / 1_000);
        void post.publish('lookup', payload, { ...post.replyTo('lookup-result', lookupId), expirySeconds });
      };
      lookups.set(lookupId, { send, startedAtMs, settle });
      send();
    });

  return {
    ask: async (session, authCertificateDer, signal) => {
      const lookupId = randomUUID();
      const { wallMs, monotonicMs } = clock.now();
      const payload = await post.signAndSeal('lookup', {
        ...post.addressee,
        lookupId,
        session,
        requestedAt: wallMs,
        authCertificate: toBase64url(authCertificateDer),
      });
      return wait(lookupId, payload, monotonicMs, signal);
    },
    receive: (result) => {
      const pending = lookups.get(result.lookupId);
      if (pending === undefined) return;
      log.event('lookup.answered', { lookup: result.lookupId, ms: sinceMs(pending.startedAtMs) });
      pending.settle(ok(result));
    },
    reconnected: () => {
      for (const { send } of lookups.values()) send();
    },
    close: () => {
      closed = true;
      for (const { settle } of [...lookups.values()]) settle(err(failure('delivery.offline', 'closed')));
    },
  };
};
