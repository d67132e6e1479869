/**
 * How malloc of every process of ours is started (Linux; Windows takes no notice). Pools, one a thread, would scatter
 * pictures and grow for hours. What is freed is overwritten at once: the reader's driver frees each answer of the card, a
 * piece of the photo, and each command, a PIN, as they are. The units say the same.
 */
export const mallocEnvironment = {
  MALLOC_ARENA_MAX: '2',
  // A chunk in a thread's own cache would be freed without being overwritten.
  GLIBC_TUNABLES: 'glibc.malloc.perturb=165:glibc.malloc.tcache_count=0',
} as const;

/**
 * How node is started for each process of ours; the units say the same. A small young generation, and a bound of the whole
 * that is some times what is needed: V8 left to itself fills 16 MB before it looks what a visit left behind.
 * Of the face process most: frames pass through it by the megabyte while its own objects are small, and V8 takes that for a
 * growing program (40 % more resident memory over 10,000 frames; `npm run bench:face` prints the growth).
 * Of the others `--optimize-for-size`: what visits leave among the old objects is collected when there are some 2 MB of it,
 * not 8 and more, which took hundreds of visits and looked like a leak until then; a visit takes no more processor time.
 * In the link so little grows old that it took thousands, and in the agent what each row leaves: both collect by themselves
 * (`--expose-gc`, rounds.ts).
 */
export const nodeFlags = {
  terminal: ['--max-semi-space-size=2', '--max-old-space-size=256', '--optimize-for-size'],
  link: ['--max-semi-space-size=2', '--max-old-space-size=128', '--optimize-for-size', '--expose-gc'],
  face: ['--max-semi-space-size=1', '--max-old-space-size=64'],
  agent: ['--max-semi-space-size=2', '--max-old-space-size=256', '--optimize-for-size', '--expose-gc'],
} as const;

export const faceProcessStart = { execArgv: nodeFlags.face, environment: mallocEnvironment } as const;
