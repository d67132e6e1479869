import { z } from 'zod';
import type { CardReader } from '../../ports/card-reader.ts';
import type { Clock } from '../../ports/clock.ts';

/**
 * What happened at the slot since the start: static electricity of a dry winter day shows here and nowhere else. A card
 * that is reset at contact is gone and back at once, or fails an APDU where it lies; one that is mute has no answer to
 * power; a reader whose bus is reset is lost and found again.
 */
export const slotCountsSchema = z.strictObject({
  cardResets: z.number().int().min(0),
  muteCards: z.number().int().min(0),
  busResets: z.number().int().min(0),
});
type SlotCounts = z.infer<typeof slotCountsSchema>;

/** No hand takes a card away and lays it down again within this; a reset does. ms */
const atOnceMs = 150;
/** A reader that was unplugged by hand stays away for longer. ms */
const busResetMs = 5_000;

/** Listens until the reader is closed. */
export const countAtSlot = (
  cardReader: Pick<CardReader, 'subscribe'>,
  clock: Clock,
): { readonly counts: () => SlotCounts; readonly stop: () => void } => {
  const counts = { cardResets: 0, muteCards: 0, busResets: 0 };
  let removedAtMs = Number.NEGATIVE_INFINITY;
  let lostAtMs = Number.NEGATIVE_INFINITY;
  const stop = cardReader.subscribe(({ type }) => {
    const nowMs = clock.now().monotonicMs;
    if (type === 'card-removed') removedAtMs = nowMs;
    if (type === 'card-inserted' && nowMs - removedAtMs <= atOnceMs) counts.cardResets += 1;
    if (type === 'card-faltered') counts.cardResets += 1;
    if (type === 'card-unreadable') counts.muteCards += 1;
    if (type === 'reader-lost') lostAtMs = nowMs;
    if (type === 'reader-found' && nowMs - lostAtMs <= busResetMs) counts.busResets += 1;
  });
  return { counts: () => ({ ...counts }), stop };
};

/** For the doctor's line about the reader; '' = nothing happened. */
export const slotText = ({ cardResets, muteCards, busResets }: SlotCounts): string =>
  cardResets + muteCards + busResets === 0
    ? ''
    : `at the slot since the start: ${cardResets} cards reset, ${muteCards} mute, ${busResets} bus resets (static, a dirty contact, a bad cable)`;
