import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCard } from '../../drivers/virtual/card-maker.ts';
import { personaById } from '../../drivers/virtual/personas.ts';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { authority, testCard } from '../../scripts/beds/test-cards.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { delays } from '../../src/core/visit/delays.ts';

/* Card and phone at one place: no other reader for phones is there, and nobody says beforehand what will be laid down. */

let bed: VisitBed;
let phone: VirtualCard;
beforeEach(async () => {
  bed = await openVisitBed();
  setPhones(true);
  phone = (await testCard('android-phone', bed.clock.now().wallMs)).card;
});
afterEach(() => bed.close());

const setPhones = (smartphone: boolean): void => {
  const { settings } = bed.runner.session.surroundings;
  if (settings === null) throw new Error('no settings');
  bed.runner.tell({ type: 'SettingsChanged', settings: { ...settings, smartphone } });
};

const cardOf = async (id: string): Promise<VirtualCard> => (await testCard(id, bed.clock.now().wallMs)).card;

/** Another Android, of another person whom the service knows. */
const anotherPhone = async (): Promise<VirtualCard> => {
  const persona = { ...personaById('android-phone'), id: 'android-other', serial: '5E571001' };
  const keyFolder = new URL('../../.cache/virtual-card-keys', import.meta.url).pathname;
  return (await makeCard({ persona, authority, keyFolder, photo: null, wallMs: bed.clock.now().wallMs })).card;
};

const lay = (what: VirtualCard): void => bed.reader.insert(what);

/** Laid down, known, its PIN typed and submitted: what is laid down next is taken for the phone. */
const comeAsFarAsPin = async (digits = '1234'): Promise<void> => {
  lay(phone);
  await bed.see('phone-pin');
  bed.typePin(digits);
  await bed.see('present-phone');
};

const sentTo = (card: VirtualCard): number => card.verifyCount;

describe('an Android at the place of the cards', () => {
  it('laid down, PIN, laid down once more: known by itself, one VERIFY, accepted, and the phone is what is to be taken', async () => {
    expect(bed.screen.now.controls).toEqual([]);
    expect(bed.screen.now.lead).toHaveLength(2);
    await comeAsFarAsPin();
    expect(sentTo(phone)).toBe(0);
    bed.reader.pull();
    lay(phone);
    await bed.answerAll('agree');
    await bed.see('accepted');
    expect(bed.screen.now.heading).toBe('受付できました。スマートフォンをお取りください');
    await bed.agent.quiet();
    expect(bed.visits()).toMatchObject([{ method: 'pin', outcome: 'eligible' }]);
    expect(sentTo(phone)).toBe(1);
    await bed.pass(delays.showResultMs);
    expect(bed.screen.now).toMatchObject({ screen: 'take-card', heading: 'スマートフォンをお取りください' });
    await bed.pass(delays.cardLeftMs);
    expect(bed.screen.now).toMatchObject({ screen: 'card-left', heading: 'スマートフォンをお取りください' });
    bed.reader.pull();
    await bed.see('idle');
    // From the phone on nobody was told of a card.
    const since = bed.screen.shown.findIndex(({ screen }) => screen === 'phone-pin');
    const words = bed.screen.shown
      .slice(since)
      .filter(({ screen }) => /present|reading|signing|accepted|take|left/.test(screen));
    expect(words.flatMap(({ heading, lead }) => [heading, ...lead]).filter((each) => /カード/.test(each))).toEqual([]);
  });

  it('left lying while its PIN is typed it is not asked; lifted and laid down, it is', async () => {
    await comeAsFarAsPin();
    await bed.pass(2_000);
    expect(sentTo(phone)).toBe(0);
    expect(bed.screen.now.lead.join()).toContain('持ち上げて');
    lay(phone);
    await bed.see('consent-bundle', 'consent-item');
    expect(sentTo(phone)).toBe(1);
  });

  it('laid down again before the PIN was typed: asked anew, nothing half typed is kept, nothing is sent', async () => {
    lay(phone);
    await bed.see('phone-pin');
    bed.screen.key(0x31);
    await until('a digit', () => bed.state.name === 'enteringPhonePin' && bed.state.entered === 1);
    lay(phone);
    await until('asked anew', () => bed.state.name === 'enteringPhonePin' && bed.state.entered === 0);
    bed.screen.key(0x0d);
    expect(bed.state).toMatchObject({ name: 'enteringPhonePin', notice: 'incomplete' });
    expect(sentTo(phone)).toBe(0);
  });

  it('the PIN is kept no longer than its time: what is laid down then is sent nothing', async () => {
    await comeAsFarAsPin();
    bed.reader.pull();
    await bed.pass(delays.phonePinHeldMs);
    await bed.see('phone-pin');
    lay(phone);
    await until('known again', () => bed.states.filter((name) => name === 'readingCard').length === 2);
    await bed.see('phone-pin');
    expect(sentTo(phone)).toBe(0);
  });

  it('a wrong PIN shows the tries of the phone that lies there; its last try goes only with a yes of its own', async () => {
    for (const [digits, left] of [
      ['0000', '2'],
      ['0001', '1'],
    ] as const) {
      if (left === '2') await comeAsFarAsPin(digits);
      else bed.typePin(digits);
      await bed.see('present-phone');
      bed.reader.pull();
      lay(phone);
      await until(`${left} left`, () => bed.state.name === 'enteringPhonePin' && bed.state.triesLeft === Number(left));
    }
    expect([bed.screen.now.screen, sentTo(phone)]).toEqual(['pin-last-try', 2]);
    bed.typePin('1234');
    lay(phone);
    await bed.see('phone-pin', 'pin-last-try');
    expect(sentTo(phone)).toBe(2);
  });

  it('lifted while it checks: the PIN is typed anew', async () => {
    await comeAsFarAsPin();
    const pulled = new Promise<void>((resolve) => {
      const stop = bed.runner.subscribe(({ state }) => {
        if (state.name !== 'verifyingPhone') return;
        stop();
        queueMicrotask(() => {
          bed.reader.pull();
          resolve();
        });
      });
    });
    lay(phone);
    await pulled;
    await bed.see('phone-pin');
    expect(bed.state).toMatchObject({ name: 'enteringPhonePin', entered: 0, notice: 'missed' });
    expect(sentTo(phone)).toBeLessThanOrEqual(1);
  });

  it('lifted while its consents are asked: told at once, and nothing is sent; laid down, it begins anew', async () => {
    await comeAsFarAsPin();
    lay(phone);
    await bed.see('consent-bundle', 'consent-item');
    bed.reader.pull();
    await bed.see('desk');
    expect(bed.code).toBe('card.phone-removed');
    expect(bed.screen.now.lead.join()).not.toMatch(/カードをお取り/);
    lay(phone);
    await bed.see('phone-pin');
    expect(bed.visits()).toEqual([]);
  });
});

describe('what else is laid at the one place', () => {
  it('a card in place of the phone: its own visit, never sent the phone’s PIN', async () => {
    await comeAsFarAsPin();
    const card = await cardOf('hanako');
    lay(card);
    await bed.see('choose-method', 'pin');
    if (bed.screen.now.screen === 'choose-method') bed.screen.touch('use-pin');
    bed.screen.key(0x0d);
    expect(bed.state).toMatchObject({ name: 'enteringPin', entered: 0, notice: 'incomplete' });
    bed.typePin('1234');
    await bed.answerAll('agree');
    await bed.see('accepted');
    await bed.agent.quiet();
    expect(bed.visits()).toMatchObject([{ method: 'pin', outcome: 'eligible' }]);
    expect([sentTo(card), sentTo(phone)]).toEqual([1, 0]);
    expect(bed.screen.now.heading).toBe('受付できました。カードをお取りください');
  });

  it('a phone in place of a card that was pulled: that visit is over, and nothing of it is the phone’s', async () => {
    await bed.insert('hanako');
    await bed.enterPin('1234');
    await bed.see('consent-bundle', 'consent-item');
    const cards = bed.screen.now.session;
    bed.reader.pull();
    await bed.see('card-pulled');
    await comeAsFarAsPin();
    lay(phone);
    await bed.see('consent-bundle', 'consent-item');
    const { state } = bed.runner.session;
    if (state.name !== 'askingConsent') throw new Error(state.name);
    expect(state.visit.session).not.toBe(cards);
    expect(state.visit.identity).toMatchObject({ kind: 'android-phone', certificateSerial: '5E57000E' });
  });

  it('another phone the second time: nothing was kept of the first; the visit is that of the phone that took the PIN', async () => {
    await comeAsFarAsPin();
    const other = await anotherPhone();
    lay(other);
    await bed.see('consent-bundle', 'consent-item');
    const { state } = bed.runner.session;
    expect('visit' in state && state.visit?.identity?.certificateSerial).toBe('5E571001');
    await bed.answerAll('agree');
    await bed.see('accepted');
    await bed.agent.quiet();
    expect([sentTo(phone), sentTo(other)]).toEqual([0, 1]);
  });

  it.each([
    ['iphone', 'card.phone-not-android'],
    ['empty-phone', 'card.phone-unreadable'],
    ['driving-licence', 'card.phone-unreadable'],
  ])('%s where the phone was waited for: %s, nothing is sent', async (id, code) => {
    await comeAsFarAsPin();
    const laid = await cardOf(id);
    lay(laid);
    await bed.see('desk');
    expect([bed.code, sentTo(laid)]).toEqual([code, 0]);
    expect(bed.screen.now.note).toContain('マイナポータル');
    expect(bed.screen.now.heading).toBe('受付の方に お声がけください');
  });

  it('something that does not answer (a locked phone, a card and a phone at once): told, and laid down anew it begins again', async () => {
    await comeAsFarAsPin();
    lay(phone);
    bed.reader.discharge('mute');
    await bed.see('desk');
    expect(bed.code).toBe('card.phone-unreadable');
    expect(bed.screen.now.lead.join()).toContain('ロックを外し');
    expect(sentTo(phone)).toBe(0);
    lay(phone);
    await bed.see('phone-pin');
  });

  it('an iPhone at rest: told in its own words, with what serves at the desk', async () => {
    lay(await cardOf('iphone'));
    await bed.see('desk');
    expect(bed.code).toBe('card.phone-not-android');
    expect(bed.screen.now.lead.join()).toContain('iPhone');
    expect(bed.screen.now.note).toContain('マイナポータル');
  });

  it('where the facility has none read, an Android is told that, and the idle screen names none', async () => {
    setPhones(false);
    expect(bed.screen.now.lead).toHaveLength(1);
    lay(phone);
    await bed.see('desk');
    expect([bed.code, sentTo(phone)]).toEqual(['card.phone-not-supported', 0]);
  });
});
