import { setImmediate } from 'node:timers';

/** How soon what was written must be on the disk; `forgotten`: at once, and what it deleted in no file any more */
export type Durability = 'soon' | 'now' | 'forgotten';

const strength: readonly Durability[] = ['soon', 'now', 'forgotten'];
const stricter = (a: Durability, b: Durability): Durability => (strength.indexOf(a) > strength.indexOf(b) ? a : b);

/** More than this in one transaction would keep the other agents of a facility waiting. */
const mostAtOnce = 32;

type Waiting = {
  readonly durability: Durability;
  readonly work: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
};

/** The database is away, or held by another agent (postgres-connection.ts): each of them would wait for it again. */
const isAway = (error: unknown): boolean => (error as { code?: unknown })?.code === 'EDATABASE';

/** A statement that PostgreSQL refused for what stands in it: its transaction is undone. */
const isRefused = (error: unknown): boolean => /^(22|23|42)...$/.test(String((error as { code?: unknown })?.code));

/**
 * Works of several visits that wait at the same time are written in one transaction with one durable commit: none of them is
 * told that it is done before that. Where one of them fails, nothing of the transaction is kept, and each is carried out alone, so
 * that nobody pays for another's; not where the database is what fails. How a commit that failed has ended nobody knows: all of
 * them are told so, and none is carried out a second time.
 */
export class GroupCommit {
  readonly #transaction: (durability: Durability, work: () => void) => void;
  #waiting: Waiting[] = [];

  constructor(transaction: (durability: Durability, work: () => void) => void) {
    this.#transaction = transaction;
  }

  /** Resolves once it is committed, with what `work` answered; rejects with what it threw, or the commit. */
  add<T>(durability: Durability, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      // Whatever else comes in this turn of the event loop goes with it.
      if (this.#waiting.length === 0) setImmediate(() => this.#next());
      let value: T;
      this.#waiting.push({
        durability,
        work: () => {
          value = work();
        },
        done: () => resolve(value),
        failed: reject,
      });
    });
  }

  /** Now, what waits. */
  flush(): void {
    while (this.#waiting.length > 0) this.#commit(this.#waiting.splice(0, mostAtOnce));
  }

  /** One transaction a turn: a database that lets each of them wait stops neither the bus nor the sign of life meanwhile. */
  #next(): void {
    if (this.#waiting.length === 0) return;
    this.#commit(this.#waiting.splice(0, mostAtOnce));
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }

  #commit(group: readonly Waiting[]): void {
    let isUndone = false;
    const durability = group.map((one) => one.durability).reduce(stricter);
    try {
      this.#transaction(durability, () => {
        isUndone = true;
        for (const { work } of group) work();
        isUndone = false;
      });
    } catch (error) {
      if (group.length > 1 && !isAway(error) && (isUndone || isRefused(error)))
        for (const one of group) this.#commit([one]);
      else for (const { failed } of group) failed(error);
      return;
    }
    for (const { done } of group) done();
  }
}
