/**
 * dlib's face recognition network (a ResNet with 29 convolutions, 150×150 RGB in, 128 numbers out; weights in the public
 * domain) as ONNX. TensorFlow.js carries its weights without a graph, so the graph is written down here. Each
 * convolution is followed by a factor and an offset a channel, which are folded into it, as is the input's mean.
 */
import { floatTensor, floatValue, int64Tensor, type Model, modelOf, type Node, node, type Tensor } from './onnx.ts';
import { permute } from './tfjs-to-onnx.ts';
import { decodeWeights, type Weight, type WeightEntry } from './tfjs-weights.ts';

const meanRgb = [122.782, 117.001, 104.298] as const;
const colourRange = 255;

/** `down`: halves the picture; its shortcut is an average, widened by empty channels. `padded`: see `residual`. */
type Block = {
  readonly name: string;
  readonly down?: boolean;
  readonly addChannels?: number;
  readonly padded?: boolean;
};
const blocks: readonly Block[] = [
  { name: 'conv32_1' },
  { name: 'conv32_2' },
  { name: 'conv32_3' },
  { name: 'conv64_down', down: true, addChannels: 32 },
  { name: 'conv64_1' },
  { name: 'conv64_2' },
  { name: 'conv64_3' },
  { name: 'conv128_down', down: true, addChannels: 64 },
  { name: 'conv128_1' },
  { name: 'conv128_2' },
  { name: 'conv256_down', down: true, addChannels: 128, padded: true },
  { name: 'conv256_1' },
  { name: 'conv256_2' },
  { name: 'conv256_down_out', down: true, padded: true },
];

class Writer {
  readonly nodes: Node[] = [];
  readonly initializers: Tensor[] = [];
  readonly #weights: ReadonlyMap<string, Weight>;

  constructor(weights: ReadonlyMap<string, Weight>) {
    this.#weights = weights;
  }

  weight(name: string): Weight {
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new Error(`dlib-resnet: there is no weight ${name}`);
    return weight;
  }

  add(opType: string, inputs: readonly string[], output: string, attributes: Parameters<typeof node>[3] = {}): string {
    this.nodes.push(node(opType, inputs, output, attributes));
    return output;
  }

  /** Zeros at the end of the axes; `ends` = [channels, rows, columns]. */
  pad(input: string, [channels, rows, columns]: readonly [number, number, number], output: string): string {
    this.initializers.push(int64Tensor(`${output}/pads`, [0, 0, 0, 0, 0, channels, rows, columns]));
    return this.add('Pad', [input, `${output}/pads`], output);
  }

  convolution(name: string, input: string, stride: 1 | 2, relu: boolean, ofPicture = false): string {
    const kernel = permute(this.weight(`${name}/conv/filters`), [3, 2, 0, 1]);
    const bias = Float32Array.from(this.weight(`${name}/conv/bias`).values);
    const factor = this.weight(`${name}/scale/weights`).values;
    const offset = this.weight(`${name}/scale/biases`).values;
    const [outputs = 0, channels = 0, height = 0, width = 0] = kernel.shape;
    for (let o = 0; o < outputs; o++) {
      let shift = 0;
      for (let i = 0; i < channels * height * width; i++) {
        const at = o * channels * height * width + i;
        const mean = ofPicture ? (meanRgb[Math.floor(i / (height * width))] ?? 0) : 0;
        const weight = (kernel.values[at] ?? 0) / (ofPicture ? colourRange : 1);
        shift -= weight * mean;
        kernel.values[at] = weight * (factor[o] ?? 0);
      }
      bias[o] = ((bias[o] ?? 0) + shift) * (factor[o] ?? 0) + (offset[o] ?? 0);
    }
    this.initializers.push(floatTensor(`${name}/kernel`, kernel.shape, kernel.values));
    this.initializers.push(floatTensor(`${name}/bias`, [outputs], bias));
    const output = this.add('Conv', [input, `${name}/kernel`, `${name}/bias`], `${name}/out`, {
      auto_pad: stride === 1 ? 'SAME_UPPER' : 'VALID',
      strides: [stride, stride],
    });
    return relu ? this.add('Relu', [output], `${name}/relu`) : output;
  }

  /** Where the halved sides differ by one pixel, the convolutions' side gets a row and a column of zeros. */
  residual({ name, down = false, addChannels = 0, padded = false }: Block, input: string): string {
    const inner = this.convolution(`${name}/conv1`, input, down ? 2 : 1, true);
    const deep = this.convolution(`${name}/conv2`, inner, 1, false);
    const sized = padded ? this.pad(deep, [0, 1, 1], `${name}/sized`) : deep;
    const halved = down
      ? this.add('AveragePool', [input], `${name}/halved`, { kernel_shape: [2, 2], strides: [2, 2] })
      : input;
    const shortcut = addChannels > 0 ? this.pad(halved, [addChannels, 0, 0], `${name}/shortcut`) : halved;
    return this.add('Relu', [this.add('Add', [shortcut, sized], `${name}/sum`)], name);
  }
}

/** Input `input`: 1×3×150×150, RGB 0..255; output `output`: 1×128, not normalised. */
export const buildDlibResnet = (entries: readonly WeightEntry[], bin: Uint8Array): Model => {
  const writer = new Writer(decodeWeights(entries, bin));
  const first = writer.convolution('conv32_down', 'input', 2, true, true);
  let last = writer.add('MaxPool', [first], 'pooled', { kernel_shape: [3, 3], strides: [2, 2] });
  for (const block of blocks) last = writer.residual(block, last);
  const mean = writer.add('Flatten', [writer.add('GlobalAveragePool', [last], 'mean')], 'flat');
  const fc = writer.weight('fc');
  writer.initializers.push(floatTensor('fc', fc.shape, Float32Array.from(fc.values)));
  writer.add('MatMul', [mean, 'fc'], 'output');
  return modelOf({
    name: 'dlib-resnet',
    nodes: writer.nodes,
    initializers: writer.initializers,
    inputs: [floatValue('input', [1, 3, 150, 150])],
    outputs: [floatValue('output', [1, 128])],
  });
};
