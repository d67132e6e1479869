import { randomUUID } from 'node:crypto';
import type { Result } from '../../core/result.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Challenge } from '../../wire/messages.ts';

/**
 * Challenges fetched ahead, so that no visit waits for one. Each is handed out once. Their life is counted by the
 * agent's clock: it is taken to have stood, when we asked, where the answer says, so that the time on the way only
 * ever shortens a life.
 */
type PoolDelays = {
  /** What a visit needs at its start */
  readonly visitLifeMs: number;
  /** The pool asks again when fewer than `low` have this much life */
  readonly comfortableLifeMs: number;
  /** An answer that comes later is dropped: a recorded one is of no use */
  readonly answerMs: number;
  /** Pause before asking again, doubled up to the last: how long an agent that came back is not noticed */
  readonly firstPauseMs: number;
  readonly lastPauseMs: number;
};
export const poolDelays: PoolDelays = {
  visitLifeMs: 5 * 60_000,
  // A minute before a challenge is of no more use to a visit its successor is fetched in the background.
  comfortableLifeMs: 6 * 60_000,
  answerMs: 3_000,
  firstPauseMs: 500,
  lastPauseMs: 1_500,
};
const low = 2;
const wanted = 4;
/** More are not kept: several agents may answer one request. */
const most = 16;

type ChallengePoolOptions = {
  readonly clock: Clock;
  readonly log: EventLog;
  /** Publishes one challenge-request. */
  readonly ask: (challengeRequestId: string, wanted: number) => Promise<Result<void>>;
  /** Something may have changed in what `ready` answers. */
  readonly changed: () => void;
  readonly delays?: Partial<PoolDelays>;
};

/** Sorted: the longest life first. */
type Stocked = { readonly challenge: Challenge; readonly endsAtMonotonicMs: number };

export interface ChallengePool {
  /** `agent`: of this one alone */
  take(minimumLifeMs: number, agent?: string): Challenge | null;
  ready(minimumLifeMs: number): boolean;
  setConnected(connected: boolean): void;
  /** A verified answer. false = nobody asked for it (any more). */
  stock(challengeRequestId: string, agentTime: number, challenges: readonly Challenge[]): boolean;
  /** This agent has just signed something for us: of several, its challenges are taken first and fetched ahead. */
  heard(agent: string): void;
  /** Asks for a sign of life and no challenge. */
  probe(): void;
  /** The agent's clock now, as far as known, whole ms; null before the first answer. */
  agentNowMs(): number | null;
  close(): void;
}

export const createChallengePool = ({ clock, log, ask, changed, ...rest }: ChallengePoolOptions): ChallengePool => {
  const delays = { ...poolDelays, ...rest.delays };
  let stock: readonly Stocked[] = [];
  const asked = new Map<string, number>();
  /** Every nonce that was ever stocked and could still be alive: an answer repeated by the broker brings none back. */
  const seen = new Map<string, number>();
  /** Only the agent that made a challenge answers its request: the one heard last is there. */
  let lastHeard: string | null = null;
  let connected = false;
  let closed = false;
  /** The request that an answer is awaited for */
  let awaiting: string | null = null;
  let pauseMs = delays.firstPauseMs;
  /** agent's clock minus our monotonic clock */
  let agentOffsetMs: number | null = null;
  let callOff: (() => void) | null = null;

  const nowMs = (): number => clock.now().monotonicMs;
  const withLife = (lifeMs: number): readonly Stocked[] => {
    const limit = nowMs() + lifeMs;
    return stock.filter(({ endsAtMonotonicMs }) => endsAtMonotonicMs >= limit);
  };

  const comfortable = (): readonly Stocked[] =>
    withLife(delays.comfortableLifeMs).filter(({ challenge }) => lastHeard === null || challenge.agent === lastHeard);

  const wakeAt = (atMs: number, wake: () => void): void => {
    callOff?.();
    callOff = closed ? null : clock.wakeAt(atMs, wake);
  };

  function refill(): void {
    stock = withLife(0);
    changed();
    // While an answer is awaited, the wake-up that ends the waiting must stay.
    if (closed || awaiting !== null) return;
    callOff?.();
    callOff = null;
    if (!connected) {
      const turningMs = (stock[0]?.endsAtMonotonicMs ?? 0) - delays.visitLifeMs + 1;
      if (turningMs > nowMs()) wakeAt(turningMs, refill);
      return;
    }
    const enough = comfortable();
    if (enough.length >= low) {
      const ends = enough.map(({ endsAtMonotonicMs }) => endsAtMonotonicMs).sort((a, b) => a - b);
      // When so many have sunk below comfort that fewer than `low` are left.
      const turning = ends[ends.length - low] ?? nowMs();
      return wakeAt(turning - delays.comfortableLifeMs + 1, refill);
    }
    void request();
  }

  const request = async (): Promise<void> => {
    const id = randomUUID();
    awaiting = id;
    const sentAtMs = nowMs();
    for (const [old, atMs] of asked) if (sentAtMs - atMs > delays.answerMs) asked.delete(old);
    for (const [nonce, endsAtMs] of seen) if (endsAtMs < sentAtMs) seen.delete(nonce);
    asked.set(id, sentAtMs);
    await ask(id, wanted);
    if (closed || awaiting !== id) return;
    const ownPauseMs = pauseMs;
    pauseMs = Math.min(2 * pauseMs, delays.lastPauseMs);
    // An answer to this one still counts when the next question is already out.
    wakeAt(nowMs() + ownPauseMs, () => {
      awaiting = null;
      refill();
    });
  };

  return {
    ready: (minimumLifeMs) => withLife(minimumLifeMs).length > 0,
    take: (minimumLifeMs, agent) => {
      // The youngest first.
      const alive = withLife(minimumLifeMs).filter(({ challenge }) => agent === undefined || challenge.agent === agent);
      const chosen = alive.find(({ challenge }) => challenge.agent === lastHeard) ?? alive[0];
      if (chosen === undefined) return null;
      stock = stock.filter((entry) => entry !== chosen);
      refill();
      return chosen.challenge;
    },
    setConnected: (isConnected) => {
      connected = isConnected;
      asked.clear();
      awaiting = null;
      pauseMs = delays.firstPauseMs;
      refill();
    },
    stock: (challengeRequestId, agentTime, challenges) => {
      const sentAtMs = asked.get(challengeRequestId);
      if (sentAtMs === undefined || nowMs() - sentAtMs > delays.answerMs) return false;
      // A second agent of the facility may answer the same request within the time.
      agentOffsetMs = agentTime - sentAtMs;
      lastHeard = challenges[0]?.agent ?? lastHeard;
      // A sign of life, or an agent that cannot keep what it would hand out.
      if (challenges.length === 0 && awaiting !== challengeRequestId) return true;
      const added = challenges
        .filter(({ nonce }) => !seen.has(nonce))
        .map((challenge) => ({ challenge, endsAtMonotonicMs: sentAtMs + (challenge.expiresAt - agentTime) }));
      for (const { challenge, endsAtMonotonicMs } of added) seen.set(challenge.nonce, endsAtMonotonicMs);
      stock = [...stock, ...added].sort((a, b) => b.endsAtMonotonicMs - a.endsAtMonotonicMs).slice(0, most);
      log.event('challenge.stocked', { challenges: stock.length });
      awaiting = null;
      pauseMs = delays.firstPauseMs;
      if (comfortable().length >= low) refill();
      else {
        // An agent whose challenges live shortly, or who gave none, is not asked without a pause.
        changed();
        wakeAt(nowMs() + delays.lastPauseMs, refill);
      }
      return true;
    },
    probe: () => {
      const id = randomUUID();
      asked.set(id, nowMs());
      void ask(id, 0);
    },
    heard: (agent) => {
      if (agent === lastHeard) return;
      lastHeard = agent;
      refill();
    },
    agentNowMs: () => (agentOffsetMs === null ? null : Math.round(nowMs() + agentOffsetMs)),
    close: () => {
      closed = true;
      callOff?.();
    },
  };
};
