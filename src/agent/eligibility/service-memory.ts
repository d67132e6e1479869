import type { ServiceMemory } from './simulated-eligibility-service.ts';

/** The simulated service's memory for as long as this process holds it. */
export const serviceMemory = (): ServiceMemory => {
  const entries = new Set<string>();
  const values = new Map<string, string>();
  return {
    has: (entry) => entries.has(entry),
    add: (entry) => void entries.add(entry),
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
  };
};
