import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceDurably } from '../../storage/rename-durably.ts';
import type { ServiceMemory } from './simulated-eligibility-service.ts';

/** The simulated service's own memory as a JSON file. */
export const serviceMemoryFile = (path: string): ServiceMemory => {
  let entries: Set<string>;
  try {
    entries = new Set(z.array(z.string()).parse(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    entries = new Set();
  }
  const write = (): void => replaceDurably(path, JSON.stringify([...entries]), 0o600);
  return {
    has: (entry) => entries.has(entry),
    add: (entry) => {
      entries.add(entry);
      write();
    },
    get: (key) => [...entries].findLast((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1),
    set: (key, value) => {
      for (const entry of entries) if (entry.startsWith(`${key}=`)) entries.delete(entry);
      entries.add(`${key}=${value}`);
      write();
    },
  };
};
