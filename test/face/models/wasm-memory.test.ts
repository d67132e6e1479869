import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { beginningWith, wasmPage } from '../../../src/face/models/wasm-memory.ts';

type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number };
type Wasm = {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly memory: Memory } };
};
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm };

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const name = [0, 3, 1, 0x61, 7];
/** At least so many pages (LEB128), 1,000 at most, and exported under the name of `memory` */
const withMemory = (...pages: readonly number[]): Uint8Array =>
  Uint8Array.from([
    ...[...header, ...name, 5, pages.length + 4, 1, 1, ...pages, 0xe8, 7],
    ...[7, 10, 1, 6, ...Buffer.from('memory'), 2, 0],
  ]);
const memoryOf = (program: Uint8Array): Memory => new wasm.Instance(new wasm.Module(program), {}).exports.memory;

test.each([
  ['800 in two bytes', [0xa0, 6], [1, 127, 128, 999]],
  ['3 in one byte', [3], [1, 2, 127]],
  ['800 in three bytes', [0xa0, 0x86, 0], [1, 128, 999]],
])('a memory of %s begins as it is told, and grows as before', (_what, pages, wanted) => {
  const program = Buffer.from(withMemory(...pages));
  const before = Buffer.from(program);
  for (const many of wanted) {
    const memory = memoryOf(beginningWith(program, many));
    expect(memory.buffer.byteLength).toBe(many * wasmPage);
    expect(memory.grow(1)).toBe(many);
  }
  expect(program).toEqual(before);
});

test('what does not fit, and what has no memory of its own, is refused', () => {
  expect(() => beginningWith(withMemory(3), 128)).toThrow('128 pages do not fit in 1 bytes');
  expect(() => beginningWith(Uint8Array.from([...header, ...name]), 1)).toThrow('no memory of its own');
  expect(() => beginningWith(Uint8Array.from([...header, 5, 1, 0]), 1)).toThrow('no memory of its own');
  expect(() => beginningWith(Uint8Array.from([...header, 5, ...Array(9).fill(0xff)]), 1)).toThrow('without an end');
});

test('the decoder of the card’s photo begins with 50 MB of its own: that is what is made less', async () => {
  const path = createRequire(import.meta.url).resolve('@cornerstonejs/codec-openjpeg/decodewasm');
  expect(beginningWith(await readFile(path), 128)).not.toEqual(new Uint8Array(await readFile(path)));
});
