/**
 * Just enough of the protobuf wire format to read and write ONNX files: messages are plain objects, a schema names the
 * fields. A field that the schema does not know is an error, so nothing is lost silently between reading and writing.
 */

type Scalar = 'int64' | 'float' | 'string' | 'bytes';

/** `repeated`: an array, written packed for numbers. `ignored`: dropped while reading (comments). */
type Field = {
  readonly name: string;
  readonly kind: Scalar | MessageSchema;
  readonly repeated?: boolean;
  readonly ignored?: boolean;
};
export type MessageSchema = { readonly message: string; readonly fields: Readonly<Record<number, Field>> };

const wireVarint = 0;
const wire64Bit = 1;
const wireLengthDelimited = 2;
const wire32Bit = 5;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

class Reader {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.position >= this.#bytes.length;
  }

  /** A varint as a signed number. @throws Error beyond ±2^53, which a number cannot hold */
  varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#view.getUint8(this.position++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      const number = Number(BigInt.asIntN(64, value));
      if (!Number.isSafeInteger(number)) throw new Error('protobuf: integer beyond 2^53');
      return number;
    }
    throw new Error('protobuf: varint longer than 10 bytes');
  }

  float(): number {
    this.position += 4;
    return this.#view.getFloat32(this.position - 4, true);
  }

  block(): Uint8Array {
    const length = this.varint();
    if (length < 0 || this.position + length > this.#bytes.length) throw new Error('protobuf: field runs past the end');
    this.position += length;
    return this.#bytes.subarray(this.position - length, this.position);
  }
}

const readNumber = (reader: Reader, kind: 'int64' | 'float'): number =>
  kind === 'int64' ? reader.varint() : reader.float();

const readValues = (reader: Reader, wireType: number, field: Field): unknown[] => {
  const { kind } = field;
  if (kind === 'int64' || kind === 'float') {
    if (wireType !== wireLengthDelimited) return [readNumber(reader, kind)];
    const packed = new Reader(reader.block());
    const values: number[] = [];
    while (!packed.atEnd) values.push(readNumber(packed, kind));
    return values;
  }
  const block = reader.block();
  if (kind === 'bytes') return [block];
  if (kind === 'string') return [fromUtf8.decode(block)];
  return [readMessage(kind, block)];
};

/** Parses one message; byte fields are views into `bytes`. @throws Error for truncated input or an unknown field */
export const readMessage = <T>(schema: MessageSchema, bytes: Uint8Array): T => {
  const reader = new Reader(bytes);
  const message: Record<string, unknown> = {};
  for (const field of Object.values(schema.fields)) if (field.repeated && !field.ignored) message[field.name] = [];
  while (!reader.atEnd) {
    const tag = reader.varint();
    const wireType = tag & 7;
    const field = schema.fields[tag >>> 3];
    if (field === undefined) throw new Error(`protobuf: ${schema.message} has an unknown field ${tag >>> 3}`);
    if (wireType === wire64Bit) throw new Error(`protobuf: ${schema.message}.${field.name} is 64 bits wide`);
    const values = readValues(reader, wireType, field);
    if (field.ignored) continue;
    if (field.repeated) (message[field.name] as unknown[]).push(...values);
    else message[field.name] = values.at(-1);
  }
  return message as T;
};

const varintBytes = (value: number): Uint8Array => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
};

const floatBytes = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
};

const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};

const encodeValue = (kind: Field['kind'], value: unknown): Uint8Array => {
  if (kind === 'int64') return varintBytes(value as number);
  if (kind === 'float') return floatBytes(value as number);
  if (kind === 'string') return utf8.encode(value as string);
  if (kind === 'bytes') return value as Uint8Array;
  return writeMessage(kind, value as Record<string, unknown>);
};

/** Writes one message, fields in the order of their numbers, so that equal messages give equal bytes. */
export const writeMessage = (schema: MessageSchema, message: object): Uint8Array => {
  const parts: Uint8Array[] = [];
  for (const [number, field] of Object.entries(schema.fields)) {
    const value = (message as Record<string, unknown>)[field.name];
    if (field.ignored || value === undefined) continue;
    const { kind } = field;
    const block = (bytes: Uint8Array): void => {
      parts.push(varintBytes((Number(number) << 3) | wireLengthDelimited), varintBytes(bytes.length), bytes);
    };
    const values = field.repeated ? (value as unknown[]) : [value];
    if (kind !== 'int64' && kind !== 'float') for (const each of values) block(encodeValue(kind, each));
    else if (!field.repeated)
      parts.push(
        varintBytes((Number(number) << 3) | (kind === 'int64' ? wireVarint : wire32Bit)),
        encodeValue(kind, value),
      );
    else if (values.length > 0) block(join(values.map((each) => encodeValue(kind, each))));
  }
  return join(parts);
};
