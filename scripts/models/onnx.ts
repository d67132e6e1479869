/** The part of onnx.proto (onnx/onnx, IR version 7) that the models here use, and constructors for it. */
import { type MessageSchema, readMessage, writeMessage } from './protobuf.ts';

const floatType = 1;
const int64Type = 7;

export type Tensor = {
  dims: number[];
  dataType: number;
  floats: number[];
  int64s: number[];
  name?: string;
  /** Little-endian elements. */
  raw?: Uint8Array;
};
type Attribute = {
  name: string;
  float?: number;
  int?: number;
  string?: Uint8Array;
  tensor?: Tensor;
  floats: number[];
  ints: number[];
  type: number;
};
export type Node = {
  inputs: string[];
  outputs: string[];
  name?: string;
  opType: string;
  attributes: Attribute[];
};
type Dimension = { value?: number; parameter?: string };
type ValueInfo = {
  name: string;
  type?: { tensor?: { elementType: number; shape?: { dimensions: Dimension[] } } };
};
type Graph = {
  nodes: Node[];
  name: string;
  initializers: Tensor[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
};
export type Model = {
  irVersion: number;
  producerName?: string;
  producerVersion?: string;
  graph: Graph;
  opsets: { domain?: string; version: number }[];
};

const comment = { name: 'comment', kind: 'string', ignored: true } as const;

const tensorSchema: MessageSchema = {
  message: 'TensorProto',
  fields: {
    1: { name: 'dims', kind: 'int64', repeated: true },
    2: { name: 'dataType', kind: 'int64' },
    4: { name: 'floats', kind: 'float', repeated: true },
    7: { name: 'int64s', kind: 'int64', repeated: true },
    8: { name: 'name', kind: 'string' },
    9: { name: 'raw', kind: 'bytes' },
    12: comment,
  },
};

const attributeSchema: MessageSchema = {
  message: 'AttributeProto',
  fields: {
    1: { name: 'name', kind: 'string' },
    2: { name: 'float', kind: 'float' },
    3: { name: 'int', kind: 'int64' },
    4: { name: 'string', kind: 'bytes' },
    5: { name: 'tensor', kind: tensorSchema },
    7: { name: 'floats', kind: 'float', repeated: true },
    8: { name: 'ints', kind: 'int64', repeated: true },
    13: comment,
    20: { name: 'type', kind: 'int64' },
  },
};

const nodeSchema: MessageSchema = {
  message: 'NodeProto',
  fields: {
    1: { name: 'inputs', kind: 'string', repeated: true },
    2: { name: 'outputs', kind: 'string', repeated: true },
    3: { name: 'name', kind: 'string' },
    4: { name: 'opType', kind: 'string' },
    5: { name: 'attributes', kind: attributeSchema, repeated: true },
    6: comment,
  },
};

const dimensionSchema: MessageSchema = {
  message: 'TensorShapeProto.Dimension',
  fields: { 1: { name: 'value', kind: 'int64' }, 2: { name: 'parameter', kind: 'string' } },
};
const shapeSchema: MessageSchema = {
  message: 'TensorShapeProto',
  fields: { 1: { name: 'dimensions', kind: dimensionSchema, repeated: true } },
};
const tensorTypeSchema: MessageSchema = {
  message: 'TypeProto.Tensor',
  fields: { 1: { name: 'elementType', kind: 'int64' }, 2: { name: 'shape', kind: shapeSchema } },
};
const typeSchema: MessageSchema = { message: 'TypeProto', fields: { 1: { name: 'tensor', kind: tensorTypeSchema } } };
const valueInfoSchema: MessageSchema = {
  message: 'ValueInfoProto',
  fields: { 1: { name: 'name', kind: 'string' }, 2: { name: 'type', kind: typeSchema }, 3: comment },
};

const graphSchema: MessageSchema = {
  message: 'GraphProto',
  fields: {
    1: { name: 'nodes', kind: nodeSchema, repeated: true },
    2: { name: 'name', kind: 'string' },
    5: { name: 'initializers', kind: tensorSchema, repeated: true },
    10: comment,
    11: { name: 'inputs', kind: valueInfoSchema, repeated: true },
    12: { name: 'outputs', kind: valueInfoSchema, repeated: true },
    13: { name: 'valueInfos', kind: valueInfoSchema, repeated: true, ignored: true },
  },
};

const opsetSchema: MessageSchema = {
  message: 'OperatorSetIdProto',
  fields: { 1: { name: 'domain', kind: 'string' }, 2: { name: 'version', kind: 'int64' } },
};

const modelSchema: MessageSchema = {
  message: 'ModelProto',
  fields: {
    1: { name: 'irVersion', kind: 'int64' },
    2: { name: 'producerName', kind: 'string' },
    3: { name: 'producerVersion', kind: 'string' },
    6: comment,
    7: { name: 'graph', kind: graphSchema },
    8: { name: 'opsets', kind: opsetSchema, repeated: true },
  },
};

/** @throws Error when the bytes are not an ONNX file of the known kind */
export const readModel = (bytes: Uint8Array): Model => readMessage<Model>(modelSchema, bytes);
export const writeModel = (model: Model): Uint8Array => writeMessage(modelSchema, model);

const rawOf = (values: Float32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

export const floatTensor = (name: string, dims: readonly number[], values: Float32Array): Tensor => ({
  dims: [...dims],
  dataType: floatType,
  floats: [],
  int64s: [],
  name,
  raw: rawOf(values),
});

export const int64Tensor = (name: string, values: readonly number[]): Tensor => ({
  dims: [values.length],
  dataType: int64Type,
  floats: [],
  int64s: [],
  name,
  raw: rawOf(BigInt64Array.from(values, BigInt)),
});

/** The elements of a float tensor as a copy, however the file stores them. */
export const floatsOf = (tensor: Tensor): Float32Array => {
  if (tensor.dataType !== floatType) throw new Error(`onnx: ${tensor.name ?? 'tensor'} does not hold floats`);
  if (tensor.raw === undefined) return Float32Array.from(tensor.floats);
  return new Float32Array(new Uint8Array(tensor.raw).buffer);
};

const attributeOf = (name: string, value: number | readonly number[] | string): Attribute => {
  const empty = { name, floats: [], ints: [] };
  if (typeof value === 'number') return { ...empty, int: value, type: 2 };
  if (typeof value === 'string') return { ...empty, string: new TextEncoder().encode(value), type: 3 };
  return { ...empty, ints: [...value], type: 7 };
};

/** A node with one output of the node's own name. Attributes are integers, lists of integers or text. */
export const node = (
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[] | string>> = {},
): Node => ({
  inputs: [...inputs],
  outputs: [output],
  name: output,
  opType,
  attributes: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
});

export const floatValue = (name: string, shape?: readonly number[]): ValueInfo => ({
  name,
  type: {
    tensor: {
      elementType: floatType,
      ...(shape === undefined ? {} : { shape: { dimensions: shape.map((value) => ({ value })) } }),
    },
  },
});

/** A whole model at opset 13, which every operator used here belongs to. */
export const modelOf = (graph: Graph): Model => ({
  irVersion: 7,
  producerName: 'uketsuke',
  graph,
  opsets: [{ domain: '', version: 13 }],
});
