import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MessageSchema, readMessage, writeMessage } from '../../../scripts/models/protobuf.ts';

const inner: MessageSchema = { message: 'Inner', fields: { 1: { name: 'text', kind: 'string' } } };
const schema: MessageSchema = {
  message: 'Outer',
  fields: {
    1: { name: 'whole', kind: 'int64' },
    2: { name: 'real', kind: 'float' },
    3: { name: 'wholes', kind: 'int64', repeated: true },
    4: { name: 'reals', kind: 'float', repeated: true },
    5: { name: 'bytes', kind: 'bytes' },
    16: { name: 'inners', kind: inner, repeated: true },
    17: { name: 'note', kind: 'string', ignored: true },
  },
};

const message = fc.record({
  whole: fc.maxSafeInteger(),
  real: fc.float({ noNaN: true }),
  wholes: fc.array(fc.maxSafeInteger()),
  reals: fc.array(fc.float({ noNaN: true })),
  bytes: fc.uint8Array(),
  inners: fc.array(fc.record({ text: fc.string() })),
});

test('what is written is read back', () => {
  fc.assert(
    fc.property(message, (value) => {
      const read = readMessage<typeof value>(schema, writeMessage(schema, value));
      expect({ ...read, bytes: Array.from(read.bytes) }).toEqual({ ...value, bytes: Array.from(value.bytes) });
    }),
  );
});

test('known bytes: field 1 = 150 is 08 96 01', () => {
  expect(writeMessage(schema, { whole: 150 })).toEqual(Uint8Array.of(0x08, 0x96, 0x01));
});

test('numbers that were not packed are read, too', () => {
  expect(readMessage(schema, Uint8Array.of(0x18, 1, 0x18, 2))).toMatchObject({ wholes: [1, 2] });
});

test('comments are dropped', () => {
  expect(readMessage(schema, Uint8Array.of(0x8a, 0x01, 1, 0x61))).not.toHaveProperty('note');
});

test.each([
  ['a truncated varint', [0x08, 0x96]],
  ['a block that runs past the end', [0x2a, 5, 1, 2]],
  ['an unknown field', [0x30, 1]],
  ['a 64-bit field', [0x09, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['a varint of eleven bytes', [0x08, ...new Array(11).fill(0x80)]],
  ['an integer beyond 2^53', [0x08, ...new Array(8).fill(0xff), 0x7f]],
])('%s is refused', (_, bytes) => {
  expect(() => readMessage(schema, Uint8Array.from(bytes))).toThrow();
});
