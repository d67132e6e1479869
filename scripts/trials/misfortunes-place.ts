/** Where the processes stand: all on this machine's loopback, or each in a network namespace of its own. */
export type Place = {
  readonly within: (who: 'broker' | 'agent' | 'link') => readonly string[];
  /** The clinic's PC, as the terminal reaches it; the broker's certificate is for `localhost` all the same */
  readonly host: string | null;
  readonly staffPage: (url: string) => Promise<string>;
};
export const onThisMachine: Place = {
  within: () => [],
  host: null,
  staffPage: async (url) => (await fetch(url, { signal: AbortSignal.timeout(3_000) })).text(),
};
