/**
 * A living person before the counter's camera, painted from one still picture with all that stands around the face in it:
 * the head moves, turns and blinks as it is told. Beyond the picture's edges its rim goes on.
 */
import sharp from 'sharp';
import { faceX, faceY, frameHeight, frameWidth, throughLids, turned } from '../../drivers/virtual/render-scene.ts';
import { leftEye, meanMeshPoint, meshBox, rightEye } from '../../src/face/models/find-landmarks.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';

/** Width of the face in the painter's own coordinates, those of a cut (drivers/virtual/render-scene.ts). */
const unitFaceWidth = 300;

/** How the head is held at a moment. */
export type Pose = {
  /** Middle of the face in the frame, parts of its width and height from its middle. */
  readonly x: number;
  readonly y: number;
  /** Width of the face over width of the frame. */
  readonly faceWidth: number;
  /** Degrees. */
  readonly roll: number;
  readonly yaw: number;
  readonly eyesShut: boolean;
  /** 1 = as photographed. */
  readonly light: number;
};

export class LivingPainter {
  readonly #picture: RgbImage;
  /** Picture pixels per unit of a cut, and where the cut's face stands in the picture. */
  readonly #perUnit: number;
  readonly #faceX: number;
  readonly #faceY: number;
  readonly #eyes: readonly { readonly x: number; readonly y: number }[];
  readonly #random: () => number;

  constructor(picture: RgbImage, mesh: Float32Array, random: () => number) {
    this.#picture = picture;
    this.#random = random;
    const box = meshBox(mesh);
    this.#perUnit = box.width / unitFaceWidth;
    this.#faceX = box.x + box.width / 2;
    this.#faceY = box.y + box.height / 2;
    this.#eyes = [leftEye, rightEye].map((eye) => {
      const { x, y } = meanMeshPoint(mesh, eye);
      return { x: faceX + (x - this.#faceX) / this.#perUnit, y: faceY + (y - this.#faceY) / this.#perUnit };
    });
  }

  /** `image` as another camera gives it: JPEG losses, other contrast. `mesh`: of the face in `image`. */
  static async of(image: RgbImage, mesh: Float32Array, random: () => number): Promise<LivingPainter> {
    const raw = { width: image.width, height: image.height, channels: 3 } as const;
    const jpeg = await sharp(image.rgb, { raw })
      .gamma(1.1)
      .modulate({ saturation: 0.92 })
      .jpeg({ quality: 80 })
      .toBuffer();
    const rgb = new Uint8Array(await sharp(jpeg).raw().toBuffer());
    return new LivingPainter({ ...image, rgb }, mesh, random);
  }

  paint({ x, y, faceWidth, roll, yaw, eyesShut, light }: Pose, target: Uint8Array): void {
    const { width, height, rgb } = this.#picture;
    const scale = (faceWidth * frameWidth) / unitFaceWidth;
    const angle = (roll * Math.PI) / 180;
    const cosine = Math.cos(angle) / scale;
    const sine = Math.sin(angle) / scale;
    const centreX = frameWidth * (0.5 + x);
    const centreY = frameHeight * (0.5 + y);
    const turnedBy = (yaw * Math.PI) / 180;
    const lids = eyesShut ? { opening: 0.05, centres: this.#eyes } : null;
    const inside = (at: number, size: number): number => Math.min(size - 1.001, Math.max(0, at));
    for (let v = 0; v < frameHeight; v++)
      for (let u = 0; u < frameWidth; u++) {
        const dx = u - centreX;
        const dy = v - centreY;
        const across = cosine * dx + sine * dy;
        const down = cosine * dy - sine * dx;
        const cutX = faceX + turned(across, down, turnedBy);
        const openY = faceY + down;
        const cutY = lids === null ? openY : throughLids(lids, cutX, openY);
        const sourceX = inside(this.#faceX + (cutX - faceX) * this.#perUnit, width);
        const sourceY = inside(this.#faceY + (cutY - faceY) * this.#perUnit, height);
        const left = Math.floor(sourceX);
        const top = Math.floor(sourceY);
        const fx = sourceX - left;
        const fy = sourceY - top;
        const from = (top * width + left) * 3;
        const below = from + width * 3;
        const at = (v * frameWidth + u) * 3;
        const grain = this.#random() * 6 - 3;
        for (let channel = 0; channel < 3; channel++) {
          const upper = (rgb[from + channel] as number) * (1 - fx) + (rgb[from + 3 + channel] as number) * fx;
          const lower = (rgb[below + channel] as number) * (1 - fx) + (rgb[below + 3 + channel] as number) * fx;
          const lit = (upper * (1 - fy) + lower * fy) * light + grain;
          target[at + channel] = Math.min(255, Math.max(0, lit));
        }
      }
  }
}

/** Somebody who stands further behind: `cut` of a face in an oval with a soft rim, over what is painted already. */
export const paintBehind = (
  cut: RgbImage,
  { x, y, faceWidth }: Pick<Pose, 'x' | 'y' | 'faceWidth'>,
  target: Uint8Array,
): void => {
  const scale = (faceWidth * frameWidth) / unitFaceWidth;
  const [halfWidth, halfHeight] = [(cut.width / 2) * scale, (cut.height / 2) * scale];
  const [centreX, centreY] = [frameWidth * (0.5 + x), frameHeight * (0.5 + y)];
  for (let v = Math.max(0, Math.ceil(centreY - halfHeight)); v < Math.min(frameHeight, centreY + halfHeight); v++)
    for (let u = Math.max(0, Math.ceil(centreX - halfWidth)); u < Math.min(frameWidth, centreX + halfWidth); u++) {
      const [across, down] = [(u - centreX) / halfWidth, (v - centreY) / halfHeight];
      const opacity = Math.min(1, Math.max(0, (1 - Math.hypot(across, down)) / 0.12));
      const column = Math.min(cut.width - 1, Math.floor(((across + 1) / 2) * cut.width));
      const row = Math.min(cut.height - 1, Math.floor(((down + 1) / 2) * cut.height));
      for (let channel = 0; channel < 3; channel++) {
        const at = (v * frameWidth + u) * 3 + channel;
        const own = cut.rgb[(row * cut.width + column) * 3 + channel] as number;
        target[at] = (target[at] as number) * (1 - opacity) + own * opacity;
      }
    }
};
