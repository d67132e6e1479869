import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';

/** One attack and what an independent look afterwards said. `seen`: a status, a hash, a count, for whoever reads. */
type Attempt = { readonly name: string; readonly threat: number; readonly isIn: boolean; readonly seen: string };

/** Collects attacks; an attack that cannot be carried out is no defence: it throws. */
export class Attempts {
  readonly all: Attempt[] = [];

  async attempt(
    threat: number,
    name: string,
    attack: () => Promise<{ isIn: boolean; seen: string | number }>,
  ): Promise<void> {
    const { isIn, seen } = await attack();
    this.all.push({ name, threat, isIn, seen: String(seen) });
    process.stdout.write(`${isIn ? 'IN      ' : 'kept out'}  ${String(threat).padStart(2)}  ${name}: ${seen}\n`);
  }
}

export const hashOfFile = (path: string): string =>
  existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16) : 'gone';

/** Whether a page is answered within 10 s, on a connection of its own: one of before may have made room for an attacker's. */
export const isServed = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = get(address, { agent: false, timeout: 10_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
  });
