import { expect, test } from 'vitest';
import { forgetUnit } from '../../src/cli/clinic-debian.ts';
import type { CommandEnd } from '../../src/cli/run-commands.ts';

const done = (output = '', code = 0): CommandEnd => ({ ok: code === 0, code, output, complaint: '' });

/** As systemd keeps a unit of `systemd-run --collect`: stopped at once, forgotten `turns` looks later. */
const manager = (turns: number) => {
  let known = turns;
  const asked: string[] = [];
  return {
    asked,
    known: () => known,
    ask: async (_program: string, words: readonly string[]): Promise<CommandEnd> => {
      asked.push(words[0] ?? '');
      if (words[0] !== 'show') return done('', turns === 0 ? 5 : 0);
      return done(known-- > 0 ? 'loaded\n' : 'not-found\n');
    },
  };
};

test('a unit that has just been stopped is waited for until systemd has forgotten it: none of its name is made before', async () => {
  const systemd = manager(3);
  const pauses: number[] = [];
  await forgetUnit('uketsuke-enrolment.service', systemd.ask, async (ms) => pauses.push(ms));
  expect(systemd.asked).toEqual(['stop', 'reset-failed', 'show', 'show', 'show', 'show']);
  expect(pauses).toHaveLength(3);
});

test('where there is none nothing is waited for, and one that is never forgotten is waited for ten seconds', async () => {
  const pauses: number[] = [];
  const pause = async (ms: number) => pauses.push(ms);
  await forgetUnit('uketsuke-enrolment.service', manager(0).ask, pause);
  expect(pauses).toEqual([]);
  await forgetUnit('uketsuke-enrolment.service', manager(1_000).ask, pause);
  expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(10_000);
});
