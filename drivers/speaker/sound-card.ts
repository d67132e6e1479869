import { readFile } from 'node:fs/promises';

/** Whether the kernel knows a sound card (ALSA); none where nobody tells. */
export const hasSoundCard = async (): Promise<boolean> =>
  !/no soundcards/.test(await readFile('/proc/asound/cards', 'utf8').catch(() => 'no soundcards'));
