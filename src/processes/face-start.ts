/**
 * How node is started for the face process. Frames pass through it by the megabyte while its own objects are small: V8
 * left to itself takes that for a growing program and keeps heap for hours (40 % more resident memory over 10,000
 * frames). A young generation of 1 MB and an old one of 64 MB hold what it needs several times over
 * (`npm run bench:face` prints the growth). The unit says the same.
 */
export const faceProcessStart = {
  execArgv: ['--max-semi-space-size=1', '--max-old-space-size=64'],
  // glibc's memory pools, one a thread, would scatter pictures and grow for hours.
  environment: { MALLOC_ARENA_MAX: '2' },
} as const;
