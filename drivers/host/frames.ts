/**
 * Messages between the processes of one device. A frame: its length (u32, what follows), the length of its text (u32),
 * the number of its parts (u8), the length of each part (u32), the text (JSON), the parts (bytes). Big endian.
 */
export type Frame = { readonly body: unknown; readonly parts: readonly Uint8Array[] };

/** The longest message is a reference photo or a sealed request of less than 100 kB. */
export const maximumFrameBytes = 512 * 1024;
const maximumParts = 4;
const lengthBytes = 4;

/** Throws when a frame would be longer than its reader takes: a mistake of ours. */
export const encodeFrame = (body: object, parts: readonly Uint8Array[] = []): Buffer => {
  const text = Buffer.from(JSON.stringify(body));
  const length =
    lengthBytes + 1 + lengthBytes * parts.length + text.length + parts.reduce((sum, p) => sum + p.length, 0);
  if (length > maximumFrameBytes || parts.length > maximumParts) throw new Error(`a frame of ${length} bytes`);
  const frame = Buffer.alloc(lengthBytes + length);
  let at = frame.writeUInt32BE(length, 0);
  at = frame.writeUInt32BE(text.length, at);
  at = frame.writeUInt8(parts.length, at);
  for (const part of parts) at = frame.writeUInt32BE(part.length, at);
  at += text.copy(frame, at);
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
};

const decodeFrame = (frame: Buffer): Frame | null => {
  if (frame.length < lengthBytes + 1) return null;
  const textLength = frame.readUInt32BE(0);
  const count = frame.readUInt8(lengthBytes);
  let at = lengthBytes + 1;
  if (count > maximumParts || frame.length < at + lengthBytes * count) return null;
  const lengths = Array.from({ length: count }, (_, index) => frame.readUInt32BE(at + lengthBytes * index));
  at += lengthBytes * count;
  if (frame.length !== at + textLength + lengths.reduce((sum, length) => sum + length, 0)) return null;
  let body: unknown;
  try {
    body = JSON.parse(frame.toString('utf8', at, at + textLength));
  } catch {
    return null;
  }
  at += textLength;
  const parts = lengths.map((length) => {
    // A copy: what it came in is overwritten.
    const part = new Uint8Array(frame.subarray(at, at + length));
    at += length;
    return part;
  });
  return { body, parts };
};

/**
 * Puts a stream back into frames. Everything that passes through is overwritten here once it has been handed on: among
 * it are photos.
 */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** The frames that are whole now; null = no such frame can follow, the stream is of no more use. Empties `chunk`. */
  push(chunk: Buffer): readonly Frame[] | null {
    const before = this.#held;
    // Not from Node's pool, whose neighbours are other people's.
    const all = Buffer.alloc(before.length + chunk.length);
    before.copy(all);
    chunk.copy(all, before.length);
    before.fill(0);
    chunk.fill(0);
    const frames: Frame[] = [];
    let at = 0;
    let whole = true;
    while (whole && all.length - at >= lengthBytes) {
      const length = all.readUInt32BE(at);
      if (length > maximumFrameBytes) return this.#giveUp(all);
      const end = at + lengthBytes + length;
      whole = all.length >= end;
      if (!whole) break;
      const frame = decodeFrame(all.subarray(at + lengthBytes, end));
      if (frame === null) return this.#giveUp(all);
      frames.push(frame);
      at = end;
    }
    this.#held = Buffer.from(new Uint8Array(all.subarray(at)).buffer);
    all.fill(0);
    return frames;
  }

  #giveUp(all: Buffer): null {
    all.fill(0);
    this.wipe();
    return null;
  }

  wipe(): void {
    this.#held.fill(0);
    this.#held = Buffer.alloc(0);
  }
}
