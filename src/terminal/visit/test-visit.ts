import { type FailureCode, failure, failureOf } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { ClinicEvent } from '../delivery/clinic-link.ts';
import type { SessionParts } from './session-parts.ts';

/** A visit's receipt takes about 10 ms and its result follows at once: no service is asked. ms */
const testVisitMs = 10_000;
/** The request is under way for moments only. ms */
const leastChallengeLifeMs = 30_000;

/**
 * テスト受付: a request about nobody on the way of every other one: challenge, signature, seal, durable row, receipt,
 * result. `approval`: the agent's word that this is a test. ok once both answers were verified here.
 */
export const testVisit = async (
  parts: Pick<SessionParts, 'clinic' | 'clock' | 'terminal' | 'newId'>,
  order: { readonly session: string; readonly approval: string },
  catalogueVersion: string,
): Promise<Result<void>> => {
  const { clinic, clock, newId } = parts;
  const { facility, device, lane } = parts.terminal;
  const challenge = clinic.takeChallenge(leastChallengeLifeMs, order.approval);
  if (challenge === null) return err(failure('delivery.no-challenge'));
  const requestId = newId();
  const signed = await clinic.sign(
    {
      ...{ facility, device, lane, kind: 'test', requestId, session: order.session },
      ...{ agent: challenge.agent, challenge: challenge.nonce },
      ...{ verificationMethod: 'staff', verificationOutcome: 'verified', staffApproval: order.approval },
      ...{ consents: [], catalogueVersion },
      issuedAt: Math.round(clinic.agentNowMs() ?? clock.now().wallMs),
      expiresAt: challenge.expiresAt,
    },
    { method: 'staff' },
  );
  if (!signed.ok) return signed;
  return new Promise((resolve) => {
    let unanswered: FailureCode = 'delivery.offline';
    const end = (result: Result<void>): void => {
      callOff();
      unsubscribe();
      resolve(result);
    };
    const callOff = clock.wakeAt(clock.now().monotonicMs + testVisitMs, () => end(err(failure(unanswered))));
    const hear = (event: ClinicEvent): void => {
      if (event.type === 'receipt' && event.receipt.requestId === requestId) {
        unanswered = 'delivery.result-late';
        if (event.receipt.verdict === 'refused') end(err(failureOf(event.receipt.code ?? null)));
      }
      if (event.type === 'result' && event.result.requestId === requestId)
        end(event.result.outcome === 'tested' ? ok(undefined) : err(failureOf(event.result.code ?? null)));
      if (event.type === 'request-expired' && event.requestId === requestId) end(err(failure('delivery.expired')));
    };
    const unsubscribe = clinic.subscribe(hear);
    void clinic.submit(signed.value, null).then((stored) => {
      if (!stored.ok) end(stored);
    });
  });
};
