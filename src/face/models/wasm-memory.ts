/** The size with which a WebAssembly program's memory begins, read and set in its bytes (WebAssembly Core Specification 5.5). */

const memorySection = 5;
/** bytes */
export const wasmPage = 65_536;

type Number32 = { readonly value: number; readonly end: number };

/** An unsigned LEB128 number (5.2.2). */
const readNumber = (bytes: Uint8Array, at: number): Number32 => {
  let value = 0;
  for (let place = 0; place < 5; place++) {
    const byte = bytes[at + place] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (byte < 0x80) return { value, end: at + place + 1 };
  }
  throw new Error('WebAssembly: a number without an end');
};

/** Where the first page count of its one memory stands. @throws Error where it has none of its own */
const findPages = (program: Uint8Array): Number32 & { readonly at: number } => {
  const headerLength = 8;
  for (let at = headerLength; at < program.length; ) {
    const size = readNumber(program, at + 1);
    if (program[at] === memorySection) {
      const count = readNumber(program, size.end);
      // One byte of flags: whether a most is told, too.
      if (count.value > 0) return { at: count.end + 1, ...readNumber(program, count.end + 1) };
    }
    at = size.end + size.value;
  }
  throw new Error('WebAssembly: no memory of its own');
};

/**
 * A copy of the program whose memory begins with so many pages of 64 kB, written in the room that the number had; it grows as
 * before. @throws Error for more than fit there, or for a program without a memory of its own
 */
export const beginningWith = (program: Uint8Array, pages: number): Uint8Array => {
  const { at, end } = findPages(program);
  if (pages >= 2 ** (7 * (end - at))) throw new Error(`WebAssembly: ${pages} pages do not fit in ${end - at} bytes`);
  const copy = new Uint8Array(program);
  for (let place = at; place < end; place++)
    copy[place] = (Math.floor(pages / 2 ** (7 * (place - at))) & 0x7f) | (place === end - 1 ? 0 : 0x80);
  return copy;
};
