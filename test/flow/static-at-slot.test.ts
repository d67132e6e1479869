import { expect, it } from 'vitest';
import { sparkAtSlot } from '../../scripts/trials/static-at-slot.ts';

it('sparks at the slot: no card and no reader is stuck, and each one is counted for the doctor', async () => {
  const { stuck, counted } = await sparkAtSlot(21);
  expect(stuck).toBe(0);
  expect(counted).toEqual({ cardResets: 7, muteCards: 7, busResets: 7 });
});
