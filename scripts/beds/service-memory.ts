import type { ServiceMemory } from '../../src/agent/eligibility/simulated-eligibility-service.ts';

/** The service's memory for as long as the bed stands. */
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
