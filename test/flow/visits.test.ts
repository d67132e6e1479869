import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

const all = (given: boolean) => ({ TKK: given, YZK: given, SRJ: given, SHJ: given, TSR: given });

it('by face, agreeing to everything', async () => {
  await bed.insert('hanako');
  await bed.verifyFace();
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ method: 'face', verdict: 'accepted', consents: all(true) }]);
  await until('its file', () => bed.agent.files().length === 1);
  await bed.takeCard();
  await until('the row gone', () => bed.store.rows.size === 0);
});

it('by PIN, refusing everything', async () => {
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.answerAll('decline');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ method: 'pin', verdict: 'accepted', consents: all(false) }]);
});

it('by the keypad, with the page never touched for a digit', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  bed.screen.touch('use-pin');
  for (const key of [0x31, 0x32, 0x33, 0x34, 0x0d]) bed.keypad.press(key);
  await bed.answerAll('agree');
  await bed.see('accepted');
});

it('a wrong PIN, then the right one: two tries shown, one spent', async () => {
  await bed.insert('hanako');
  await bed.enterPin('1235');
  await until('the refusal', () => bed.state.name === 'enteringPin' && bed.state.notice === 'wrong');
  expect(bed.state).toMatchObject({ triesLeft: 2, entered: 0 });
  bed.typePin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
});

it('an impostor’s face, then the PIN', async () => {
  await bed.insert('hanako');
  await bed.beginFace();
  for (let misses = 0; misses < 3; misses += 1) bed.face.say({ type: 'missed' });
  expect(bed.screen.now.lead[0]).toBe('ほかの方法でも受付できます。');
  bed.screen.touch('use-pin');
  bed.typePin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ method: 'pin' }]);
});

it('the card pulled while consenting and put back: no answer is lost, the PIN is asked again', async () => {
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle');
  bed.screen.touch('decline');
  bed.reader.pull();
  await bed.see('card-pulled');
  await bed.pass(4_000);
  await bed.insert('hanako');
  await bed.see('pin');
  bed.typePin('1234');
  await bed.see('consent-item');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ consents: { TKK: false, YZK: false, SRJ: false, SHJ: true, TSR: true } }]);
});

it('another card put back: nothing of the first visit reaches the second', async () => {
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle');
  bed.screen.touch('agree');
  bed.reader.pull();
  await bed.see('card-pulled');
  await bed.insert('taro');
  await bed.enterPin('2468');
  await bed.answerAll('decline');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ consents: all(false) }]);
});

it('a first registration: its own request and receipt, then the consents', async () => {
  await bed.insert('unregistered');
  await bed.enterPin('1234');
  await bed.see('registration');
  bed.screen.touch('agree');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([
    { kind: 'registration', verdict: 'accepted', outcome: 'registered', consents: {} },
    { kind: 'eligibility', verdict: 'accepted', outcome: 'eligible' },
  ]);
});

it('two patients one after the other, the second in another language: each with what is theirs', async () => {
  await bed.insert('hanako');
  await bed.verifyFace();
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.takeCard();
  await bed.insert('taro');
  await bed.see('choose-method');
  expect(bed.screen.now.language).toBe('ja');
  await bed.enterPin('2468');
  await bed.answerAll('decline');
  await bed.see('accepted');
  const [first, second] = bed.visits();
  expect(first?.session).not.toBe(second?.session);
  expect(second?.consents).toEqual(all(false));
});
