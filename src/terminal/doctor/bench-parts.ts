import { lightPatterns } from '../../core/visit/light-of.ts';
import type { Camera } from '../../ports/camera.ts';
import type { CardReader, CardSession } from '../../ports/card-reader.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Keypad, PinKey } from '../../ports/keypad.ts';
import type { StatusLight } from '../../ports/status-light.ts';
import { type ReadCardOptions, readCard } from '../card/read-card.ts';

/*
 * What a part does on the day it is built in, in figures: the bring-up sheet (docs/bring-up.md) is filled in with them.
 * Nothing secret is asked of a card and nothing of a person is kept: no PIN, no printed number, no name.
 */

/** null: no first frame within the time. */
type CameraFigures = {
  readonly firstFrameMs: number | null;
  readonly framesPerSecond: number;
  /** Longest time without a frame */
  readonly longestGapMs: number;
  /** Mean of all bytes of the last frame, 0 … 255: a covered lens is below 10 */
  readonly brightness: number;
  readonly size: string;
};

const waitFor = (clock: Clock, ms: number, done: Promise<void>): Promise<void> =>
  new Promise((resolve) => {
    const callOff = clock.wakeAt(clock.now().monotonicMs + ms, resolve);
    void done.then(() => {
      callOff();
      resolve();
    });
  });
const never = new Promise<void>(() => {});

export const benchCamera = async (camera: Camera, clock: Clock, ms: number): Promise<CameraFigures> => {
  const began = clock.now().monotonicMs;
  const at: number[] = [];
  let brightness = 0;
  let size = '';
  const unsubscribe = camera.subscribe((event) => {
    if (event.type !== 'frame') return;
    at.push(clock.now().monotonicMs);
    const { rgb, width, height } = event.frame;
    size = `${width}x${height}`;
    let sum = 0;
    for (const value of rgb) sum += value;
    brightness = Math.round(sum / rgb.length);
  });
  await waitFor(clock, ms, never);
  unsubscribe();
  const [first] = at;
  const last = at.at(-1);
  const gaps = at.map((each, index) => each - (at[index - 1] ?? each));
  return {
    firstFrameMs: first === undefined ? null : Math.round(first - began),
    framesPerSecond:
      first === undefined || last === undefined || last === first
        ? 0
        : Math.round(((at.length - 1) * 10_000) / (last - first)) / 10,
    longestGapMs: Math.round(Math.max(0, ...gaps)),
    brightness,
    size,
  };
};

const keyNames: ReadonlyMap<PinKey, string> = new Map([
  ...Array.from({ length: 10 }, (_, digit): [PinKey, string] => [0x30 + digit, String(digit)]),
  [0x08, 'clear'],
  [0x0d, 'enter'],
]);

/** Keys that came and those that did not, within `ms`; ends early once all have come. */
export const benchKeypad = async (
  keypad: Keypad,
  clock: Clock,
  ms: number,
): Promise<{ readonly found: boolean; readonly pressed: readonly string[]; readonly missing: readonly string[] }> => {
  const pressed = new Set<string>();
  let found = false;
  let finish = (): void => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const unsubscribe = keypad.subscribe((event) => {
    if (event.type === 'found') found = true;
    if (event.type === 'key') pressed.add(keyNames.get(event.key) ?? `0x${event.key.toString(16)}`);
    if ([...keyNames.values()].every((name) => pressed.has(name))) finish();
  });
  await waitFor(clock, ms, all);
  unsubscribe();
  return { found, pressed: [...pressed], missing: [...keyNames.values()].filter((name) => !pressed.has(name)) };
};

/** Shows one pattern after the other, `msEach`; somebody looks. Answers whether the light was there throughout. */
export const benchLight = async (
  light: StatusLight,
  clock: Clock,
  msEach: number,
): Promise<{ readonly found: boolean; readonly presence: boolean }> => {
  let found = false;
  let presence = false;
  const unsubscribe = light.subscribe((event) => {
    if (event.type === 'found') found = true;
    if (event.type === 'lost') found = false;
    if (event.type === 'presence' && event.near) presence = true;
  });
  for (const pattern of lightPatterns) {
    light.show(pattern);
    await waitFor(clock, msEach, never);
  }
  light.beep('done');
  await waitFor(clock, msEach, never);
  unsubscribe();
  return { found, presence };
};

type CardFigures = {
  readonly atrBytes: number;
  /** From the card's session to everything that is read without a secret */
  readonly readMs: number;
  readonly commands: number;
  readonly bytes: number;
  /** Codes alone */
  readonly code?: string;
};

/** One card after the other until `count` were read or `ms` have passed. `told`: what to do next */
export const benchCards = async (
  reader: CardReader,
  clock: Clock,
  options: Omit<ReadCardOptions, 'signal' | 'wallMs'>,
  { count, ms, told }: { readonly count: number; readonly ms: number; readonly told: (read: number) => void },
): Promise<{
  readonly reader: string | null;
  readonly cards: readonly CardFigures[];
  readonly faltered: number;
  readonly unreadable: readonly string[];
}> => {
  const cards: CardFigures[] = [];
  const unreadable: string[] = [];
  let name: string | null = null;
  let faltered = 0;
  let finish = (): void => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const signal = new AbortController();
  const read = async (session: CardSession): Promise<void> => {
    const began = clock.now().monotonicMs;
    let [commands, bytes] = [0, 0];
    const counted: CardSession = {
      ...{ id: session.id, atr: session.atr },
      transmit: async (command) => {
        const answer = await session.transmit(command);
        commands += 1;
        bytes += answer.ok ? answer.value.length : 0;
        return answer;
      },
      end: () => session.end(),
    };
    const made = await readCard(counted, { ...options, wallMs: clock.now().wallMs, signal: signal.signal });
    if (made.ok) made.value.photoJp2?.fill(0);
    const readMs = Math.round(clock.now().monotonicMs - began);
    cards.push({ atrBytes: session.atr.length, readMs, commands, bytes, ...(!made.ok && { code: made.failure.code }) });
    await session.end();
    told(cards.length);
    if (cards.length >= count) finish();
  };
  const unsubscribe = reader.subscribe((event) => {
    if (event.type === 'reader-found') name = event.reader;
    if (event.type === 'card-faltered') faltered += 1;
    if (event.type === 'card-unreadable') unreadable.push(event.failure.code);
    if (event.type === 'card-inserted') void read(event.session);
  });
  told(0);
  await waitFor(clock, ms, all);
  signal.abort();
  unsubscribe();
  return { reader: name, cards, faltered, unreadable };
};
