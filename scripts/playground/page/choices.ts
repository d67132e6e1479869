import type { FaultName } from '../../trials/simulate/plan.ts';
import { type FaceChoice, faces, faults, patients, type SizeName, sizes } from './page-words.ts';

/** What a link says: all of it stands behind the # of the address, and nowhere else. */
export type Choices = {
  readonly patient: string;
  readonly face: FaceChoice;
  readonly fault: FaultName | 'none';
  readonly language: string;
  readonly size: SizeName;
};

const knownOr = <T extends string>(known: object, said: string | null, otherwise: T): T =>
  said !== null && Object.hasOwn(known, said) ? (said as T) : otherwise;

/** What it does not know is as nothing were said. */
export const choicesOf = (hash: string, languages: readonly string[]): Choices => {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  const language = said.get('language') ?? 'ja';
  return {
    patient: knownOr(patients, said.get('patient'), 'hanako'),
    face: knownOr(faces, said.get('face'), 'own'),
    fault: knownOr(faults, said.get('fault'), 'none'),
    language: languages.includes(language) ? language : 'ja',
    size: knownOr(sizes, said.get('size'), '10'),
  };
};

export const hashOf = (choices: Choices): string => `#${new URLSearchParams(choices)}`;
