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
 * How node is started for the face process. Frames pass through it by the megabyte while its own objects are small: V8
 * left to itself takes that for a growing program and keeps heap for hours (40 % more resident memory over 10,000
 * frames). A young generation of 1 MB and an old one of 64 MB hold what it needs several times over
 * (`npm run bench:face` prints the growth). The unit says the same.
 */
export const faceProcessStart = {
  execArgv: ['--max-semi-space-size=1', '--max-old-space-size=64'],
  environment: mallocEnvironment,
} as const;
