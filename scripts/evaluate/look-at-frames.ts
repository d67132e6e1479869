/** The pipeline's look at a picture, kept by the picture's hash: models run once on each. */
import { embedReference } from '../../src/face/attempt/embed-reference.ts';
import { examineFrame, examineLiveness, type FrameFinding } from '../../src/face/attempt/face-pipeline.ts';
import type { FaceModels } from '../../src/face/attempt/find-face.ts';
import type { PadModels } from '../../src/face/models/detect-attack.ts';
import type { Embedding } from '../../src/face/models/embed-face.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';
import { codeOfLooking, hashOf, KeptResults } from './kept-results.ts';

/**
 * What was seen, and what it took when it was first looked at: processor time in ms, which is the time on a machine that
 * does nothing else, as a frame is looked at in one thread.
 */
type Taken<T> = { readonly seen: T; readonly tookMs: number };
type Liveness = Awaited<ReturnType<typeof examineLiveness>>;

const timed = async <T>(look: () => Promise<T>): Promise<Taken<T>> => {
  const before = process.cpuUsage();
  const seen = await look();
  const { user, system } = process.cpuUsage(before);
  return { seen, tookMs: (user + system) / 1_000 };
};

export class FrameLooker {
  readonly #models: FaceModels;
  readonly #pad: PadModels;
  readonly #kept: KeptResults;

  /** `name`: of the evaluation, whose frames are kept together. */
  constructor(name: string, models: FaceModels, pad: PadModels) {
    this.#models = models;
    this.#pad = pad;
    this.#kept = new KeptResults(`${name}-frames`, codeOfLooking);
  }

  reference(image: RgbImage): Promise<Taken<Embedding | null>> {
    const { embedder } = this.#models;
    return this.#kept.of(`reference:${embedder.entry.sha256.slice(0, 8)}:${hashOf(image.rgb)}`, () =>
      timed(() => embedReference(this.#models, image)),
    );
  }

  frame(image: RgbImage, mirrored: boolean): Promise<Taken<FrameFinding>> {
    return this.#kept.of(`frame:${mirrored}:${hashOf(image.rgb)}`, () =>
      timed(() => examineFrame(this.#models, image, { mirrored })),
    );
  }

  liveness(image: RgbImage, mesh: Float32Array): Promise<Taken<Liveness>> {
    return this.#kept.of(`liveness:${hashOf(image.rgb)}`, () => timed(() => examineLiveness(this.#pad, image, mesh)));
  }
}
