import { createHash } from 'node:crypto';
import type { TopicLeaf } from '../../wire/topics.ts';
import type { Incoming } from '../agent-context.ts';

/** What one agent answers; everything else (states, answers to commands) every agent has to know. */
const answeredByOne: ReadonlySet<TopicLeaf> = new Set(['challenge-request', 'lookup', 'request']);
/** An agent that is silent is known to be after 2.5 s (leases.ts) and one look. What came meanwhile is answered then. ms */
const heldMs = 4_000;
/** Whoever has not looked for so long stood still, and does not know who is there. ms */
const staleMs = 1_500;
/** Of one terminal, as in agent-desk.ts: it sends again what matters, and takes nobody else's place. */
const mostHeld = 64;

const weight = (agent: string, device: string): string =>
  createHash('sha256').update(`${agent} ${device}`).digest('hex');

type Held = { readonly incoming: Incoming; readonly atMs: number };

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
  /** By terminal */
  readonly #held = new Map<string, readonly Held[]>();

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
    const { device } = incoming.device;
    const isKnown = this.#there.length === 0 || this.#nowMs() - this.#lookedAtMs <= staleMs;
    if (!answeredByOne.has(incoming.leaf) || (isKnown && this.#isOurs(device))) return this.#answer(incoming);
    const held = this.#held.get(device) ?? [];
    if (held.length < mostHeld) this.#held.set(device, [...held, { incoming, atMs: this.#nowMs() }]);
  }

  /**
   * Who is there now; null: nobody can be asked, and the last answer holds. To be called several times a second, and never where
   * one agent has the journal alone.
   */
  look(there: readonly string[] | null): void {
    this.#there = there ?? this.#there;
    this.#lookedAtMs = this.#nowMs();
    for (const [device, all] of this.#held) {
      const held = all.filter(({ atMs }) => this.#lookedAtMs - atMs <= heldMs);
      if (held.length === 0 || this.#isOurs(device)) this.#held.delete(device);
      else this.#held.set(device, held);
      if (this.#isOurs(device)) for (const { incoming } of held) this.#answer(incoming);
    }
  }
}
