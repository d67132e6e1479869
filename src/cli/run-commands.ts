import { runProgram } from '../../drivers/host/run-program.ts';

/*
 * Programs of the system, as `uketsuke provision` calls them: none blocks this process, and each has a time limit, for a
 * stick that is failing or a service that hangs answers nobody.
 */

/** systemd waits 90 s for a service that does not stop. ms */
const limitMs = 120_000;

export type CommandEnd = {
  readonly ok: boolean;
  /** Exit status; null: killed, over its time, or not there */
  readonly code: number | null;
  readonly output: string;
  /** What it complained, or why it has none: `over-time`, `not-started` */
  readonly complaint: string;
};

/** Never rejects. */
export const outcomeOf = async (program: string, args: readonly string[], withinMs = limitMs): Promise<CommandEnd> => {
  const pieces: Buffer[] = [];
  const running = runProgram(program, args, { limitMs: withinMs, onOutput: (piece) => pieces.push(piece) });
  const { how, code, words } = await running.ended;
  const said = Buffer.from(words, 'latin1').toString('utf8');
  return {
    ok: how === 'ended' && code === 0,
    code,
    output: Buffer.concat(pieces).toString('utf8'),
    complaint: how === 'ended' ? said : `${how} ${said}`.trim(),
  };
};

/** Throws what it complained when it ends badly or is not there; its output. */
export const run = async (program: string, ...args: readonly string[]): Promise<string> => {
  const { ok, code, output, complaint } = await outcomeOf(program, args);
  if (!ok)
    throw new Error(`${program} ${args.join(' ')}: ${[code, complaint].filter((each) => each !== null).join(' ')}`);
  return output;
};

/** Whether it ends well; nothing is shown. */
export const succeeds = async (program: string, ...args: readonly string[]): Promise<boolean> =>
  (await outcomeOf(program, args)).ok;
