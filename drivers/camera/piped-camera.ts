/** A camera behind a program that writes raw pictures into a pipe; lost when it ends or falls silent, and started again. */
import { failure } from '../../src/core/failure.ts';
import type { Camera, CameraEvent } from '../../src/ports/camera.ts';
import { type RunningProgram, runProgram } from '../host/run-program.ts';

export const frameWidth = 640;
export const frameHeight = 480;
export const rgbBytes = frameWidth * frameHeight * 3;
/** Automatic exposure and white balance of a camera settle in about half a second; until then frames are thrown away. */
export const warmUpFrames = 10;
/** No frame for so long = the camera is lost. Opening a USB camera takes up to two seconds. */
const stallMs = 4_000;
/** A camera that was unplugged is tried again this often: whoever plugs it in sees it work at once. */
const retryMs = 1_000;

/** What to run, and what it writes. */
type CameraProgram = {
  readonly program: string;
  readonly arguments: readonly string[];
  /** Of one picture of 640×480 as the program writes it. */
  readonly pictureBytes: number;
  readonly warmUpFrames: number;
  /** Named in what is told of a loss, where the program does not name it (ffmpeg 7). */
  readonly device?: string;
  /** Turns such a picture into `rgbBytes` bytes of RGB; left out where it is that already. */
  readonly toRgb?: (picture: Uint8Array, rgb: Uint8Array) => void;
};

const named = (words: string, device = ''): string => (words.includes(device) ? words : `${device}: ${words}`);

/** Puts frames together again: a pipe gives pieces of about 64 KiB, a frame has 900. */
export class FrameAssembler {
  readonly frame: Uint8Array;
  #filled = 0;
  readonly #whole: (frame: Uint8Array) => void;

  constructor(frameBytes: number, whole: (frame: Uint8Array) => void) {
    this.frame = new Uint8Array(frameBytes);
    this.#whole = whole;
  }

  /** Copies the piece and overwrites it. */
  push(piece: Uint8Array): void {
    let taken = 0;
    while (taken < piece.length) {
      const count = Math.min(piece.length - taken, this.frame.length - this.#filled);
      this.frame.set(piece.subarray(taken, taken + count), this.#filled);
      taken += count;
      this.#filled += count;
      if (this.#filled < this.frame.length) continue;
      this.#filled = 0;
      this.#whole(this.frame);
    }
    piece.fill(0);
  }

  wipe(): void {
    this.frame.fill(0);
    this.#filled = 0;
  }
}

class PipedCamera implements Camera {
  readonly #program: CameraProgram;
  readonly #listeners = new Set<(event: CameraEvent) => void>();
  #child: RunningProgram | null = null;
  readonly #assembler: FrameAssembler;
  readonly #rgb: Uint8Array;
  /** The program before: a device opens again only once that one has let go of it. */
  #gone: Promise<unknown> = Promise.resolve();
  #ended: Promise<unknown> = Promise.resolve();
  #isOpening = false;
  #framesToDrop = 0;
  #lost = false;
  #stallTimer: NodeJS.Timeout | null = null;
  #retryTimer: NodeJS.Timeout | null = null;

  constructor(program: CameraProgram) {
    this.#program = program;
    this.#assembler = new FrameAssembler(program.pictureBytes, (picture) => this.#show(picture));
    this.#rgb = program.toRgb === undefined ? this.#assembler.frame : new Uint8Array(rgbBytes);
  }

  subscribe(listener: (event: CameraEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#lost) listener({ type: 'lost', failure: failure('camera.lost') });
    if (this.#child === null && this.#retryTimer === null) this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#shut();
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#shut();
    await this.#ended;
  }

  #emit(event: CameraEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  #open(): void {
    if (this.#isOpening) return;
    this.#isOpening = true;
    void this.#gone.then(() => {
      this.#isOpening = false;
      if (this.#listeners.size > 0 && this.#child === null) this.#start();
    });
  }

  #start(): void {
    const child = runProgram(this.#program.program, this.#program.arguments, {
      onOutput: (piece) => {
        if (this.#child === child) this.#assembler.push(piece);
        else piece.fill(0);
      },
    });
    this.#child = child;
    this.#framesToDrop = this.#program.warmUpFrames;
    this.#gone = child.gone;
    this.#ended = child.ended;
    void child.ended.then(({ words }) => this.#lose(child, words.split('\n').at(-1) ?? ''));
    this.#expectFrame(child);
  }

  #show(picture: Uint8Array): void {
    if (this.#child === null) return;
    this.#expectFrame(this.#child);
    if (this.#framesToDrop-- > 0) return;
    const capturedAtMs = performance.now();
    this.#program.toRgb?.(picture, this.#rgb);
    if (this.#lost) {
      this.#lost = false;
      this.#emit({ type: 'found' });
    }
    this.#emit({ type: 'frame', frame: { width: frameWidth, height: frameHeight, rgb: this.#rgb, capturedAtMs } });
  }

  #expectFrame(child: RunningProgram): void {
    if (this.#stallTimer !== null) {
      this.#stallTimer.refresh();
      return;
    }
    this.#stallTimer = setTimeout(() => {
      this.#stallTimer = null;
      child.stop();
    }, stallMs);
  }

  #stopWaiting(): void {
    if (this.#stallTimer !== null) clearTimeout(this.#stallTimer);
    this.#stallTimer = null;
  }

  #wipe(): void {
    this.#assembler.wipe();
    this.#rgb.fill(0);
  }

  /** The device has gone, or was never there: says so once, then tries again for as long as somebody listens. */
  #lose(child: RunningProgram, why: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#wipe();
    this.#stopWaiting();
    if (this.#listeners.size === 0) return;
    if (!this.#lost) {
      this.#lost = true;
      this.#emit({ type: 'lost', failure: failure('camera.lost', named(why, this.#program.device)) });
    }
    if (this.#listeners.size === 0) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#open();
    }, retryMs);
  }

  #shut(): void {
    this.#stopWaiting();
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const child = this.#child;
    this.#child = null;
    this.#wipe();
    child?.stop();
  }
}

/** `camera.lost` when program or device are missing or give no frame for 4 s; it is found again by itself. */
export const createPipedCamera = (program: CameraProgram): Camera => new PipedCamera(program);
