const overwriting = {
  MALLOC_ARENA_MAX: '2',
  // A chunk in a thread's own cache would be freed without being overwritten.
  GLIBC_TUNABLES: 'glibc.malloc.perturb=165:glibc.malloc.tcache_count=0',
} as const;
const givingBack = {
  ...overwriting,
  GLIBC_TUNABLES: `${overwriting.GLIBC_TUNABLES}:glibc.malloc.mmap_threshold=32768:glibc.malloc.trim_threshold=65536`,
} as const;

/**
 * How malloc of each process of ours is started (Linux; Windows takes no notice); the units say the same. Pools, one a thread,
 * would scatter pictures and grow for hours. What is freed is overwritten at once: the reader's driver frees each answer of
 * the card, a piece of the photo, and each command, a PIN, as they are. What was large (32 kB: V8's compilers ask for as much
 * at a time) goes back to the system: left to itself malloc keeps it, 7 MB of 75 in each process. Not so in the face process,
 * which wants the same again with each frame.
 */
export const mallocEnvironment = {
  terminal: givingBack,
  link: givingBack,
  face: overwriting,
  agent: givingBack,
} as const;

/**
 * How node is started for each process of ours; the units say the same. A small young generation, and a bound of the whole
 * that is some times what is needed: V8 left to itself fills 16 MB before it looks what a visit left behind.
 * Of the face process most: frames pass through it by the megabyte while its own objects are small, and V8 takes that for a
 * growing program (40 % more resident memory over 10,000 frames; `npm run bench:face` prints the growth).
 * Of the others `--optimize-for-size`: what visits leave among the old objects is collected when there are some 2 MB of it,
 * not 8 and more, which took hundreds of visits and looked like a leak until then; a visit takes no more processor time.
 * In the link so little grows old that it took thousands: it collects by itself (`--expose-gc`, rounds.ts).
 */
export const nodeFlags = {
  terminal: ['--max-semi-space-size=2', '--max-old-space-size=256', '--optimize-for-size'],
  link: ['--max-semi-space-size=2', '--max-old-space-size=128', '--optimize-for-size', '--expose-gc'],
  face: ['--max-semi-space-size=1', '--max-old-space-size=64'],
  agent: ['--max-semi-space-size=2', '--max-old-space-size=256', '--optimize-for-size'],
} as const;

export const faceProcessStart = { execArgv: nodeFlags.face, environment: mallocEnvironment.face } as const;
