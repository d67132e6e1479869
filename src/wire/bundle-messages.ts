import { z } from 'zod';
import { identifier } from './messages.ts';

/*
 * How a release comes to a device with two slots: its link process asks the agent for one piece after the other.
 * `uketsuke/v1/<facility>/<device>/bundle-request` and `…/bundle-piece`.
 *   bundle-request  plain JSON: from where on, and whose; asked of all, each agent that has a release answers, without bytes
 *   bundle-piece    a line of plain JSON, then the bytes themselves
 * Nothing here is signed: the bundle is, by whoever made the release, and RAUC looks at that before a byte is installed.
 * A link asks only where the broker has granted it the topic of the pieces (as for certificates).
 */
const bundleLeaves = { request: 'bundle-request', answer: 'bundle-piece' } as const;

export const bundleTopic = (facility: string, device: string, leaf: keyof typeof bundleLeaves): string =>
  `uketsuke/v1/${facility}/${device}/${bundleLeaves[leaf]}`;

/** A broker ends the connection of whoever sends more than its `max_packet_size` (mosquitto.conf.template: 128 KiB). */
export const pieceBytes = 64 * 1024;
/** Above what any slot holds. */
const largestBundle = 2 ** 31;

/** SHA-256 of the whole, hexadecimal */
const bundleId = z.string().regex(/^[0-9a-f]{64}$/);
/** The kind of device, as RAUC has it; a part of a file's name */
const compatible = z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/);

export const bundleRequestSchema = z.strictObject({
  compatible,
  /** What it has the beginning of; null: nothing yet */
  id: bundleId.nullable(),
  offset: z.int().min(0).max(largestBundle),
  /** Who shall give it; null: who has one? */
  agent: identifier.nullable(),
});
export type BundleRequest = z.infer<typeof bundleRequestSchema>;

const pieceHeadSchema = z.strictObject({
  agent: identifier,
  id: bundleId,
  bytes: z.int().min(0).max(largestBundle),
  offset: z.int().min(0).max(largestBundle),
});
type PieceHead = z.infer<typeof pieceHeadSchema>;

export const encodePiece = (head: PieceHead, bytes: Uint8Array): Uint8Array => {
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const whole = new Uint8Array(line.length + bytes.length);
  whole.set(line);
  whole.set(bytes, line.length);
  return whole;
};

const newline = 10;
const longestHead = 300;

export type Piece = { readonly head: PieceHead; readonly bytes: Uint8Array };

/** null: no piece */
export const decodePiece = (payload: Uint8Array): Piece | null => {
  const end = payload.subarray(0, longestHead).indexOf(newline);
  if (end < 0 || payload.length > longestHead + pieceBytes) return null;
  try {
    const head = pieceHeadSchema.parse(JSON.parse(new TextDecoder().decode(payload.subarray(0, end))));
    return { head, bytes: payload.subarray(end + 1) };
  } catch {
    return null;
  }
};
