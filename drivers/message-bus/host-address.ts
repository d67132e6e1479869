import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** All addresses of a host, in the order in which they are to be tried. */
export type LookUp = (host: string) => Promise<readonly string[]>;

const systemLookUp: LookUp = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The address of the broker's host, by a budget of its own: a name server that is silent makes the system ask the next one
 * after 5 s, longer than any attempt to connect may take. An answer is kept, however late it came; the next attempt uses it
 * at once and asks anew beside it, so that a clinic whose name server fails goes on with the addresses known last. Of several
 * the one that served is kept to, and one that did not gives way to the next (an IPv6 address of a broker on IPv4).
 */
export class HostAddress {
  readonly #host: string;
  readonly #lookUp: LookUp;
  #known: readonly string[];
  #turn = 0;
  #asking: Promise<readonly string[]> | null = null;

  constructor(host: string, lookUp: LookUp = systemLookUp) {
    this.#host = host;
    this.#lookUp = lookUp;
    this.#known = isIP(host) === 0 ? [] : [host];
  }

  /** Rejects where the name servers say that there is no such host and none was known; may take as long as they do. */
  async next(): Promise<string> {
    const isName = isIP(this.#host) === 0;
    const answer = isName ? this.#ask() : Promise.resolve(this.#known);
    if (this.#known.length === 0) await answer;
    else answer.catch(() => {});
    return this.#known[this.#turn % this.#known.length] ?? this.#host;
  }

  /** No broker of ours answered at the address of `next`. */
  failed(): void {
    this.#turn += 1;
  }

  #ask(): Promise<readonly string[]> {
    this.#asking ??= this.#lookUp(this.#host)
      .then((addresses) => {
        const current = this.#known[this.#turn % Math.max(1, this.#known.length)];
        this.#known = addresses;
        // What is in use stays in use, wherever it stands in the new answer.
        const place = current === undefined ? -1 : addresses.indexOf(current);
        this.#turn = Math.max(0, place);
        return addresses;
      })
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }
}
