import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualSmartphoneReader } from '../../drivers/virtual/virtual-smartphone-reader.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { testCard } from '../../scripts/beds/test-cards.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { failure } from '../../src/core/failure.ts';
import { err, ok, type Result } from '../../src/core/result.ts';
import { delays } from '../../src/core/visit/delays.ts';
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

const choose = async (phone: 'iphone' | 'android', smartphoneReader?: SmartphoneReader): Promise<void> => {
  bed = await openVisitBed(smartphoneReader === undefined ? {} : { smartphoneReader });
  const { settings } = bed.runner.session.surroundings;
  if (settings === null) throw new Error('no settings');
  bed.runner.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone: true } });
  bed.screen.touch('use-smartphone');
  await bed.see('choose-phone');
  bed.screen.touch(phone);
};

describe('an iPhone', () => {
  it('is read like a card once it is there, and let go with its visit', async () => {
    const phones = new ToldSmartphoneReader();
    await choose('iphone', phones);
    await bed.see('present-phone');
    expect(phones.asked).toEqual(['iphone']);
    phones.answer(ok(phones.phone));
    await bed.see('idle');
    expect(bed.states).toContain('readingCard');
    expect(phones.ended).toBe(1);
  });

  it('what the reader says is what the desk is told', async () => {
    const phones = new ToldSmartphoneReader();
    await choose('iphone', phones);
    phones.answer(err(failure('reader.lost')));
    await bed.see('desk');
    expect(bed.code).toBe('reader.lost');
  });

  it('a card laid down meanwhile wins; a phone that still comes is let go', async () => {
    const phones = new ToldSmartphoneReader();
    await choose('iphone', phones);
    await bed.insert('hanako');
    await bed.see('choose-method');
    expect(phones.signal.aborted).toBe(true);
    phones.answer(ok(phones.phone));
    await expect.poll(() => phones.ended).toBe(1);
    await bed.see('choose-method');
  });
});

describe('an Android: the PIN first, then the phone', () => {
  it('laid where a card belongs it is known by itself: laid down, PIN, held to its reader, accepted', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    await bed.see('phone-pin');
    bed.screen.touch('back');
    await bed.see('idle');
    const { card } = await testCard('android-phone', bed.clock.now().wallMs);
    await bed.insert('android-phone');
    await bed.see('phone-pin');
    expect(card.verifyCount).toBe(0);
    bed.typePin('1234');
    await bed.see('present-phone');
    bed.reader.pull();
    phones.hold(card);
    await bed.answerAll('agree');
    await bed.see('accepted');
    expect(card.verifyCount).toBe(1);
  });

  it('a whole visit: typed with nothing held, verified once when the phone is there, accepted', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    const { card } = await testCard('android-phone', bed.clock.now().wallMs);
    await bed.see('phone-pin');
    expect(phones.awaits).toBe(false);
    bed.typePin('1234');
    await bed.see('present-phone');
    expect(card.verifyCount).toBe(0);
    phones.hold(card);
    await bed.answerAll('agree');
    await bed.see('accepted');
    expect(card.verifyCount).toBe(1);
    await bed.agent.quiet();
    const [visit] = bed.visits();
    expect(visit).toMatchObject({ method: 'pin', outcome: 'eligible' });
    const since = bed.screen.shown.findIndex(({ screen }) => screen === 'present-phone');
    const leads = bed.screen.shown.slice(since).flatMap(({ lead }) => lead);
    expect(leads).toContain('スマートフォンを動かさないでください。');
    expect(leads.filter((lead) => /カードを(動かさ|忘れ)/.test(lead))).toEqual([]);
  });

  it('a wrong PIN shows the tries that are left; the next right one goes on', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    const { card } = await testCard('android-phone', bed.clock.now().wallMs);
    bed.typePin('0000');
    phones.hold(card);
    await until('the phone’s answer', () => bed.screen.now.note?.includes('2') === true);
    await bed.see('phone-pin');
    phones.takeAway();
    bed.typePin('1234');
    phones.hold(card);
    await bed.answerAll('agree');
    await bed.see('accepted');
    expect(card.verifyCount).toBe(2);
  });

  it('a phone that comes when the PIN’s time is over is sent nothing', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    const { card } = await testCard('android-phone', bed.clock.now().wallMs);
    bed.typePin('1234');
    await bed.see('present-phone');
    await bed.clock.advance(delays.phonePinHeldMs);
    await bed.see('phone-pin');
    expect(phones.awaits).toBe(false);
    phones.hold(card);
    bed.screen.key(0x0d);
    await bed.clock.advance(1_000);
    expect([card.verifyCount, bed.screen.now.screen]).toEqual([0, 'phone-pin']);
  });

  it('a My Number card laid on the bed with a phone’s PIN in memory begins its own visit, and is sent no VERIFY', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    bed.typePin('1234');
    await bed.see('present-phone');
    const { card } = await testCard('hanako', bed.clock.now().wallMs);
    bed.reader.insert(card);
    await bed.see('choose-method', 'pin');
    if (bed.screen.now.screen === 'choose-method') bed.screen.touch('use-pin');
    bed.screen.key(0x0d);
    await bed.clock.advance(1_000);
    expect(card.verifyCount).toBe(0);
    expect(bed.state).toMatchObject({ name: 'enteringPin', entered: 0, notice: 'incomplete' });
  });

  it('a My Number card held to the reader for phones: the desk, and no VERIFY', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    bed.typePin('1234');
    await bed.see('present-phone');
    const { card } = await testCard('hanako', bed.clock.now().wallMs);
    phones.hold(card);
    await bed.see('desk');
    expect([bed.code, card.verifyCount]).toEqual(['card.unreadable', 0]);
  });

  it('taken away before its visit is signed: begin again', async () => {
    const phones = createVirtualSmartphoneReader();
    await choose('android', phones);
    const { card } = await testCard('android-phone', bed.clock.now().wallMs);
    bed.typePin('1234');
    phones.hold(card);
    await bed.see('consent-bundle', 'consent-item');
    phones.takeAway();
    await bed.answerAll('agree');
    await bed.see('desk');
    expect(bed.code).toBe('card.phone-removed');
  });
});
