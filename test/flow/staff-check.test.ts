import { afterEach, beforeEach, expect, it } from 'vitest';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { failure } from '../../src/core/failure.ts';
import { visitOf } from '../../src/core/visit/session-steps.ts';

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

const session = (): string => visitOf(bed.state)?.session ?? '';
const approve = (who = session()) => bed.agent.desk.commands.approve('front-1', who, 'nurse-1');

it('approved by staff: the visit goes on, the request carries the signed approval, the journal the method', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  bed.screen.touch('call-staff');
  await bed.see('staff-check');
  expect(bed.light.shown).toBe('call-staff');
  expect(await approve()).toMatchObject({ ok: true });
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ method: 'staff', verdict: 'accepted', consents: { TKK: true } }]);
  expect(bed.agent.journal.approvals()).toMatchObject([{ approver: 'nurse-1' }]);
});

it('an approval is for one patient: the next one is asked again, and another session cannot be approved', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  bed.screen.touch('call-staff');
  await bed.see('staff-check');
  expect((await approve(crypto.randomUUID())).ok).toBe(false);
  await bed.see('staff-check');
  await approve();
  await bed.answerAll('decline');
  await bed.see('accepted');
  await bed.takeCard();
  await bed.insert('taro');
  await bed.see('choose-method');
  expect(visitOf(bed.state)?.verification).toEqual({ state: 'open' });
});

it('blocked PIN and no face: staff; no counter of the card is touched', async () => {
  await bed.insert('pin-blocked');
  await bed.beginFace();
  bed.face.say({ type: 'failed', failure: failure('camera.lost') });
  await bed.see('staff-check');
  await approve();
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ method: 'staff' }]);
});

it('staff send the patient to the desk: the visit ends there', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  await bed.agent.desk.commands.send('front-1', { name: 'cancel-session', session: session() });
  await bed.see('desk');
  expect(bed.code).toBe('session.cancelled-by-staff');
});

it('blocked PIN and a face that may be looked at: whoever calls staff is told, with them, that the card is why', async () => {
  await bed.insert('pin-blocked');
  await bed.see('choose-method');
  bed.screen.touch('call-staff');
  await bed.see('staff-check');
  expect(bed.state).toMatchObject({ name: 'awaitingStaffCheck', failure: { code: 'card.pin-blocked' } });
});
