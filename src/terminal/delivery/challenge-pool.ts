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
  /** The longest pause: an agent that came back is noticed within it */
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
  /** A verified answer of this agent. false = nobody asked for it (any more). */
  stock(agent: string, challengeRequestId: string, agentTime: number, challenges: readonly Challenge[]): boolean;
  /**
   * This agent knows none of the challenges that it handed out before this instant of its clock: they are of no use. Where it
   * says so of another instant than before, it has lost all but those that it has `just` handed out: its clock may have come
   * back behind, and then those of before bear a later instant.
   */
  forget(agent: string, beforeMs: number, just: readonly Challenge[]): void;
  /** One of them was refused as unknown, used or over: whoever made it may have lost the others, too, and not know. */
  dropAll(): void;
  /** This agent has just signed something for us: of several, its challenges are taken first and fetched ahead. */
  heard(agent: string): void;
  /** Asks for a sign of life and, unless told, no challenge: an agent of the first release answers only who wants one. */
  probe(wanted?: number): Promise<unknown>;
  /** The agent's clock now, as far as known, whole ms; null before the first answer. */
  agentNowMs(): number | null;
  close(): void;
}

class FetchedChallenges implements ChallengePool {
  readonly #clock: ChallengePoolOptions['clock'];
  readonly #log: ChallengePoolOptions['log'];
  readonly #ask: ChallengePoolOptions['ask'];
  readonly #changed: ChallengePoolOptions['changed'];
  readonly #delays: PoolDelays;
  #stock: readonly Stocked[] = [];
  readonly #asked = new Map<string, number>();
  /** Every nonce that was ever stocked and could still be alive: an answer repeated by the broker brings none back. */
  readonly #seen = new Map<string, number>();
  /** Of each agent, before which instant it knew nothing when it said so last */
  readonly #forgotBefore = new Map<string, number>();
  /** Only the agent that made a challenge answers its request: the one heard last is there. */
  #lastHeard: string | null = null;
  #connected = false;
  #closed = false;
  /** The request that an answer is awaited for */
  #awaiting: string | null = null;
  #pauseMs: number;
  /** agent's clock minus our monotonic clock */
  #agentOffsetMs: number | null = null;
  #callOff: (() => void) | null = null;

  constructor({ clock, log, ask, changed, ...rest }: ChallengePoolOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#ask = ask;
    this.#changed = changed;
    this.#delays = { ...poolDelays, ...rest.delays };
    this.#pauseMs = this.#delays.firstPauseMs;
  }

  ready(minimumLifeMs: number): boolean {
    return this.#withLife(minimumLifeMs).length > 0;
  }

  take(minimumLifeMs: number, agent?: string): Challenge | null {
    // The youngest first.
    const alive = this.#withLife(minimumLifeMs).filter(
      ({ challenge }) => agent === undefined || challenge.agent === agent,
    );
    const chosen = alive.find(({ challenge }) => challenge.agent === this.#lastHeard) ?? alive[0];
    if (chosen === undefined) return null;
    this.#stock = this.#stock.filter((entry) => entry !== chosen);
    this.#refill();
    return chosen.challenge;
  }

  setConnected(isConnected: boolean): void {
    this.#connected = isConnected;
    this.#asked.clear();
    this.#awaiting = null;
    this.#pauseMs = this.#delays.firstPauseMs;
    this.#refill();
  }

  stock(agent: string, challengeRequestId: string, agentTime: number, challenges: readonly Challenge[]): boolean {
    const sentAtMs = this.#asked.get(challengeRequestId);
    if (sentAtMs === undefined || this.#nowMs() - sentAtMs > this.#delays.answerMs) return false;
    // A second agent of the facility may answer the same request within the time.
    this.#agentOffsetMs = agentTime - sentAtMs;
    this.#endByClockOf(agent, agentTime - sentAtMs);
    this.#lastHeard = challenges[0]?.agent ?? this.#lastHeard;
    // A sign of life, or an agent that cannot keep what it would hand out.
    if (challenges.length === 0 && this.#awaiting !== challengeRequestId) return true;
    const added = challenges
      .filter(({ nonce }) => !this.#seen.has(nonce))
      .map((challenge) => ({ challenge, endsAtMonotonicMs: sentAtMs + (challenge.expiresAt - agentTime) }));
    for (const { challenge, endsAtMonotonicMs } of added) this.#seen.set(challenge.nonce, endsAtMonotonicMs);
    this.#stock = [...this.#stock, ...added].sort((a, b) => b.endsAtMonotonicMs - a.endsAtMonotonicMs).slice(0, most);
    this.#log.event('challenge.stocked', { challenges: this.#stock.length });
    this.#awaiting = null;
    this.#pauseMs = this.#delays.firstPauseMs;
    this.#changed();
    // An agent whose challenges live shortly, or who gave none, is not asked without a pause.
    this.#wakeAt(this.#nowMs() + this.#delays.lastPauseMs, () => this.#refill());
    return true;
  }

  /**
   * An agent whose clock was set right refuses what is over by it now: signed with such a challenge a request would end the
   * moment it is kept. One set back lengthens no life.
   */
  #endByClockOf(agent: string, offsetMs: number): void {
    let isShorter = false;
    const known = this.#stock.map((entry) => {
      const endsAtMonotonicMs = entry.challenge.expiresAt - offsetMs;
      if (entry.challenge.agent !== agent || endsAtMonotonicMs >= entry.endsAtMonotonicMs) return entry;
      isShorter = true;
      return { ...entry, endsAtMonotonicMs };
    });
    if (!isShorter) return;
    this.#stock = known.sort((a, b) => b.endsAtMonotonicMs - a.endsAtMonotonicMs);
    // Some are over, or will be sooner than their successors were to be fetched.
    this.#refill();
  }

  forget(agent: string, beforeMs: number, just: readonly Challenge[]): void {
    const isSame = this.#forgotBefore.get(agent) === beforeMs;
    this.#forgotBefore.set(agent, beforeMs);
    const nonces = new Set(just.map(({ nonce }) => nonce));
    const isKnown = ({ nonce, issuedAt }: Challenge): boolean => nonces.has(nonce) || (isSame && issuedAt >= beforeMs);
    const known = this.#stock.filter(({ challenge }) => challenge.agent !== agent || isKnown(challenge));
    if (known.length === this.#stock.length) return;
    this.#stock = known;
    this.#refill();
  }

  dropAll(): void {
    this.#stock = [];
    this.#refill();
  }

  probe(wanted = 0): Promise<unknown> {
    const id = randomUUID();
    this.#asked.set(id, this.#nowMs());
    return this.#ask(id, wanted);
  }

  heard(agent: string): void {
    if (agent === this.#lastHeard) return;
    this.#lastHeard = agent;
    this.#refill();
  }

  agentNowMs(): number | null {
    return this.#agentOffsetMs === null ? null : Math.round(this.#nowMs() + this.#agentOffsetMs);
  }

  close(): void {
    this.#closed = true;
    this.#callOff?.();
  }

  #nowMs(): number {
    return this.#clock.now().monotonicMs;
  }

  #withLife(lifeMs: number): readonly Stocked[] {
    const limit = this.#nowMs() + lifeMs;
    return this.#stock.filter(({ endsAtMonotonicMs }) => endsAtMonotonicMs >= limit);
  }

  #comfortable(): readonly Stocked[] {
    return this.#withLife(this.#delays.comfortableLifeMs).filter(
      ({ challenge }) => challenge.agent === this.#lastHeard,
    );
  }

  #wakeAt(atMs: number, wake: () => void): void {
    this.#callOff?.();
    this.#callOff = this.#closed ? null : this.#clock.wakeAt(atMs, wake);
  }

  #refill(): void {
    this.#stock = this.#withLife(0);
    this.#changed();
    // While an answer is awaited, the wake-up that ends the waiting must stay.
    if (this.#closed || this.#awaiting !== null) return;
    this.#callOff?.();
    this.#callOff = null;
    if (!this.#connected) {
      const turningMs = (this.#stock[0]?.endsAtMonotonicMs ?? 0) - this.#delays.visitLifeMs + 1;
      if (turningMs > this.#nowMs()) this.#wakeAt(turningMs, () => this.#refill());
      return;
    }
    // When it has sunk below comfort fewer than `low` are left: those that last longest stand first.
    const turning = this.#comfortable()[low - 1];
    if (turning === undefined) void this.#request();
    else this.#wakeAt(turning.endsAtMonotonicMs - this.#delays.comfortableLifeMs + 1, () => this.#refill());
  }

  async #request(): Promise<void> {
    const id = randomUUID();
    this.#awaiting = id;
    const sentAtMs = this.#nowMs();
    for (const [old, atMs] of this.#asked) if (sentAtMs - atMs > this.#delays.answerMs) this.#asked.delete(old);
    for (const [nonce, endsAtMs] of this.#seen) if (endsAtMs < sentAtMs) this.#seen.delete(nonce);
    this.#asked.set(id, sentAtMs);
    await this.#ask(id, wanted);
    if (this.#closed || this.#awaiting !== id) return;
    const ownPauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#delays.lastPauseMs);
    // An answer to this one still counts when the next question is already out.
    this.#wakeAt(this.#nowMs() + ownPauseMs, () => {
      this.#awaiting = null;
      this.#refill();
    });
  }
}

export const createChallengePool = (options: ChallengePoolOptions): ChallengePool => new FetchedChallenges(options);
