import { expect, test } from 'vitest';
import { createVirtualCardReader } from '../../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualKeypad } from '../../../drivers/virtual/virtual-keypad.ts';
import { createVirtualStatusLight } from '../../../drivers/virtual/virtual-status-light.ts';
import { breathe, SimulatedClock, until } from '../../../scripts/beds/simulated-clock.ts';
import { testCard } from '../../../scripts/beds/test-cards.ts';
import type { Camera, CameraEvent } from '../../../src/ports/camera.ts';
import { benchCamera, benchCards, benchKeypad, benchLight } from '../../../src/terminal/doctor/bench-parts.ts';
import { cardCryptography } from '../../../src/trust/card-cryptography.ts';

test('a camera: first frame, rate, longest gap, brightness; none of it for one that gives no frame', async () => {
  const clock = new SimulatedClock();
  let listener: (event: CameraEvent) => void = () => {};
  const camera: Camera = {
    subscribe: (each) => {
      listener = each;
      return () => {};
    },
    close: async () => {},
  };
  const figures = benchCamera(camera, clock, 1_000);
  const frame = (brightness: number): void =>
    listener({
      type: 'frame',
      frame: { width: 2, height: 1, rgb: new Uint8Array(6).fill(brightness), capturedAtMs: 0 },
    });
  await clock.advance(200);
  for (const [waitMs, brightness] of [
    [0, 90],
    [100, 90],
    [100, 90],
    [300, 120],
  ] as const) {
    await clock.advance(waitMs);
    frame(brightness);
  }
  await clock.advance(1_000);
  expect(await figures).toEqual({
    firstFrameMs: 200,
    framesPerSecond: 6,
    longestGapMs: 300,
    brightness: 120,
    size: '2x1',
  });
  const dark = benchCamera(camera, clock, 1_000);
  await clock.advance(1_000);
  expect(await dark).toMatchObject({ firstFrameMs: null, framesPerSecond: 0 });
});

test('a keypad: ends early once every key has come, and names those that did not', async () => {
  const clock = new SimulatedClock();
  const keypad = createVirtualKeypad();
  const whole = benchKeypad(keypad, clock, 30_000);
  for (const key of [...new TextEncoder().encode('0123456789'), 0x08, 0x0d]) keypad.press(key);
  expect(await whole).toMatchObject({ found: true, missing: [] });
  const broken = benchKeypad(keypad, clock, 30_000);
  keypad.press(0x31);
  await clock.advance(30_000);
  expect(await broken).toMatchObject({
    pressed: ['1'],
    missing: ['0', '2', '3', '4', '5', '6', '7', '8', '9', 'clear', 'enter'],
  });
});

test('a light shows every pattern and tells of whoever stands there; one that is pulled is told', async () => {
  const clock = new SimulatedClock();
  const shown: string[] = [];
  const light = createVirtualStatusLight((pattern) => shown.push(pattern));
  const figures = benchLight(light, clock, 1_500);
  light.setPresence(true);
  for (let each = 0; each < 12; each += 1) await clock.advance(1_500);
  expect(await figures).toEqual({ found: true, presence: true });
  expect(new Set(shown).size).toBe(9);
  const pulled = benchLight(light, clock, 10);
  light.unplug();
  for (let each = 0; each < 12; each += 1) await clock.advance(10);
  expect(await pulled).toMatchObject({ found: false });
});

test('cards, one after the other: no secret is asked and nothing of a person is told', async () => {
  const clock = new SimulatedClock();
  const sent: Uint8Array[] = [];
  const reader = createVirtualCardReader({ onApdu: ({ command }) => sent.push(command) });
  const told: number[] = [];
  const options = { cardFrontReader: null, trustedCvIssuers: [], cryptography: cardCryptography };
  const figures = benchCards(reader, clock, options, { count: 2, ms: 60_000, told: (read) => told.push(read) });
  const made = await testCard('hanako');
  for (const count of [1, 2]) {
    reader.insert(made.card);
    await until('a card is read', () => told.includes(count));
    reader.pull();
    await breathe();
  }
  const seen = await figures;
  expect(seen).toMatchObject({ faltered: 0, unreadable: [], cards: [{ commands: expect.any(Number) }, {}] });
  expect(seen.cards[0]?.commands).toBeGreaterThan(3);
  expect(seen.cards[0]?.code).toBeUndefined();
  // VERIFY (20) with a body would spend a try; the empty one asks how many are left.
  expect(sent.filter((command) => command[1] === 0x20 && command.length > 5)).toEqual([]);
  const { name, address, birthDate } = made.persona.person;
  for (const personal of [name, address, birthDate]) expect(JSON.stringify(seen)).not.toContain(personal);
});
