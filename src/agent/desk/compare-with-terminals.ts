import { dayMs } from '../../core/time-units.ts';
import type { StateMessage } from '../../wire/messages.ts';
import type { AgentContext } from '../agent-context.ts';
import { keepIfPossible } from '../disk-watch.ts';

/** Rows of requests are kept for 400 days: what a terminal says of long before may be gone by right. ms */
const longAgoMs = 300 * dayMs;

/**
 * Whether the terminals remember more than this journal. A copy of the agent's whole directory brings its own witness along
 * (journal-witness.ts); what a terminal holds does not go back with it: the settings that it was told, and the last request
 * that was accepted from it. Told once in a run, and what came before the last note of it is not told again: a terminal that
 * is seldom used names the request that was lost for months, at many a start. What was accepted before a terminal was added
 * here (`addedAt`, agent's clock, ms) another facility accepted. Of two agents that share a facility nobody knows here which
 * was meant: then nothing is said.
 */
export const compareWithTerminals = (
  context: Pick<AgentContext, 'journal' | 'clock' | 'keys' | 'log' | 'disk'>,
): ((state: Pick<StateMessage, 'lastAccepted'>, isSettingsBehind: boolean, addedAt?: number) => void) => {
  const { journal, clock, keys, log, disk } = context;
  let isTold = false;
  /** Found here before: a terminal says the same with each of its states. */
  let held: string | null = null;
  let noted: { readonly atMs: number | null } | null = null;
  const isNoted = (at: number, nowMs: number): boolean => {
    // All of the chain is looked through: once, and where a request is missing alone.
    noted ??= { atMs: journal.rolledBackAt() };
    return noted.atMs !== null && at <= noted.atMs && noted.atMs <= nowMs;
  };
  const lacks = ({ requestId, at }: NonNullable<StateMessage['lastAccepted']>): boolean => {
    const nowMs = clock.now().wallMs;
    if (requestId === held || nowMs - at >= longAgoMs) return false;
    if (journal.visit(requestId) === undefined) return !isNoted(at, nowMs);
    held = requestId;
    return false;
  };
  return ({ lastAccepted }, isSettingsBehind, addedAt = 0) => {
    if (isTold || keys().agents.length > 1) return;
    const isOurs = lastAccepted !== undefined && lastAccepted.at >= addedAt;
    if (!isSettingsBehind && !(isOurs && lacks(lastAccepted))) return;
    isTold = true;
    if (journal.isRolledBack) return;
    log.event('store.failed', { code: 'storage.rolled-back' });
    keepIfPossible(disk, () => journal.noteRolledBack(clock.now().wallMs));
  };
};
