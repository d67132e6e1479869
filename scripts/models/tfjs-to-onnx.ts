/**
 * TensorFlow.js graph model → ONNX. TensorFlow keeps pictures as NHWC, ONNX as NCHW: one Transpose at the input, NCHW
 * inside, and a Transpose back before each Reshape, whose result depends on the order of the elements.
 */
import { floatTensor, floatValue, int64Tensor, type Model, modelOf, type Node, node, type Tensor } from './onnx.ts';
import { decodeWeights, type Weight, type WeightEntry } from './tfjs-weights.ts';

type TfAttribute = {
  readonly s?: string;
  readonly list?: { readonly i?: readonly string[]; readonly s?: readonly string[] };
  readonly shape?: { readonly dim: readonly { readonly size: string }[] };
};
export type TfNode = {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfAttribute>>;
};
export type TfjsModel = {
  readonly modelTopology: { readonly node: readonly TfNode[] };
  readonly weightsManifest: readonly { readonly weights: readonly WeightEntry[] }[];
};

/** Moves axes: `order[i]` is the axis of the old shape that becomes axis i of the new one. */
export const permute = (weight: Weight, order: readonly number[]): { shape: number[]; values: Float32Array } => {
  const strides = weight.shape.map((_, axis) => weight.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const shape = order.map((axis) => weight.shape[axis] ?? 1);
  const values = new Float32Array(weight.values.length);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < values.length; i++) {
    let from = 0;
    for (let axis = 0; axis < order.length; axis++) from += (index[axis] ?? 0) * (strides[order[axis] ?? 0] ?? 0);
    values[i] = weight.values[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
  return { shape, values };
};

const base64Text = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('latin1');

/** A `[1, y, x, 1]` attribute (strides, dilations, ksize) as `[y, x]`. */
const spatial = (tf: TfNode, attribute: string): [number, number] => {
  const list = tf.attr?.[attribute]?.list?.i ?? [];
  return [Number(list[1] ?? 1), Number(list[2] ?? 1)];
};

const autoPad = (tf: TfNode): string => (base64Text(tf.attr?.padding?.s) === 'SAME' ? 'SAME_UPPER' : 'VALID');

class Converter {
  readonly nodes: Node[] = [];
  readonly initializers: Tensor[] = [];
  readonly #weights: ReadonlyMap<string, Weight>;

  constructor(weights: ReadonlyMap<string, Weight>) {
    this.#weights = weights;
  }

  #weight(name: string | undefined): Weight {
    const weight = this.#weights.get(name ?? '');
    if (weight === undefined) throw new Error(`tfjs: there is no weight ${name}`);
    return weight;
  }

  #constant(name: string, shape: readonly number[], values: Float32Array): string {
    if (!this.initializers.some((tensor) => tensor.name === name))
      this.initializers.push(floatTensor(name, shape, values));
    return name;
  }

  /** Slopes are stored `[1, 1, C]`; ONNX wants `[C, 1, 1]`. */
  #slope(name: string | undefined): string {
    const { values } = this.#weight(name);
    return this.#constant(`${name}`, [values.length, 1, 1], Float32Array.from(values));
  }

  #convolution(tf: TfNode, depthwise: boolean): void {
    const [input = '', kernelName, biasName, slopeName] = tf.input ?? [];
    const kernel = this.#weight(kernelName);
    // Depthwise kernels are [y, x, channel, multiplier]: output channel = channel × multiplier + m, one channel a group.
    const { shape, values } = permute(kernel, depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]);
    const [first = 1, second = 1, ...size] = shape;
    const dims = depthwise ? [first * second, 1, ...size] : shape;
    const inputs = [input, this.#constant(`${kernelName}`, dims, values)];
    const fused = (tf.attr?.fused_ops?.list?.s ?? []).map(base64Text);
    if (fused.includes('BiasAdd')) {
      const bias = this.#weight(biasName);
      inputs.push(this.#constant(`${biasName}`, bias.shape, Float32Array.from(bias.values)));
    }
    const activation = fused.find((name) => name !== 'BiasAdd');
    const output = activation === undefined ? tf.name : `${tf.name}/before-activation`;
    this.nodes.push(
      node('Conv', inputs, output, {
        auto_pad: autoPad(tf),
        dilations: spatial(tf, 'dilations'),
        group: depthwise ? first : 1,
        strides: spatial(tf, 'strides'),
      }),
    );
    if (activation === 'Relu') this.nodes.push(node('Relu', [output], tf.name));
    else if (activation === 'Prelu') this.nodes.push(node('PRelu', [output, this.#slope(slopeName)], tf.name));
    else if (activation !== undefined) throw new Error(`tfjs: the fused operation ${activation} is not known`);
  }

  #pad(tf: TfNode): void {
    const [input = '', paddingsName] = tf.input ?? [];
    const paddings = this.#weight(paddingsName).values; // [[n,n],[y,y],[x,x],[c,c]]
    const order = [0, 3, 1, 2];
    const pads = [0, 1].flatMap((end) => order.map((axis) => paddings[axis * 2 + end] ?? 0));
    this.initializers.push(int64Tensor(`${tf.name}/pads`, pads));
    this.nodes.push(node('Pad', [input, `${tf.name}/pads`], tf.name));
  }

  #reshape(tf: TfNode): void {
    const [input = '', shapeName] = tf.input ?? [];
    const shape = Array.from(this.#weight(shapeName).values);
    this.initializers.push(int64Tensor(`${tf.name}/shape`, shape));
    this.nodes.push(node('Transpose', [input], `${tf.name}/nhwc`, { perm: [0, 2, 3, 1] }));
    this.nodes.push(node('Reshape', [`${tf.name}/nhwc`, `${tf.name}/shape`], tf.name));
  }

  convert(tf: TfNode): void {
    const inputs = tf.input ?? [];
    switch (tf.op) {
      case 'Conv2D':
      case '_FusedConv2D':
        this.#convolution(tf, false);
        break;
      case 'DepthwiseConv2dNative':
        this.#convolution(tf, true);
        break;
      case 'AddV2':
        this.nodes.push(node('Add', inputs, tf.name));
        break;
      case 'Relu':
      case 'Sigmoid':
      case 'Identity':
        this.nodes.push(node(tf.op, inputs.slice(0, 1), tf.name));
        break;
      case 'Prelu':
        this.nodes.push(node('PRelu', [inputs[0] ?? '', this.#slope(inputs[1])], tf.name));
        break;
      case 'MaxPool':
        this.nodes.push(
          node('MaxPool', inputs, tf.name, {
            auto_pad: autoPad(tf),
            kernel_shape: spatial(tf, 'ksize'),
            strides: spatial(tf, 'strides'),
          }),
        );
        break;
      case 'Pad':
        this.#pad(tf);
        break;
      case 'Reshape':
        this.#reshape(tf);
        break;
      default:
        throw new Error(`tfjs: the operation ${tf.op} is not known`);
    }
  }
}

/** Nodes after everything they take from; TensorFlow.js lists them in any order. */
const inOrder = (nodes: readonly TfNode[]): TfNode[] => {
  const byName = new Map(nodes.map((each) => [each.name, each]));
  const ordered = new Set<TfNode>();
  const visit = (each: TfNode): void => {
    if (ordered.has(each)) return;
    for (const input of each.input ?? []) {
      const source = byName.get(input);
      if (source !== undefined) visit(source);
    }
    ordered.add(each);
  };
  for (const each of nodes) visit(each);
  return [...ordered];
};

/**
 * Converts a graph model with one picture as its input (batch size 1, NHWC) to ONNX, opset 13. Input and output names
 * stay; the outputs are the `Identity…` nodes. @throws Error for an operation or weight type that is not known
 */
export const convertTfjs = (model: TfjsModel, bin: Uint8Array): Model => {
  const weights = decodeWeights(
    model.weightsManifest.flatMap((group) => group.weights),
    bin,
  );
  const converter = new Converter(weights);
  const tfNodes = inOrder(model.modelTopology.node);
  const placeholders = tfNodes.filter((each) => each.op === 'Placeholder');
  const [input] = placeholders;
  if (input === undefined || placeholders.length !== 1) throw new Error('tfjs: exactly one input is expected');
  const inputShape = (input.attr?.shape?.shape?.dim ?? []).map(({ size }) => Math.max(1, Number(size)));
  const nchw = `${input.name}/nchw`;
  converter.nodes.push(node('Transpose', [input.name], nchw, { perm: [0, 3, 1, 2] }));
  for (const each of tfNodes) {
    if (each.op === 'Const' || each.op === 'Placeholder') continue;
    converter.convert({ ...each, input: (each.input ?? []).map((name) => (name === input.name ? nchw : name)) });
  }
  const outputs = tfNodes.filter((each) => each.op === 'Identity');
  return modelOf({
    name: 'tfjs',
    nodes: converter.nodes,
    initializers: converter.initializers,
    inputs: [floatValue(input.name, inputShape)],
    outputs: outputs.map(({ name }) => floatValue(name)),
  });
};
