/**
 * Where somebody's face is before the counter's camera, by their height and by how they stand, sit or lie back, and what
 * they can do about it. Heights above the floor and distances in metres, angles in degrees.
 */
import type { Person } from '../../../drivers/virtual/render-scene.ts';
import type { FaceHint } from '../../../src/core/visit/verification.ts';
import { between } from '../../evaluate/between.ts';

type Random = () => number;

/** The camera at the terminal: how high above the floor, and how far its axis looks up. */
type Mounting = { readonly cameraHeight: number; readonly tilt: number };

/** A terminal on a counter to stand at (about 100 cm) and on a desk to sit at (about 75 cm). */
export const mountings = {
  counter: { cameraHeight: 1.3, tilt: 0 },
  desk: { cameraHeight: 1.1, tilt: 10 },
} as const satisfies Readonly<Record<string, Mounting>>;

type Posture = {
  /** Height of the face for somebody so tall (anthropometric means: eyes at 93 % of the stature, 46 % above a seat). */
  readonly faceHeight: (stature: number) => number;
  /** From the camera, as they come; how near and how far they can get. */
  readonly comes: readonly [number, number];
  readonly nearest: number;
  readonly farthest: number;
  /** How far they can rise and sink. */
  readonly rises: number;
  readonly sinks: number;
  /** How far the face looks above the horizon, and how much of it they can take back. */
  readonly liesBack: number;
  readonly canBow: number;
};

const seat = 0.47;
/** On their own feet: as near as they like, and able to bend. */
const onFeet = { comes: [0.4, 0.7], nearest: 0.3, farthest: 1.5, liesBack: 0, canBow: 20 } as const;
/** A wheelchair's foot rests keep it off the counter; who lies back has the head behind the wheels. */
const postures = {
  standing: {
    faceHeight: (stature) => stature * 0.92,
    ...onFeet,
    rises: 0.03,
    sinks: 0.25,
  },
  seated: {
    faceHeight: (stature) => seat + stature * 0.455,
    comes: [0.5, 0.9],
    nearest: 0.45,
    farthest: 1.5,
    rises: 0.04,
    sinks: 0.06,
    liesBack: 0,
    canBow: 15,
  },
  reclined: {
    faceHeight: (stature) => seat + stature * 0.455 * Math.cos((35 * Math.PI) / 180),
    comes: [0.7, 1.1],
    nearest: 0.65,
    farthest: 1.5,
    rises: 0,
    sinks: 0,
    liesBack: 20,
    canBow: 10,
  },
  child: {
    faceHeight: (stature) => stature * 0.91,
    ...onFeet,
    rises: 0.04,
    sinks: 0.15,
  },
} as const satisfies Readonly<Record<string, Posture>>;

export type PostureName = keyof typeof postures;
export type MountingName = keyof typeof mountings;

/** Everybody from 100 to 190 cm: posture and stature in cm. */
export const everybody: readonly (readonly [PostureName, number])[] = [
  ...[140, 150, 160, 170, 180, 190].map((stature) => ['standing', stature] as const),
  ...[130, 150, 170, 190].map((stature) => ['seated', stature] as const),
  ...[150, 170].map((stature) => ['reclined', stature] as const),
  ...[100, 110, 120, 130].map((stature) => ['child', stature] as const),
];

const degrees = (radians: number): number => (radians * 180) / Math.PI;
const radians = (angle: number): number => (angle * Math.PI) / 180;

/** Width of the painter's face at scale 1, of a frame 640 wide (drivers/virtual/render-scene.ts). */
const paintedFaceWidth = 170 / 640;

/** One visitor: comes, hears hints and follows them as far as a body of that height and posture can. */
export class VisitorAtCounter {
  readonly #posture: Posture;
  readonly #mounting: Mounting;
  readonly #faceWidth: number;
  /** Half of the camera's field of view across. */
  readonly #halfView: number;
  readonly #random: Random;
  #height: number;
  #distance: number;
  #across: number;
  #roll: number;
  #yaw: number;
  #bowed = 0;
  #rose = 0;
  #sank = 0;
  #heard: FaceHint | null = null;
  #reactAfterMs = 0;

  constructor(posture: PostureName, statureCm: number, mounting: MountingName, random: Random) {
    this.#posture = postures[posture];
    this.#mounting = mountings[mounting];
    this.#random = random;
    this.#faceWidth = posture === 'child' ? 0.125 : 0.15;
    this.#halfView = between(random, 60, 80) / 2;
    this.#height = this.#posture.faceHeight(statureCm / 100) + between(random, -0.02, 0.02);
    this.#distance = between(random, ...this.#posture.comes);
    this.#across = between(random, -0.08, 0.08);
    this.#roll = between(random, -6, 6);
    this.#yaw = between(random, -5, 5);
  }

  /** As the camera sees the face now; beyond ±0.5 its middle is out of the picture. */
  get seen(): Pick<Person, 'x' | 'y' | 'scale' | 'roll' | 'yaw' | 'pitch'> {
    const { cameraHeight, tilt } = this.#mounting;
    const { liesBack, canBow } = this.#posture;
    const above = this.#height - cameraHeight;
    const elevation = degrees(Math.atan2(above, this.#distance));
    const slant = Math.hypot(above, this.#distance);
    const depth = Math.max(0.05, slant * Math.cos(radians(elevation - tilt)));
    const across = Math.tan(radians(this.#halfView));
    const down = across * 0.75;
    // Heads turn most of the way to what eyes look at; who lies back looks above it.
    const looksUp = elevation * 0.3 + Math.max(0, liesBack - Math.min(canBow, this.#bowed));
    return {
      x: this.#across / (2 * depth * across),
      y: -Math.tan(radians(elevation - tilt)) / (2 * down),
      scale: this.#faceWidth / (2 * depth * across) / paintedFaceWidth,
      roll: this.#roll,
      yaw: this.#yaw,
      pitch: -looksUp,
    };
  }

  /** Hears and, after the time that takes, does what the hint says, again for as long as it stands there. */
  hear(hint: FaceHint | null, forMs: number): void {
    const random = this.#random;
    if (hint !== this.#heard) {
      this.#heard = hint;
      this.#reactAfterMs = between(random, 500, 1_100);
    }
    if (hint === null || forMs < this.#reactAfterMs) return;
    this.#follow(hint);
    this.#reactAfterMs = forMs + between(random, 900, 1_500);
  }

  #follow(hint: FaceHint): void {
    const { nearest, farthest, rises, sinks, canBow } = this.#posture;
    const random = this.#random;
    const stepBack = (): void => {
      this.#distance = Math.min(farthest, this.#distance + between(random, 0.12, 0.25));
    };
    switch (hint) {
      case 'nearer':
        this.#distance = Math.max(nearest, this.#distance - between(random, 0.1, 0.2));
        return;
      case 'farther':
      case 'no-face':
        // Beside it the screen says: further back where the face does not come in.
        return stepBack();
      case 'move-up': {
        const rise = Math.max(0, rises - this.#rose);
        this.#rose += rise;
        this.#height += rise;
        return stepBack();
      }
      case 'move-down': {
        const sink = Math.min(Math.max(0, sinks - this.#sank), between(random, 0.06, 0.12));
        this.#sank += sink;
        this.#height -= sink;
        return sink < 0.05 ? stepBack() : undefined;
      }
      case 'move-left':
      case 'move-right':
        this.#across *= between(random, 0.1, 0.4);
        return;
      case 'look-here':
        this.#bowed = canBow;
        this.#roll = 0;
        this.#yaw = 0;
        return;
      default:
    }
  }
}
