/** TensorFlow.js weight files: one `.bin` of all weights after another, described by a manifest. */

export type WeightEntry = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: {
    readonly dtype: string;
    readonly scale?: number;
    readonly min?: number;
    readonly original_dtype?: string;
  };
};
export type Weight = {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
};

const elementBytes: Readonly<Record<string, number>> = { float32: 4, int32: 4, float16: 2, uint8: 1, uint16: 2 };

/** IEEE 754 half precision → number. */
export const halfToFloat = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

const decodeElements = (entry: WeightEntry, view: DataView, count: number): Float32Array | Int32Array => {
  const { quantization } = entry;
  const stored = quantization?.dtype ?? entry.dtype;
  if (stored === 'int32') return Int32Array.from({ length: count }, (_, i) => view.getInt32(i * 4, true));
  if (stored === 'float32') return Float32Array.from({ length: count }, (_, i) => view.getFloat32(i * 4, true));
  if (stored === 'float16')
    return Float32Array.from({ length: count }, (_, i) => halfToFloat(view.getUint16(i * 2, true)));
  const scale = quantization?.scale ?? 1;
  const min = quantization?.min ?? 0;
  const quantum = stored === 'uint8' ? (i: number) => view.getUint8(i) : (i: number) => view.getUint16(i * 2, true);
  return Float32Array.from({ length: count }, (_, i) => quantum(i) * scale + min);
};

/** All weights by name. @throws Error when manifest and `bin` do not agree to the byte */
export const decodeWeights = (entries: readonly WeightEntry[], bin: Uint8Array): Map<string, Weight> => {
  const weights = new Map<string, Weight>();
  let offset = 0;
  for (const entry of entries) {
    const bytes = elementBytes[entry.quantization?.dtype ?? entry.dtype];
    if (bytes === undefined) throw new Error(`tfjs: weight ${entry.name} has the unknown type ${entry.dtype}`);
    const count = entry.shape.reduce((product, size) => product * size, 1);
    if (offset + count * bytes > bin.length) throw new Error(`tfjs: weight ${entry.name} runs past the end`);
    const view = new DataView(bin.buffer, bin.byteOffset + offset, count * bytes);
    weights.set(entry.name, { shape: entry.shape, values: decodeElements(entry, view, count) });
    offset += count * bytes;
  }
  if (offset !== bin.length) throw new Error(`tfjs: ${bin.length - offset} bytes are left over`);
  return weights;
};
