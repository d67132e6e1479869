import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

it('in grace: 資格情報 only, told why, accepted without a consent', async () => {
  await bed.insert('grace');
  await bed.enterPin('1234');
  await bed.see('certificate-notice');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ verdict: 'accepted', consents: {} }]);
  // 資格情報 includes 限度額: it goes to the レセコン without a question.
  await until('its file', () => bed.agent.files().length > 0);
  const [file = ''] = bed.agent.files();
  const xml = readFileSync(join(bed.agent.oqsFolder, 'face', file), 'latin1');
  expect(xml).toContain('<LimitApplicationCertificateRelatedConsFlg>1<');
  expect(xml).not.toMatch(/InfoConsFlg>1</);
});

it('near its end: a notice among the questions, everything else as ever', async () => {
  await bed.insert('near-expiry');
  await bed.enterPin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.screen.shown.some(({ screen }) => screen === 'certificate-notice')).toBe(true);
  expect(bed.visits()).toMatchObject([{ verdict: 'accepted', consents: { TKK: true } }]);
});

it.each([
  ['dead', 'card.certificate-expired'],
  ['revoked', 'card.certificate-revoked'],
  ['driving-licence', 'card.not-my-number'],
  ['old-juki', 'card.old-juki'],
  ['android-phone', 'card.phone-not-supported'],
] as const)('%s: the desk with %s, and no try of the PIN is spent', async (persona, code) => {
  await bed.insert(persona);
  await bed.see('desk');
  expect(bed.code).toBe(code);
  expect(bed.states).not.toContain('signing');
  await bed.takeCard();
});

it('PIN blocked: the face alone is offered', async () => {
  await bed.insert('pin-blocked');
  await bed.see('choose-method');
  expect(bed.screen.now.controls.some(({ id }) => id === 'use-pin')).toBe(false);
  await bed.beginFace();
  bed.face.say({ type: 'matched' });
  await bed.answerAll('agree');
  await bed.see('accepted');
});

it('no photo on the chip: who chooses the face is asked for the PIN instead', async () => {
  await bed.insert('no-photo');
  await bed.see('choose-method');
  bed.screen.touch('use-face');
  await bed.see('pin');
});
