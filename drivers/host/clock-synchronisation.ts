import { execFile } from 'node:child_process';

/** A system that is slow to answer is asked again a minute later. ms */
const answerMs = 5_000;

const output = (program: string, words: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(program, words, { timeout: answerMs, windowsHide: true }, (error, stdout) => resolve(error ? '' : stdout));
  });

/**
 * Whether the system says that its clock is set from the network. Linux: systemd-timedated, which asks the kernel whatever
 * NTP client runs. Windows: the time service; its words are translated, its numbers are not: the first line's leap
 * indicator is 3 while the clock is not synchronised. A system that does not answer is not synchronised.
 */
export const isClockSynchronised = async (platform: NodeJS.Platform = process.platform): Promise<boolean> => {
  if (platform === 'win32') {
    const [first = ''] = (await output('w32tm', ['/query', '/status'])).trim().split('\n');
    return /[:：]\s*[012]\s*[(（]/.test(first);
  }
  return (await output('timedatectl', ['show', '--property=NTPSynchronized', '--value'])).trim() === 'yes';
};
