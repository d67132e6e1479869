import { closeSync, createReadStream, existsSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { EnrolmentCode } from '../agent/provisioning/enrolment-code.ts';
import { askByLetters, readLetters, readQrText } from '../agent/provisioning/enrolment-letters.ts';
import type { Camera } from '../ports/camera.ts';
import { codeOfLetters, codeOnStick } from './find-enrolment.ts';
import { tell } from './say.ts';

/*
 * A terminal that nobody has set up waits for one human action: a stick is put in, a QR code is held before its camera, or
 * eight letters are typed on a keyboard. Whichever comes first counts; what fails is told, and it goes on waiting.
 */

const stickEveryMs = 2_000;

type Found = (code: EnrolmentCode) => void;
type Source = { close(): void };

const once = (work: () => Promise<EnrolmentCode | null>, found: Found): Promise<void> =>
  work().then(
    (code) => {
      if (code !== null) found(code);
    },
    (error: Error) => void tell('{reason}', { reason: error.message }),
  );

const watchSticks = (found: Found): Source => {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void once(() => codeOnStick(Date.now()), found).finally(() => {
      busy = false;
    });
  }, stickEveryMs);
  return { close: () => clearInterval(timer) };
};

/** The text of a QR code in a picture, RGB; null: there is none. */
export const readQrPicture = async (rgb: Uint8Array, width: number, height: number): Promise<string | null> => {
  const { default: jsQR } = await import('jsqr');
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; to < rgba.length; from += 3, to += 4) rgba.set(rgb.subarray(from, from + 3), to);
  return (jsQR as unknown as typeof jsQR.default)(rgba, width, height)?.data ?? null;
};

const watchCamera = (camera: Camera, found: Found): Source => {
  let busy = false;
  const unsubscribe = camera.subscribe((event) => {
    if (event.type !== 'frame' || busy) return;
    busy = true;
    const { width, height } = event.frame;
    // The buffer is the camera's again when this listener returns.
    const rgb = event.frame.rgb.slice();
    void once(async () => {
      const shown = readQrText((await readQrPicture(rgb, width, height)) ?? '');
      return shown === null ? null : askByLetters(shown);
    }, found).finally(() => {
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

/** A keyboard at the terminal's own screen. Its console has Latin letters only. */
const watchConsole = (console: string, found: Found): Source => {
  const screen = openSync(console, 'w');
  const keyboard = createReadStream(console);
  keyboard.on('error', () => {});
  const prompt = (): void => {
    writeSync(
      screen,
      '\nUketsuke: put in the stick, show the QR code to the camera, or type the 8 letters.\nTouroku code (8 moji): ',
    );
  };
  const lines = createInterface({ input: keyboard });
  lines.on('line', (line) => {
    const letters = readLetters(line);
    if (letters === null) return prompt();
    void once(() => codeOfLetters(letters, undefined), found).then(prompt);
  });
  prompt();
  return {
    close: () => {
      lines.close();
      keyboard.destroy();
      closeSync(screen);
    },
  };
};

/** Resolves with the first code that comes; never without one. */
export const awaitEnrolment = async (camera: Camera | null, console: string): Promise<EnrolmentCode> => {
  const sources: Source[] = [];
  tell('waiting for an enrolment code: a stick, a QR code before the camera, or eight letters');
  try {
    return await new Promise<EnrolmentCode>((resolve) => {
      sources.push(watchSticks(resolve));
      if (camera !== null) sources.push(watchCamera(camera, resolve));
      if (existsSync(console)) sources.push(watchConsole(console, resolve));
    });
  } finally {
    for (const source of sources) source.close();
  }
};
