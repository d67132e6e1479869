/** Down to `most`, in the order in which they came. */
export const forgetOldest = (known: Map<string, unknown> | Set<string>, most: number): void => {
  for (const oldest of known.keys()) {
    if (known.size <= most) return;
    known.delete(oldest);
  }
};

/** Ids that were answered a while ago: a message played again by whoever carries it is told from a new one. Bounded. */
export class RecentIds {
  readonly #ids = new Set<string>();
  readonly #maximum: number;

  constructor(maximum = 10_000) {
    this.#maximum = maximum;
  }

  /** false: it was there already. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    forgetOldest(this.#ids, this.#maximum);
    return true;
  }
}
