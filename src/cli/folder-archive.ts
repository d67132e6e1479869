import { open, readdir, stat, utimes } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../storage/make-folder.ts';

/*
 * A folder as one stream, for systems without a tar that can be relied upon: of each folder and file 4 bytes (length of
 * what follows, big endian), JSON, and a file's bytes. No owners and rights: the place that it comes back to gives them.
 */

const segment = /^[^\\/:*?"<>|\p{Cc}]{1,255}$/u;
const entrySchema = z.strictObject({
  /** From the folder down */
  path: z
    .array(
      z
        .string()
        .regex(segment)
        .refine((each) => each !== '.' && each !== '..'),
    )
    .min(1),
  /** null: a folder */
  bytes: z.int().min(0).nullable(),
  mtimeMs: z.number(),
});
const entryBytesAtMost = 64 << 10;
const lengthBytes = 4;
const pieceBytes = 1 << 20;

const headOf = (entry: z.infer<typeof entrySchema>): Buffer => {
  // What could not be unpacked again is not packed.
  const text = Buffer.from(JSON.stringify(entrySchema.parse(entry)));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text]);
};

/** Throws where a file changes meanwhile, and at a link: nobody knows what lies behind it where it comes back to. */
export async function* packFolder(root: string): AsyncGenerator<Buffer> {
  for (const found of await readdir(root, { recursive: true, withFileTypes: true })) {
    const from = join(found.parentPath, found.name);
    const path = relative(root, from).split(sep);
    if (!found.isFile() && !found.isDirectory()) throw new Error(`${from}: neither a file nor a folder`);
    const { size, mtimeMs } = await stat(from);
    yield headOf({ path, bytes: found.isFile() ? size : null, mtimeMs });
    if (!found.isFile()) continue;
    const file = await open(from, 'r');
    try {
      for (let done = 0; done < size; ) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(pieceBytes, size - done)));
        if (bytesRead === 0) throw new Error(`${from}: became shorter while it was copied`);
        done += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
}

/** `upTo`: the next bytes, at least one and at most so many; null at the end. */
const readerOf = (parts: AsyncIterable<Buffer>) => {
  const iterator = parts[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const upTo = async (most: number): Promise<Buffer | null> => {
    while (held.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return null;
      held = next.value;
    }
    const taken = held.subarray(0, most);
    held = held.subarray(taken.length);
    return taken;
  };
  const pieces = async (count: number, each: (piece: Buffer) => unknown): Promise<void> => {
    for (let left = count; left > 0; ) {
      const piece = await upTo(left);
      if (piece === null) throw new Error('the archive ends in the middle');
      await each(piece);
      left -= piece.length;
    }
  };
  const exactly = async (count: number): Promise<Buffer> => {
    const all: Buffer[] = [];
    await pieces(count, (piece) => all.push(piece));
    return Buffer.concat(all);
  };
  return { upTo, pieces, exactly };
};

/** On the disk when it returns. `nameOf`: where a path from the root down is to go instead */
export const unpackFolder = async (
  parts: AsyncIterable<Buffer>,
  root: string,
  nameOf: (path: string) => string = (path) => path,
): Promise<void> => {
  const { upTo, pieces, exactly } = readerOf(parts);
  for (let first = await upTo(1); first !== null; first = await upTo(1)) {
    const length = Buffer.concat([first, await exactly(lengthBytes - 1)]).readUInt32BE();
    if (length > entryBytesAtMost) throw new Error('the archive is none');
    const { path, bytes, mtimeMs } = entrySchema.parse(JSON.parse((await exactly(length)).toString('utf8')));
    const to = join(root, nameOf(path.join('/')));
    if (bytes === null) {
      await makeFolder(to, 0o700);
      continue;
    }
    // `wx`: what is there already was put there by somebody else.
    const file = await open(to, 'wx', 0o600);
    try {
      await pieces(bytes, (piece) => file.writeFile(piece));
      await file.sync();
    } finally {
      await file.close();
    }
    await utimes(to, new Date(mtimeMs), new Date(mtimeMs));
  }
};
