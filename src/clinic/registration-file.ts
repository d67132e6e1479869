import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { RegistrationMemory } from './simulated-eligibility-service.ts';

/** Who registered with the simulated service, in a JSON file: it stands for the national service's own memory. */
export const registrationFile = (path: string): RegistrationMemory => {
  let serials: Set<string>;
  try {
    serials = new Set(z.array(z.string()).parse(JSON.parse(readFileSync(path, 'utf8'))));
  } catch {
    serials = new Set();
  }
  return {
    has: (serial) => serials.has(serial),
    add: (serial) => {
      serials.add(serial);
      writeFileSync(`${path}.writing`, JSON.stringify([...serials]));
      renameSync(`${path}.writing`, path);
    },
  };
};
