import { Buffer } from './buffer.ts';

/** What Node's own modules find without importing it. Imported before anything else. */
const process = {
  env: {},
  platform: 'linux',
  pid: 1,
  version: 'v24.0.0',
  // No `node` in it: whoever asks takes this for a browser.
  versions: {},
  on: () => process,
  once: () => process,
  emitWarning: () => {},
  nextTick: (work: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => work(...args)),
  cwd: () => '/',
  /** The simulator's kernel lets promises come to an end by it; here its driver does (`clinic.ts`). */
  _tickCallback: () => {},
};

Object.assign(globalThis, { Buffer, process, global: globalThis });
