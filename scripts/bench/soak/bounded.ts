import type { Change } from '../../trials/simulate/hooks.ts';

/** What grows for a while, up to a bound of its own that its own test knows. */
export const bounded: readonly string[] = [
  // 10,000 ids: a message played again is told from a new one (test/agent/intake/recent-ids.test.ts)
  'src/agent/intake/recent-ids.ts',
];

/** Lines that let go of a visit, and what grows without each of them. */
export const planted: readonly { readonly grows: string; readonly change: Change }[] = [
  {
    grows: 'src/agent/intake/lookup-memory.ts',
    change: ['src/agent/intake/lookup-memory.ts', 'this.#entries.delete(known);', ''],
  },
  {
    grows: 'src/terminal/delivery/challenge-pool.ts',
    change: [
      'src/terminal/delivery/challenge-pool.ts',
      'if (endsAtMs < sentAtMs) this.#seen.delete(nonce);',
      'if (endsAtMs < 0) this.#seen.delete(nonce);',
    ],
  },
  {
    grows: 'src/terminal/delivery/lookups.ts',
    change: ['src/terminal/delivery/lookups.ts', 'lookups.delete(lookupId);', ''],
  },
  {
    grows: 'src/terminal/visit/session-runner.ts',
    change: ['src/terminal/visit/session-runner.ts', 'this.#cards.delete(insertion);', ''],
  },
];
