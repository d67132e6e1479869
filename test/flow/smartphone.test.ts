import { afterEach, beforeEach, expect, it } from 'vitest';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import type { SmartphoneReader } from '../../src/ports/smartphone-reader.ts';

let bed: VisitBed;
afterEach(() => bed.close());

class ToldSmartphoneReader implements SmartphoneReader {
  readonly asked: string[] = [];
  ended = 0;
  answer: (presented: Result<CardSession>) => void = () => {};
  signal = new AbortController().signal;
  readonly phone: CardSession = {
    id: 'phone-1',
    atr: new Uint8Array(),
    transmit: async () => err(failure('card.removed')),
    end: async () => {
      this.ended += 1;
    },
  };
  present(kind: 'iphone' | 'android', signal: AbortSignal): Promise<Result<CardSession>> {
    this.asked.push(kind);
    this.signal = signal;
    return new Promise((resolve) => {
      this.answer = resolve;
    });
  }
}

let phones: ToldSmartphoneReader;
const choose = async (phone: 'iphone' | 'android', smartphoneReader?: SmartphoneReader): Promise<void> => {
  bed = await openVisitBed(smartphoneReader === undefined ? {} : { smartphoneReader });
  const { settings } = bed.runner.session.surroundings;
  if (settings === null) throw new Error('no settings');
  bed.runner.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
  bed.screen.touch('use-smartphone');
  await bed.see('choose-phone');
  bed.screen.touch(phone);
};
beforeEach(() => {
  phones = new ToldSmartphoneReader();
});

it('a terminal without a reader for phones: the desk, with the reason', async () => {
  await choose('iphone');
  await bed.see('desk');
  expect(bed.code).toBe('card.phone-not-supported');
});

it('the phone’s session is read like a card’s, and ended with its visit', async () => {
  await choose('android', phones);
  await bed.see('present-phone');
  expect(phones.asked).toEqual(['android']);
  phones.answer(ok(phones.phone));
  await bed.see('idle');
  expect(bed.states).toContain('readingCard');
  expect(phones.ended).toBe(1);
});

it('what the reader says is what the desk is told', async () => {
  await choose('iphone', phones);
  phones.answer(err(failure('reader.lost')));
  await bed.see('desk');
  expect(bed.code).toBe('reader.lost');
});

it('a card laid down meanwhile wins; a phone that still comes is let go', async () => {
  await choose('iphone', phones);
  await bed.insert('hanako');
  await bed.see('choose-method');
  expect(phones.signal.aborted).toBe(true);
  phones.answer(ok(phones.phone));
  await expect.poll(() => phones.ended).toBe(1);
  await bed.see('choose-method');
});
