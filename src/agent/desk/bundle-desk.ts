import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../log/event-log.ts';
import { hashOfFile } from '../../storage/hash-of-file.ts';
import {
  type BundleRequest,
  bundleRequestSchema,
  bundleTopic,
  encodePiece,
  pieceBytes,
} from '../../wire/bundle-messages.ts';
import type { AgentContext } from '../agent-context.ts';

/** Of one terminal: it asks for its next piece when it has one, which may be before the broker's word for that is here. */
const maximumWaiting = 2;

/** `length` bytes from `offset` on, fewer at the end of the file. */
const readAt = async (file: FileHandle, offset: number, length: number): Promise<Uint8Array> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
};

type Context = Pick<AgentContext, 'bus' | 'keys' | 'devices' | 'log'>;

/**
 * Gives releases out to terminals, piece by piece: `<compatible>.raucb` of its folder, whatever lies there now. Decides
 * nothing: whose turn it is, the hour and the signature are looked at by the terminal.
 */
export class BundleDesk {
  readonly #context: Context;
  readonly #folder: string;
  readonly #withholds: (sha256: string) => boolean;
  readonly #unsubscribe: () => void;
  readonly #known = new Map<string, { readonly stamp: string; readonly id: string }>();
  #last: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Map<string, number>();

  /** `withholds`: whether a file is none that may be given out now */
  constructor(context: Context, folder: string, withholds: (sha256: string) => boolean = () => false) {
    this.#context = context;
    this.#folder = folder;
    this.#withholds = withholds;
    this.#unsubscribe = context.bus.subscribe(
      bundleTopic(context.keys().facility, '+', 'request'),
      ({ topic, payload }) => this.#enqueue(topic.split('/')[3] ?? '', payload),
      // A broker whose access rules are older: bundles are carried by hand.
      { granted: () => {} },
    );
  }

  close(): void {
    this.#unsubscribe();
  }

  /** One piece at a time, whoever asks: what a visit needs of the disk and the line comes between. */
  #enqueue(device: string, payload: Uint8Array): void {
    const entry = this.#context.devices().get(device);
    const waiting = this.#waiting.get(device) ?? 0;
    if (entry === undefined || entry.revoked || payload.length > 500 || waiting >= maximumWaiting) return;
    this.#waiting.set(device, waiting + 1);
    this.#last = this.#last
      .then(() => this.#answer(device, payload))
      .catch((error: unknown) => this.#context.log.event('process.error', describeError(error)))
      .finally(() => {
        this.#waiting.set(device, (this.#waiting.get(device) ?? 1) - 1);
      });
  }

  async #answer(device: string, payload: Uint8Array): Promise<void> {
    const asked = bundleRequestSchema.safeParse(parse(payload));
    if (!asked.success) return;
    const { bus, keys } = this.#context;
    const { facility, agent } = keys();
    // Of several agents one gives the pieces.
    if (asked.data.agent !== null && asked.data.agent !== agent) return;
    const piece = await this.#pieceOf(agent, asked.data);
    if (piece !== null) await bus.publish(bundleTopic(facility, device, 'answer'), piece);
  }

  /** null: there is none for such a device */
  async #pieceOf(agent: string, { compatible, id, offset, agent: asked }: BundleRequest): Promise<Uint8Array | null> {
    const path = join(this.#folder, `${compatible}.raucb`);
    const file = await open(path, 'r').catch(() => null);
    if (file === null) return null;
    try {
      const { size, mtimeMs } = await file.stat();
      const now = await this.#idOf(path, `${size} ${mtimeMs}`);
      if (this.#withholds(now)) return null;
      // Another one than it has begun with: from the beginning.
      const from = id === now ? offset : 0;
      return encodePiece(
        { agent, id: now, bytes: size, offset: from },
        await readAt(file, from, asked === null ? 0 : pieceBytes),
      );
    } finally {
      await file.close();
    }
  }

  async #idOf(path: string, stamp: string): Promise<string> {
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return known.id;
    const id = await hashOfFile(path);
    this.#known.set(path, { stamp, id });
    return id;
  }
}

const parse = (payload: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return null;
  }
};
