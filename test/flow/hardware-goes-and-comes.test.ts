import { afterEach, beforeEach, expect, it } from 'vitest';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { failure } from '../../src/core/failure.ts';

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

it('reader unplugged between visits: out of service, and back by itself', async () => {
  bed.reader.unplug();
  await bed.see('out-of-service');
  expect(bed.code).toBe('reader.lost');
  expect(bed.light.shown).toBe('fault');
  bed.reader.plug();
  await bed.see('idle');
});

it('reader unplugged while consenting and plugged in again: the visit goes on with its answers', async () => {
  await bed.insert('hanako');
  await bed.verifyFace();
  await bed.see('consent-bundle');
  bed.screen.touch('agree');
  bed.reader.unplug();
  await bed.see('card-pulled');
  await bed.pass(2_000);
  bed.reader.plug();
  await bed.see('consent-item');
  await bed.answerAll('agree');
  await bed.see('accepted');
  expect(bed.visits()).toMatchObject([{ method: 'face', consents: { TKK: true, SHJ: true } }]);
});

it('reader unplugged for good: the visit ends, the next one is told why', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  bed.reader.unplug();
  await bed.see('card-pulled');
  await bed.pass(5_000);
  expect(bed.state).toMatchObject({ name: 'outOfService', failure: { code: 'reader.lost' } });
  expect(bed.visits()).toEqual([]);
});

it('camera lost during the face step: the PIN with the reason', async () => {
  await bed.insert('hanako');
  await bed.beginFace();
  bed.face.say({ type: 'failed', failure: failure('camera.lost') });
  expect(bed.state).toMatchObject({ name: 'enteringPin', notice: 'face-closed' });
  bed.typePin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
});

it('face process killed in mid-visit: begun again with the same photo, the patient does nothing', async () => {
  await bed.insert('hanako');
  await bed.beginFace();
  bed.face.say({ type: 'failed', failure: failure('face.process-lost') });
  bed.face.ail(failure('face.process-lost'));
  await bed.pass(1_500);
  bed.face.ail(null);
  await bed.beginFace();
  expect(bed.face.references).toHaveLength(2);
  expect(bed.face.references[1]).toEqual(bed.face.references[0]);
  bed.face.say({ type: 'matched' });
  await bed.answerAll('agree');
  await bed.see('accepted');
});

it('face process that stays dead: the PIN; with a 顔認証 card staff are called', async () => {
  await bed.insert('face-only');
  await bed.beginFace();
  bed.face.say({ type: 'failed', failure: failure('face.process-lost') });
  await bed.pass(6_000);
  await bed.see('staff-check');
  expect(bed.light.shown).toBe('call-staff');
});

it('10,000 keys at a time when no PIN is asked change nothing', async () => {
  const before = bed.screen.shown.length;
  for (let count = 0; count < 10_000; count += 1) bed.screen.key(0x30 + (count % 10));
  expect(bed.screen.shown.length).toBe(before);
  await bed.insert('hanako');
  await bed.see('choose-method');
  // Before the right moment they are nobody's digits either: not the next PIN's.
  for (let count = 0; count < 4; count += 1) bed.screen.key(0x31 + count);
  bed.screen.touch('use-pin');
  bed.screen.key(0x0d);
  expect(bed.state).toMatchObject({ name: 'enteringPin', checking: false, entered: 0, triesLeft: 3 });
  bed.screen.key(0x31);
  expect(bed.state).toMatchObject({ name: 'enteringPin', entered: 1 });
});
