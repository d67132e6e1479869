import type { GreyImage } from './jp2.ts';

/** No person: a soft pattern with the size of a photo, for cards made where no picture was set up. */
export const drawnPhoto: GreyImage = {
  width: 240,
  height: 320,
  grey: Uint8Array.from({ length: 240 * 320 }, (_, index) => {
    const [x, y] = [index % 240, Math.floor(index / 240)];
    return Math.round(128 + 60 * Math.sin(x / 17) * Math.cos(y / 23) + (((x * 31 + y * 17) % 7) - 3));
  }),
};
