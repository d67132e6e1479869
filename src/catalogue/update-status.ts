import { z } from 'zod';
import { formatJapanInstant } from '../core/japan-time.ts';
import { dayOfBootLoader } from '../core/update/boot-loader.ts';
import type { Update } from '../core/update/update.ts';
import { updateRefusalWords, updateStateWords, updateWaitWords } from './update-words.ts';

/** What the update process says of itself, for the command line and the terminal. */
export const updateStatusSchema = z.strictObject({
  version: z.string().max(60),
  slot: z.enum(['a', 'b']),
  /** Of the board's boot loader, where it tells: yyyy-MM-dd */
  bootLoader: z.string().max(10).optional(),
  state: z.enum(Object.keys(updateStateWords) as [keyof typeof updateStateWords]),
  wait: z.enum(Object.keys(updateWaitWords) as [keyof typeof updateWaitWords]).optional(),
  /** The version that is being installed or waits */
  next: z.string().max(60).optional(),
  last: z
    .strictObject({
      version: z.string().max(100),
      outcome: z.enum(['installed', 'fell-back', 'refused']),
      reason: z.enum(Object.keys(updateRefusalWords) as [keyof typeof updateRefusalWords]).optional(),
      at: z.number(),
    })
    .optional(),
});
type UpdateStatus = z.infer<typeof updateStatusSchema>;

/** `loaderBuiltMs`: of the board's boot loader, ms since 1970; null: not told */
export const statusOf = (
  { state, board, version, record }: Update,
  loaderBuiltMs: number | null = null,
): UpdateStatus => {
  const next = 'bundle' in state ? state.bundle.version : 'attempt' in state ? state.attempt.bundle.version : undefined;
  const { last } = record;
  return {
    version,
    slot: board.booted,
    ...(loaderBuiltMs !== null && { bootLoader: dayOfBootLoader(loaderBuiltMs) }),
    state: state.name,
    ...(state.name === 'waiting' && { wait: state.why }),
    ...(next !== undefined && { next }),
    ...(last !== null && {
      last: {
        version: last.version,
        outcome: last.outcome,
        ...(last.reason !== null && { reason: last.reason }),
        at: last.wallMs,
      },
    }),
  };
};

/** yyyy-MM-dd HH:mm in Japan: the last update may be months ago */
const dayAndTime = (wallMs: number): string =>
  formatJapanInstant(wallMs).replace(/^(.{4})(..)(..)(..)(..).*$/, '$1-$2-$3 $4:$5');

/** Lines for a person. */
export const wordsOfStatus = (
  status: UpdateStatus,
  language: 'ja' | 'en',
  form: 'long' | 'short' = 'long',
): string[] => {
  const { version, slot, bootLoader, state, wait, next, last } = status;
  const runs = form === 'long' ? `${version} (${slot}): ` : '';
  const lines = [`${runs}${updateStateWords[state][language]}${next === undefined ? '' : ` → ${next}`}`];
  if (wait !== undefined) lines.push(updateWaitWords[wait][language]);
  if (bootLoader !== undefined && form === 'long')
    lines.push(`${language === 'ja' ? 'ブートローダー' : 'boot loader'} (EEPROM): ${bootLoader}`);
  if (last === undefined) return lines;
  const installed = language === 'ja' ? '更新しました' : 'installed';
  const what = last.reason === undefined ? installed : updateRefusalWords[last.reason][language];
  lines.push(`${dayAndTime(last.at)} ${last.version}: ${what}`);
  return lines;
};
