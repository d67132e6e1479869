import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../../scripts/beds/visit-bed.ts';

/* Nine tenths of what a card can tell is its photo: who takes the PIN neither waits for it nor has it read. */

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

/** APDUs of one whole visit, until the receipt. */
const apdusOf = async (verify: () => Promise<void>): Promise<number> => {
  const before = bed.reader.apduCount;
  await bed.insert('hanako');
  await verify();
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.takeCard();
  return bed.reader.apduCount - before;
};

test('a visit by PIN never selects the record with the photo; one by face reads it once', async () => {
  const pin = await apdusOf(() => bed.enterPin('1234'));
  expect(bed.face.references).toEqual([]);
  expect(bed.logLines.filter((line) => line.includes('"card.visual-read"'))).toEqual([]);
  // Token, certificate, tries, PIN, signature.
  expect(pin).toBeLessThanOrEqual(20);
  const face = await apdusOf(() => bed.verifyFace());
  expect(bed.face.references).toHaveLength(1);
  expect(bed.logLines.filter((line) => line.includes('"card.visual-read"'))).toHaveLength(1);
  expect(face).toBeGreaterThan(2 * pin);
});

test('whoever goes from the PIN back to the face has it read then', async () => {
  await bed.insert('hanako');
  await bed.enterPin('9999');
  await until('the refusal', () => bed.logLines.some((line) => line.includes('"pin.refused"')));
  bed.screen.touch('use-face');
  await bed.verifyFace();
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits().map(({ method }) => method)).toEqual(['face']);
});
