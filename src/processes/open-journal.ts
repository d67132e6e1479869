import { join } from 'node:path';
import { openPostgres } from '../../drivers/journal/postgres-engine.ts';
import { Journal } from '../agent/journal/journal.ts';
import { journalKind } from '../agent/journal/journal-kind.ts';
import { personalTables } from '../agent/journal/personal-columns.ts';
import { agentFiles, readAgentKeys } from '../agent/provisioning/agent-keys.ts';
import { openingMs } from '../storage/known-whole.ts';
import type { SqlEngine } from '../storage/sql-engine.ts';
import type { AgentConfig } from './agent-config.ts';
import { configOfAgentIn } from './agent-directory.ts';
import type { CheckStart } from './check-journal-messages.ts';

/** The facility's journal in a database; `as`, `answerMs`: as postgres-engine.ts says. Throws `Unopened`. */
export const openDatabase = (
  address: string,
  directory: string,
  facility: string,
  { as, answerMs }: { readonly as?: 'running' | 'alone'; readonly answerMs?: number } = {},
): SqlEngine =>
  openPostgres({
    ...{ address, facility, kind: journalKind, personal: personalTables },
    ...(as !== undefined && { as }),
    ...(answerMs !== undefined && { answerMs }),
    keyPath: join(directory, agentFiles.journalKey),
  });

type JournalOptions = {
  readonly readOnly?: boolean;
  readonly steadyMs?: () => number;
  readonly as?: 'running';
  /** Its file is looked at once it is open (check-journal.ts) */
  readonly checks?: boolean;
  /** Told, before a file is opened, for how long this thread may do nothing else. ms */
  readonly opening?: ((ms: number) => void) | undefined;
};

/** What a look at all of that journal needs */
export const checkOf = (directory: string, facility: string, { journal, journalDatabase }: AgentConfig): CheckStart =>
  journalDatabase === undefined ? { file: journal } : { address: journalDatabase, directory, facility };

/** The journal where `agent.yaml` says it lies: the file of this agent, or the facility's database. Throws `Unopened`. */
export const journalOf = (
  directory: string,
  facility: string,
  { journal, journalDatabase }: AgentConfig,
  options: JournalOptions = {},
): Journal => {
  if (journalDatabase !== undefined)
    return new Journal(openDatabase(journalDatabase, directory, facility, options), options);
  options.opening?.(openingMs(journal));
  return new Journal(journal, options);
};

/** Of an agent that may be running. Throws `Unopened`, and whatever is wrong with its files. */
export const openJournal = async (directory: string, options: JournalOptions = {}): Promise<Journal> => {
  const config = await configOfAgentIn(directory);
  // The facility is of importance to a database alone: of a file its path says enough.
  const facility = config.journalDatabase === undefined ? '' : (await readAgentKeys(directory)).facility;
  return journalOf(directory, facility, config, options);
};
