/** models/manifest.json: what each model file is, where it comes from, and how it wants to be fed. */

import { type Failure, failure } from '../../core/failure.ts';
import type { Profile } from '../../wire/profile.ts';
import type { Point } from '../picture/geometry.ts';
import type { InputFormat } from '../picture/sample-image.ts';

type ModelRole = 'detector' | 'second-detector' | 'landmarks' | 'embedding' | 'pad';

/** `unverified`: no more than the package's own word; legal review before sale. */
type LicenceStatus = 'clear' | 'unverified';

type MeasuredThreshold = {
  /** False match rate the threshold was measured for. */
  readonly fmr: number;
  readonly threshold: number;
  /** False non-match rate there, in percent. */
  readonly fnmrPercent: number;
  readonly measuredOn: string;
  readonly date: string;
};

export type ModelEntry = {
  readonly id: string;
  readonly role: ModelRole;
  readonly file: string;
  readonly sha256: string;
  readonly source: string;
  readonly licence: string;
  readonly licenceStatus: LicenceStatus;
  readonly input: InputFormat & { readonly name: string };
  readonly outputs: readonly string[];
};

/**
 * A threshold belongs to one model *and* its alignment. `points`: each point is the mean of these FaceMesh points, and
 * is carried onto the point of `template` at the same place.
 */
export type EmbeddingEntry = ModelEntry & {
  readonly role: 'embedding';
  readonly alignment: { readonly points: readonly (readonly number[])[]; readonly template: readonly Point[] };
  readonly metric: 'cosine';
  /**
   * The longer the model's output before it is normalised, the better the picture: `weight`·ln(typicalLength / length)
   * is added to the picture's scores. Weight 0 for a model whose length says nothing.
   */
  readonly lengthCalibration: { readonly typicalLength: number; readonly weight: number };
  readonly dimensions: number;
  readonly defaultThreshold: number;
  readonly thresholds: readonly MeasuredThreshold[];
};

export type Manifest = { readonly models: readonly (ModelEntry | EmbeddingEntry)[] };

export const entryById = (manifest: Manifest, id: string): ModelEntry => {
  const entry = manifest.models.find((model) => model.id === id);
  if (entry === undefined) throw new Error(`models/manifest.json has no model "${id}"`);
  return entry;
};

export const embeddingById = (manifest: Manifest, id: string): EmbeddingEntry => {
  const entry = entryById(manifest, id);
  if (entry.role !== 'embedding') throw new Error(`the model "${id}" is a ${entry.role}, not an embedding`);
  return entry as EmbeddingEntry;
};

/** But in the demo a model of unverified licence works only when the settings accept it by name. */
export const refuseUnverified = (
  models: readonly ModelEntry[],
  profile: Profile,
  accepted: readonly string[],
): Failure | null => {
  if (profile === 'demo') return null;
  const refused = models.filter(({ licenceStatus, id }) => licenceStatus === 'unverified' && !accepted.includes(id));
  if (refused.length === 0) return null;
  return failure('face.model-not-accepted', `licence not verified: ${refused.map(({ id }) => id).join(', ')}`);
};
