import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { SqlRow, SqlValue } from '../../src/storage/sql-engine.ts';
import type { Answer, Question, Statement, WorkerStart } from './postgres-messages.ts';

/** A database that is there answers within a hundredth of this; whoever waits longer holds up every terminal. ms */
const answerWithinMs = 3_000;
/** TCP, TLS and a new session on a machine that is busy. ms */
const connectMs = 1_500;
/** After a failure nobody waits for another attempt for so long. ms */
const restMs = 1_000;

/** The journal's database is away, or takes nothing: `code` is what disk-watch.ts knows it by. */
const away = (detail: string): Error =>
  Object.assign(new Error(`the journal's database: ${detail}`), { code: 'EDATABASE' });

/** Mistakes in a statement, and rows that break a table's rules, are ours; everything else is the database's. */
const isOurs = (code: string): boolean => /^(22|23|42)/.test(code);

export type PostgresConnection = {
  /** Throws; `code` EDATABASE: nobody answers, or it takes nothing */
  ask(
    text: string,
    options?: {
      name?: string;
      values?: readonly SqlValue[];
      needsSession?: boolean;
      /** Carried out first of all, in the same breath */
      begin?: string | null;
      /** Carried out before it; the first that fails is what is thrown */
      before?: readonly Statement[];
    },
  ): {
    readonly rows: SqlRow[];
    readonly changes: number;
    /** What `begin` answered */
    readonly began: SqlRow | null;
  };
  /** Nobody answered a moment ago */
  readonly isAway: boolean;
  close(): void;
};

/**
 * One connection to PostgreSQL whose every call returns when it is answered: the talking is done by a thread of its own, and
 * this one sleeps meanwhile, as it does while a disk writes. Nobody waits longer than `answerMs`; after that, or where nobody
 * answers, the next calls fail at once for a second.
 */
export const connectPostgres = (address: string, setUp: string, answerMs = answerWithinMs): PostgresConnection => {
  const { port1: port, port2 } = new MessageChannel();
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const start: WorkerStart = { port: port2, answered, address, setUp, connectMs };
  const worker = new Worker(new URL('./postgres-worker.ts', import.meta.url), {
    workerData: start,
    transferList: [port2],
  });
  worker.unref();
  port.unref();
  let id = 0;
  let restUntilMs = 0;
  let isClosed = false;
  const failed = (detail: string): Error => {
    restUntilMs = performance.now() + restMs;
    return away(detail);
  };
  const answerOf = (number: number, untilMs: number): Answer => {
    for (let seen = Atomics.load(answered, 0); seen < number; seen = Atomics.load(answered, 0)) {
      const leftMs = untilMs - performance.now();
      if (leftMs > 0 && Atomics.wait(answered, 0, seen, leftMs) !== 'timed-out') continue;
      port.postMessage('drop');
      throw failed('no answer in time');
    }
    for (;;) {
      const told = receiveMessageOnPort(port)?.message as Answer | undefined;
      if (told === undefined) throw failed('no answer');
      // Of a question that nobody waits for any more.
      if (told.id === number) return told;
    }
  };
  return {
    ask: (text, { name, values = [], needsSession = false, begin = null, before = [] } = {}) => {
      const nowMs = performance.now();
      if (isClosed) throw away('the connection is closed');
      if (nowMs < restUntilMs) throw away('it did not answer a moment ago');
      id += 1;
      const question: Question = { id, begin, before, name: name ?? null, text, values, needsSession };
      port.postMessage(question);
      // A thread that has to start first takes some tenths of a second.
      const told = answerOf(id, nowMs + answerMs + (id === 1 ? connectMs : 0));
      if (told.ok) return told;
      const error = new Error(`${told.message} (${told.code})`);
      if (isOurs(told.code)) throw Object.assign(error, { code: told.code });
      // A lock that was not to be had, a session that was ended: the next call may find it well.
      throw told.code.length === 5 && !told.code.startsWith('08') ? away(error.message) : failed(error.message);
    },
    get isAway() {
      return performance.now() < restUntilMs;
    },
    close: () => {
      isClosed = true;
      port.postMessage('drop');
      port.close();
      void worker.terminate();
    },
  };
};
