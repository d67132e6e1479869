/** Tells from the frames alone that a camera has stopped seeing: a frozen or a black picture. */
import type { FailureCode } from '../core/failure.ts';
import type { Frame } from '../ports/camera.ts';

/** A sensor's noise changes every frame; a picture that stays equal this long comes from a hung device or a replay. */
const FROZEN_AFTER_MS = 2_000;
/** Covered lens or dead sensor: an office at night still gives a mean of 10 and more with automatic exposure. */
const BLACK_AFTER_MS = 2_000;
const BLACK_MEAN = 4;
/** One byte in 97 (a prime: no row or colour is left out) is looked at. */
const SAMPLE_STEP = 97;

export class CameraWatch {
  private lastPrint = -1;
  private equalSinceMs = 0;
  private blackSinceMs: number | null = null;
  private readonly seen = new Set<number>();
  /** The latest frame is one of the earlier ones since `forgetSeen`, and not the one just before it. */
  isRepeated = false;

  /** null = the camera sees. */
  check({ rgb, capturedAtMs }: Frame): FailureCode | null {
    let print = 0;
    let sum = 0;
    let count = 0;
    for (let i = 0; i < rgb.length; i += SAMPLE_STEP) {
      const value = rgb[i] as number;
      print = (Math.imul(print, 31) + value) >>> 0;
      sum += value;
      count++;
    }
    if (print !== this.lastPrint) {
      this.isRepeated = this.seen.has(print);
      this.seen.add(print);
      this.lastPrint = print;
      this.equalSinceMs = capturedAtMs;
    }
    if (sum >= BLACK_MEAN * count) this.blackSinceMs = null;
    else this.blackSinceMs ??= capturedAtMs;
    if (this.blackSinceMs !== null && capturedAtMs - this.blackSinceMs >= BLACK_AFTER_MS) return 'camera.black';
    return capturedAtMs - this.equalSinceMs >= FROZEN_AFTER_MS ? 'camera.frozen' : null;
  }

  /** True when the latest frame is neither dark nor a repetition: enough to call a camera well again. */
  get seesSomethingNew(): boolean {
    return this.blackSinceMs === null && this.lastPrint !== -1;
  }

  forgetSeen(): void {
    this.seen.clear();
    this.isRepeated = false;
  }

  forget(): void {
    this.forgetSeen();
    this.lastPrint = -1;
    this.blackSinceMs = null;
  }
}
