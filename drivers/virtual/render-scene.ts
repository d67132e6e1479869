/** Paints what a camera at the counter would see: a person's head before a plain wall, moving a little. */
import sharp from 'sharp';
import type { Point } from '../../src/face/picture/geometry.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';
import { cutHeight, cutWidth, type FaceId, isFaceId, loadFaceRgb } from './faces.ts';

export const frameWidth = 640;
export const frameHeight = 480;

/** Where a person stands and how they are lit. */
export type Person = {
  readonly face: FaceId;
  /** Middle of the face, parts of the picture's width and height from its middle. */
  readonly x: number;
  readonly y: number;
  /** 1 = the face is about 170 pixels wide. */
  readonly scale: number;
  /** Degrees; yaw turns the head to the picture's right, pitch bends it down. */
  readonly roll: number;
  /** Degrees */
  readonly yaw: number;
  /** Degrees */
  readonly pitch?: number;
  /** What the person looks like today in place of the loaded picture: 480×640 RGB. */
  readonly cut?: Uint8Array;
  /** Half-closes the eyes around these points of the cut: 1 = as photographed, 0.2 = shut. */
  readonly eyes?: { readonly opening: number; readonly centres: readonly { readonly x: number; readonly y: number }[] };
  /** Shown as a flat picture on paper or a screen, not as a head. */
  readonly sheet?: Sheet;
};

/** A flat picture with a rim: a print's white one, a screen's dark one. */
export type Sheet = {
  /** Degrees about its upright axis; > 0 = its left edge comes nearer. */
  readonly turn: number;
  /** Width of the rim, in pixels of the cut. */
  readonly rim: number;
  readonly colour: readonly [number, number, number];
};

export type Scene = {
  readonly people: readonly Person[];
  /** 1 = as photographed; multiplies the people's brightness. */
  readonly light: number;
  /** Brightness of the wall, 0 … 255. */
  readonly wall: number;
  /** How far the head wanders: 0 … 3, 1 = a patient who tries to hold still. */
  readonly restlessness: number;
};

export const personBefore = (face: FaceId): Person => ({ face, x: 0, y: 0, scale: 1, roll: 0, yaw: 0 });
export const emptyScene: Scene = { people: [], light: 1, wall: 120, restlessness: 1 };

/** Nobody, or one person. @throws Error where there is no face of that name */
export const sceneBefore = (face: string | null): Scene => {
  if (face === null) return emptyScene;
  if (!isFaceId(face)) throw new Error(`there is no face "${face}"`);
  return { ...emptyScene, people: [personBefore(face)] };
};

/** Where the face is in a cut, and half of a head's width there. */
export const faceX = cutWidth / 2;
export const faceY = cutHeight * 0.47;
const headRadius = 165;
const headHeight = 230;
export const baseScale = 0.7;
/** A sheet 45 cm away, in pixels of a cut where a face of 15 cm is 330 wide. */
const sheetDistance = 990;

/** Multiplicative congruential generator: the same seed gives the same pictures. Numbers in 0..1. */
export const seededNumbers = (seed: number): (() => number) => {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
};

/** Opacity of each pixel of a cut: an oval with a soft rim, so that no straight edge frames the head. */
const ovalMask = (): Float32Array => {
  const mask = new Float32Array(cutWidth * cutHeight);
  for (let y = 0; y < cutHeight; y++)
    for (let x = 0; x < cutWidth; x++) {
      const distance = Math.hypot((x - faceX) / (cutWidth * 0.49), (y - cutHeight / 2) / (cutHeight * 0.49));
      mask[y * cutWidth + x] = Math.min(1, Math.max(0, (1 - distance) / 0.12));
    }
  return mask;
};

/** The cut as another camera would give it: other contrast and colour, and JPEG losses. Never the reference's pixels. */
const asProbe = async ({ rgb, width, height }: RgbImage): Promise<Uint8Array> => {
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .gamma(1.2)
    .modulate({ saturation: 0.85 })
    .resize(Math.round(width * 0.8))
    .jpeg({ quality: 60 })
    .toBuffer();
  return new Uint8Array(await sharp(jpeg).resize(width, height, { fit: 'fill' }).raw().toBuffer());
};

export class SceneRenderer {
  readonly #mask = ovalMask();
  readonly #probes = new Map<FaceId, Uint8Array>();
  readonly #noise: Int8Array;
  #random: () => number = () => 0;
  #phases: readonly number[] = [];

  /** `seed` decides noise and motion. */
  constructor(seed: number) {
    this.restart(seed);
    this.#noise = Int8Array.from({ length: frameWidth * frameHeight + 65536 }, () =>
      Math.round(this.#random() * 6 - 3),
    );
  }

  /** Noise and motion as `seed` has it from here on: what is painted depends on nothing painted before. */
  restart(seed: number): void {
    this.#random = seededNumbers(seed);
    this.#phases = Array.from({ length: 4 }, () => this.#random() * 2 * Math.PI);
  }

  /** The picture of a loaded face, 480×640 RGB; to be painted over only in a copy. */
  probeOf(face: FaceId): Uint8Array | null {
    return this.#probes.get(face) ?? null;
  }

  /** Loads the picture of a face before it is rendered. @throws Error when scripts/setup-models has not run */
  async load(face: FaceId): Promise<void> {
    if (!this.#probes.has(face)) this.#probes.set(face, await asProbe(await loadFaceRgb(face)));
  }

  /** Paints the scene at an instant into `target` (640×480 RGB). Faces that are not loaded are left out. */
  render(scene: Scene, atMs: number, target: Uint8Array): void {
    const noiseAt = Math.floor(this.#random() * 65536);
    const pixels = new Uint8ClampedArray(target.buffer, target.byteOffset, target.length);
    for (let i = 0; i < frameWidth * frameHeight; i++) {
      const value = scene.wall + (this.#noise[noiseAt + i] as number);
      pixels[i * 3] = value;
      pixels[i * 3 + 1] = value;
      pixels[i * 3 + 2] = value;
    }
    const swing = (periodMs: number, index: number): number =>
      Math.sin((atMs / periodMs) * 2 * Math.PI + (this.#phases[index] ?? 0)) * scene.restlessness;
    for (const person of scene.people) {
      const probe = person.cut ?? this.#probes.get(person.face);
      if (probe === undefined) continue;
      const moved = {
        ...person,
        x: person.x + swing(4_100, 0) * 0.02,
        y: person.y + swing(3_300, 1) * 0.015,
        scale: person.scale * (1 + swing(5_700, 2) * 0.03),
        roll: person.roll + swing(4_700, 3) * 3,
      };
      this.#paint(moved, probe, scene.light * (1 + swing(2_900, 2) * 0.04), noiseAt, pixels);
    }
  }

  #paint(person: Person, probe: Uint8Array, light: number, noiseAt: number, target: Uint8ClampedArray): void {
    const scale = baseScale * person.scale;
    const angle = (person.roll * Math.PI) / 180;
    const cosine = Math.cos(angle) / scale;
    const sine = Math.sin(angle) / scale;
    const centreX = frameWidth * (0.5 + person.x);
    const centreY = frameHeight * (0.5 + person.y);
    const { sheet } = person;
    const reach = Math.hypot(cutWidth, cutHeight) * (sheet === undefined ? 0.62 : 0.8) * scale;
    const yaw = (person.yaw * Math.PI) / 180;
    const pitch = ((person.pitch ?? 0) * Math.PI) / 180;
    for (let y = Math.max(0, Math.floor(centreY - reach)); y < Math.min(frameHeight, centreY + reach); y++) {
      for (let x = Math.max(0, Math.floor(centreX - reach)); x < Math.min(frameWidth, centreX + reach); x++) {
        const dx = x - centreX;
        const dy = y - centreY;
        // A slight bend besides: a probe is not a rotated copy of the card's photo.
        const seen = { x: (cosine * dx + sine * dy) * 0.985, y: (cosine * dy - sine * dx) * 1.01 };
        const { x: across, y: down } = sheet === undefined ? seen : onSheet(seen, sheet.turn);
        const sourceX = faceX + turned(across, down, yaw);
        const openY = faceY + nodded(across, down, pitch) + 1.5 * Math.sin(across / 60);
        const sourceY = person.eyes === undefined ? openY : throughLids(person.eyes, sourceX, openY);
        const at = (y * frameWidth + x) * 3;
        if (sourceX < 0 || sourceY < 0 || sourceX >= cutWidth - 1 || sourceY >= cutHeight - 1) {
          if (sheet !== undefined && isOnRim(sourceX, sourceY, sheet.rim))
            for (let i = 0; i < 3; i++) target[at + i] = (sheet.colour[i] as number) * light;
          continue;
        }
        const left = Math.floor(sourceX);
        const top = Math.floor(sourceY);
        const opacity = sheet === undefined ? (this.#mask[top * cutWidth + left] as number) : 1;
        if (opacity === 0) continue;
        const fx = sourceX - left;
        const fy = sourceY - top;
        const from = (top * cutWidth + left) * 3;
        const below = from + cutWidth * 3;
        const grain = this.#noise[noiseAt + y * frameWidth + x] as number;
        for (let channel = 0; channel < 3; channel++) {
          const upper = (probe[from + channel] as number) * (1 - fx) + (probe[from + 3 + channel] as number) * fx;
          const lower = (probe[below + channel] as number) * (1 - fx) + (probe[below + 3 + channel] as number) * fx;
          const lit = (upper * (1 - fy) + lower * fy) * light + grain;
          target[at + channel] = (target[at + channel] as number) * (1 - opacity) + lit * opacity;
        }
      }
    }
  }
}

/** Where on a turned sheet lies what is seen at a place: by perspective, both from the middle of the face. */
const onSheet = ({ x, y }: Point, turn: number): Point => {
  const angle = (turn * Math.PI) / 180;
  const across = x / (Math.cos(angle) - (x * Math.sin(angle)) / sheetDistance);
  return { x: across, y: y * (1 + (across * Math.sin(angle)) / sheetDistance) };
};

const isOnRim = (x: number, y: number, rim: number): boolean =>
  x >= -rim && y >= -rim && x < cutWidth + rim && y < cutHeight + rim;

const eyeRadiusX = 34;
const eyeRadiusY = 24;
/** Where closed lids meet, from the middle of the eye to the lower rim. */
const lashes = 0.5;

/** Presses what lies within an eye together towards its middle line. */
export const throughLids = ({ opening, centres }: NonNullable<Person['eyes']>, x: number, y: number): number => {
  for (const eye of centres) {
    const fromMiddle = (y - eye.y) / eyeRadiusY;
    if (Math.abs(x - eye.x) > eyeRadiusX || Math.abs(fromMiddle) > 1) continue;
    // The upper lid comes down to a line of lashes near the lower rim.
    if (Math.abs(fromMiddle - lashes) < 0.12 * (1 - opening)) return eye.y - eyeRadiusY * 0.4;
    const fromLashes =
      fromMiddle < lashes ? (lashes - fromMiddle) / (1 + lashes) : (fromMiddle - lashes) / (1 - lashes);
    const drawn =
      fromMiddle < lashes
        ? lashes - (1 + lashes) * fromLashes ** opening
        : lashes + (1 - lashes) * fromLashes ** opening;
    return eye.y + drawn * eyeRadiusY;
  }
  return y;
};

/** The nose: how far it stands out and how wide it is, in pixels of the cut (2.2 to a millimetre), below the eyes. */
const nose = { height: 40, radius: 38, y: 24 } as const;

/** Seen from the front, a head is a cylinder with a nose: turning it moves what is on it along a sine, the nose more. */
export const turned = (across: number, down: number, yaw: number): number => {
  if (yaw === 0) return across;
  const unturned = onCylinder(across, yaw);
  const noseHeight = nose.height * Math.exp(-(unturned ** 2 + (down - nose.y) ** 2) / (2 * nose.radius ** 2));
  return onCylinder(across - noseHeight * Math.sin(yaw), yaw);
};

/** The same bent forward: from the side, a head is a taller cylinder. */
const nodded = (across: number, down: number, pitch: number): number => {
  if (pitch === 0) return down;
  const unbent = onCylinder(down, pitch, headHeight);
  const noseHeight = nose.height * Math.exp(-(across ** 2 + (unbent - nose.y) ** 2) / (2 * nose.radius ** 2));
  return onCylinder(down - noseHeight * Math.sin(pitch), pitch, headHeight);
};

const onCylinder = (across: number, angle: number, radius: number = headRadius): number => {
  const edge = Math.sign(across) * radius;
  if (Math.abs(across) >= radius) return edge * Math.cos(angle) + across - edge;
  return radius * Math.sin(Math.asin(across / radius) - angle);
};
