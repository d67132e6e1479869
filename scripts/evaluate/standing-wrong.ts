/** Ways to stand wrong before the camera, the hints that belong to them, and what somebody does who hears one. */
import { cutHeight, cutWidth } from '../../drivers/virtual/faces.ts';
import {
  baseScale,
  frameWidth,
  type Person,
  personBefore,
  type Scene,
  type SceneRenderer,
} from '../../drivers/virtual/render-scene.ts';
import type { FaceHint } from '../../src/core/visit/verification.ts';
import { readHeadSignals } from '../../src/face/measures/head-signals.ts';
import { meshBox } from '../../src/face/models/find-landmarks.ts';
import { between } from './between.ts';
import type { Known } from './open-bench.ts';
import {
  type MaskKind,
  maskKinds,
  putOnHat,
  putOnMask,
  putOnShiningGlasses,
  putOnSunglasses,
  putUpHand,
} from './wearables.ts';

type Random = () => number;

type Patient = {
  readonly person: Person;
  readonly companion: boolean;
  readonly present: boolean;
  readonly light: number;
  readonly wall: number;
  /** Smear over so many pixels, and along which angle (rad); 0 = sharp. */
  readonly blur: { readonly length: number; readonly angle: number };
};

export const upright = (known: Known): Patient => ({
  person: personBefore(known.id),
  companion: false,
  present: true,
  light: 1,
  wall: 120,
  blur: { length: 0, angle: 0 },
});

const standing = (patient: Patient, change: Partial<Person>): Patient => ({
  ...patient,
  person: { ...patient.person, ...change },
});

/** A way to stand wrong, and the hints that belong to it: any of them is right. */
export type Mistake = {
  /** What it counts as in the report. */
  readonly class: string;
  readonly hints: readonly (FaceHint | null)[];
  readonly make: (patient: Patient, random: Random, known: Known, renderer: SceneRenderer) => Patient;
};

/** Nearer, further, a little beside the middle, the head a little askew: as people stand who stand well but for one thing. */
const somewhere = (patient: Patient, random: Random): Patient =>
  standing(patient, {
    x: between(random, -0.06, 0.06),
    y: between(random, -0.06, 0.04),
    scale: between(random, 0.75, 1.25),
    roll: between(random, -5, 5),
  });

/** Painted onto the picture of the face once it is loaded. */
const wearing =
  (
    put: (
      image: { width: number; height: number; rgb: Uint8Array },
      mesh: Float32Array,
      random: Random,
    ) => { rgb: Uint8Array },
  ): Mistake['make'] =>
  (patient, random, known, renderer) => {
    const rgb = renderer.probeOf(known.id);
    if (rgb === null) throw new Error(`standing-wrong: ${known.id} is not loaded`);
    return standing(somewhere(patient, random), {
      cut: put({ width: cutWidth, height: cutHeight, rgb }, known.mesh, random).rgb,
    });
  };

const masked = (kind: MaskKind): Mistake => ({
  class: 'mask',
  hints: ['mask-off'],
  make: wearing((image, mesh, random) => putOnMask(image, mesh, kind, random)),
});

export const mistakes: Readonly<Record<string, Mistake>> = {
  // Nobody is kept for nothing.
  right: { class: 'right', hints: [null], make: (patient) => patient },
  away: { class: 'away', hints: ['no-face'], make: (patient) => ({ ...patient, present: false }) },
  far: {
    class: 'distance',
    hints: ['nearer'],
    make: (patient, random) => standing(patient, { scale: between(random, 0.3, 0.42) }),
  },
  // By the width that the face has in the frame: faces are not equally wide.
  near: {
    class: 'distance',
    hints: ['farther'],
    make: (patient, random, { mesh }) =>
      standing(patient, { scale: (between(random, 0.58, 0.64) * frameWidth) / (meshBox(mesh).width * baseScale) }),
  },
  // The picture is not mirrored: in its left half stands who is too far to their own right.
  left: {
    class: 'place',
    hints: ['move-left'],
    make: (patient, random) => standing(patient, { x: between(random, -0.36, -0.3) }),
  },
  rightSide: {
    class: 'place',
    hints: ['move-right'],
    make: (patient, random) => standing(patient, { x: between(random, 0.3, 0.36) }),
  },
  high: {
    class: 'place',
    hints: ['move-down'],
    make: (patient, random) => standing(patient, { y: between(random, -0.34, -0.28), scale: 0.8 }),
  },
  low: {
    class: 'place',
    hints: ['move-up'],
    make: (patient, random) => standing(patient, { y: between(random, 0.28, 0.34), scale: 0.8 }),
  },
  cutAtTheSide: {
    class: 'cut',
    hints: ['move-left', 'move-right'],
    make: (patient, random) => {
      const side = random() < 0.5 ? -1 : 1;
      return standing(patient, { x: side * between(random, 0.4, 0.46), scale: between(random, 0.9, 1.2) });
    },
  },
  // Of which more than half is outside of the picture, that is not seen as a face: 画面の丸の中に 顔を入れてください says it as well.
  cutAbove: {
    class: 'cut',
    hints: ['move-down', 'no-face'],
    make: (patient, random) => standing(patient, { y: between(random, -0.46, -0.4), scale: between(random, 0.8, 1) }),
  },
  cutBelow: {
    class: 'cut',
    hints: ['move-up'],
    make: (patient, random) => standing(patient, { y: between(random, 0.4, 0.46), scale: between(random, 0.8, 1) }),
  },
  dark: {
    class: 'dark',
    hints: ['more-light'],
    make: (patient, random) => ({ ...patient, light: between(random, 0.13, 0.22), wall: 40 }),
  },
  backLit: {
    class: 'backLight',
    hints: ['strong-back-light'],
    make: (patient, random) => ({ ...patient, light: between(random, 0.25, 0.42), wall: 250 }),
  },
  tilted: {
    class: 'turned',
    hints: ['look-here'],
    make: (patient, random) => standing(patient, { roll: between(random, 48, 58) * (random() < 0.5 ? -1 : 1) }),
  },
  // Away from the camera: on to the side to which the head on the picture is turned already. The other way it would look here.
  turnedAway: {
    class: 'turned',
    hints: ['look-here'],
    make: (patient, random, { mesh }) =>
      standing(patient, { yaw: between(random, 42, 52) * Math.sign(readHeadSignals(mesh).noseOffset) }),
  },
  lookingDown: {
    class: 'lookingDown',
    hints: ['look-here'],
    make: (patient, random) => standing(somewhere(patient, random), { pitch: between(random, 36, 46) }),
  },
  blurred: {
    class: 'blur',
    hints: ['hold-still'],
    make: (patient, random) => ({
      ...patient,
      blur: { length: between(random, 14, 26), angle: between(random, 0, Math.PI) },
    }),
  },
  together: {
    class: 'company',
    hints: ['one-person-only'],
    make: (patient) => ({ ...patient, companion: true }),
  },
  ...Object.fromEntries(maskKinds.map((kind) => [`mask-${kind}`, masked(kind)])),
  sunglasses: { class: 'sunglasses', hints: ['sunglasses-off'], make: wearing(putOnSunglasses) },
  shiningGlasses: { class: 'glassesGlare', hints: ['glasses-glare'], make: wearing(putOnShiningGlasses) },
  hat: { class: 'hatBrim', hints: ['uncover-face'], make: wearing(putOnHat) },
  hand: { class: 'hand', hints: ['uncover-face', 'mask-off'], make: wearing(putUpHand) },
};

/**
 * Nothing is left that a hint could be about, however well it is meant: half of where the mistakes above begin, and of where
 * src/face/attempt/choose-hint.ts begins to tell.
 */
export const standsWell = ({ person, companion, present, light, blur }: Patient): boolean => {
  const { x, y, scale, roll, yaw, pitch = 0, cut } = person;
  const isInPlace = Math.abs(x) <= 0.12 && Math.abs(y) <= 0.12 && scale >= 0.7 && scale <= 1.5;
  const isStraight = Math.abs(roll) <= 15 && Math.abs(yaw) <= 12 && Math.abs(pitch) <= 10;
  return present && !companion && cut === undefined && light === 1 && blur.length === 0 && isInPlace && isStraight;
};

/** What the patient does on a hint: the right thing, by 70 to 110 % of what is needed. */
export const follow = (patient: Patient, hint: FaceHint, random: Random): Patient => {
  const { person } = patient;
  const part = between(random, 0.7, 1.1);
  const { cut: _, ...bareFaced } = person;
  switch (hint) {
    case 'no-face':
      return { ...patient, present: true };
    case 'nearer':
    case 'farther':
      return standing(patient, { scale: person.scale + (1 - person.scale) * part });
    case 'move-left':
      return standing(patient, { x: person.x + Math.abs(person.x) * part });
    case 'move-right':
      return standing(patient, { x: person.x - Math.abs(person.x) * part });
    case 'move-up':
      return standing(patient, { y: person.y - Math.abs(person.y) * part });
    case 'move-down':
      return standing(patient, { y: person.y + Math.abs(person.y) * part });
    case 'look-here':
      return standing(patient, {
        roll: person.roll * (1 - part),
        yaw: person.yaw * (1 - part),
        pitch: (person.pitch ?? 0) * (1 - part),
      });
    case 'hold-still':
      return { ...patient, blur: { length: 0, angle: 0 } };
    case 'more-light':
      return { ...patient, light: 1, wall: 120 };
    case 'strong-back-light':
      return { ...patient, light: 1 };
    case 'mask-off':
    case 'sunglasses-off':
    case 'uncover-face':
    case 'glasses-glare':
      return { ...patient, person: bareFaced };
    case 'one-person-only':
      return { ...patient, companion: false };
    default:
      return patient;
  }
};

export const sceneOf = (patient: Patient, companion: Known['id'], scene: Scene): Scene => ({
  ...scene,
  light: patient.light,
  wall: patient.wall,
  people: [
    ...(patient.present ? [patient.companion ? { ...patient.person, x: -0.22, scale: 0.8 } : patient.person] : []),
    ...(patient.present && patient.companion ? [{ ...personBefore(companion), x: 0.22, scale: 0.8 }] : []),
  ],
});
