import { type Failure, type FailureCode, failure, isFailureCode } from '../../core/failure.ts';
import type { Clock } from '../../ports/clock.ts';

/**
 * Whether anybody answers at the clinic's end. The broker's word says nothing of it: a hung agent keeps its connection.
 * Within 10 s of the hang a terminal knows: asked 2 s after the last sign of life and every 2 s again, given up with the first
 * question that is 5 s later or more.
 */
const agentWatchDelays = {
  // An agent at work says something far more often while a visit goes on.
  askAfterMs: 2_000,
  // Two questions unanswered, of which the network may have lost one.
  silentAfterMs: 5_000,
} as const;

/**
 * An agent that has not heard yet who we are answers in the words of the first wire, as one of the first release does always:
 * of each connection it is told and asked so many times more.
 */
const mostIntroductions = 5;

type AgentWatchOptions = {
  readonly clock: Clock;
  /** Asks the agent for a sign of life; costs it no write. Ends when the broker has the question, or refuses it. */
  readonly ask: () => Promise<unknown>;
  /** Says again who we are, and asks in words that every agent knows. false: nobody has said yet what could be told */
  readonly introduce: () => boolean;
  /** Nobody answers, or the agent says that it cannot keep what it is told; null = all is well (again) */
  readonly tell: (trouble: Failure | null) => void;
};

const codeOf = (code: string): FailureCode => (isFailureCode(code) ? code : 'agent.disk-failed');

/** What is wrong between us and the agent: its silence says nothing of it. */
const isOnTheWay = (trouble: Failure | null): boolean => trouble?.code.startsWith('delivery.') === true;

/** One wait at a time; none once it is closed. */
const oneTimer = (clock: Clock) => {
  let callOff = (): void => {};
  let closed = false;
  return {
    wait: (ms: number, then: () => void): void => {
      callOff();
      if (!closed) callOff = clock.wakeAt(clock.now().monotonicMs + ms, then);
    },
    callOff: (): void => callOff(),
    close: (): void => {
      closed = true;
      callOff();
    },
  };
};

/** After a restart of both ends either may be heard before it has heard the other. */
const limitIntroductions = (introduce: () => boolean) => {
  let left = 0;
  return {
    isOver: (): boolean => left === 0,
    next: (): void => {
      if (introduce()) left -= 1;
    },
    beginAnew: (): void => {
      left = mostIntroductions;
    },
  };
};

export const createAgentWatch = ({ clock, ask, introduce, tell }: AgentWatchOptions) => {
  const { askAfterMs, silentAfterMs } = agentWatchDelays;
  /** An agent of the first release does not know the question: of its silence nothing is concluded. */
  let answersAsks = false;
  const introductions = limitIntroductions(introduce);
  let connected = false;
  let askedAtMs: number | null = null;
  let trouble: Failure | null = null;
  let onItsWay: object | null = null;
  const timer = oneTimer(clock);

  const set = (now: Failure | null): void => {
    if (now?.code === trouble?.code) return;
    trouble = now;
    tell(now);
  };
  const askNow = (): void => {
    if (!connected || (!answersAsks && introductions.isOver())) return;
    if (!answersAsks) {
      introductions.next();
      return timer.wait(askAfterMs, askNow);
    }
    askedAtMs ??= clock.now().monotonicMs;
    const sinceMs = askedAtMs;
    const mine = {};
    onItsWay = mine;
    void ask().finally(() => {
      if (onItsWay !== mine) return;
      onItsWay = null;
      if (trouble?.code === 'delivery.link-lost') set(null);
    });
    timer.wait(askAfterMs, () => unanswered(sinceMs));
  };
  function unanswered(sinceMs: number): void {
    // The link gives up a question that no broker takes after 2 s: where it has not said even that, it hangs itself.
    if (onItsWay !== null) set(failure('delivery.link-lost'));
    else if (clock.now().monotonicMs - sinceMs >= silentAfterMs && !isOnTheWay(trouble)) set(failure('agent.silent'));
    askNow();
  }

  return {
    /** Anything that an agent has signed for us. */
    heard: (): void => {
      askedAtMs = null;
      if (trouble?.code === 'agent.silent' || isOnTheWay(trouble)) set(null);
      timer.wait(askAfterMs, askNow);
    },
    /** An answer to our question. `wire`: what its sender speaks; `said`: what it says is wrong with it */
    answered: (wire: number | undefined, said: string | undefined): void => {
      answersAsks ||= (wire ?? 1) >= 2;
      set(said === undefined ? null : failure(codeOf(said)));
    },
    /** The broker took the connection and refuses what is published there: no silence of the agent's. */
    refused: (why: Failure): void => {
      if (connected) set(why);
    },
    setConnected: (isConnected: boolean): void => {
      connected = isConnected;
      askedAtMs = null;
      introductions.beginAnew();
      timer.callOff();
      // Of a new connection the pool asks first.
      if (connected && answersAsks) askNow();
      if (!connected) set(null);
    },
    close: timer.close,
  };
};
export type AgentWatch = ReturnType<typeof createAgentWatch>;
