import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

export type LookUp = (host: string) => Promise<string>;

const systemLookUp: LookUp = async (host) => (await lookup(host)).address;

/**
 * The address of the broker's host, by a budget of its own: a name server that is silent makes the system ask the next one
 * after 5 s, longer than any attempt to connect may take. An answer is kept, however late it came; the next attempt uses it
 * at once and asks anew beside it, so that a clinic whose name server fails goes on with the address known last.
 */
export const createHostAddress = (host: string, lookUp: LookUp = systemLookUp) => {
  let known: string | null = isIP(host) === 0 ? null : host;
  let asking: Promise<string> | null = null;

  const ask = (): Promise<string> => {
    asking ??= lookUp(host)
      .then((address) => {
        known = address;
        return address;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  };

  /** Rejects where the name servers say that there is no such host and none was known; may take as long as they do. */
  return (): Promise<string> => {
    if (isIP(host) !== 0) return Promise.resolve(host);
    const answer = ask();
    if (known === null) return answer;
    answer.catch(() => {});
    return Promise.resolve(known);
  };
};
