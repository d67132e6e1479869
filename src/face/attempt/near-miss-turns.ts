/**
 * So close below the threshold another view of the face may well bring the match: the head is asked to turn a little, in one
 * try to one side, in a later one to the other. Of the false rejects at the default threshold most are as close, of impostors hardly any.
 */
const nearMiss = 0.1;
/** Time to hear (3.5 s) or read that the head is to be turned, and to turn it. ms */
const turnForMs = 6_000;

type Side = 'turn-left' | 'turn-right';

export class NearMissTurns {
  readonly #random: () => number;
  /** In this try */
  #askedAtMs: number | null = null;
  /** In this attempt */
  readonly #sidesAsked: Side[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  isTurning(atMs: number): boolean {
    return this.#askedAtMs !== null && atMs - this.#askedAtMs < turnForMs;
  }

  /** `above`: the score, less the threshold. null: it is no near miss, this try has asked already, or the attempt both ways. */
  ask(above: number, atMs: number): Side | null {
    if (above < -nearMiss || this.#askedAtMs !== null || this.#sidesAsked.length === 2) return null;
    const [first] = this.#sidesAsked;
    const left = first === undefined ? this.#random() < 0.5 : first === 'turn-right';
    const side = left ? 'turn-left' : 'turn-right';
    this.#askedAtMs = atMs;
    this.#sidesAsked.push(side);
    return side;
  }

  endTry(): void {
    this.#askedAtMs = null;
  }
}
