import { closeSync, constants, createReadStream, existsSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isatty, ReadStream } from 'node:tty';
import type { EnrolmentCode } from '../agent/provisioning/enrolment-code.ts';
import { askByLetters, EnrolmentRefused, readLetters, readQrText } from '../agent/provisioning/enrolment-letters.ts';
import type { Camera } from '../ports/camera.ts';
import { codeOfLetters, codeOnStick } from './find-enrolment.ts';
import { inWordsOf, reasonOf, tell } from './say.ts';

/*
 * A terminal that nobody has set up waits for one human action: a stick is put in, a QR code is held before its camera, or
 * eight letters are typed on a keyboard. Whichever serves first counts. What the clinic refuses (too old, another facility's)
 * is told and not asked about again, for each question is a guess there and its listener ends after twenty: an old code
 * that lies before the camera shuts nobody out. What was not reached is tried again later.
 */

/** How soon a stick that was put in is noticed. ms */
const stickEveryMs = 2_000;
/** A clinic that was not reached is asked again after this: somebody may be plugging in its cable. ms */
const againAfterMs = 10_000;
/** Codes that were refused, of which so many are remembered */
const mostRemembered = 200;

/** Asks the clinic with a code. Throws `EnrolmentRefused` when the code serves nobody, anything else when it may later. */
type Attempt<T> = (code: EnrolmentCode) => Promise<T>;
type Source = { close(): void };

export type EnrolmentAttempts<T> = {
  /** The first that served */
  readonly served: Promise<T>;
  /** `text`: by which the code is known again. `insist`: somebody has just typed it. Resolves when it was tried, or not. */
  readonly consider: (text: string, find: () => Promise<EnrolmentCode>, insist?: boolean) => Promise<void>;
  readonly wasRefused: (text: string) => boolean;
};

/** One code at a time; what came of each is told once. `nowMs`: of a clock that only goes on */
export const attemptEnrolment = <T>(
  attempt: Attempt<T>,
  say: (reason: string) => void,
  nowMs: () => number = () => performance.now(),
): EnrolmentAttempts<T> => {
  const failed = new Map<string, { readonly reason: string; readonly againAtMs: number }>();
  const { promise: served, resolve } = Promise.withResolvers<T>();
  let current: Promise<void> | null = null;
  let isServed = false;
  const remember = (text: string, reason: string, againAtMs: number): void => {
    if (failed.get(text)?.reason !== reason) say(reason);
    failed.delete(text);
    failed.set(text, { reason, againAtMs });
    const [oldest] = failed.keys();
    if (failed.size > mostRemembered && oldest !== undefined) failed.delete(oldest);
  };
  const ask = async (text: string, find: () => Promise<EnrolmentCode>): Promise<void> => {
    try {
      const answer = await attempt(await find());
      isServed = true;
      resolve(answer);
    } catch (error) {
      const isRefused = error instanceof EnrolmentRefused;
      remember(text, reasonOf(error), isRefused ? Number.POSITIVE_INFINITY : nowMs() + againAfterMs);
    }
  };
  const wasRefused = (text: string): boolean => failed.get(text)?.againAtMs === Number.POSITIVE_INFINITY;
  return {
    served,
    wasRefused,
    consider: async (text, find, insist = false) => {
      // A camera and a stick come again; a person has pressed Enter.
      if (current !== null && !insist) return;
      while (current !== null) await current;
      const before = failed.get(text);
      if (insist && wasRefused(text)) return say(before?.reason ?? '');
      if (insist) failed.delete(text);
      else if (before !== undefined && before.againAtMs > nowMs()) return;
      if (isServed) return;
      current = ask(text, find);
      await current;
      current = null;
    },
  };
};

const every = (ms: number, work: () => Promise<void>): Source => {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void work().finally(() => {
      busy = false;
    });
  }, ms);
  return { close: () => clearInterval(timer) };
};

const textOf = ({ secret }: EnrolmentCode): string => `code ${secret}`;

const watchSticks = <T>({ consider, wasRefused }: EnrolmentAttempts<T>): Source =>
  every(stickEveryMs, async () => {
    // What is wrong with the stick itself is told once, too.
    const code = await codeOnStick((each) => !wasRefused(textOf(each))).catch((error: Error) => error);
    if (code instanceof Error) await consider(`stick ${code.message}`, () => Promise.reject(code));
    else if (code !== null) await consider(textOf(code), async () => code);
  });

/** The text of a QR code in a picture, RGB; null: there is none. */
export const readQrPicture = async (rgb: Uint8Array, width: number, height: number): Promise<string | null> => {
  const { default: jsQR } = await import('jsqr');
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; to < rgba.length; from += 3, to += 4) rgba.set(rgb.subarray(from, from + 3), to);
  return (jsQR as unknown as typeof jsQR.default)(rgba, width, height)?.data ?? null;
};

export const watchCamera = <T>(camera: Camera, { consider }: EnrolmentAttempts<T>): Source => {
  let busy = false;
  const unsubscribe = camera.subscribe((event) => {
    if (event.type !== 'frame' || busy) return;
    busy = true;
    const { width, height } = event.frame;
    // The buffer is the camera's again when this listener returns.
    const rgb = event.frame.rgb.slice();
    const look = async (): Promise<void> => {
      const text = await readQrPicture(rgb, width, height);
      if (text === null || text === '') return;
      const shown = readQrText(text);
      await consider(text, () => {
        if (shown === null) throw new EnrolmentRefused('the QR code before the camera is no enrolment code');
        return askByLetters(shown);
      });
    };
    void look().finally(() => {
      busy = false;
    });
  });
  return {
    close: () => {
      unsubscribe();
      void camera.close();
    },
  };
};

type ConsoleSource = Source & { write(text: string): void };

/** A keyboard at the terminal's own screen. Its console has Latin letters only. `typed` resolves when they were tried. */
export const watchConsole = (console: string, typed: (letters: string) => Promise<void>): ConsoleSource => {
  // Nobody waits for a screen that somebody has stopped (Ctrl-S), nor for a key that is never pressed.
  const screen = openSync(console, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  const keys = openSync(console, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  const keyboard = isatty(keys) ? new ReadStream(keys) : createReadStream(console, { fd: keys });
  keyboard.on('error', () => {});
  let isOpen = true;
  const write = (text: string): void => {
    if (!isOpen) return;
    try {
      writeSync(screen, text);
    } catch {
      // The screen is gone or stands still: the other ways are open.
    }
  };
  const prompt = (): void =>
    write(
      '\nUketsuke: put in the stick, show the QR code to the camera, or type the 8 letters.\nTouroku code (8 moji): ',
    );
  const lines = createInterface({ input: keyboard });
  lines.on('line', (line) => {
    const letters = readLetters(line);
    if (letters === null) return prompt();
    void typed(letters).then(prompt);
  });
  prompt();
  return {
    write: (text) => {
      write(`\n! ${text}\n`);
      prompt();
    },
    close: () => {
      isOpen = false;
      lines.close();
      keyboard.destroy();
      closeSync(screen);
    },
  };
};

/**
 * What `attempt` answers for the first code that serves; never without one. `kept`: a code with which this terminal had
 * begun before it lost its power.
 */
export const awaitEnrolment = async <T>(
  { camera, console, kept }: { camera: Camera | null; console: string; kept: EnrolmentCode | null },
  attempt: Attempt<T>,
): Promise<T> => {
  const sources: Source[] = [];
  let screen: ConsoleSource | null = null;
  const attempts = attemptEnrolment(attempt, (reason) => {
    tell('{reason}', { reason: inWordsOf(reason) });
    screen?.write(inWordsOf(reason));
  });
  tell('waiting for an enrolment code: a stick, a QR code before the camera, or eight letters');
  try {
    if (existsSync(console)) {
      screen = watchConsole(console, (letters) =>
        attempts.consider(`letters ${letters}`, () => codeOfLetters(letters, undefined), true),
      );
      sources.push(screen);
    }
    if (kept !== null) sources.push(every(stickEveryMs, () => attempts.consider(textOf(kept), async () => kept)));
    sources.push(watchSticks(attempts));
    if (camera !== null) sources.push(watchCamera(camera, attempts));
    return await attempts.served;
  } finally {
    for (const source of sources) source.close();
  }
};
