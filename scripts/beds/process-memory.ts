import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const pageBytes = 4_096;
const pieceBytes = 1_024 * pageBytes;
/** The next piece begins before the end of the last: nothing of up to this length hides on a seam. */
const overlapBytes = 512;
const emptyPage = Buffer.alloc(pageBytes);

/**
 * What a process may write to, in runs of pages that hold something; pages of zeros, most of what V8 reserves, are left
 * out. A run is good until the next is asked for. Linux alone.
 */
export function* writableRuns(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const piece = Buffer.alloc(pieceBytes + overlapBytes);
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (match === null) continue;
      const end = Number.parseInt(match[2] ?? '', 16);
      for (let at = Number.parseInt(match[1] ?? '', 16); at < end; at += pieceBytes) {
        let length = 0;
        try {
          length = readSync(memory, piece, 0, Math.min(pieceBytes + overlapBytes, end - at), at);
        } catch {
          break; // a guard page, or memory given back meanwhile
        }
        yield* filledRuns(piece.subarray(0, length));
      }
    }
  } finally {
    closeSync(memory);
  }
}

function* filledRuns(piece: Buffer): Generator<Buffer> {
  const isEmpty = (at: number): boolean => emptyPage.equals(piece.subarray(at, at + pageBytes));
  for (let from = 0; from < piece.length; from += pageBytes) {
    if (isEmpty(from)) continue;
    let to = from + pageBytes;
    while (to < piece.length && !isEmpty(to)) to += pageBytes;
    yield piece.subarray(from, to);
    from = to;
  }
}
