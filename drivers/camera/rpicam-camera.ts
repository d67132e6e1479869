/**
 * The Raspberry Pi's own camera behind `rpicam-vid` (rpicam-apps of Raspberry Pi OS). Tried with a program that writes
 * the same bytes, never on a Raspberry Pi.
 */

import type { Camera } from '../../src/ports/camera.ts';
import { createPipedCamera, frameHeight, frameWidth, warmUpFrames } from './piped-camera.ts';

const usualFramesPerSecond = 15;
const framePixels = frameWidth * frameHeight;
/** A plane of brightness, then two of colour at half the width and half the height. */
const yuv420Bytes = (framePixels * 3) / 2;

export type RpicamCameraSettings = {
  /** 0 = the first; `rpicam-vid --list-cameras` counts them. */
  readonly index: number;
  readonly framesPerSecond?: number;
};

export const rpicamArguments = ({ index, framesPerSecond = usualFramesPerSecond }: RpicamCameraSettings): string[] => [
  ...['--camera', `${index}`, '--framerate', `${framesPerSecond}`],
  // Rows are padded to 64 bytes (rpicam-apps issues 42 and 188): 640 needs none.
  ...['--width', `${frameWidth}`, '--height', `${frameHeight}`, '--codec', 'yuv420'],
  // --flush: else the end of each picture waits in the program for the next one. --verbose 0: errors only.
  ...['--timeout', '0', '--nopreview', '--flush', '--verbose', '0', '--output', '-'],
];

/**
 * Planar YUV 4:2:0 of `width × height` → RGB of three bytes a pixel. Full range, BT.601: what rpicam-vid sets for
 * `yuv420` (the JPEG colour space). Both sides even.
 */
export const yuv420ToRgb = (yuv: Uint8Array, width: number, height: number, rgb: Uint8Array): void => {
  const target = new Uint8ClampedArray(rgb.buffer, rgb.byteOffset, rgb.length);
  const blues = width * height;
  const reds = blues * 1.25;
  for (let y = 0; y < height; y += 2)
    for (let x = 0; x < width; x += 2) {
      const colourAt = (y >> 1) * (width >> 1) + (x >> 1);
      const blue = (yuv[blues + colourAt] as number) - 128;
      const red = (yuv[reds + colourAt] as number) - 128;
      const addRed = Math.round(1.402 * red);
      const addGreen = Math.round(-0.344136 * blue - 0.714136 * red);
      const addBlue = Math.round(1.772 * blue);
      // Four pixels share one colour.
      for (let i = 0; i < 4; i++) {
        const pixel = (y + (i >> 1)) * width + x + (i & 1);
        const light = yuv[pixel] as number;
        target[pixel * 3] = light + addRed;
        target[pixel * 3 + 1] = light + addGreen;
        target[pixel * 3 + 2] = light + addBlue;
      }
    }
};

/** `camera.lost` when rpicam-vid or its camera is missing, or gives no frame for 4 s; it is found again by itself. */
export const createRpicamCamera = (settings: RpicamCameraSettings): Camera =>
  createPipedCamera({
    program: 'rpicam-vid',
    arguments: rpicamArguments(settings),
    pictureBytes: yuv420Bytes,
    warmUpFrames: warmUpFrames,
    toRgb: (picture, rgb) => yuv420ToRgb(picture, frameWidth, frameHeight, rgb),
  });
