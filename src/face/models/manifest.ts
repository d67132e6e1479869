/** models/manifest.json: what each model file is, where it comes from, and how it wants to be fed. */

import { type Failure, failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Profile } from '../../wire/profile.ts';
import type { Point } from '../picture/geometry.ts';
import type { InputFormat } from '../picture/sample-image.ts';

type ModelRole = 'detector' | 'second-detector' | 'landmarks' | 'embedding' | 'pad';

/** `unverified`: no more than the package's own word; legal review before sale. */
type LicenceStatus = 'clear' | 'unverified';

/** What was measured of an embedding model, and the threshold that follows (`uketsuke models calibrate`). Rates in percent. */
export type ModelCalibration = {
  readonly defaultThreshold: number;
  /** A threshold outside of it is refused, but in the demo. */
  readonly range: { readonly least: number; readonly most: number };
  /** YYYY-MM-DD */
  readonly date: string;
  readonly measuredOn: string;
  readonly reference: 'card-photo';
  readonly pictures: number;
  readonly people: number;
  readonly failuresToAcquire: number;
  readonly genuine: number;
  readonly impostor: number;
  readonly eer: number;
  /** False rejects of one picture at these false accept rates. */
  readonly frr: { readonly '1e-3': number; readonly '1e-4': number };
  readonly perVisitFrr: number;
  readonly visits: number;
  /** The worst label with 10,000 comparisons or more, at the default threshold, with its 95 % bound. */
  readonly groups?: {
    readonly worst: string;
    readonly worstFar: number;
    readonly comparisons: number;
    readonly bound: number;
  };
  /** One run of the model there. */
  readonly msPerFace: number;
};

export type ModelEntry = {
  readonly id: string;
  readonly role: ModelRole;
  readonly file: string;
  readonly sha256: string;
  readonly source: string;
  readonly licence: string;
  readonly licenceStatus: LicenceStatus;
  /** What it was trained on, as far as anybody says. */
  readonly trainingData: string;
  /** What it must not be taken for. */
  readonly limits: string;
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
  /** Without one the model is refused. */
  readonly calibration?: ModelCalibration;
};

export type Manifest = { readonly models: readonly (ModelEntry | EmbeddingEntry)[] };

/** Its hashes are checked where files are loaded. `face.models-missing`: no JSON, or no list of models (a cut file). */
export const parseManifest = (text: string): Result<Manifest> => {
  const cut = err(failure('face.models-missing', 'manifest.json: not a list of models'));
  try {
    const content = JSON.parse(text) as Partial<Manifest> | null;
    return Array.isArray(content?.models) ? ok(content as Manifest) : cut;
  } catch {
    return cut;
  }
};

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

/**
 * The threshold to compare with: the configured one, or the model's own. A model that was never measured is refused and,
 * but in the demo, a threshold for which nothing was measured.
 */
export const thresholdFor = (
  { id, calibration }: EmbeddingEntry,
  profile: Profile,
  configured: number | undefined,
): Result<number> => {
  if (calibration === undefined)
    return err(failure('face.model-unverified', `${id} is not calibrated: uketsuke models calibrate ${id}`));
  const { defaultThreshold, range } = calibration;
  if (configured === undefined) return ok(defaultThreshold);
  if (profile !== 'demo' && (configured < range.least || configured > range.most)) {
    const measured = `${range.least} to ${range.most} were measured for ${id}`;
    return err(failure('face.model-unverified', `face.threshold: ${configured} is out of range, ${measured}`));
  }
  return ok(configured);
};
