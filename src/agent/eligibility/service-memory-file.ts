import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { ServiceMemory } from './simulated-eligibility-service.ts';

/** The simulated service's own memory as a JSON file. */
export const serviceMemoryFile = (path: string): ServiceMemory => {
  let entries: Set<string>;
  try {
    entries = new Set(z.array(z.string()).parse(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    entries = new Set();
  }
  return {
    has: (entry) => entries.has(entry),
    add: (entry) => {
      entries.add(entry);
      writeFileSync(`${path}.writing`, JSON.stringify([...entries]));
      renameSync(`${path}.writing`, path);
    },
  };
};
