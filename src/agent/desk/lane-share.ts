import { createHash } from 'node:crypto';
import type { TopicLeaf } from '../../wire/topics.ts';
import type { Incoming } from '../agent-context.ts';

/** What one agent answers; everything else (states, answers to commands) every agent has to know. */
const answeredByOne: ReadonlySet<TopicLeaf> = new Set(['challenge-request', 'lookup', 'request']);
/** An agent that is silent is known to be after 2.5 s (leases.ts) and one look. What came meanwhile is answered then. ms */
const heldMs = 4_000;
/** Whoever has not looked for so long stood still, and does not know who is there. ms */
const staleMs = 1_500;
/** Of all terminals together: some seconds of a large facility */
const mostHeld = 5_000;

const weight = (agent: string, device: string): string =>
  createHash('sha256').update(`${agent} ${device}`).digest('hex');

/**
 * The agent that answers a terminal: the same one by the reckoning of all who know who is there. Where one comes or goes, only
 * the terminals that it answers, or has answered, change hands (rendezvous hashing). undefined: nobody is there.
 */
export const agentFor = (device: string, agents: readonly string[]): string | undefined =>
  agents.toSorted((a, b) => (weight(a, device) < weight(b, device) ? 1 : -1))[0];

/**
 * Of several agents on one journal each answers its share of the terminals, all of a visit by the same one. What is another's is
 * kept unopened for a moment, and answered where that one turns out to be silent: a second answer changes nothing.
 */
export class LaneShare {
  readonly #own: string;
  readonly #nowMs: () => number;
  readonly #answer: (incoming: Incoming) => void;
  #there: readonly string[] = [];
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #held: { readonly incoming: Incoming; readonly atMs: number }[] = [];

  /** `nowMs`: monotonic */
  constructor(own: string, nowMs: () => number, answer: (incoming: Incoming) => void) {
    this.#own = own;
    this.#nowMs = nowMs;
    this.#answer = answer;
  }

  /** The one by name that does for all what one has to do; whoever knows of nobody is it. */
  get isFirst(): boolean {
    return [this.#own, undefined].includes(this.#there[0]);
  }

  #isOurs(device: string): boolean {
    return [this.#own, undefined].includes(agentFor(device, this.#there));
  }

  receive(incoming: Incoming): void {
    const isKnown = this.#there.length === 0 || this.#nowMs() - this.#lookedAtMs <= staleMs;
    if (!answeredByOne.has(incoming.leaf) || (isKnown && this.#isOurs(incoming.device.device)))
      return this.#answer(incoming);
    if (this.#held.length < mostHeld) this.#held.push({ incoming, atMs: this.#nowMs() });
  }

  /**
   * Who is there now; null: nobody can be asked, and the last answer holds. To be called several times a second, and never where
   * one agent has the journal alone.
   */
  look(there: readonly string[] | null): void {
    this.#there = there ?? this.#there;
    this.#lookedAtMs = this.#nowMs();
    const held = this.#held.filter(({ atMs }) => this.#nowMs() - atMs <= heldMs);
    this.#held = held.filter(({ incoming }) => !this.#isOurs(incoming.device.device));
    for (const { incoming } of held) if (this.#isOurs(incoming.device.device)) this.#answer(incoming);
  }
}
