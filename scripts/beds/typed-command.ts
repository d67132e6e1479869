import { vi } from 'vitest';
import { z } from 'zod';
import { main } from '../../src/main.ts';

type Said = { readonly status: number; readonly out: string; readonly error: string };

/** `uketsuke <words>` as it is typed, in this process: programs one after the other outlast a test on a busy machine. */
export const typed = async (words: readonly string[], lang = 'C'): Promise<Said> => {
  const said = { out: '', error: '' };
  let status: number | undefined;
  const into = (name: keyof typeof said) => (text: string | Uint8Array) => {
    // Nobody speaks after the end of the process.
    if (status === undefined) said[name] += String(text);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(into('out')),
    vi.spyOn(process.stderr, 'write').mockImplementation(into('error')),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      status ??= Number(code);
      throw new Error('the end of the process');
    }),
  ];
  for (const name of ['LANG', 'LC_ALL', 'LC_MESSAGES']) vi.stubEnv(name, name === 'LANG' ? lang : '');
  process.exitCode = undefined;
  try {
    await main(words).catch((error: unknown) => {
      if (status === undefined) throw error;
    });
    return { status: status ?? Number(process.exitCode ?? 0), out: said.out.trim(), error: said.error.trim() };
  } finally {
    for (const spy of spies) spy.mockRestore();
    vi.unstubAllEnvs();
    z.config(z.locales.en());
    process.exitCode = undefined;
  }
};
