import { readFileSync } from 'node:fs';

type Released = { readonly version: string; readonly released: string };
const { version: written, released } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Released;

export const version: string = written;

/** The day on which this software was made (`released` in package.json): no true clock is before it. ms since 1970 UTC */
export const releasedMs: number = Date.parse(`${released}T00:00:00Z`);
