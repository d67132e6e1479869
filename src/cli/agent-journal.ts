import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parseDocument } from 'yaml';
import { journalKind } from '../agent/journal/journal-kind.ts';
import { moveJournal } from '../agent/journal/move-journal.ts';
import { readAgentKeys } from '../agent/provisioning/agent-keys.ts';
import { readAgentConfig } from '../processes/agent-config.ts';
import { configOfAgentIn } from '../processes/agent-directory.ts';
import { openDatabase } from '../processes/open-journal.ts';
import { giveToOwner } from '../storage/rename-durably.ts';
import { openSqlite } from '../storage/sqlite-engine.ts';
import { writeFileAtomically } from '../trust/write-file.ts';

/** A moved journal is written in one go, which may take minutes of a slow disk. ms */
const answerMs = 600_000;

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const done = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.on('connect', done(true)).on('error', done(false)).on('timeout', done(false));
  });

const setDatabase = async (directory: string, address: string | null): Promise<void> => {
  const path = join(directory, 'agent.yaml');
  const document = parseDocument(existsSync(path) ? await readFile(path, 'utf8') : '{}\n');
  if (address === null) document.delete('journalDatabase');
  else document.set('journalDatabase', address);
  await writeFileAtomically(path, document.toString());
};

type Move = { readonly dir: string; readonly to: string };

const move = async ({ dir, to }: Move): Promise<void> => {
  const config = await configOfAgentIn(dir);
  const { facility } = await readAgentKeys(dir);
  const { journal: path, journalDatabase, staffPort } = config;
  if (to !== 'file' && journalDatabase !== undefined) throw new Error(`the journal lies in ${journalDatabase}`);
  if (to === 'file' && journalDatabase === undefined) throw new Error(`the journal lies in ${path}`);
  // Checked as the setting that it becomes, before anything is touched.
  const address =
    to === 'file' ? journalDatabase : (await readAgentConfig(dir, { journalDatabase: to })).journalDatabase;
  if (address === undefined) throw new Error('--to is missing');
  if (staffPort !== 0 && (await answers(staffPort)))
    throw new Error(`the agent runs (its staff page answers on port ${staffPort}): stop it first`);
  if (to !== 'file' && !existsSync(path)) throw new Error(`${path}: no journal`);
  const file = openSqlite(path, journalKind);
  try {
    const database = openDatabase(address, dir, facility, { as: 'alone', answerMs });
    try {
      const [from, into] = to === 'file' ? [database, file] : [file, database];
      const moved = moveJournal(from, into, { atMs: Date.now(), name: to === 'file' ? 'file' : 'database' });
      await setDatabase(dir, to === 'file' ? null : address);
      from.leave(to === 'file' ? 'a file' : address);
      process.stdout.write(`${JSON.stringify(moved)}\n`);
      if (!moved.chainHolds) process.exitCode = 1;
    } finally {
      for (const made of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(made)) giveToOwner(made);
      database.close();
    }
  } finally {
    file.close();
  }
};

type Work<T> = (options: T) => Promise<void>;

/** `uketsuke agent journal move`; the agent is stopped meanwhile. `explain`: a mistake is one line. */
export const addJournalCommands = (agent: Command, explain: <T>(work: Work<T>) => Work<T>): void => {
  agent
    .command('journal')
    .description('where the journal lies')
    .command('move')
    .description(
      'to a PostgreSQL that agents share, or back to a file: counted and its chain verified; the agent is stopped',
    )
    .requiredOption('--dir <dir>', "the agent's directory")
    .requiredOption('--to <place>', 'postgres://USER@HOST:PORT/DATABASE (password: PGPASSFILE), or `file`')
    .action(explain(move));
};
