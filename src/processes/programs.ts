import { fileURLToPath } from 'node:url';

/** The programs that another process of ours starts, by their files. */
export const facePath = fileURLToPath(new URL('./face.ts', import.meta.url));
