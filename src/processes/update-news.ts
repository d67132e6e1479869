import { readFileSync } from 'node:fs';
import { updateStatusSchema } from '../catalogue/update-status.ts';
import type { Clock } from '../ports/clock.ts';
import type { StateMessage } from '../wire/messages.ts';
import { startRound } from './rounds.ts';

/** Staff see what an update is about within this. ms */
const lookAtUpdatesMs = 5_000;
/** '' where this device has no two slots. */
const readUpdateStatus = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const updateOf = (text: string): StateMessage['update'] => {
  if (text === '') return undefined;
  const { state, wait, next, last } = updateStatusSchema.parse(JSON.parse(text));
  return {
    state,
    ...(wait !== undefined && { wait }),
    ...(next !== undefined && next !== '' && { next: next.slice(0, 40) }),
    ...(last !== undefined && { last: { ...last, at: Math.round(last.at) } }),
  };
};

/** Tells what the update process of this device says, whenever it is something else. Returns how to end it. */
export const followUpdates = (
  path: string,
  clock: Clock,
  tell: (update: StateMessage['update']) => void,
): (() => void) => {
  let before = '';
  return startRound(clock, lookAtUpdatesMs, 'at-once', () => {
    const text = readUpdateStatus(path);
    if (text === before) return;
    before = text;
    tell(updateOf(text));
  });
};
