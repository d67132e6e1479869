import type { Session, StateName } from '../../core/visit/session.ts';
import { visitOf } from '../../core/visit/session-steps.ts';
import type { EventLog } from '../../log/event-log.ts';

const stages = {
  readingCard: 'card',
  verifyingFace: 'face',
  enteringPin: 'pin',
  verifyingPhone: 'pin',
  awaitingStaffCheck: 'staff',
  awaitingLookup: 'lookup',
  askingConsent: 'consent',
  signing: 'sign',
  sending: 'deliver',
  awaitingResult: 'result',
} as const satisfies Partial<Record<StateName, string>>;

type Stage = (typeof stages)[keyof typeof stages];

const stageOf = (name: StateName): Stage | null => (name in stages ? stages[name as keyof typeof stages] : null);

/** Times every stage of every visit: one log line as the session leaves it, one more at the end of the visit. */
export class StageLog {
  readonly #log: EventLog;
  #stage: Stage | null = null;
  #sinceMs = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  follow(before: Session, after: Session, nowMs: number): void {
    if (before.state.name === after.state.name) return;
    const visit = visitOf(before.state);
    if (this.#stage !== null && visit !== null)
      this.#log.event('session.stage', {
        session: visit.session,
        stage: this.#stage,
        ms: Math.round(nowMs - this.#sinceMs),
      });
    this.#stage = stageOf(after.state.name);
    this.#sinceMs = nowMs;
    const ended = visit !== null && visitOf(after.state)?.session !== visit.session;
    if (!ended) return;
    const { verification } = visit;
    const accepted = before.state.name === 'showingResult' || before.state.name === 'awaitingCardRemoval';
    this.#log.event('session.ended', {
      session: visit.session,
      method: verification.state === 'verified' ? verification.method : undefined,
      outcome: accepted ? 'accepted' : before.state.name === 'interrupted' ? 'sent-to-desk' : 'cancelled',
      code: 'failure' in before.state ? before.state.failure?.code : undefined,
      ms: Math.round(nowMs - visit.startedAt.monotonicMs),
    });
  }
}
