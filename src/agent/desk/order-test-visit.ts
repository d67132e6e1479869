import { randomUUID } from 'node:crypto';
import type { FailureCode } from '../../core/failure.ts';
import type { Result } from '../../core/result.ts';
import type { AgentContext } from '../agent-context.ts';
import { probeOqsFolder } from '../oqs-folder/write-oqs-file.ts';
import type { CommandAnswer } from './command-desk.ts';

/** テスト受付 as it went, each instant in ms since the order. null: that step was not reached. */
export type TestVisitReport = {
  /** The request had passed every check and stood in the journal */
  readonly journaledMs: number | null;
  /** The terminal had verified receipt and result */
  readonly confirmedMs: number | null;
  /** Why not, as the terminal or the receipt says it */
  readonly code: string | null;
  /** The folder for the レセコン takes files; null = yes */
  readonly folderCode: FailureCode | null;
};

/**
 * A visit about nobody, all the way: signed order, the terminal's store, a challenge, the device's signature and seal,
 * broker, every check of the agent, journal (marked `test`, never counted), receipt, result. Not tested: card, camera,
 * PIN, the patient's screen, the national service, what the レセコン reads. No file is left for it.
 */
export const runTestVisit = async (
  { journal, clock, options }: AgentContext,
  order: (session: string) => Promise<Result<CommandAnswer>>,
): Promise<TestVisitReport> => {
  const session = randomUUID();
  const began = clock.now();
  const answer = await order(session);
  const confirmedMs = clock.now().monotonicMs - began.monotonicMs;
  const visit = journal.visits(began.wallMs).find((one) => one.session === session && one.kind === 'test');
  const isThrough = answer.ok && answer.value.outcome === 'done' && visit?.outcome === 'tested';
  const folder = await probeOqsFolder(`${options.oqsFolder}/face`);
  const refusal = answer.ok ? (answer.value.code ?? 'message.stale') : answer.failure.code;
  return {
    journaledMs: visit?.verdict === 'accepted' ? Math.max(0, visit.receivedAt - began.wallMs) : null,
    confirmedMs: isThrough ? Math.round(confirmedMs) : null,
    code: isThrough ? null : (visit?.code ?? refusal),
    folderCode: folder.ok ? null : folder.failure.code,
  };
};
