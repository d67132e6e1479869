import { lightPatterns } from '../../core/visit/light-of.ts';
import type { Keypad, KeypadEvent, PinKey } from '../../ports/keypad.ts';
import type { KeyName, PartResult, SelfTest, TestedPart } from '../../wire/self-test-report.ts';
import type { Inspection, SessionParts } from './session-parts.ts';
import { testVisit } from './test-visit.ts';
import { tryCamera } from './try-parts.ts';

/*
 * 始業前点検: every part is made to do what a patient will need of it. Nothing is read from a card, no picture is shown or
 * kept, no key is remembered longer than until it is known that it works. A patient always comes first.
 */

/** The receptionist walks to the counter and presses each key once. ms */
const keysMs = 60_000;
/** A first frame comes within 2 s of the camera's start, and pictures are watched for 2 s. ms */
const picturesMs = 8_000;
/** Each pattern of the light is looked at for so long. ms */
const patternMs = 700;
/** Two soundings, with time to turn an ear. ms */
const soundMs = 1_500;
/** What only looks at the machine answers within this. ms */
const inspectionMs = 5_000;

/** What the test borrows from the session while nobody is served */
export type Borrowed = {
  /** Keys go here instead of to the screen, until the returned function gives them back. */
  readonly keys: (listener: (event: KeypadEvent) => void) => () => void;
  /** null: what holds is shown again */
  readonly shine: (pattern: (typeof lightPatterns)[number] | null) => void;
};

const keysOf: Readonly<Record<Keypad['keys'], readonly KeyName[]>> = {
  digits: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'clear', 'enter'],
  'four-keys': ['previous', 'next', 'choose', 'repeat'],
};

const nameOf = (key: PinKey): KeyName | null => {
  if (key === 0x08) return 'clear';
  if (key === 0x0d) return 'enter';
  return keysOf.digits[key - 0x30] ?? null;
};

type Result = Omit<PartResult, 'part'>;
const failed = (code: string, missing?: readonly KeyName[]): Result => ({
  outcome: 'failed',
  code,
  ...(missing !== undefined && { missing: [...missing] }),
});

type TestedTerminal = Pick<
  SessionParts,
  | 'clinic'
  | 'clock'
  | 'terminal'
  | 'newId'
  | 'keypad'
  | 'statusLight'
  | 'speaker'
  | 'microphone'
  | 'faceVerifier'
  | 'cardFrontReader'
  | 'inspect'
>;

/** One test, from its order to its report. */
class Test {
  readonly #parts: TestedTerminal;
  readonly #borrowed: Borrowed;
  readonly #signal: AbortSignal;
  readonly #byHand: boolean;

  constructor(parts: TestedTerminal, borrowed: Borrowed, byHand: boolean, signal: AbortSignal) {
    this.#parts = parts;
    this.#borrowed = borrowed;
    this.#signal = signal;
    this.#byHand = byHand;
  }

  /** true: the time has passed; false: a patient came, or `until` said that it is enough. */
  #wait(ms: number, until?: (enough: () => void) => void): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (passed: boolean): void => {
        callOff();
        this.#signal.removeEventListener('abort', stop);
        resolve(passed);
      };
      const stop = (): void => end(false);
      const callOff = this.#parts.clock.wakeAt(this.#parts.clock.now().monotonicMs + ms, () => end(true));
      this.#signal.addEventListener('abort', stop, { once: true });
      until?.(stop);
      if (this.#signal.aborted) stop();
    });
  }

  async speaker(trouble: string | null): Promise<Result> {
    const { speaker, microphone = null } = this.#parts;
    if (speaker === null) return { outcome: 'absent' };
    if (trouble !== null) return failed(trouble);
    const sound = (): void => {
      if (!this.#signal.aborted) speaker.chime('accepted');
    };
    const heard = (await microphone?.hears('accepted', sound, this.#signal)) ?? null;
    if (heard !== null) return heard ? { outcome: 'good' } : failed('speaker.silent');
    if (!this.#byHand) return { outcome: 'present' };
    sound();
    if (await this.#wait(soundMs)) sound();
    return { outcome: 'present' };
  }

  async keypad(trouble: string | null): Promise<Result> {
    const { keypad, speaker } = this.#parts;
    if (keypad === null) return { outcome: 'absent' };
    if (trouble !== null) return failed(trouble);
    if (!this.#byHand) return { outcome: 'present' };
    const missing = new Set(keysOf[keypad.keys]);
    let giveBack = (): void => {};
    await this.#wait(keysMs, (enough) => {
      giveBack = this.#borrowed.keys((event) => {
        const name = event.type === 'move' ? event.move : event.type === 'key' ? nameOf(event.key) : null;
        if (name === null || !missing.delete(name)) return;
        speaker?.chime('key');
        if (missing.size === 0) enough();
      });
    });
    giveBack();
    return missing.size === 0 ? { outcome: 'good' } : failed('keypad.key-dead', [...missing]);
  }

  async light(trouble: string | null): Promise<Result> {
    const { statusLight } = this.#parts;
    if (statusLight === null) return { outcome: 'absent' };
    if (trouble !== null) return failed(trouble);
    if (!this.#byHand) return { outcome: 'present' };
    for (const pattern of lightPatterns) {
      this.#borrowed.shine(pattern);
      if (!(await this.#wait(patternMs))) break;
    }
    this.#borrowed.shine(null);
    return { outcome: 'present' };
  }

  /** Pictures that come through camera and face process, and change; nobody sees them, nothing is compared. */
  async camera(trouble: string | null): Promise<Result> {
    if (this.#parts.cardFrontReader === null) return { outcome: 'absent' };
    if (trouble !== null) return failed(trouble);
    const { outcome, code } = await tryCamera(this.#parts, this.#signal, picturesMs);
    return outcome === 'good' ? { outcome } : failed(code ?? 'camera.lost');
  }
}

const inspectionOf = async ({ inspect, clock }: TestedTerminal): Promise<Inspection | null> => {
  if (inspect === undefined) return {};
  return new Promise((resolve) => {
    const callOff = clock.wakeAt(clock.now().monotonicMs + inspectionMs, () => resolve(null));
    void inspect()
      .catch(() => null)
      .then((found) => {
        callOff();
        resolve(found);
      });
  });
};

/**
 * Every part of the terminal at once. Ends within 70 s, by hand or not; at once when `signal` says that a patient came: what
 * was not through by then is `skipped`. Never throws.
 */
export const selfTest = async (
  parts: TestedTerminal,
  order: { readonly session: string; readonly approval: string; readonly byHand: boolean },
  { catalogueVersion, borrowed, signal }: { catalogueVersion: string; borrowed: Borrowed; signal: AbortSignal },
): Promise<SelfTest> => {
  const { byHand } = order;
  const beganMs = parts.clock.now().monotonicMs;
  const found = await inspectionOf(parts);
  const test = new Test(parts, borrowed, byHand, signal);
  // Who does not answer even the question how things stand is not well.
  const troubleOf = (part: TestedPart): string | null => (found === null ? 'check.unfinished' : (found[part] ?? null));
  const looked = (part: TestedPart) => async (): Promise<Result> => {
    const trouble = troubleOf(part);
    return trouble === null ? { outcome: 'good' } : failed(trouble);
  };
  const line = async (): Promise<Result> => {
    const tested = await testVisit(parts, order, catalogueVersion);
    return tested.ok ? { outcome: 'good' } : failed(tested.failure.code);
  };
  const tries: Readonly<Record<TestedPart, () => Promise<Result>>> = {
    speaker: () => test.speaker(troubleOf('speaker')),
    keypad: () => test.keypad(troubleOf('keypad')),
    light: () => test.light(troubleOf('light')),
    camera: () => test.camera(troubleOf('camera')),
    reader: looked('reader'),
    line,
    certificates: looked('certificates'),
    clock: looked('clock'),
    disk: looked('disk'),
  };
  const skipped = new Promise<Result>((resolve) => {
    const skip = (): void => resolve({ outcome: 'skipped' });
    signal.addEventListener('abort', skip, { once: true });
    if (signal.aborted) skip();
  });
  const results = await Promise.all(
    (Object.entries(tries) as [TestedPart, () => Promise<Result>][]).map(async ([part, attempt]) => {
      // A patient may have come while the machine was looked at: then nothing begins.
      const tried = signal.aborted ? skipped : attempt().catch((): Result => failed('check.unfinished'));
      return { part, ...(await Promise.race([skipped, tried])) };
    }),
  );
  return { byHand, tookMs: Math.round(parts.clock.now().monotonicMs - beganMs), parts: results };
};
