import { freshNonce } from '../../src/agent/intake/answer-challenges.ts';
import type { Journal } from '../../src/agent/journal/journal.ts';
import { dayMs } from '../../src/core/time-units.ts';

const consents = { TKK: true, YZK: true, SRJ: true, SHJ: true, TSR: false } as const;

/** Visits as the agent's journal sees them, one after the other: challenges where they are due, request, answer, hand-over. */
export const createAgentVisits = (nowMs: () => number) => {
  let challenges: { nonce: string; issuedAt: number; expiresAt: number }[] = [];
  let number = 0;
  /** `file`: what was written for the レセコン; null: its folder is shut, and the request waits */
  return (journal: Journal, requestId: string, file: string | null): void => {
    const now = nowMs();
    number += 1;
    // The terminal asks for four when fewer than two are left that live long enough: at this pace, before each visit.
    if (challenges.filter(({ expiresAt }) => expiresAt > now + 360_000).length < 2) {
      challenges = Array.from({ length: 4 }, () => ({
        nonce: freshNonce(now),
        issuedAt: now,
        expiresAt: now + 600_000,
      }));
      journal.addChallenges('terminal-01', challenges, 48);
    }
    const challenge = challenges.pop();
    const recorded = journal.record({
      ...{
        requestId,
        device: 'terminal-01',
        lane: 1,
        session: crypto.randomUUID(),
        kind: 'eligibility',
        method: 'pin',
      },
      ...{
        documentHash: 'h'.repeat(43),
        consents,
        challenge: challenge?.nonce ?? '',
        certificate: '',
        code: undefined,
      },
      ...{ issuedAt: now, receivedAt: now, expiresAt: now + 1_000, personalLifeMs: dayMs },
      personal: {
        ...{ authCertificate: 'A'.repeat(1_900), certificateSerial: '5E570001', limitApplication: true },
        approvedDocuments: [],
        consentTimes: (['TKK', 'YZK', 'SRJ', 'SHJ', 'TSR'] as const).map((code) => ({ code, given: true, at: now })),
      },
    });
    if (recorded.kind !== 'recorded' || recorded.visit.verdict !== 'accepted')
      throw new Error(`visit ${number} refused`);
    journal.finish(requestId, { outcome: 'eligible', qualificationValidity: 1, at: now + 300 });
    if (file === null) return;
    journal.atOnceAndForgotten(() => {
      journal.handOver(requestId, now + 400, file);
      journal.rememberToday(requestId, { referenceNumber: String(100_000 + (number % 3_000)), notices: [] }, now);
    });
    journal.forgetDeleted();
  };
};
