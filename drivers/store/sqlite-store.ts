import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { OutboxRow, Store } from '../../src/ports/store.ts';
import type { StoreNews } from '../../src/storage/open-store.ts';
import type { StoreAnswer, StoreCall, StoreQuestion } from './sqlite-store-worker.ts';

/** A write that takes longer than this counts as failed: the disk hangs. SQLite's own busy time-out is 2 s. */
const usualAnswerMs = 5_000;
/** The whole audit chain is read, for the night: a slow board needs seconds. */
const auditMs = 60_000;

/**
 * The store in a thread of its own. When the thread dies, every open call answers
 * `delivery.store-failed` and the next call starts a new thread; a file that cannot be opened answers each call with its
 * `storage.…` failure. `hear`: what happened to the file.
 * `forgetAfterMs`: how long what was deleted may live on in the write-ahead log; rows that leave together cost one sync.
 */
export const createSqliteStore = (
  path: string,
  hear: (news: StoreNews) => void = () => {},
  forgetAfterMs = 1_000,
  answerMs = usualAnswerMs,
): Store => {
  const waiting = new Map<number, (result: Result<unknown>) => void>();
  let worker: Worker | null = null;
  let lastId = 0;
  let closed = false;

  const failAll = (detail: string): void => {
    const settles = [...waiting.values()];
    waiting.clear();
    for (const settle of settles) settle(err(failure('delivery.store-failed', detail)));
  };

  const start = (): Worker => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const started = new Worker(new URL('./sqlite-store-worker.ts', import.meta.url), {
      workerData: { path, forgetAfterMs },
    });
    started.on('message', (answer: StoreAnswer) => {
      if ('news' in answer) return hear(answer.news);
      const settle = waiting.get(answer.id);
      waiting.delete(answer.id);
      settle?.('failure' in answer ? err(answer.failure) : ok(answer.value));
    });
    const ended = (detail: string): void => {
      if (worker !== started) return;
      worker = null;
      failAll(detail);
    };
    started.on('error', (error) => ended(error.message));
    started.on('exit', () => ended('the store thread ended'));
    return started;
  };

  const ask = <T>(call: StoreCall, limitMs = answerMs): Promise<Result<T>> =>
    new Promise((resolve) => {
      if (closed) return resolve(err(failure('delivery.store-failed', 'closed')));
      const id = ++lastId;
      const timer = setTimeout(() => {
        waiting.delete(id);
        resolve(err(failure('delivery.store-failed', 'no answer in time')));
      }, limitMs);
      waiting.set(id, (result) => {
        clearTimeout(timer);
        resolve(result as Result<T>);
      });
      try {
        worker ??= start();
        worker.postMessage({ id, call } satisfies StoreQuestion);
      } catch (error) {
        failAll(error instanceof Error ? error.message : 'cannot start');
      }
    });

  return {
    addOutboxRow: (row) => ask<void>({ method: 'addOutboxRow', row }),
    outboxRows: () => ask<readonly OutboxRow[]>({ method: 'outboxRows' }),
    removeOutboxRow: (requestId, entry) => ask<boolean>({ method: 'removeOutboxRow', requestId, entry }),
    raiseSettings: (version, document, atMs) => ask<boolean>({ method: 'raiseSettings', version, document, atMs }),
    readSettings: () =>
      ask<{ readonly version: number; readonly document: Uint8Array } | null>({ method: 'readSettings' }),
    rememberNonce: (nonce, expiresAtMs, nowMs) => ask<boolean>({ method: 'rememberNonce', nonce, expiresAtMs, nowMs }),
    firstBrokenAuditEntry: () => ask<number | null>({ method: 'firstBrokenAuditEntry' }, auditMs),
    close: async () => {
      if (worker !== null && !closed) await ask({ method: 'close' });
      closed = true;
      const ending = worker;
      worker = null;
      failAll('closed');
      await ending?.terminate();
    },
  };
};
