import type { Bundle } from '../../src/core/update/update.ts';
import { hashOfFile } from '../../src/storage/hash-of-file.ts';
import { runProgram } from '../host/run-program.ts';

/** `rauc info` reads the end of the file and a signature. ms */
const infoMs = 30_000;
const mostOutputBytes = 1 << 20;

type Spoken = { readonly code: number | null; readonly output: string; readonly words: string };

/** A program to its end, with what it said. */
export const runToEnd = async (program: string, args: readonly string[], limitMs: number): Promise<Spoken> => {
  let output = '';
  const { ended } = runProgram(program, args, {
    limitMs,
    onOutput: (piece) => {
      if (output.length < mostOutputBytes) output += piece.toString('utf8');
    },
  });
  const { code, words, how } = await ended;
  return { code: how === 'ended' ? code : null, output, words };
};

/**
 * What RAUC's words mean. Whatever is not known to be a signature that holds is foreign: RAUC itself refuses it again when it
 * installs.
 */
export const signatureIn = ({ code, words, output }: Spoken): Bundle['signature'] => {
  if (code === 0) return 'trusted';
  const said = `${words}\n${output}`;
  if (/no signature|not contain a signature|Signature size \(0\)|signature size/i.test(said)) return 'absent';
  if (/digest|mismatch|bad signature|signature failure|content verify|exceeds|decode/i.test(said)) return 'broken';
  return 'foreign';
};

type Manifest = { readonly compatible?: unknown; readonly version?: unknown };

const manifestOf = (output: string): Manifest => {
  try {
    // `null` is JSON, too.
    return (JSON.parse(output) as Manifest | null) ?? {};
  } catch {
    return {};
  }
};

/** What RAUC said of the file with this SHA-256. Never throws. */
export const bundleOf = (id: string, spoken: Spoken): Bundle => {
  const { compatible, version } = manifestOf(spoken.output);
  const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 100) : '');
  return { id, signature: signatureIn(spoken), compatible: text(compatible), version: text(version) };
};

/** A bundle as RAUC and its trust file see it; null when there is no such file. `program`: rauc */
export const inspectBundle = async (path: string, program = 'rauc'): Promise<Bundle | null> => {
  const id = await hashOfFile(path).catch(() => null);
  if (id === null) return null;
  return bundleOf(id, await runToEnd(program, ['info', '--output-format=json', path], infoMs));
};
