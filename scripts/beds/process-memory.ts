import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const pageBytes = 4_096;
const pieceBytes = 1_024 * pageBytes;
/** The next piece begins before the end of the last: nothing of up to this length hides on a seam. */
const overlapBytes = 512;
const emptyPage = Buffer.alloc(pageBytes);
const emptyPiece = Buffer.alloc(pieceBytes + overlapBytes);

/**
 * What a process may write to, in runs of pages that hold something; pages of zeros, most of what V8 reserves, are left
 * out. `seen`: what was read the last time, by address, which this look takes the place of; pages that are byte for byte what
 * they were are left out, too. A run is good until the next is asked for. Linux alone.
 */
export function* writableRuns(pid: number, seen?: Map<number, Buffer>): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const piece = Buffer.alloc(pieceBytes + overlapBytes);
  const before = new Map(seen);
  seen?.clear();
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
        const now = piece.subarray(0, length);
        yield* changedRuns(now, before.get(at));
        if (seen !== undefined && !now.equals(emptyPiece.subarray(0, length))) seen.set(at, Buffer.from(now));
      }
    }
  } finally {
    closeSync(memory);
  }
}

/** Pages that hold something else than `before`, with as much around them as may belong to it. */
export function* changedRuns(now: Buffer, before: Buffer | undefined): Generator<Buffer> {
  const isEmpty = (at: number): boolean => emptyPage.equals(now.subarray(at, at + pageBytes));
  const isSame = (at: number): boolean =>
    before?.subarray(at, at + pageBytes).equals(now.subarray(at, at + pageBytes)) === true;
  const isSkipped = (at: number): boolean => isEmpty(at) || isSame(at);
  for (let from = 0; from < now.length; from += pageBytes) {
    if (isSkipped(from)) continue;
    let to = from + pageBytes;
    while (to < now.length && !isSkipped(to)) to += pageBytes;
    yield now.subarray(Math.max(0, from - overlapBytes), to + overlapBytes);
    from = to;
  }
}
