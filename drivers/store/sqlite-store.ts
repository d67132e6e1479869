import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { OutboxRow, Store } from '../../src/ports/store.ts';
import { makeFolderSync } from '../../src/storage/make-folder.ts';
import type { StoreNews } from '../../src/storage/open-store.ts';
import type { StoreAnswer, StoreCall, StoreQuestion } from './sqlite-store-worker.ts';

/** A write that takes longer than this counts as failed: the disk hangs. SQLite's own busy time-out is 2 s. */
const usualAnswerMs = 5_000;
/** The whole audit chain is read, for the night: a slow board needs seconds. */
const auditMs = 60_000;

class SqliteStore implements Store {
  readonly #path: string;
  readonly #hear: (news: StoreNews) => void;
  readonly #forgetAfterMs: number;
  readonly #answerMs: number;
  readonly #waiting = new Map<number, (result: Result<unknown>) => void>();
  #worker: Worker | null = null;
  #lastId = 0;
  #closed = false;

  constructor(
    path: string,
    hear: (news: StoreNews) => void = () => {},
    forgetAfterMs = 1_000,
    answerMs = usualAnswerMs,
  ) {
    this.#path = path;
    this.#hear = hear;
    this.#forgetAfterMs = forgetAfterMs;
    this.#answerMs = answerMs;
  }

  addOutboxRow(row: OutboxRow): Promise<Result<void>> {
    return this.#ask<void>({ method: 'addOutboxRow', row });
  }

  outboxRows(): Promise<Result<readonly OutboxRow[]>> {
    return this.#ask<readonly OutboxRow[]>({ method: 'outboxRows' });
  }

  removeOutboxRow(requestId: string, entry: Parameters<Store['removeOutboxRow']>[1]): Promise<Result<boolean>> {
    return this.#ask<boolean>({ method: 'removeOutboxRow', requestId, entry });
  }

  raiseSettings(version: number, document: Uint8Array, atMs: number): Promise<Result<boolean>> {
    return this.#ask<boolean>({ method: 'raiseSettings', version, document, atMs });
  }

  readSettings(): Promise<Result<{ readonly version: number; readonly document: Uint8Array } | null>> {
    return this.#ask<{ readonly version: number; readonly document: Uint8Array } | null>({ method: 'readSettings' });
  }

  lastAccepted(): Promise<Result<{ readonly requestId: string; readonly at: number } | null>> {
    return this.#ask<{ readonly requestId: string; readonly at: number } | null>({ method: 'lastAccepted' });
  }

  rememberNonce(nonce: string, expiresAtMs: number, nowMs: number): Promise<Result<boolean>> {
    return this.#ask<boolean>({ method: 'rememberNonce', nonce, expiresAtMs, nowMs });
  }

  firstBrokenAuditEntry(): Promise<Result<number | null>> {
    return this.#ask<number | null>({ method: 'firstBrokenAuditEntry' }, auditMs);
  }

  async close(): Promise<void> {
    if (this.#worker !== null && !this.#closed) await this.#ask({ method: 'close' });
    this.#closed = true;
    const ending = this.#worker;
    this.#worker = null;
    this.#failAll('closed');
    await ending?.terminate();
  }

  #failAll(detail: string): void {
    const settles = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const settle of settles) settle(err(failure('delivery.store-failed', detail)));
  }

  #start(): Worker {
    makeFolderSync(dirname(this.#path), 0o700);
    const started = new Worker(new URL('./sqlite-store-worker.ts', import.meta.url), {
      workerData: { path: this.#path, forgetAfterMs: this.#forgetAfterMs },
    });
    started.on('message', (answer: StoreAnswer) => {
      if ('news' in answer) return this.#hear(answer.news);
      const settle = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      settle?.('failure' in answer ? err(answer.failure) : ok(answer.value));
    });
    const ended = (detail: string): void => {
      if (this.#worker !== started) return;
      this.#worker = null;
      this.#failAll(detail);
    };
    started.on('error', (error) => ended(error.message));
    started.on('exit', () => ended('the store thread ended'));
    return started;
  }

  #ask<T>(call: StoreCall, limitMs = this.#answerMs): Promise<Result<T>> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve(err(failure('delivery.store-failed', 'closed')));
      const id = ++this.#lastId;
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve(err(failure('delivery.store-failed', 'no answer in time')));
      }, limitMs);
      this.#waiting.set(id, (result) => {
        clearTimeout(timer);
        resolve(result as Result<T>);
      });
      try {
        this.#worker ??= this.#start();
        this.#worker.postMessage({ id, call } satisfies StoreQuestion);
      } catch (error) {
        this.#failAll(error instanceof Error ? error.message : 'cannot start');
      }
    });
  }
}

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
): Store => new SqliteStore(path, hear, forgetAfterMs, answerMs);
