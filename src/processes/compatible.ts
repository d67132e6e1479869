import { readFileSync } from 'node:fs';

/** What RAUC is told this device is. */
const raucConfig = '/etc/rauc/system.conf';

/** Throws, naming the file, when this device has no RAUC. */
export const compatibleOf = (path = raucConfig): string => {
  const [, compatible] = /^compatible=(.+)$/m.exec(readFileSync(path, 'utf8')) ?? [];
  if (compatible === undefined) throw new Error(`${path}: no line compatible=…`);
  return compatible.trim();
};

/** The same; null: no device with two slots. */
export const compatibleHere = (path = raucConfig): string | null => {
  try {
    return compatibleOf(path);
  } catch {
    return null;
  }
};
