import { workerData } from 'node:worker_threads';
import pg from 'pg';
import type { SqlRow } from '../../src/storage/sql-engine.ts';
import type { Answer, Question, WorkerStart } from './postgres-messages.ts';

/*
 * Talks with PostgreSQL while the thread that asked stands still: one connection, one question at a time. What belongs to a
 * question is sent in one go (the protocol's pipeline): of a transaction in which one of them fails nothing that follows is
 * carried out, its COMMIT included.
 */

const { port, answered, address, setUp, connectMs } = workerData as WorkerStart;

// A count or an instant in ms is far below 2^53; a sum of them is `numeric`.
const numberTypes = [20, 1700];
for (const type of numberTypes) pg.types.setTypeParser(type, Number);

let client: pg.Client | null = null;
/** How often whoever asked has given up: what had been asked by then is neither carried out any more nor answered. */
let drops = 0;

const connected = async (): Promise<pg.Client> => {
  if (client !== null) return client;
  const before = drops;
  const fresh = new pg.Client({
    connectionString: address,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    pipeline: true,
    application_name: 'uketsuke-agent',
  });
  const drop = (): void => {
    if (client === fresh) client = null;
  };
  fresh.on('error', drop);
  fresh.on('end', drop);
  try {
    await fresh.connect();
    await fresh.query(setUp);
    if (drops !== before) throw new Error('nobody waits for it any more');
  } catch (error) {
    fresh.end().catch(() => undefined);
    throw error;
  }
  client = fresh;
  return fresh;
};

const lastOf = (result: unknown): pg.QueryResult => (Array.isArray(result) ? result.at(-1) : result) as pg.QueryResult;

const answer = async ({ id, begin, before, name, text, values, needsSession }: Question): Promise<Answer> => {
  try {
    // What was begun on a connection that is gone is not gone on with on another one.
    if (needsSession && client === null) throw Object.assign(new Error('connection lost'), { code: '08006' });
    const session = await connected();
    // They are answered in their order: the first that fails is the one that is thrown.
    const sent = [
      ...(begin === null ? [] : [session.query(begin)]),
      ...before.map((statement) => session.query({ ...statement, values: [...statement.values] })),
      session.query(name === null ? text : { name, text, values: [...values] }),
    ];
    const results = (await Promise.all(sent)).map(lastOf);
    const last = lastOf(results);
    // Of a transaction in which a statement had failed PostgreSQL says without an error that it is undone.
    if (text === 'COMMIT' && last.command !== 'COMMIT')
      throw Object.assign(new Error('what was to be committed is undone'), { code: '25P02' });
    return {
      ...{ id, ok: true, rows: last.rows, changes: last.rowCount ?? 0 },
      began: begin === null ? null : (results[0]?.rows[0] as SqlRow),
    };
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    return { id, ok: false, code, message };
  }
};

port.on('message', (question: Question | 'drop') => {
  if (question === 'drop') {
    const gone = client;
    client = null;
    drops += 1;
    gone?.end().catch(() => undefined);
    return;
  }
  const before = drops;
  void answer(question).then((told) => {
    if (drops !== before) return;
    port.postMessage(told);
    Atomics.store(answered, 0, told.id);
    Atomics.notify(answered, 0);
  });
});
