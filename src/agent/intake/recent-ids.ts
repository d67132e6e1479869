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
    const oldest = this.#ids.size > this.#maximum ? this.#ids.values().next().value : undefined;
    if (oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }
}
