/** Tells from the frames alone that a camera has stopped seeing: a frozen or a black picture. */
import type { FailureCode } from '../../core/failure.ts';
import type { Frame } from '../../ports/camera.ts';

/** A sensor's noise changes every frame; a picture that stays equal this long comes from a hung device or a replay. */
const frozenAfterMs = 2_000;
/** Covered lens or dead sensor: an office at night still gives a mean of 10 and more with automatic exposure. */
const blackAfterMs = 2_000;
const blackMean = 4;
/** One byte in 97 (a prime: no row or colour is left out) is looked at. */
const sampleStep = 97;

export class CameraWatch {
  #lastPrint = -1;
  #equalSinceMs = 0;
  #blackSinceMs: number | null = null;
  readonly #seen = new Set<number>();
  /** Since `forgetSeen` a frame has come a second time, and not just after itself: no live sensor does that. */
  hasRepeated = false;

  /** null = the camera sees. */
  check({ rgb, capturedAtMs }: Frame): FailureCode | null {
    let print = 0;
    let otherPrint = 1;
    let sum = 0;
    let count = 0;
    for (let i = 0; i < rgb.length; i += sampleStep) {
      const value = rgb[i] as number;
      print = (Math.imul(print, 31) + value) >>> 0;
      otherPrint = (Math.imul(otherPrint, 65599) + value) & 0xfffff;
      sum += value;
      count++;
    }
    // 52 bits: among the thousand frames of an attempt two different ones never share them.
    print = otherPrint * 2 ** 32 + print;
    const isBlack = sum < blackMean * count;
    if (print !== this.#lastPrint) {
      // Without light a sensor may well give the same few pictures.
      if (!isBlack) {
        this.hasRepeated ||= this.#seen.has(print);
        this.#seen.add(print);
      }
      this.#lastPrint = print;
      this.#equalSinceMs = capturedAtMs;
    }
    if (!isBlack) this.#blackSinceMs = null;
    else this.#blackSinceMs ??= capturedAtMs;
    if (this.#blackSinceMs !== null && capturedAtMs - this.#blackSinceMs >= blackAfterMs) return 'camera.black';
    return capturedAtMs - this.#equalSinceMs >= frozenAfterMs ? 'camera.frozen' : null;
  }

  /** True when the latest frame is neither dark nor a repetition: enough to call a camera well again. */
  get seesSomethingNew(): boolean {
    return this.#blackSinceMs === null && this.#lastPrint !== -1;
  }

  forgetSeen(): void {
    this.#seen.clear();
    this.hasRepeated = false;
  }

  forget(): void {
    this.forgetSeen();
    this.#lastPrint = -1;
    this.#blackSinceMs = null;
  }
}
