import { runProgram } from '../host/run-program.ts';

/**
 * null = the add-on of the card reader loads; else why not, in a sentence. In a process of its own with a limit: an add-on
 * that was linked against another Node crashes or hangs whoever loads it.
 */
export const provenReaderDriver = async (load = 'require("pcsclite")', limitMs = 2_500): Promise<string | null> => {
  const { how, code, signal } = await runProgram(process.execPath, ['-e', load], {
    folder: import.meta.dirname,
    limitMs,
  }).ended;
  if (how === 'over-time') return 'it hangs when it is loaded';
  if (signal !== null) return `it crashes when it is loaded (${signal})`;
  return code === 0 ? null : 'it is not compiled for this Node';
};
