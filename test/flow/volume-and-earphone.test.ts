import { afterEach, beforeEach, expect, it } from 'vitest';
import { createVirtualSpeaker, type VirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';

let bed: VisitBed;
let ear: VirtualSpeaker;
beforeEach(async () => {
  ear = createVirtualSpeaker();
  bed = await openVisitBed({ speaker: ear });
  await bed.insert('hanako');
  await bed.see('choose-method');
});
afterEach(() => bed.close());

const zero = 0x30;
const enter = 0x0d;
const leave = async (): Promise<void> => {
  bed.reader.pull();
  await bed.see('card-pulled');
  await bed.pass(30_000);
  await bed.see('idle');
};

it('is made louder by keys, at once and twice, and is back as it was for the next patient', async () => {
  bed.keypad.press(zero);
  for (let presses = 0; presses < 8 && ear.last !== '音を大きく'; presses += 1) bed.keypad.press(zero);
  expect(ear.last).toBe('音を大きく');
  const said = ear.said.length;
  bed.keypad.press(enter);
  expect(ear.loudness).toBe(1);
  // What was too soft is said again, louder.
  expect(ear.said.length).toBe(said + 1);
  expect(ear.last).toContain('本人確認の方法を選んでください');
  for (let presses = 0; presses < 4; presses += 1) bed.keypad.press(enter);
  expect(ear.loudness).toBe(2);
  expect(bed.state.name).toBe('choosingMethod');
  await leave();
  expect(ear.loudness).toBe(0);
});

it('is made softer on the screen; with the voice off a chime lets hear how loud it is now', () => {
  bed.screen.touch('voice');
  bed.screen.touch('voice');
  const [said, chimes] = [ear.said.length, ear.chimes.length];
  for (let touches = 0; touches < 3; touches += 1) bed.screen.touch('softer');
  expect(ear.loudness).toBe(-2);
  expect(ear.said.length).toBe(said);
  expect(ear.chimes.slice(chimes)).toEqual(['key', 'key', 'key']);
});

it('speaks into an earphone whatever the button says, and more: what is promised, too', async () => {
  bed.screen.touch('voice');
  bed.screen.touch('voice');
  const before = ear.said.length;
  ear.earphone(true);
  expect(ear.last).toContain('本人確認の方法を選んでください');
  expect(ear.last).toContain('顔写真は機器に保存されません。');
  bed.screen.touch('use-pin');
  await bed.see('pin');
  expect(ear.last).toContain('4桁の暗証番号を入力してください');
  expect(ear.last).toContain('入力した番号は、表示も保存もされません。');
  expect(ear.said.length).toBe(before + 2);
  ear.earphone(false);
  bed.screen.touch('call-staff');
  await bed.see('staff-check');
  expect(ear.said.length).toBe(before + 2);
});

it('repeats and changes its volume into an earphone without turning the room’s voice on', async () => {
  ear.earphone(true);
  const before = ear.said.length;
  bed.screen.touch('louder');
  expect(ear.said.length).toBe(before + 1);
  bed.screen.touch('repeat');
  expect(ear.said.length).toBe(before + 2);
  expect(ear.last).toContain('顔写真は機器に保存されません。');
  expect(bed.runner.session.display.voice).toBe('headings');
  ear.earphone(false);
  bed.screen.touch('use-pin');
  await bed.see('pin');
  // A room again: the heading alone.
  expect(ear.last).not.toContain('入力した番号は、表示も保存もされません。');
});
