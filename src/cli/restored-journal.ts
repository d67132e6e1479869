import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expectLaterJournal } from '../agent/journal/journal-witness.ts';
import { agentFiles } from '../agent/provisioning/agent-keys.ts';

/** When the journal was last written to, as the backup has it. */
const journalOf = async (agent: string): Promise<Date> => {
  const times = await Promise.all(
    ['journal.sqlite', 'journal.sqlite-wal'].map((name) =>
      stat(join(agent, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return new Date(Math.max(...times));
};

/**
 * A copy of before: what came after it is not in it. The agent notes so in its audit chain, on the staff page, and goes
 * beyond every number that it had given out (`storage.rolled-back`). Answers how far the copy reaches.
 */
export const settleRestored = async (agent: string): Promise<Date> => {
  const until = await journalOf(agent);
  await expectLaterJournal(join(agent, agentFiles.journalSeen));
  return until;
};
