import { execFile } from 'node:child_process';

/**
 * null = the add-on of the card reader loads; else why not, in a sentence. In a process of its own with a limit: an add-on
 * that was linked against another Node crashes or hangs whoever loads it.
 */
export const provenReaderDriver = (load = 'require("pcsclite")', limitMs = 2_500): Promise<string | null> =>
  new Promise((resolve) => {
    const options = { cwd: import.meta.dirname, timeout: limitMs, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, ['-e', load], options, (error) => {
      if (error === null) return resolve(null);
      if (error.killed) return resolve('it hangs when it is loaded');
      if (error.signal) return resolve(`it crashes when it is loaded (${error.signal})`);
      resolve('it is not compiled for this Node');
    });
  });
