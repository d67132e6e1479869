import type { CrashPoint } from './traced-calls.ts';

/** Visits that are made for one place before it is given up. A commit is now and then longer, for one that shares it. */
const mostTries = 6;

type Place<State> = { readonly point: CrashPoint; readonly state: State; tries: number; isAbsent: boolean };

/**
 * At which places one process has died, and at which it has not yet. No two visits make quite the same calls: how many writes a
 * commit needs depends on who shares it. So every trace adds what it shows, that of a visit which was cut off too, and a place
 * counts as met by nothing but a death at it.
 *
 * Worked example: the watched visit writes a log 60 times, each later one 58 times. Six visits are made for the 59th write and
 * six for the 60th; all end whole, and their own traces show 58, at each of which the process died in a visit of its own: both
 * are `absent`, told by name and counted apart. Had one of the twelve shown a 59th write and the process lived, it would stay
 * a point that is not visited.
 */
export class Places<State> {
  readonly #seen = new Map<string, Place<State>>();
  readonly #met = new Set<string>();
  readonly #isWanted: (index: number) => boolean;
  #shown = 0;

  /** `isWanted`: by the number of a place in the order in which they were first seen */
  constructor(isWanted: (index: number) => boolean = () => true) {
    this.#isWanted = isWanted;
  }

  /** What a trace shows. `state`: in which the process was then; a place seen before keeps the one of its first time. */
  show(points: readonly CrashPoint[], state: State): void {
    for (const point of points) {
      const known = this.#seen.get(point.name);
      if (known !== undefined) {
        // By how many calls it comes after may have changed: the last visit knows best.
        this.#seen.set(point.name, { ...known, point });
        continue;
      }
      if (this.#isWanted(this.#shown)) this.#seen.set(point.name, { point, state, tries: 0, isAbsent: true });
      this.#shown += 1;
    }
  }
  /** The process died there. */
  meet(name: string): void {
    this.#met.add(name);
  }
  get met(): ReadonlySet<string> {
    return this.#met;
  }
  /** Whether a death there would be of any use: a place that nobody has seen before counts as well. */
  isOpen(name: string): boolean {
    return !this.#met.has(name);
  }
  /**
   * A visit was made for this place, and nothing died there, nor at another that had not been met. `shown`: what it did; null:
   * it was cut off before it could show whether the place is there
   */
  miss(name: string, shown: readonly CrashPoint[] | null): void {
    const place = this.#seen.get(name);
    if (place === undefined) return;
    place.tries += 1;
    if (shown === null || shown.some((point) => point.name === name)) place.isAbsent = false;
  }
  /** For which a visit is to be made now; null: for none. `tries`: how many were made before */
  next(): { readonly point: CrashPoint; readonly state: State; readonly tries: number } | null {
    return this.#open().find(({ tries }) => tries < mostTries) ?? null;
  }
  #open(): readonly Place<State>[] {
    return [...this.#seen.values()].filter(({ point }) => !this.#met.has(point.name));
  }
  /** Not met although a visit that was made for them showed them, or none told */
  get unmet(): readonly string[] {
    return this.#open().flatMap(({ point, isAbsent, tries }) => (isAbsent && tries > 0 ? [] : point.name));
  }
  /** In no visit that was made for them, which all ended whole */
  get absent(): readonly string[] {
    return this.#open().flatMap(({ point, isAbsent, tries }) => (isAbsent && tries > 0 ? point.name : []));
  }
}
