import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { CardSession } from '../../ports/card-reader.ts';
import { concatBytes } from '../../protocol/bytes.ts';
import { continuation, decodeResponse, encodeCommand } from '../../protocol/card/apdu.ts';
import { type CardCommand, readBinary } from '../../protocol/card/myna-card.ts';
import { readTlvHeader } from '../../protocol/card/tlv.ts';

/** 61xx and 6Cxx in a row before we give up on a card; a real one needs one. */
const continuationLimit = 8;

/**
 * Sends one command and reads its answer; 61xx and 6Cxx are followed here and nowhere else. The command's bytes are
 * overwritten afterwards, since they may hold a PIN, and the answer's, since they may hold a piece of the photo: what
 * the command makes of them is its caller's.
 */
export const exchange = async <T>(session: CardSession, command: CardCommand<T>): Promise<Result<T>> => {
  let apdu = command.apdu;
  let body: Uint8Array = new Uint8Array();
  for (let hop = 0; hop <= continuationLimit; hop++) {
    const bytes = encodeCommand(apdu);
    const answer = await session.transmit(bytes).finally(() => bytes.fill(0));
    if (!answer.ok) return answer;
    const response = decodeResponse(answer.value);
    answer.value.fill(0);
    if (!response.ok) return response;
    const next = continuation(apdu, response.value);
    // After 6Cxx the answer comes whole again; after 61xx it goes on.
    if (response.value.statusWord >> 8 !== 0x6c) {
      const before = body;
      body = concatBytes(before, response.value.body);
      before.fill(0);
    }
    response.value.body.fill(0);
    if (next === null) return command.read({ body, statusWord: response.value.statusWord });
    apdu = next;
  }
  return err(failure('card.communication', `${command.name}: no end of 61xx / 6Cxx`));
};

const turns = new WeakMap<CardSession, Promise<unknown>>();

/**
 * One piece of work with a card after the other: a SELECT of one must never come between another's SELECT and VERIFY,
 * or a PIN would be tried on somebody else's counter.
 */
export const exclusively = <T>(session: CardSession, work: () => Promise<T>): Promise<T> => {
  const turn = (turns.get(session) ?? Promise.resolve()).then(work);
  turns.set(
    session,
    turn.catch(() => undefined),
  );
  return turn;
};

/** The furthest byte a 15-bit offset and a short answer can reach. */
export const longestFile = 0x7fff + 256;

/**
 * Reads the one BER-TLV object of the selected transparent file, trimmed by its own length; every byte once. `limit`
 * bounds what a card can make us read. Short answers are gone on with, an empty one is `card.unreadable`.
 */
export const readObjectFile = async (session: CardSession, limit: number): Promise<Result<Uint8Array>> => {
  const unreadable = (detail: string) => err(failure('card.unreadable', detail));
  const first = await exchange(session, readBinary(0, 256));
  if (!first.ok) return first;
  const header = readTlvHeader(first.value);
  if (!header.ok) return header;
  const length = header.value.headerLength + header.value.valueLength;
  if (length > Math.min(limit, longestFile)) return unreadable(`file object of ${length} bytes`);
  const object = new Uint8Array(length);
  let filled = Math.min(length, first.value.length);
  object.set(first.value.subarray(0, filled));
  first.value.fill(0);
  // A card that answers in crumbs is allowed some, not one byte at a time for ever.
  let readsLeft = Math.ceil(length / 64) + 8;
  while (filled < length) {
    if (readsLeft-- === 0) return unreadable('file answered in crumbs');
    const chunk = await exchange(session, readBinary(filled, Math.min(256, length - filled)));
    if (!chunk.ok) return chunk;
    if (chunk.value.length === 0) return unreadable('file shorter than its object');
    object.set(chunk.value, filled);
    chunk.value.fill(0);
    filled += chunk.value.length;
  }
  return ok(object);
};
