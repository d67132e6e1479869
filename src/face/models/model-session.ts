/** One loaded ONNX model: its input buffer is made once and used for every run. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { elementsOf } from '../picture/sample-image.ts';
import type { ModelEntry } from './manifest.ts';
import { ort } from './runtime.ts';

export class ModelSession {
  readonly entry: ModelEntry;
  /** To be filled before `run`. */
  readonly input: Float32Array;
  readonly #tensor: ort.Tensor;
  readonly #session: ort.InferenceSession;
  /** Time of all runs, for the bench that compares the pipeline with its models. */
  runMs = 0;

  constructor(entry: ModelEntry, session: ort.InferenceSession) {
    const { width, height, layout } = entry.input;
    this.entry = entry;
    this.#session = session;
    this.input = new Float32Array(elementsOf(entry.input));
    this.#tensor = new ort.Tensor(
      'float32',
      this.input,
      layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width],
    );
  }

  /** Reads `models/<file>`, checks its hash and creates the session. Failure `face.models-missing`. */
  static async load(modelsDir: string, entry: ModelEntry, threads: number): Promise<Result<ModelSession>> {
    const bytes = await readFile(join(modelsDir, entry.file)).catch(() => null);
    if (bytes === null) return err(failure('face.models-missing', `${entry.file}: run scripts/setup-models`));
    if (createHash('sha256').update(bytes).digest('hex') !== entry.sha256)
      return err(failure('face.models-missing', `${entry.file} is not the file of models/manifest.json`));
    const session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 3,
    });
    return ok(new ModelSession(entry, session));
  }

  /** Runs the model on `input`. The outputs are views of the runtime's memory, good until the next run. */
  async run(): Promise<readonly Float32Array[]> {
    const startedMs = performance.now();
    const outputs = await this.#session.run({ [this.entry.input.name]: this.#tensor });
    this.runMs += performance.now() - startedMs;
    return this.entry.outputs.map((name) => {
      const found = outputs[name]?.data;
      if (!(found instanceof Float32Array)) throw new Error(`${this.entry.id} has no output ${name}`);
      return found;
    });
  }

  /** Overwrites the runtime's own buffers, too, by a run on nothing. */
  async runOnNothing(): Promise<void> {
    this.input.fill(0);
    for (const output of await this.run()) output.fill(0);
  }
}
