/**
 * The numeric check of a built model: outputs for a fixed input, recorded from the model as it was published (run by
 * TensorFlow.js 4.22 on its CPU backend, or by onnxruntime before any rewriting), against those of the file built here.
 */
import { ort } from '../../src/face/models/runtime.ts';

/** Every `step`-th element of one output; `range` is what the output can reach, deviations are relative to it. */
type KnownOutput = { readonly step: number; readonly range: number; readonly values: readonly number[] };
export type KnownOutputs = Readonly<Record<string, Readonly<Record<string, KnownOutput>>>>;

/** What the conversion was measured to deviate by, relative to the output's range (1.1e-6), with a margin of ten. */
const tolerance = 1e-5;

/** Numbers in −1..1 without pattern or chance: a multiplicative hash of the index, in exact integer arithmetic. */
const knownInput = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1);

/** @throws Error naming the output that deviates, and by how much */
export const checkKnownOutputs = async (
  file: string,
  onnx: Uint8Array,
  known: Readonly<Record<string, KnownOutput>>,
): Promise<number> => {
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const [input] = session.inputMetadata;
  if (input === undefined || !input.isTensor) throw new Error(`${file} has no input`);
  const shape = input.shape.map(Number);
  const tensor = new ort.Tensor('float32', knownInput(shape.reduce((a, b) => a * b, 1)), shape);
  const outputs = await session.run({ [input.name]: tensor });
  let worst = 0;
  for (const [name, { step, range, values }] of Object.entries(known)) {
    const found = outputs[name]?.data;
    if (!(found instanceof Float32Array)) throw new Error(`refused: ${file} has no output ${name}`);
    if (Math.ceil(found.length / step) !== values.length)
      throw new Error(`refused: output ${name} of ${file} has ${found.length} elements`);
    for (const [i, value] of values.entries()) {
      const deviation = Math.abs((found[i * step] ?? Number.NaN) - value) / range;
      if (!(deviation <= tolerance))
        throw new Error(`refused: output ${name}[${i * step}] of ${file} deviates by ${deviation} of its range`);
      worst = Math.max(worst, deviation);
    }
  }
  await session.release();
  return worst;
};
