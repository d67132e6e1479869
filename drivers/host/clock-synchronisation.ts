import { runProgram } from './run-program.ts';

/** A system that is slow to answer is asked again a minute later. ms */
const answerMs = 5_000;

const output = async (program: string, words: readonly string[]): Promise<string> => {
  const pieces: Buffer[] = [];
  const running = runProgram(program, words, { limitMs: answerMs, onOutput: (piece) => pieces.push(piece) });
  const { how, code } = await running.ended;
  return how === 'ended' && code === 0 ? Buffer.concat(pieces).toString('utf8') : '';
};

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
