import { readdirSync, rmSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import { freeBytesIn } from '../storage/free-bytes.ts';
import { hashOfFile } from '../storage/hash-of-file.ts';
import { renameDurably, syncFile } from '../storage/rename-durably.ts';
import { type BundleRequest, bundleTopic, decodePiece, type Piece } from '../wire/bundle-messages.ts';
import { startRound } from './rounds.ts';

/** Whether there is a release to fetch is asked this often, in hours in which the clinic is closed. ms */
const askMs = 5 * 60_000;
/** A piece comes within milliseconds; before the first one the agent reads the whole bundle. ms */
const answerMs = 20_000;
/** Left to the journal and the other slot. */
const keepFreeBytes = 64 * 1024 * 1024;

type FetchParts = {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly log: EventLog;
  readonly facility: string;
  readonly device: string;
  /** What RAUC is told this device is */
  readonly compatible: string;
  /** Where the update process looks for bundles */
  readonly folder: string;
  /** Closed, by a clock that can be believed */
  readonly mayFetch: () => boolean;
  readonly freeBytes?: (folder: string) => Promise<number>;
};

const partOf = (id: string): string => `fetched-${id}.part`;
const wholeOf = (id: string): string => `fetched-${id}.raucb`;
const fetchedName = /^fetched-([0-9a-f]{64})\.(part|raucb)$/;

/** Everything of an earlier fetch but what belongs to `id`. */
const forgetOthers = (folder: string, id: string): void => {
  for (const name of readdirSync(folder))
    if (fetchedName.test(name) && !name.includes(id)) rmSync(join(folder, name), { force: true });
};

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

type Fetched = Pick<FetchParts, 'folder' | 'log'> & Required<Pick<FetchParts, 'freeBytes'>>;

/** What has come so far, in the folder of bundles: it is there after a restart, too. */
const createFetched = ({ folder, log, freeBytes }: Fetched) => {
  const finish = async (id: string): Promise<void> => {
    const part = join(folder, partOf(id));
    if ((await hashOfFile(part)) !== id) {
      // A disk or a power cut has changed it: from the beginning, another time.
      rmSync(part, { force: true });
      return log.event('bundle.spoilt', {});
    }
    syncFile(part);
    renameDurably(part, join(folder, wholeOf(id)));
    log.event('bundle.fetched', { bytes: sizeOf(join(folder, wholeOf(id))) });
  };
  return {
    /** Where to go on */
    begun: (): Pick<BundleRequest, 'id' | 'offset'> => {
      const found = readdirSync(folder).find((name) => /\.part$/.test(name) && fetchedName.test(name));
      const id = found === undefined ? null : (fetchedName.exec(found)?.[1] ?? null);
      return { id, offset: id === null ? 0 : sizeOf(join(folder, partOf(id))) };
    },
    /** Whether to ask for another piece */
    take: async ({ head: { id, bytes, offset }, bytes: piece }: Piece): Promise<boolean> => {
      forgetOthers(folder, id);
      if (sizeOf(join(folder, wholeOf(id))) === bytes) return false;
      const path = join(folder, partOf(id));
      const have = sizeOf(path);
      // Of another question, or of another beginning: what is there already says where to go on.
      if (offset !== have || have + piece.length > bytes) {
        if (have > bytes) rmSync(path, { force: true });
        return have <= bytes;
      }
      if ((await freeBytes(folder)) < bytes - have + keepFreeBytes) {
        log.event('bundle.no-room', { bytes });
        return false;
      }
      await appendFile(path, piece, { mode: 0o644 });
      if (have + piece.length < bytes) return true;
      await finish(id);
      return false;
    },
  };
};

/**
 * Fetches the release that the agent has for this kind of device, while the clinic is closed, and goes on after a cut, a
 * restart or the next evening from where it was. A bundle gets its name once it is whole and on the disk; whether it may be
 * installed is not judged here. Returns how to end it.
 */
export const fetchBundles = (parts: FetchParts): (() => void) => {
  const { bus, clock, log, facility, device, compatible, folder, mayFetch, freeBytes = freeBytesIn } = parts;
  const fetched = createFetched({ folder, log, freeBytes });
  let isGranted = false;
  let ended = false;
  /** Whom the last question went to; null: whoever has a release */
  let asked: string | null = null;
  let hear: (piece: Piece | null) => void = () => {};
  const endAnswers = bus.subscribe(
    bundleTopic(facility, device, 'answer'),
    ({ payload }) => {
      const piece = decodePiece(payload);
      // What a second agent says to a question to all of them comes too late.
      if (piece !== null && (asked === null || piece.head.agent === asked)) hear(piece);
    },
    {
      granted: (granted) => {
        isGranted = granted;
      },
    },
  );

  const ask = async (agent: string | null): Promise<Piece | null> => {
    const request: BundleRequest = { compatible, ...fetched.begun(), agent };
    asked = agent;
    const answered = new Promise<Piece | null>((resolve) => {
      const callOff = clock.wakeAt(clock.now().monotonicMs + answerMs, () => resolve(null));
      hear = (piece) => {
        callOff();
        resolve(piece);
      };
    });
    // Whether it went out says nothing: on a slow line the answer is here before the broker's word for it.
    void bus.publish(bundleTopic(facility, device, 'request'), new TextEncoder().encode(JSON.stringify(request)));
    return answered;
  };

  const endRounds = startRound(clock, askMs, 'later', async () => {
    try {
      let agent: string | null = null;
      for (let more = isGranted; more && !ended && mayFetch(); ) {
        const piece = await ask(agent);
        // One that has fallen silent: whoever else has it may go on.
        if (piece === null) more = agent !== null;
        else more = (await fetched.take(piece)) && (agent === null || piece.bytes.length > 0);
        agent = piece?.head.agent ?? null;
      }
    } catch (error) {
      // No folder, or a disk that takes no more: nothing of the terminal's work depends on it.
      const errorCode = (error as NodeJS.ErrnoException).code;
      log.event('bundle.not-kept', typeof errorCode === 'string' ? { errorCode } : {});
    }
  });
  return () => {
    ended = true;
    endRounds();
    endAnswers();
    hear(null);
  };
};
