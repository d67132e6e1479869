/** Who does as the prompts say: turns until told it will do, blinks, after the time that hearing takes. */
import type { Person } from '../../drivers/virtual/render-scene.ts';
import { leftEye, meanMeshPoint, rightEye } from '../../src/face/models/find-landmarks.ts';
import type { Known } from './open-bench.ts';
import type { Told } from './play-attempt.ts';

export const turnDegrees = 24;

export const eyesOf = ({ mesh }: Known, opening: number): Partial<Person> =>
  opening === 1 ? {} : { eyes: { opening, centres: [meanMeshPoint(mesh, leftEye), meanMeshPoint(mesh, rightEye)] } };
/** 0 until the reaction time has passed, then 1 after 300 ms, and on up to 2: people turn until they are told it will do. */
export const effort = ({ forMs }: Told): number => Math.min(2, Math.max(0, (forMs - 500) / 300));
export const sideOf = ({ hint }: Told): number => (hint === 'turn-left' ? 1 : hint === 'turn-right' ? -1 : 0);
/** For 400 ms, and again until they are told it will do. */
export const blinks = ({ hint, forMs }: Told): boolean =>
  hint === 'blink' && forMs > 500 && (forMs - 500) % 1_500 < 400;
export const obedient = (known: Known, told: Told): Partial<Person> => ({
  yaw: turnDegrees * sideOf(told) * effort(told),
  ...eyesOf(known, blinks(told) ? 0.05 : 1),
});
