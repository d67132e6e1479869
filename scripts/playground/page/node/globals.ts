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

/** The pages of a browser have none: what the journal gathers in one turn is committed when that turn has come to its end. */
const setImmediate = (work: (...args: unknown[]) => void, ...args: unknown[]): void =>
  queueMicrotask(() => work(...args));

Object.assign(globalThis, { Buffer, process, setImmediate, global: globalThis });
