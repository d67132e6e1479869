import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomically } from '../../trust/write-file.ts';
import type { Guesses } from '../journal/code-guesses.ts';

const guessesSchema = z.record(
  z.string(),
  z.strictObject({ approver: z.string(), wrong: z.number(), lockedUntil: z.number(), lastAt: z.number() }),
);

const read = (path: string): Map<string, Guesses> => {
  try {
    return new Map(Object.entries(guessesSchema.parse(JSON.parse(readFileSync(path, 'utf8')))));
  } catch {
    // None yet, or not to be read: the journal counts all the same.
    return new Map();
  }
};

/**
 * The same count as the journal's, in a file beside the keys: a journal that is taken away, or an older one in its place,
 * gives no new tries, and neither does this file alone.
 */
export class GuessesBeside {
  readonly #path: string;
  readonly #guesses: Map<string, Guesses>;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
    this.#guesses = read(path);
  }

  of(key: string): Guesses | undefined {
    return this.#guesses.get(key);
  }

  /** undefined: the right code came. Rejects when the disk refuses it. */
  set(key: string, guesses: Guesses | undefined): Promise<void> {
    if (guesses === undefined && !this.#guesses.delete(key)) return Promise.resolve();
    if (guesses !== undefined) this.#guesses.set(key, guesses);
    const text = `${JSON.stringify(Object.fromEntries(this.#guesses))}\n`;
    const written = this.#writing.then(() => writeFileAtomically(this.#path, text));
    this.#writing = written.catch(() => undefined);
    return written;
  }
}
